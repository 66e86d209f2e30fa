"""Units of what boards tell: steps of their converters over the supply."""

ADC_STEPS = 4096
C16_STEPS = 65536
"""Sixteenths of an ADC code."""
