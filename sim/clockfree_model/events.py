"""Events of a run on boards: what each says, and whether a person should look into it."""

from dataclasses import dataclass

from clockfree_board.link import DROPPED, ERRORS

AWAY = "away"
BACK = "back"
RESTART = "restart"
RESET = "reset"
RESUMED = "resumed"
SILENT = "silent"
BEHIND = "behind"
STUCK = ("stuck a", "stuck b")
RAILS = "rails"
READBACK = "readback"
GAP = "gap"
LESSON = "lesson"
CLOCK = "clock"
AGES = "ages"
AIMED = "aimed"
MEASURED = "measured"
TEXT = "text"
WIRING = "wiring"
CODE = "other code"
IMPOSSIBLE = "impossible"
UNHELD = "unheld"
HELD = "held"
CONTRADICTION = "contradiction"
STOOD = "stood"
LOSSY = "lossy"


@dataclass(frozen=True)
class Event:
    """One kind of event.

    Attributes
    ----------
    meaning : str
    warns : bool
        A person should look into it: it stands among the warnings of the run's results.
    """

    meaning: str
    warns: bool = False


EVENTS = {
    AWAY: Event("a board is away: its port has vanished, or it does not answer", warns=True),
    BACK: Event("a board is back, and had gone on by itself; `firings` of its own meanwhile"),
    RESTART: Event("a board was taken in again and armed anew, with these `taps`; `restored` are those it had lost"),
    RESET: Event(
        "a board was reset before RUN, and set up again; or reset, or lost, as the run ended: what was measured then "
        "is not taken"
    ),
    RESUMED: Event("the run goes on from a checkpoint: every board was armed anew, with the taps and trims of then"),
    IMPOSSIBLE: Event("a board tells what cannot be; nothing of that is counted, nor what it tells later", warns=True),
    UNHELD: Event("a board says that it is in HOLD, and is not", warns=True),
    HELD: Event(
        "edge boards hold, since the supervisor was not heard of; of each board that did, `from_us` .. `to_us`"
    ),
    CONTRADICTION: Event("the supervisor's readings on the way are not what it measured in HOLD", warns=True),
    STOOD: Event("the host stood still: what boards told meanwhile may be missing, and none is blamed", warns=True),
    LOSSY: Event("lines of a board arrive broken: a bad cable", warns=True),
    SILENT: Event("an edge fires far less often than its clock should have it", warns=True),
    DROPPED: Event("an edge has dropped many overdue firings: its board is too busy", warns=True),
    ERRORS: Event("chips of an edge did not answer, or read back another tap", warns=True),
    BEHIND: Event("the supervisor has shown fewer examples than were due", warns=True),
    STUCK[0]: Event("comparator A has not changed where it should have", warns=True),
    STUCK[1]: Event("comparator B has not changed where it should have", warns=True),
    RAILS: Event("many edges stand at their lowest or highest tap", warns=True),
    READBACK: Event("at the end a chip reads back another tap than was counted", warns=True),
    GAP: Event("something is missing: `lost` lines of telemetry, or `firings` that nobody could tell of"),
    LESSON: Event("another lesson is taught from now on"),
    CLOCK: Event("a board's ticks were `t_us` at `at_us` of the run, to within `within_us`"),
    AGES: Event(
        "largest decision age and lateness of every edge, its firings per second, and longest change of examples: "
        "`age_us`, `late_us`, `rate_hz`, `tick_us`"
    ),
    AIMED: Event(
        "`looks` of an overclamp at the outputs, `holds` that followed, and the longest from the first reading to the "
        "clamp, `aim_us`"
    ),
    MEASURED: Event("what was measured in HOLD while an example was shown"),
    WIRING: Event("boards look as if they were at other edges than the bench file says; taken anyway", warns=True),
    CODE: Event("a board runs other code than the firmware of whoever ran this; taken anyway", warns=True),
    TEXT: Event("a board said something that is no message"),
}
"""By the names that they have in a log."""
