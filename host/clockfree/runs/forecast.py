"""Forecast: how long a run in virtual time will take in wall time, from how long its beginning took."""

import time

LEAST_S = 5.0
"""A run that takes less is over before anybody has read it."""
MEASURED_S = 0.5
"""So much of a run, and at least up to its next sample, tells what the rest of it costs."""


class Forecast:
    """Says once how long a run will take; its clock starts when it is first asked."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._said = False

    def line(self, share: float) -> str:
        """What to tell a person when this share of the run, 0 .. 1, is done; "" where there is nothing to tell."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        took_s = now_s - self._began_s
        if self._said or took_s < MEASURED_S or share <= 0:
            return ""
        self._said = True
        takes_s = took_s / share
        return f"it will take about {_shown(takes_s)} of wall time in all" if takes_s >= LEAST_S else ""


def _shown(seconds: float) -> str:
    for unit, size in (("s", 1), ("min", 60), ("h", 3600)):
        count = float(f"{seconds / size:.1e}")
        if count < 100:
            return f"{count:g} {unit}"
    return f"{float(f'{seconds / 86400:.1e}'):g} days"
