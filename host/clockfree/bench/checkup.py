"""Check-up of single boards in HOLD: chips, cables, seeds, and how fast they fire."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from clockfree.bench.fitting import LEAST_DWELL_S
from clockfree.bench.verdicts import CHIPS, CLAMP, ENTROPY, ID, LINK, RATE, Verdict
from clockfree.learning.arming import Member, arm_edges, arm_supervisor, seed_words
from clockfree.learning.pace import floor_us, held_hz, not_held
from clockfree.learning.tally import UNKNOWN
from clockfree.link.handshake import RefusedError
from clockfree.link.session import Session
from clockfree_board.link import EDGE_ROW
from clockfree_model.job import Job

PINGS = 20
MOST_TRIP_S = 0.2
"""Of the shortest round trip: a board that answers later misses what it is told each second."""
SLOWER = 3.0
"""So many times longer a firing takes on a board that is slow beside its fellows."""
REHEARSALS, APART_S = 15, 0.15
"""So often at most, and so far apart."""
FELLOWS, MOST_FELLOWS = 2, 5
"""Others with the same chips: with fewer nobody knows how fast such a board is, and more would take longer."""
SHOWING_S, SHOWINGS, MOST_SHOWINGS = 0.03, 3, 40
"""The supervisor shows examples for so long, so often, or more often where it seems to be slow: the shortest counts."""
MOST_SHOW_US = round(1e6 * LEAST_DWELL_S)
"""Then an example is over before it is shown."""


def pinged(session: Session) -> list[float]:
    """Round trips, s."""
    found = []
    for _ in range(PINGS):
        began_s = time.monotonic()
        session.ask("status")
        found.append(time.monotonic() - began_s)
    return found


def judge_link(verdict: Verdict, session: Session) -> None:
    """What its cable lost, and its round trips, if they are known."""
    quality = session.quality
    verdict.facts["lost"] = round(quality.loss, 4)
    if quality.lossy:
        text = f"{100 * quality.loss:.0f}% of its lines come broken"
        verdict.find(LINK, text, "another cable, a hub with power of its own, shorter wires")
    trip_s = verdict.facts.get("trip_s", 0.0)
    if trip_s > MOST_TRIP_S:
        verdict.find(LINK, f"its shortest round trip takes {1e3 * trip_s:.0f} ms", "look at its hub, or its network")


def judge_seeds(verdicts: dict[Session, Verdict]) -> None:
    """Ids and boot ids have to be unlike any other's: who starts alike may fire alike."""
    for key, kind, advice in (
        ("id", ID, "clones can repeat an id: give port in place of id in the bench file"),
        ("boot", ENTROPY, "its random numbers are none: flash a MicroPython with os.urandom, reset it"),
    ):
        alike = defaultdict(list)
        for session in verdicts:
            alike[session.hello.get(key)].append(session)
        for value, sessions in alike.items():
            for session in sessions if len(sessions) > 1 else ():
                others = ", ".join(other.name for other in sessions if other is not session)
                what = "id" if key == "id" else "seed"
                verdicts[session].find(kind, f"its {what}, {value}, is that of {others} too", advice)


def chips(verdict: Verdict, member: Member, start_tap: int) -> tuple[list[int], list[list[int]]]:
    """Taps of a board's edges, as its chips say them, and trims; each chip is moved by a tap, and back.

    A tap that the board does not know, of chips that do not say it, becomes that of the start.
    """
    session = member.session
    taps, trims = [], []
    for i, limits in enumerate(session.hello["can"]["edges"]):
        name, _, _, lowest, highest = limits
        trims.append(session.ask("trim", i)[0])
        tap = UNKNOWN
        try:
            tap = int(session.ask("adopt", i)[0])
            known = start_tap if tap == UNKNOWN else tap
            for other in (known - 1 if known > lowest else known + 1, known):
                session.ask("tap", i, min(highest, other))
            tap = known
        except RefusedError as error:
            advice = "look at its chip select, SCK, MOSI, MISO and supply"
            verdict.find(CHIPS, f"the potentiometer of {name} does not do as told ({error})", advice)
        try:
            session.ask("measure", i)
        except RefusedError as error:
            verdict.find(CHIPS, f"{name}: {error}", "look at the chip select, SCK, MISO and supply of its ADC")
        taps.append(tap)
    verdict.facts["taps"] = taps
    verdict.facts["at_rail"] = [
        name for tap, (name, _, _, *ends) in zip(taps, session.hello["can"]["edges"]) if tap in ends
    ]
    return taps, trims


