"""Boards, cables and hosts that fail while they learn: each kind at each board, at several moments, one fault a run."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.host.racks import TASK, racked
from tests.soak.cases import INTERRUPT, KILL, POWER, RESET, UNPLUG, Case, Fault
from tests.soak.soak import BOARDS, RATE_HZ, Rack

UPDATES = 100
MOMENTS_S = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05, 1.2, 1.35)
OUT_S, IN_S = (0.3, 0.9), 1.65
"""A cable is out for so long, and in again then at the latest: a board that is away at the end goes on."""


def cases() -> list[Case]:
    """240 runs: every board unplugged, reset, without power; the host interrupted or killed."""
    faults = [
        Fault(kind, board, at_s, min(OUT_S[number % 2], IN_S - at_s) if kind == UNPLUG else 0.0)
        for kind in (UNPLUG, RESET, POWER)
        for board in range(BOARDS)
        for number, at_s in enumerate(MOMENTS_S)
    ]
    faults += [Fault(kind, -1, at_s + 0.01 * i) for kind in (INTERRUPT, KILL) for i in range(3) for at_s in MOMENTS_S]
    return [Case(number, number, UPDATES, (fault,)) for number, fault in enumerate(faults)]


def judged(share: slice, tell: Callable[[str], None]) -> Iterator[tuple[str, list[str]]]:
    """These runs on a rack of their own: what was done, and the complaints of the oracle."""
    with tempfile.TemporaryDirectory(prefix="clockfree-faults-") as name:
        here = Path(name)
        (here / "task.toml").write_text(TASK.replace("rate_hz = 50.0", f"rate_hz = {RATE_HZ}"), "utf-8")
        with racked(here / "task.toml", here / "bench.toml") as (made, file):
            of = Rack(made, here / "task.toml", file, here)
            for case in cases()[share]:
                (fault,) = case.faults
                yield f"{fault.kind} of board {fault.board} after {fault.at_s:g} s", of.run(case)
