"""The oracle: what has to be so after a run on boards, whatever was broken. Every test of a fault ends with it.

1. taps: those that the log ends with are those of the chips;
2. error: what is measured, and what is printed, is the circuit's true one, to three standard deviations, or null, or
   said not to be known;
3. firings: no more are counted than were due, and each is a pulse on the board's FIRE pin; of a trace, less told gaps;
4. faults: each that there was is said once, with its board and its edges, and none that there was not;
5. end: no traceback, no signal; exit status 0 only where nothing failed;
6. HOLD: every board is in it, or is named;
7. text: no control byte is printed but newline;
8. record: `clockfree check` finds all of it.

The truth is that of the chips behind the pins: a dense solve at their wipers, and pulses counted at pads.
"""

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.bench.boards import REHEARSED_AGAIN
from clockfree.commands import app
from clockfree.learning.diagnostics import RAILED
from clockfree.learning.learning import Learning
from clockfree.link import discovery
from clockfree.link.units import ADC_STEPS
from clockfree.runs import checking, results, runlog
from clockfree_board.rehearsal import FIRINGS_REHEARSED
from clockfree_model import events
from clockfree_model.counters import FIRINGS
from clockfree_model.parts import POTS
from clockfree_model.rates import rates_hz
from tests.sim.jobs import solve

TAKEN_IN = (events.RESTART, events.RESET)
"""What happened to a board without being a warning."""
DOUBT = (events.IMPOSSIBLE, events.CONTRADICTION)
"""Events that mark what is printed as not to be trusted."""
TOLD_S = 0.2
"""Taps and readings are told so often, and a little later."""
HELD_UP_S = 1.0
"""A busy machine holds lines up for so long: readings are as old that do not change meanwhile."""
UNTOLD_S = 3.0
"""What a board had counted when it was reset may not have been told for so long."""
MACHINE = "this machine is busy"
"""What virtual boards have in common with a machine on which tests run."""


@dataclass(frozen=True)
class Fault:
    """Something that was broken: the event that says so, and the unique id of its board ("" where it has none)."""

    event: str
    board: str = ""


@dataclass
class Ran:
    """A command that has ended.

    Attributes
    ----------
    status : int
        Its exit status; below 0 the signal that ended it.
    printed : bytes
        Standard output and error.
    folder : Path or None
        Of its run, where it made one.
    killed : bool
        It was killed on purpose: its record is cut off, and boards may go on.
    """

    status: int
    printed: bytes
    folder: Path | None = None
    killed: bool = False


@dataclass
class Truth:
    """What is true of boards and chips.

    Attributes
    ----------
    edges : dict
        Names of the edges of each board, by unique id; none for the supervisor.
    wipers : dict
        Of each edge the two wipers as the chips have them, by name.
    states : dict
        `hold` or `run` of each board, by unique id; None where it does not answer.
    pulses : dict
        On the FIRE pin of each edge board since RUN, by unique id.
    again : int
        So often a board may have rehearsed once more, which pulses them too.
    """

    edges: dict[str, list[str]]
    wipers: dict[str, list[int]]
    states: dict[str, str | None]
    pulses: dict[str, int] = field(default_factory=dict)
    again: int = 0


class Pulses:
    """Counts pulses on FIRE pins from RUN on: rehearsals pulse them too.

    Parameters
    ----------
    rack : VirtualRack
    monkeypatch : MonkeyPatch or None
        Looks at the pins when a run in this process begins; without it, a rehearsal of each edge is taken off.
    """

    def __init__(self, rack: Any, monkeypatch: Any = None) -> None:
        self._rack = rack
        self.again = 0 if monkeypatch else REHEARSED_AGAIN
        self._before = {
            board.id: self._now(board) + FIRINGS_REHEARSED * len(board.edges) for board in rack.bench.boards
        }
        if monkeypatch:
            start = Learning.start

            def started(learning: Learning) -> None:
                self._before = {board.id: self._now(board) for board in rack.bench.boards}
                start(learning)

            monkeypatch.setattr(Learning, "start", started)

    def since(self) -> dict[str, int]:
        """So many of each board, by unique id."""
        return {board.id: self._now(board) - self._before[board.id] for board in self._rack.bench.boards}

    def _now(self, board: Any) -> int:
        return int(self._rack.boards.pulses(board.id, board.fire_pin))


