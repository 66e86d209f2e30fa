"""Run folder: `log.jsonl` is the truth, everything else in it can be made again from it.

run.toml         the resolved configuration, versions, seeds: what `clockfree run RUN/run.toml` runs again
log.jsonl        one JSON object a line, appended and sealed (chain.py): `run`, then `sample`, `firings`, `event` and
                 `end`; where somebody wanted them `resumed` and `note` (logfile.py)
checkpoint.json  the latest taps, and all that it takes to go on from there; replaced in one go every few seconds
results.nc       the log as netCDF (results.py)
figure.png       the log as a figure (report.py)
bench.toml       on boards, the bench as it was used

The log holds no path and no name of the folder, and in virtual time no wall time: there the same seeds give the same
bytes.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base.errors import InputError
from clockfree.runs import outputs
from clockfree.runs.checkpoint import Checkpoint
from clockfree.runs.logfile import BROKEN, LOG, NOTE, LogFile, records, short
from clockfree_model.contents import contents
from clockfree_model.counters import FIRINGS
from clockfree_model.events import RESUMED
from clockfree_model.final import Best
from clockfree_model.job import Job, Sample
from clockfree_model.record import job_from, plain

FORMAT = 4
FORMATS = (1, 2, 3, FORMAT)
"""Those that are read: before 4 there are no `versions`; before 3 no `mean_error_V2` and no checksums; 1 has
`outputs_V` in every sample."""
ENDS = (
    "resumed: the run goes on from a checkpoint; lines between the one that after numbers, from 1, and this one do not "
    "count, notes aside. note: what a person wrote. crc: the CRC-32 of a line's text before its last comma, begun with "
    "that of the line before. A last line without a newline was cut off and does not count."
)
ABOUT = (
    "clockfree run log, one JSON object a line. run: what was run. sample: the state at one moment; mean_error_V2, the "
    "mean of error_V2 over every state since the sample before or the start of its lesson, each weighed by the time it "
    "stood, stood_us together; outputs_V, a row for each example, or with more examples than sources gain, a row for "
    "each output: outputs_V is the lesson's source_V times the transpose of gain; a counter it does not list is zero "
    "on every edge. firings: rows of edge, t_us, a, b, step, tap_after. end: why it ended. " + ENDS
)
ON_BOARDS = (
    "clockfree run log, one JSON object a line. run: what was run, on which boards, and where each value comes from. "
    "sample: what is known at one moment; outputs_V, a row for each example, or changed_V, by example, counted from 0, "
    "the rows that are others than at the sample before; a counter it does not list is zero on every edge, null was "
    "not measured. firings: rows of edge, t_us, a, b, step, tap_after. event: what happened to boards, or was measured "
    "in HOLD. end: why it ended. " + ENDS
)
CHECKPOINT_S = 5.0
"""A checkpoint is due after so long; on boards it waits for the next sample, which comes within as long again."""
LEAST_APART = 10.0
"""Times as far apart as they take: that of a network of thousands of edges takes seconds."""
TRACE_ROWS = 1000


class RunLog:
    """Writes `log.jsonl` and `checkpoint.json` of a run folder while the run goes on.

    Parameters
    ----------
    folder : Path
        An existing folder without a log.
    job : Job
        What is run.
    about : dict
        What else the record says of the run: `task`, `bench`, `preset`, `task_seed`; `versions` of what computed it;
        `best`, the best achievable errors in order; `baselines`, for each lesson those of a classification or None. On
        boards also `values`, `run_id`, `supervisor` and `boards`.
    saved : callable, optional
        Gives all that a bench needs to go on from here, as data.
    begun : Checkpoint, optional
        The folder has a log already, which goes on from here: `about` is what is other than it was.
    """

    def __init__(
        self,
        folder: Path,
        job: Job,
        about: dict[str, Any],
        saved: Callable[[], dict[str, Any]] | None = None,
        begun: Checkpoint | None = None,
    ) -> None:
        self.folder = folder
        self._state = saved
        self._on_boards = "values" in about
        self._before: Sample | None = None  # what outputs are told by; the first of a run that goes on is told whole
        self._began_s = self._saved_s = time.monotonic()
        self._took_s = 0.0
        path = folder / LOG
        self._last: dict[str, Any] = {}  # what a checkpoint says of the last sample
        if begun is None:
            self.samples = 0
            self.file = LogFile.create(path)
            log = ON_BOARDS if self._on_boards else ABOUT
            first = {"record": "run", "format": FORMAT, "log": log, **plain(about), "job": plain(job)}
        else:
            self.samples, self._last = begun.samples, begun.last()
            self._began_s -= begun.wall_s
            self.file = LogFile.reopen(path, begun.log["lines"], begun.log)
            first = {"record": RESUMED, "after": begun.log["lines"], **begun.last(), **plain(about)}
        try:
            self.file.write(first)
        except BaseException:
            self.file.close()
            raise

    @property
    def wall_s(self) -> float:
        """Wall time since the log was opened, s."""
        return time.monotonic() - self._began_s

    def sample(self, sample: Sample, accuracy: dict[str, float] | None = None) -> None:
        """Append events and firings before a sample, and the sample itself; now and then save the taps."""
        for event in sample.events:
            self.file.write({"record": "event", **event})
        for start in range(0, len(sample.trace), TRACE_ROWS):
            self.file.write({"record": FIRINGS, "rows": sample.trace[start : start + TRACE_ROWS]})
        counters = {name: counts for name, counts in sample.counters.items() if any(counts)}
        fields = {
            "record": "sample",
            "time_us": int(sample.time_us),
            "updates": float(sample.updates),
            "lesson": int(sample.lesson),
            "error_V2": _number(sample.error_V2),
            **({} if self._on_boards else _mean(sample)),
            "measured_error_V2": _number(sample.measured_error_V2),
            **outputs.told(sample, self._before, self._on_boards),
            "taps": plain(np.asarray(sample.taps)),
            "counters": counters,
        }
        if accuracy is not None:
            fields["accuracy"] = {name: _number(share) for name, share in accuracy.items()}
        self.file.write(fields)
        self._before = sample
        self._last = {name: fields[name] for name in ("updates", "time_us", "taps")}
        self.samples += 1
        if self.samples == 1:
            self.checkpoint()
        else:
            self.pause()

    def pause(self) -> None:
        """Now and then, between two events of the bench: a checkpoint, if one is due."""
        if time.monotonic() - self._saved_s >= max(CHECKPOINT_S, LEAST_APART * self._took_s):
            self.checkpoint()

    def checkpoint(self, over: bool = False) -> None:
        """Have all that was written until now outlast a power cut; save what it takes to go on, if any may."""
        self._saved_s = time.monotonic()
        state = self._state() if self._state and not over else {}
        wall_s = round(self.wall_s, 3)
        found = Checkpoint(**self._last, wall_s=wall_s, samples=self.samples, log=self.file.place(), state=state)
        found.write(self.folder, self.file)
        self._took_s = time.monotonic() - self._saved_s

    def end(self, reason: str) -> None:
        """Append the last record (`done`, `interrupted` or `failed`) and close the log."""
        try:
            if not self.file.torn:
                self.file.write({"record": "end", "reason": reason, "samples": self.samples})
        finally:
            self.file.close()


def _mean(sample: Sample) -> dict[str, Any]:
    return {"mean_error_V2": _number(sample.mean_error_V2), "stood_us": int(sample.stood_us)}


def _number(value: float) -> float | None:
    """JSON knows no NaN: what was not measured is null."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class Record:
    """A run as its log tells it.

    Attributes
    ----------
    folder : Path
        Where it was read.
    job : Job
        What was run.
    about : dict
        What else the first line says; see RunLog.
    samples : list of dict
        Every whole `sample` record, in order; at least one.
    events : list of dict
        Every `event` record, in order: on boards.
    end : dict
        The `end` record, or {"reason": "cut off"} where there is none.
    resumed, notes : list of dict
        Every `resumed` and every `note` record that counts, in order.
    """

    folder: Path
    job: Job
    about: dict[str, Any]
    samples: list[dict[str, Any]]
    events: list[dict[str, Any]]
    end: dict[str, Any]
    resumed: list[dict[str, Any]]
    notes: list[dict[str, Any]]

    @property
    def exact(self) -> bool:
        """True where the error of every state is known; else samples are all there is: on boards, before format 3."""
        return bool(np.isfinite([sample["mean_error_V2"] for sample in self.samples]).all())

    @property
    def on_boards(self) -> bool:
        """True where nobody knows more than what was measured."""
        return "values" in self.about


