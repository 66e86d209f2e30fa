"""The table of chips: what host and simulation know of each part."""

TOP = {"mcp42xx": 128, "ad5220": 127, "ad5222": 127, "x9c": 99}
"""Highest wiper position of each potentiometer; an X9C divides R_AB into 99 steps, the others into 128."""

START_TAP = 64
"""Where every wiper stands at power-on."""
