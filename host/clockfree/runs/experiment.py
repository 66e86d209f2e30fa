"""An experiment: plan, best achievable error, bench, log, results, figure. Nothing is written before all is checked."""

import math
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from clockfree.base import files
from clockfree.base.toml import dumps
from clockfree.bench.protocol import Bench, Observer
from clockfree.runs import runlog
from clockfree.runs.forecast import Forecast
from clockfree.runs.lag import too_fast
from clockfree.runs.made import make
from clockfree.task.plan import Plan, run_toml
from clockfree_model.job import Job, Sample
from clockfree_model.rates import rates_hz
from clockfree_model.record import plain
from clockfree_model.scratch import Scratch

if TYPE_CHECKING:
    from clockfree.runs.netcdf import DataSet

RUNS = Path("runs")


class Progress(Observer, Protocol):
    """Who is told how a run gets on."""

    def sample(self, job: Job, sample: Sample, wall_s: float) -> None:
        """The state at one moment."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    record : Record
    data : DataSet
    summary : dict
        The object that `--json` prints.
    firings : (F, 6) int array or None
        As `read_firings` has them; None where they were not recorded, or are in the folder that was kept.
    interrupted : bool
        Whether Ctrl-C ended it.
    failures : list of str
    beyond : list of str
        What of its task the network cannot reach, and why; and that edges fire too often for what they decide on.
    """

    record: runlog.Record
    data: "DataSet"
    summary: dict[str, Any]
    firings: np.ndarray | None
    interrupted: bool
    failures: list[str]
    beyond: list[str]

    def make_files(self) -> list[str]:
        """Make what else belongs into a folder that was kept; returns a line for each file that could not be made."""
        if self.summary["run"] is None:
            return []
        again = f"clockfree show {quote(str(self.record.folder))} makes it from the log"
        return [f"{text}; {again}" for text in make(self.record, self.data)]


def run(
    plan: Plan, file: Path, bench_name: str, bench: Bench, out: Path | None, progress: Progress, kept: bool = True
) -> Outcome:
    """Run a plan on a bench and keep the record in a folder; the bench is closed then.

    What else belongs into the folder the outcome makes, when whoever asked has been told what it came to.

    Parameters
    ----------
    plan : Plan
    file : Path
        Where the plan comes from, for the record.
    bench_name : str
    bench : Bench
    out : Path or None
        Folder to make; None is a new one in runs/.
    progress : Progress
    kept : bool
        False: the record goes to a temporary folder, which is gone when this returns.

    Raises
    ------
    InputError
        The folder exists, or cannot be made; the job is none for the bench.
    BoardError
        Boards that could not do what they were asked.
    """
    check_out(out, kept)
    for note in plan.notes:
        progress.say(note)
    try:
        return _run(plan, file, bench_name, bench, out, progress, kept)
    finally:
        bench.close()


def check_out(out: Path | None, kept: bool = True) -> None:
    """InputError if the folder of a run exists, or none can be made."""
    if not kept:
        return
    if out is None:
        files.check_room(RUNS / "new")
    else:
        files.check(out)


def make_folder(task: str, started: datetime, out: Path | None) -> Path:
    """Make the folder that a person asked for, or a new one in runs/ with the task's name and the time."""
    if out is None:
        return files.create_free(RUNS / f"{_file_name(task)}-{started:%Y%m%d-%H%M%S}")
    files.create(out)
    return out


@contextmanager
def _folder(task: str, started: datetime, out: Path | None, kept: bool) -> Iterator[Path]:
    if kept:
        yield make_folder(task, started, out)
        return
    with Scratch() as folder:
        yield folder