def truth(rack: Any, pulses: Pulses | None = None) -> Truth:
    """The truth of virtual boards now; their ports have to be free."""
    bench = rack.bench
    return Truth(
        {bench.supervisor.id: [], **{board.id: [edge.edge for edge in board.edges] for board in bench.boards}},
        {name: wipers for board in bench.boards for name, wipers in rack.boards.chips(board.id)["wipers"].items()},
        {present.board: present.hello.get("state") for present in discovery.of_bench(bench)},
        pulses.since() if pulses else {},
        pulses.again if pulses else 0,
    )


def ran(arguments: list[Any], capfdbinary: Any, folder: Path | None = None) -> Ran:
    """A command run in this process."""
    capfdbinary.readouterr()
    status = app.status_of([*map(str, arguments)])
    said = capfdbinary.readouterr()
    return Ran(status, said.out + said.err, folder if folder and folder.exists() else None)


def ended(process: "subprocess.Popen[bytes]", folder: Path | None = None, within_s: float = 60.0) -> Ran:
    """A command in a process of its own, whose output is piped together, when it has ended."""
    printed, _ = process.communicate(timeout=within_s)
    return Ran(process.returncode, printed, folder if folder and folder.exists() else None)


def judge(ran: Ran, truth: Truth, *faults: Fault) -> None:
    """Fail unless all is as it has to be."""
    found = complaints(ran, truth, *faults)
    assert not found, "\n".join([*found, ran.printed.decode(errors="backslashreplace")])


def complaints(ran: Ran, truth: Truth, *faults: Fault) -> list[str]:
    """What is not as it has to be, each begun by the name of its check."""
    record = None
    found = []
    if ran.folder is not None:
        found += _record(ran)
        record = runlog.read(ran.folder)
    found += [*_end(ran, record), *_hold(ran, truth), *_text(ran), *_faults(ran, record, truth, faults)]
    if record is not None and record.end["reason"] in ("done", "interrupted"):
        found += [*_taps(record, truth), *_error(ran, record, truth), *_firings(ran, record, truth)]
    return found


def _taps(record: runlog.Record, truth: Truth) -> Iterator[str]:
    told = {event["board"] for event in record.events if event["event"] in (events.AWAY, events.RESET, events.READBACK)}
    for board, names in truth.edges.items():
        for name in names:
            tap = int(record.samples[-1]["taps"][record.job.network.edge(name)])
            if truth.wipers[name] != [tap, tap] and not (board in told and tap < 0):
                yield f"taps: {name} of board {board}: the log has {tap}, its chip {truth.wipers[name]}"


def true_outputs_V(record: runlog.Record, taps: np.ndarray, lesson: int) -> np.ndarray:
    """Free outputs (B, O) of a lesson at these taps, the task's V, by a dense solve: the free twin has no mismatch."""
    job = record.job
    ohm = job.physics.resistance(np.asarray(taps), POTS[job.edge.pot])
    on = job.physics.dac_volts(job.ground.on_circuit(job.lessons[lesson].source_V, job.physics))
    found = [solve(job.network, ohm, job.sources, row)[list(job.targets)] for row in on]
    return np.asarray(job.ground.own(np.array(found), job.physics))


def _mean_square(record: runlog.Record, outputs_V: np.ndarray, lesson: int) -> tuple[float, float]:
    """Error of outputs, V^2, and its standard deviation by the rounding of the supervisor's ADC."""
    job = record.job
    off_V = outputs_V - job.lessons[lesson].desired_V
    rounded_V = job.physics.supply_V / job.ground.scale / ADC_STEPS / 12**0.5
    return float((off_V**2).mean()), float(np.sqrt((4 * off_V**2 + 2 * rounded_V**2).sum()) * rounded_V / off_V.size)


def _away(record: runlog.Record) -> Iterator[tuple[float, float]]:
    """When an edge board was away, us: the log has the taps that it told last, and its chips may have others."""
    since: dict[str, int] = {}
    for event in record.events:
        if event["event"] == events.AWAY and event.get("edges"):
            since.setdefault(event["board"], event["time_us"])
        elif event["event"] in (events.BACK, *TAKEN_IN) and event["board"] in since:
            yield since.pop(event["board"]), event["time_us"] + 1e6 * TOLD_S
    yield from ((began_us, np.inf) for began_us in since.values())


