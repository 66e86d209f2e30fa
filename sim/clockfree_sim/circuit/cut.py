"""What counts as cut."""

CUT_S = 1e-12
"""Conductance below which an edge counts as cut, S (a real one is at least 5e-6 S)."""
