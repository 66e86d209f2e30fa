"""The plant: what boards are wired to, and a job wired up on it."""