def check_free(folder: Path, at: Checkpoint) -> None:
    """InputError where a log does not go on from a checkpoint: it is another, was changed, or is being written now."""
    LogFile.reopen(folder / LOG, at.log["lines"], at.log).close()


def read(folder: Path) -> Record:
    """The record of a run folder; a last line that a kill cut off is left out.

    Raises
    ------
    InputError
        No such folder or log, a line that is not a record, or none of the records that a run must have.
    """
    path = folder / LOG
    lines = records(path)
    _, first = next(lines, (0, None))
    if first is None or first.get("record") != "run" or first.get("format") not in FORMATS:
        formats = " or ".join(map(str, FORMATS))
        raise InputError(f"{path}: line 1: expected the first record of a clockfree run, format {formats}")
    try:
        job = job_from(first["job"])
        about = {key: first[key] for key in ("task", "bench", "preset", "task_seed")}
        about["versions"] = {str(name): str(found) for name, found in first.get("versions", {}).items()}
        if "values" in first:
            about |= {key: first[key] for key in ("values", "run_id", "supervisor", "boards")}
        about["best"] = [Best(int(b["lesson"]), float(b["from_updates"]), float(b["error_V2"])) for b in first["best"]]
        about["baselines"] = [
            {str(name): float(share) for name, share in (first["baselines"][i] or {}).items()}
            for i in range(len(job.lessons))
        ]
    except BROKEN as error:
        raise InputError(f"{path}: line 1: expected a recorded job, got {short(error)}") from None
    samples: list[dict[str, Any]] = []
    events, end = [], {"reason": "cut off"}
    others: dict[str, list[dict[str, Any]]] = {RESUMED: [], NOTE: []}
    for number, fields in lines:
        if fields.get("record") == "sample":
            samples.append(_checked(path, number, fields, job, samples[-1] if samples else None))
        elif fields.get("record") == "event":
            if not isinstance(fields.get("event"), str) or not isinstance(fields.get("text"), str):
                raise InputError(
                    f"{path}: line {number}: expected an event and a text that says it, got {short(fields)}"
                )
            if type(fields.get("lost", 0)) is not int:
                raise InputError(f"{path}: line {number}: expected lost as a whole number, got {short(fields)}")
            events.append(fields)
        elif fields.get("record") == "end":
            end = {"reason": str(fields.get("reason"))}
        elif fields.get("record") in others:
            others[fields["record"]].append(fields)
    if not samples:
        raise InputError(f"{path}: expected at least one sample, got none: the run was cut off before it began")
    return Record(folder, job, about, samples, events, end, others[RESUMED], others[NOTE])