def _error(ran: Ran, record: runlog.Record, truth: Truth) -> Iterator[str]:
    network, last = record.job.network, record.samples[-1]
    chips = np.array([truth.wipers[network.edge_name(edge)][0] for edge in range(len(network.ends))])
    lesson = last["lesson"]
    true_V2, sigma_V2 = _mean_square(record, true_outputs_V(record, chips, lesson), lesson)
    if np.isfinite(last["error_V2"]) and abs(last["error_V2"] - true_V2) > 3 * sigma_V2 + _round_V2(record):
        yield f"error: measured {last['error_V2']:.3g}, the circuit has {true_V2:.3g} V^2, sigma {sigma_V2:.2g}"
    if any(event["event"] in (*DOUBT, events.STOOD) for event in record.events):
        return  # marked
    # What is printed is a mean over samples on the way: held against what the same taps give, where boards told them.
    away = list(_away(record))
    measured = [s for s in record.samples if s["lesson"] == lesson]
    known = [s for s in measured if s["taps"].min() >= 0 and not any(a <= s["time_us"] <= b for a, b in away)]
    late = [k for k, s in enumerate(known) if s["updates"] > 0.8 * last["updates"] and np.isfinite(s["error_V2"])]
    printed_V2 = results.summary(record, results.dataset(record))["final_error_V2"]
    if printed_V2 is None or not late or not late[0]:
        return
    if len(known) < len(measured):  # of the mean, what can be judged
        printed_V2 = float(np.mean([known[k]["error_V2"] for k in late]))
    every_V = np.array([true_outputs_V(record, s["taps"], lesson) for s in known])
    true_V2 = float(np.mean([_mean_square(record, every_V[k], lesson)[0] for k in late]))
    # A reading is as old as a round of examples, and learning goes on: as far as outputs move meanwhile.
    times_s = np.array([s["time_us"] for s in known]) / 1e6
    round_s = len(every_V[0]) * record.job.clamp.dwell_s + TOLD_S
    first = [min(k - 1, int(np.searchsorted(times_s, _read_s(known, k) - round_s))) for k in late]
    moves_V = np.mean([np.ptp(every_V[before : k + 1], axis=0) for before, k in zip(first, late, strict=True)], axis=0)
    moves_V = 2 * moves_V + 0.5 * _round_V2(record) ** 0.5  # a few samples do not see all of it
    off_V = np.abs(every_V[late] - record.job.lessons[lesson].desired_V).mean(axis=0)
    allowed_V2 = float((2 * off_V * moves_V + moves_V**2).mean())
    if abs(printed_V2 - true_V2) > allowed_V2 + 3 * sigma_V2:
        yield f"error: printed {printed_V2:.3g}, at the taps told it was {true_V2:.3g} V^2"


def _read_s(samples: list[dict[str, Any]], k: int) -> float:
    """When the oldest reading of a sample had been told, s: none that has changed is older than the one before it."""
    rows, time_s = samples[k]["outputs_V"], samples[k]["time_us"] / 1e6
    for sample in reversed(samples[:k]):
        same = (sample["outputs_V"] == rows).all(axis=1).any()
        if not same or samples[k]["time_us"] - sample["time_us"] > 1e6 * HELD_UP_S:
            break
        time_s = sample["time_us"] / 1e6
    return time_s


def _round_V2(record: runlog.Record) -> float:
    """What rounding adds to every error, V^2."""
    return float((record.job.physics.supply_V / record.job.ground.scale / ADC_STEPS) ** 2)


def _untold_s(record: runlog.Record, board: str) -> float:
    """For how long in all a board may have fired what it never told of, s: before each reset, and while it was away."""
    untold_s, since_s = 0.0, None
    for event in (each for each in record.events if each.get("board") == board):
        now_s = event["time_us"] / 1e6
        if event["event"] == events.AWAY:
            since_s = now_s if since_s is None else since_s
        elif event["event"] in TAKEN_IN:
            untold_s += UNTOLD_S + (now_s - since_s if since_s is not None else 0.0)
            since_s = None
        elif event["event"] == events.BACK:
            since_s = None
    return untold_s + (UNTOLD_S if since_s is not None else 0.0)


