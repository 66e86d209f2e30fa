"""What becomes of a board in RUN on an emulated Pico: its memory after a while, a hang, Ctrl-C.

Each raises AssertionError where it is not as it should be.
"""

from clockfree_board.link import HOLD
from tests.emulator.lab import RUN_ID, Lab
from tests.emulator.measure import REPORT_MS

RUNS_US = 200_000
BITES_US = 200_000
SAME_B = 256
"""Two looks at the heap may be so far apart, by the lengths of numbers in lines. One block is 16 bytes: what kept one a
firing, or a line, would keep thousands."""


def kept(lab: Lab, firings: int, rate_hz: float, bar_c16: int = 0) -> tuple[int, int]:
    """Bytes of the heap in use before and after so many firings, with what a host asks meanwhile: the same."""

    def begun() -> int:
        """The board has just collected its garbage."""
        lab.arm(rate_hz, 2000, bar_c16)
        lab.ask("run", RUN_ID)
        return int(lab.ask("hello")[0]["heap"][0])

    def run(us: float) -> None:
        lab.ask("report", REPORT_MS, 0)
        lab.beat(True)
        lab.run_us(us)
        lab.beat(False)
        lab.ask("report", 0, 0)
        lab.ask("hold")

    begun()
    run(RUNS_US)  # whatever is made once is there then
    before = begun()
    lab.begin()
    run(1e6 * firings / rate_hz / len(lab.edges))
    fired = sum(row["firings"] for row in lab.status())
    assert fired > 0.9 * firings, f"{fired} of {firings} firings"
    after = begun()
    lab.ask("hold")
    assert after <= before + SAME_B, f"{before} B of the heap in use, after {fired} firings {after}"
    return before, after


def hung(lab: Lab) -> float:
    """Seconds from a hang in RUN until the board is back, by its watchdog, in HOLD, with the taps of its chips.

    The watchdog, which bites after 8.4 s, is set close before: to emulate a loop that waits for a chip takes minutes.
    """
    _run(lab)
    lab.pico.lose_byte()
    lab.run_us(1e5)
    lab.begin()
    began_us = lab.pico.now_us()
    lab.pico.near_watchdog(BITES_US)
    said = lab.hello(20e6)
    assert (said["state"], said["reset"], said["reason"]) == (HOLD, "watchdog", "")
    assert not any(edge.firings for edge in lab.edges), "it has fired"
    wipers = [edge.wipers for edge in lab.edges]
    assert [[row["tap"]] * 2 for row in lab.status()] == wipers, f"taps are {wipers}"
    return 1e-6 * (lab.pico.now_us() - began_us)


def interrupted(lab: Lab, us: float) -> None:
    """Ctrl-C in RUN: HOLD and a prompt, and so it stays for so long: no watchdog bites, though it was armed."""
    _run(lab)
    lab.send(b"\x03")
    lab.run_us(RUNS_US)
    assert any(text.startswith(b"clockfree: HOLD, stopped by Ctrl-C") for text in lab.texts), lab.texts[-3:]
    lab.begin()
    told = len(lab.telemetry)
    lab.pico.near_watchdog(BITES_US)
    lab.run_us(us)
    assert not any(edge.firings for edge in lab.edges), "it fires"
    assert len(lab.telemetry) == told, lab.telemetry[told:]
    lab.send(b"print(6 * 7)\r\n")
    lab.run_us(RUNS_US)
    assert any(text.strip() == b"42" for text in lab.texts[-4:]), lab.texts[-4:]


def _run(lab: Lab) -> None:
    """RUN, and some firings."""
    lab.arm(200, 2000)
    lab.begin()
    lab.ask("run", RUN_ID)
    lab.run_us(RUNS_US)
    assert any(edge.firings for edge in lab.edges), "nothing fires"