def read_batches(folder: Path) -> Iterator[tuple[list[dict[str, Any]], np.ndarray, int]]:
    """What came between two samples of a run: events, firings (F, 6), and the time of the sample that ends it, us."""
    path = folder / LOG
    found: list[dict[str, Any]] = []
    parts = [np.empty((0, 6), dtype=np.int64)]
    time_us = 0
    for number, fields in records(path):
        try:
            if fields.get("record") == FIRINGS:
                parts.append(np.array(fields["rows"], dtype=np.int64).reshape(-1, 6))
            elif fields.get("record") == "event":
                found.append(fields)
            elif fields.get("record") == "sample":
                time_us = int(fields["time_us"])
                yield found, np.concatenate(parts), time_us
                found, parts = [], parts[:1]
        except BROKEN as error:
            raise InputError(f"{path}: line {number}: expected firings, got {short(error)}") from None
    if len(parts) > 1:  # the log was cut off before the sample that these belong to
        yield found, np.concatenate(parts), time_us


def read_firings(folder: Path) -> np.ndarray:
    """Every recorded firing of a run with a trace: (F, 6) int64, columns edge, t_us, a, b, step, tap_after."""
    return np.concatenate([np.empty((0, 6), dtype=np.int64), *(rows for _, rows, _ in read_batches(folder))])


def read_wall_s(folder: Path, updates: float) -> float | None:
    """Wall time of a run, s; None where its last checkpoint cannot be read or is of an earlier sample."""
    try:
        saved = json.loads(contents(folder / "checkpoint.json"))
        return float(saved["wall_s"]) if saved["updates"] == updates else None
    except (OSError, *BROKEN):
        return None


def _checked(
    path: Path, number: int, fields: dict[str, Any], job: Job, before: dict[str, Any] | None
) -> dict[str, Any]:
    """A sample record with arrays for lists and all outputs, whatever it tells them by; InputError if it is not one."""
    edges = len(job.network.ends)
    try:
        if not 0 <= fields["lesson"] < len(job.lessons):
            raise ValueError(f"lesson {fields['lesson']}")
        lesson = job.lessons[fields["lesson"]]
        counters = {
            name: np.array(counts, dtype=np.int64).reshape(edges) for name, counts in fields["counters"].items()
        }
        return {
            "time_us": int(np.int64(fields["time_us"])),
            "updates": float(fields["updates"]),
            "lesson": int(fields["lesson"]),
            "error_V2": _float(fields["error_V2"]),
            "mean_error_V2": _float(fields.get("mean_error_V2")),
            "stood_us": int(np.int64(fields.get("stood_us", 0))),
            "measured_error_V2": _float(fields["measured_error_V2"]),
            "outputs_V": outputs.outputs_V(fields, lesson, before),
            "taps": np.array(fields["taps"], dtype=np.int64).reshape(edges),
            "counters": counters,
            "accuracy": {name: _float(share) for name, share in fields.get("accuracy", {}).items()},
        }
    except BROKEN as error:
        raise InputError(f"{path}: line {number}: expected a sample of this run, got {short(error)}") from None


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)
