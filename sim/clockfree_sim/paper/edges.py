"""Edges that the figures compare, by every setting that makes them: no default of a preset moves a figure.

All are of the paper's rule, of the second order, and taught by its nudge (`discrete.job`).
"""

from dataclasses import replace

from clockfree_board.rule import SECOND
from clockfree_model.settings import EdgeSettings

COMPARATORS = EdgeSettings(front_end="comparator", order=SECOND)
PLAIN = replace(COMPARATORS, front_end="adc")
NULLED = replace(PLAIN, calibrate=True)
REMEDY = replace(NULLED, f_V=0.001, theta_V=0.04, summed=True)
GATED = replace(NULLED, f_V=0.003, theta_V=0.02)
"""Floor and dither: all that a comparator with a trim can do of a threshold."""
TRIMMED = replace(GATED, front_end="trimmed")