def armed(verdict: Verdict, member: Member, job: Job, run_id: int, taps: Sequence[int]) -> None:
    """Arm a board's edges, and see whether each keeps the seed that it was given."""
    arm_edges(member, job, run_id, taps)
    (status,) = member.session.ask("status")
    at = EDGE_ROW.index("seed_low")
    words = [*seed_words(job.seed, member.restarts)]
    if any(row[at : at + 2] != words for row in status["edges"]):
        verdict.find(ENTROPY, "it keeps another seed than it was given", "flash it")


Kinds = dict[Member, tuple[str, ...]]
"""What is on each board; only those of a kind are held against one another."""


def rehearsed(kinds: Kinds, again: Callable[[Member], int]) -> dict[Member, float]:
    """Boards rehearse one after another: how many times as long as its fellows' a firing takes on those that are slow.

    Whatever holds a rehearsal up makes it longer, never shorter: of a board that seems slow the least of all turns
    counts, and of others of its kind, which rehearse in the same turns, what is usual. On a busy machine that is long.

    Parameters
    ----------
    kinds : dict
        Of every board; one that could not rehearse is left out from then on.
    again : callable
        Has one board rehearse: how long a firing took, us, or 0 where it could not.
    """
    took_us: dict[Member, list[int]] = defaultdict(list)
    times: dict[Member, float] = {}
    slow = [*kinds]
    for turn in range(REHEARSALS):
        asked = {*slow}.union(*(_fellows(kinds, member) for member in slow))
        for member in [member for member in kinds if turn < 2 or member in asked]:
            if us := again(member):
                took_us[member].append(us)
            else:
                del kinds[member]
        for member in kinds:
            fellows = _fellows(kinds, member)
            beside_us = [us for other in fellows for us in took_us[other]]
            usual_us = median(beside_us) if len(fellows) >= FELLOWS else math.inf
            times[member] = min(took_us[member]) / usual_us
        slow = [member for member in slow if member in kinds and times[member] > SLOWER]
        if not slow:
            break
        time.sleep(APART_S)
    return {member: times[member] for member in slow}


def _fellows(kinds: Kinds, member: Member) -> list[Member]:
    others = [other for other, kind in kinds.items() if kind == kinds.get(member) and other is not member]
    return others[:MOST_FELLOWS]


def judge_rates(kinds: Kinds, slow: dict[Member, float], job: Job, verdicts: dict[Session, Verdict]) -> None:
    """How fast each board is, which ones are slow, and which hold no rate worth the name."""
    for member in kinds:
        verdict = verdicts[member.session]
        firing_us = max(member.firing_us)
        member.late_us = [max(late_us, floor_us(member.firing_us)) for late_us in member.late_us]
        verdict.facts |= {"firing_us": firing_us, "holds_hz": round(held_hz(member), 1)}
        if member in slow:
            text = f"a firing takes it {firing_us:,} us, {slow[member]:.1f} times as long as its fellows"
            verdict.find(RATE, text, "look at its clock, spi.baud in the bench file, and what else runs on it")
        elif found := not_held(job, member):
            _, asked_hz, holds_hz = found
            text = f"it holds {holds_hz:,.2g} firings/s of each edge, not even {asked_hz:g}"
            verdict.find(RATE, text, "fewer edges on it, or a lower edge.rate_hz")


def shown(verdict: Verdict, member: Member, job: Job, run_id: int) -> None:
    """How long the supervisor takes for an example: it shows some, while all edges hold."""
    ask = member.session.ask
    took_us: list[int] = []
    while len(took_us) < SHOWINGS or (min(took_us) > MOST_SHOW_US and len(took_us) < MOST_SHOWINGS):
        arm_supervisor(member, job, run_id, 0)
        try:
            ask("run", run_id)
            time.sleep(SHOWING_S)
            took_us.append(int(ask("status")[0]["tick_us"]))
        finally:
            ask("hold")
    arm_supervisor(member, job, run_id, 0)  # its mixers, for whoever shows something now
    verdict.facts["example_us"] = min(took_us)
    if min(took_us) > MOST_SHOW_US:
        text = f"to show an example takes it {1e-3 * min(took_us):.1f} ms"
        verdict.find(CLAMP, text, f"set clamp.dwell_s to {100e-6 * min(took_us):.2g} s at least")
