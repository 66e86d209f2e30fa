"""The world: the firmware's own objects on simulated chips, in virtual time."""