def _firings(ran: Ran, record: runlog.Record, truth: Truth) -> Iterator[str]:
    job, last = record.job, record.samples[-1]
    counted = last["counters"].get(FIRINGS, np.zeros(len(job.network.ends), dtype=int))
    due = 1.05 * rates_hz(job) * last["time_us"] / 1e6
    begun_again = {event["board"] for event in record.events if event["event"] in (*TAKEN_IN, events.AWAY)}
    rows = runlog.read_firings(ran.folder) if job.trace and ran.folder else None
    for board, names in truth.edges.items():
        edges = [job.network.edge(name) for name in names]
        for edge in edges:
            if counted[edge] > due[edge] + 5 * due[edge] ** 0.5 + 1:
                yield f"firings: {job.network.edge_name(edge)}: {counted[edge]}, and {due[edge]:.0f} were due"
        total = int(counted[edges].sum())
        if edges and board in truth.pulses:
            most = float(rates_hz(job)[edges].sum()) * _untold_s(record, board)
            missing = truth.pulses[board] - total
            slack = 1.05 * most + 5 * most**0.5
            rehearsals = [FIRINGS_REHEARSED * len(edges) * times for times in range(truth.again + 1)]
            if not any(0 <= missing - rehearsal <= slack for rehearsal in rehearsals):
                yield f"firings: board {board}: {total} counted, {truth.pulses[board]} pulses on its FIRE pin"
        if edges and rows is not None:
            gaps = [event for event in record.events if event["event"] == events.GAP and event.get("board") == board]
            told = int(np.isin(rows[:, 0], edges).sum())
            untold = total - sum(event.get("firings", 0) for event in gaps)
            if told > total or (told != untold and board not in begun_again and not any("lost" in gap for gap in gaps)):
                yield f"firings: board {board}: {told} recorded, {total} counted less gaps {untold}"


def _faults(ran: Ran, record: runlog.Record | None, truth: Truth, faults: tuple[Fault, ...]) -> Iterator[str]:
    printed = ran.printed.decode(errors="backslashreplace").splitlines()
    if record is not None:
        said = [event for event in record.events if _is_fault(event) and not _railed(record, event)]
        found = Counter((event["event"], event.get("board", "")) for event in said)
        expected = Counter((fault.event, fault.board) for fault in faults)
        for (event, board), times in (found - expected).items():
            texts = [each["text"] for each in said if (each["event"], each.get("board", "")) == (event, board)]
            yield f"faults: {event} of board {board or '-'}: {times} times more than there was: {texts}"
        for (event, board), times in (expected - found).items():
            yield f"faults: {event} of board {board or '-'}: not said {times} times"
    for fault in faults:
        names = [fault.board, *truth.edges.get(fault.board, [])[:3]] if fault.board else []
        if names and not any(all(name in line for name in names) for line in printed):
            yield f"faults: {fault.event}: no line names {' and '.join(names)}"


def _is_fault(event: dict[str, Any]) -> bool:
    kind = events.EVENTS.get(event["event"])
    bad = event.get("failed") or event["event"] in TAKEN_IN or kind is None or kind.warns
    return bool(bad) and MACHINE not in event["text"]


def _railed(record: runlog.Record, event: dict[str, Any]) -> bool:
    """True where many edges are said to be at their ends, and were by the samples: no fault of a board."""
    job = record.job
    ends = job.physics.lowest_tap(POTS[job.edge.pot]), POTS[job.edge.pot].highest
    seen = (np.isin(sample["taps"], ends).mean() for sample in record.samples)
    return event["event"] == events.RAILS and any(share > RAILED for share in seen)


def _end(ran: Ran, record: runlog.Record | None) -> Iterator[str]:
    if b"Traceback" in ran.printed:
        yield "end: a traceback"
    if ran.killed:
        return
    if ran.status < 0:
        yield f"end: signal {-ran.status}"
    if ran.status == 0 and record is not None:
        failed = [event["text"] for event in record.events if event.get("failed")]
        if failed or record.end["reason"] != "done":
            yield f"end: status 0, and it ended {record.end['reason']}: {failed}"
    if ran.status not in (0, 130) and not ran.printed.strip():
        yield f"end: status {ran.status} without a word"


def _hold(ran: Ran, truth: Truth) -> Iterator[str]:
    if ran.killed:
        return
    for board, state in truth.states.items():
        if state != "hold" and board.encode() not in ran.printed:
            yield f"HOLD: board {board} is in {state or 'nobody knows what'}, and is not named"


def _text(ran: Ran) -> Iterator[str]:
    bad = sorted({byte for byte in ran.printed if (byte < 0x20 and byte != 0x0A) or byte == 0x7F})
    if bad:
        yield f"text: control bytes {bad}"


def _record(ran: Ran) -> Iterator[str]:
    found = checking.check(ran.folder) if ran.folder else None
    if found is None or (found.checked and found.sound):
        return
    if not (ran.killed and not found.broken and found.problem.startswith("cut off")):
        yield f"record: {checking.text(found)}"
