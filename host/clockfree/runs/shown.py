"""Volts as tables show them."""

NOBODY = "-"
"""In place of a value that nobody measured."""


def shown(volts: float | None) -> str:
    """Volts as a table has them; `-` where nobody knows."""
    return NOBODY if volts is None else f"{volts:.4f}"