def _run(
    plan: Plan, file: Path, bench_name: str, bench: Bench, out: Path | None, progress: Progress, kept: bool
) -> Outcome:
    job = plan.job
    bench.start(job, progress)
    progress.say(f"finding the best achievable error of {plan.task} on {job.network.name}")
    from clockfree_sim.theory.best import best_errors  # scipy: slow to load, and a refused task does without

    best = best_errors(job)
    from clockfree_sim.theory.reach import out_of_reach  # the same

    said = bench.about()
    beyond = [*out_of_reach(job, best), *too_fast(job, {"bench": bench_name, **said})]
    for line in beyond:
        progress.say(line)

    started = datetime.now(UTC)
    with _folder(plan.task, started, out, kept) as folder:
        recorded = run_toml(plan, file, bench_name, started.isoformat(timespec="seconds"))
        files.replace_text(folder / "run.toml", dumps(recorded | ({"bench": plain(said)} if said else {})))
        for name, text in bench.files().items():
            files.replace_text(folder / name, text)
        about = {
            "task": plan.task,
            "bench": bench_name,
            "preset": plan.preset,
            "task_seed": plan.task_seed,
            "best": best,
            "versions": recorded["versions"],
            "baselines": [exam and {"majority": exam.majority, "logistic": exam.logistic} for exam in plan.held_out],
            **said,
        }
        if kept:
            progress.say(f"running in {folder}")
        progress.say(_pace(job, on_boards=bool(said)))
        log = runlog.RunLog(folder, job, about, bench.saved if kept else None)
        interrupted = learn(plan, bench, log, progress, virtual=not said)
        bench.close()  # the boards are in HOLD: others may have them while results are drawn

        if not log.samples:  # a second Ctrl-C while the first one was being measured
            raise KeyboardInterrupt
        return outcome_of(folder, interrupted, bench.failures, beyond, kept)


def outcome_of(folder: Path, interrupted: bool, failures: list[str], beyond: list[str], kept: bool) -> Outcome:
    """What a run has come to whose log is closed."""
    from clockfree.runs import results  # netCDF: slow to load, and it comes last

    record = runlog.read(folder)
    data = results.dataset(record)
    summary = results.summary(record, data)
    if not kept:
        summary["run"] = None
    firings = runlog.read_firings(folder) if record.job.trace and not kept else None
    return Outcome(record, data, summary, firings, interrupted, failures, beyond)


def _file_name(task: str) -> str:
    """What a folder can be called after a task, anywhere."""
    return re.sub(r"[^\w.-]+", "-", task).strip(".-")[:60] or "run"


def _pace(job: Job, on_boards: bool) -> str:
    rates = rates_hz(job)
    if not job.updates:
        return f"{len(rates)} edges as they are: no updates, nothing is taught"
    time = "" if on_boards else " of virtual time"
    takes = f"{job.updates:,} updates per edge take {job.updates / rates.mean():,.3g} s{time}"
    often = f"{rates.min():.3g} .. {rates.max():.3g}" if job.edge.decades else f"{job.edge.rate_hz:g}"
    return f"{len(rates)} edges, each firing {often} times a second on average: {takes}"


def learn(plan: Plan, bench: Bench, log: runlog.RunLog, progress: Progress, virtual: bool, begun: float = 0.0) -> bool:
    """Run the bench into the log; True if Ctrl-C ended it. Whatever ends it, what was measured is kept.

    `virtual` is how its time goes; `begun` are updates per edge that had been made before.
    """
    reason, forecast = "failed", Forecast()
    bench.keep(log.folder)
    try:
        with _until_interrupted(bench) as interrupted:
            for sample in bench.run(log.pause):
                log.sample(sample, _accuracy(plan, bench, sample))
                progress.sample(plan.job, sample, log.wall_s)
                left = max(plan.job.updates - begun, 1)
                if virtual and (line := forecast.line((sample.updates - begun) / left)):
                    progress.say(line)
            log.checkpoint(over=not interrupted.is_set())
        reason = "interrupted" if interrupted.is_set() else "done"
    except KeyboardInterrupt:
        reason = "interrupted"
    finally:
        log.end(reason)
    return reason == "interrupted"


@contextmanager
def _until_interrupted(bench: Bench) -> Iterator[threading.Event]:
    """Ctrl-C lets the bench go on to its next sample and stop there; a second one breaks off at once.

    It reaches the main thread alone: in any other there is nothing to wait for, and Python lets none ask for it.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def on_interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupted.set()
        bench.stop()
        with suppress(OSError):  # nobody reads it
            os.write(2, b"\nstopping; Ctrl-C once more stops at once\n")  # a print could break into a print

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _accuracy(plan: Plan, bench: Bench, sample: Sample) -> dict[str, float] | None:
    """Share of right answers on the taught and on the held-out examples, if the present lesson is a classification."""
    exam = plan.held_out[sample.lesson]
    if exam is None:
        return None
    right = exam.answers(plan.job.lessons[sample.lesson].desired_V)
    outputs_V = bench.outputs(exam.source_V)
    known = np.isfinite(sample.outputs_V).all()
    return {
        "training": float((exam.answers(sample.outputs_V) == right).mean()) if known else math.nan,
        "test": math.nan if outputs_V is None else exam.accuracy(outputs_V),
    }
