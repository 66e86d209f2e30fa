"""Edges and clamp that each preset of the physics begins with, and what of them another part or clamp wants otherwise.

Measured: docs/theory/overclamp.md. On real parts the plain rule loses what calibration, a floor and sums keep; and a
nudge shrinks with the error until offsets are larger, which an overclamp does not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clockfree_board.rule import FIRST, SECOND
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.settings import NUDGE, OF_OVERCLAMP, OVERCLAMP, ClampSettings, EdgeSettings

EDGES = {
    "ideal": EdgeSettings(),
    "paper": EdgeSettings(),
    "board": EdgeSettings(front_end="adc", calibrate=True, order=FIRST, f_V=0.006, theta_V=0.04, summed=True),
}
"""Edges of each preset, under its clamp."""
CLAMPS = {
    "ideal": ClampSettings(),
    "paper": ClampSettings(),
    "board": ClampSettings(OVERCLAMP, gain=10.0, tolerance_V=0.001),
}
"""Clamp of each preset."""

MOST_FIRINGS = 0.5
"""Of the fastest edge, from one aim of an overclamp to the next: at twice as many runs are lost."""

NUDGED: dict[str, Any] = {"order": SECOND, "f_V": 0.001}
"""What of the board preset's edges a nudge wants otherwise: its q shrinks with the error."""
DITHERED: dict[str, Any] = {"theta_V": 0.02, "summed": False}
"""Threshold of a trimmed comparator, which knows whether |q| is beyond a gate, but nothing that could be summed."""
NO_THRESHOLD: dict[str, Any] = {"f_V": 0.0, "theta_V": 0.0, "summed": False}
UNCALIBRATED: dict[str, Any] = {"f_V": 0.03, "theta_V": 0.0, "summed": False}
"""Threshold without calibration: three standard deviations of what offsets make of q."""
COARSE: dict[str, Any] = {"amplitude_V": 0.5, "gain": None, "tolerance_V": 0.002}
"""Overclamp beside it, which is as large at any error."""


def of_preset(preset: str, edge: Mapping[str, Any], clamp: Mapping[str, Any]) -> tuple[EdgeSettings, ClampSettings]:
    """Edges and clamp of a preset, with what a task gives of them.

    `eta` alone asks for a nudge. Where nothing asks for an overclamp, two kinds of edges are nudged: those too fast for
    it to follow, and comparators, unless their order says that B is wired to the free drop.
    """
    first = CLAMPS[preset]
    front_end = edge.get("front_end", EDGES[preset].front_end)
    part = FRONT_ENDS[front_end]
    rates = replace(EDGES[preset], **{key: edge[key] for key in ("rate_hz", "decades") if key in edge})
    follows = rates.rate_hz * 10 ** (rates.decades / 2) * first.refresh_s <= MOST_FIRINGS
    on_sum = not part.measures and edge.get("order", SECOND) == SECOND
    asked = any(key in clamp for key in OF_OVERCLAMP)
    kind = clamp.get("kind", NUDGE if "eta" in clamp or not (asked or (follows and not on_sum)) else first.kind)
    found, hold = EDGES[preset], first if kind == first.kind else ClampSettings(kind)
    if kind != first.kind and kind == NUDGE:
        found = replace(found, **NUDGED)
    if front_end != found.front_end:
        if not part.gates:
            found = replace(found, calibrate=False, **NO_THRESHOLD)
        elif not part.measures and found.summed:
            found = replace(found, **DITHERED, f_V=0.003 if kind == NUDGE else found.f_V)
        if on_sum:
            found = replace(found, order=SECOND)
    if found.calibrate and edge.get("calibrate") is False and hold.kind == first.kind == OVERCLAMP:
        found, hold = replace(found, **UNCALIBRATED), replace(hold, **COARSE)
    return replace(found, **edge), replace(hold, **clamp)
