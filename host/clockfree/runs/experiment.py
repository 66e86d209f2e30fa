"""An experiment: plan, best achievable error, bench, log, results, figure. Nothing is written before all is checked."""

import math
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from clockfree.base import files
from clockfree.base.toml import dumps
from clockfree.bench.protocol import Bench, Observer
from clockfree.runs import runlog
from clockfree.runs.forecast import Forecast
from clockfree.task.plan import Plan, run_toml
from clockfree_model.job import Job, Sample
from clockfree_model.parts import POTS
from clockfree_model.rates import rates_hz
from clockfree_model.record import plain

if TYPE_CHECKING:
    from clockfree.runs.netcdf import DataSet

RUNS = Path("runs")


class Progress(Observer, Protocol):
    """Who is told how a run gets on."""

    def sample(self, job: Job, sample: Sample, wall_s: float) -> None:
        """The state at one moment."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its results, the object that `--json` prints, whether Ctrl-C ended it, and what failed."""

    data: "DataSet"
    summary: dict[str, Any]
    interrupted: bool
    failures: list[str]


def run(plan: Plan, file: Path, bench_name: str, bench: Bench, out: Path | None, progress: Progress) -> Outcome:
    """Run a plan on a bench and keep everything about it in a folder; the bench is closed then.

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

    Raises
    ------
    InputError
        The folder exists, or cannot be made; the job is none for the bench.
    BoardError
        Boards that could not do what they were asked.
    """
    if out is None:
        files.check_room(RUNS / "new")
    else:
        files.check(out)
    for note in plan.notes:
        progress.say(note)
    try:
        return _run(plan, file, bench_name, bench, out, progress)
    finally:
        bench.close()


def _run(plan: Plan, file: Path, bench_name: str, bench: Bench, out: Path | None, progress: Progress) -> Outcome:
    job = plan.job
    bench.start(job, progress)
    progress.say(f"finding the best achievable error of {plan.task} on {job.network.name}")
    from clockfree_sim.theory.best import best_errors  # scipy: slow to load, and a refused task does without

    best = best_errors(job)

    started = datetime.now(UTC)
    if out is None:
        folder = files.create_free(RUNS / f"{_file_name(plan.task)}-{started:%Y%m%d-%H%M%S}")
    else:
        files.create(folder := out)
    recorded = run_toml(plan, file, bench_name, started.isoformat(timespec="seconds"))
    said = bench.about()
    files.replace_text(folder / "run.toml", dumps(recorded | ({"bench": plain(said)} if said else {})))
    for name, text in bench.files().items():
        files.replace_text(folder / name, text)
    about = {
        "task": plan.task,
        "bench": bench_name,
        "preset": plan.preset,
        "task_seed": plan.task_seed,
        "best": best,
        "baselines": [exam and {"majority": exam.majority, "logistic": exam.logistic} for exam in plan.held_out],
        **said,
    }
    progress.say(f"running in {folder}")
    progress.say(_pace(job, on_boards=bool(said)))
    log = runlog.RunLog(folder, job, about)
    interrupted = _learn(plan, bench, log, progress, virtual=not said)

    if not log.samples:  # a second Ctrl-C while the first one was being measured
        raise KeyboardInterrupt
    from clockfree.runs import figure, results  # netCDF and plots: slow to load, and they come last

    record = runlog.read(folder)
    data = results.write(record)
    figure.draw(data, folder / "figure.png", POTS[job.edge.pot].highest)
    return Outcome(data, results.summary(record, data), interrupted, bench.failures)


def _file_name(task: str) -> str:
    """What a folder can be called after a task, anywhere."""
    return re.sub(r"[^\w.-]+", "-", task).strip(".-")[:60] or "run"


def _pace(job: Job, on_boards: bool) -> str:
    rates = rates_hz(job)
    time = "" if on_boards else " of virtual time"
    takes = f"{job.updates:,} updates per edge take {job.updates / rates.mean():,.3g} s{time}"
    often = f"{rates.min():.3g} .. {rates.max():.3g}" if job.edge.decades else f"{job.edge.rate_hz:g}"
    return f"{len(rates)} edges, each firing {often} times a second on average: {takes}"


def _learn(plan: Plan, bench: Bench, log: runlog.RunLog, progress: Progress, virtual: bool) -> bool:
    """Run the bench into the log; True if Ctrl-C ended it. Whatever ends it, what was measured is kept."""
    reason, forecast = "failed", Forecast()
    try:
        with _until_interrupted(bench) as interrupted:
            for sample in bench.run():
                log.sample(sample, _accuracy(plan, bench, sample))
                progress.sample(plan.job, sample, log.wall_s)
                if virtual and (line := forecast.line(sample.updates / plan.job.updates)):
                    progress.say(line)
            log.checkpoint(sample)
        reason = "interrupted" if interrupted.is_set() else "done"
    except KeyboardInterrupt:
        reason = "interrupted"
    finally:
        log.end(reason)
    return reason == "interrupted"


@contextmanager
def _until_interrupted(bench: Bench) -> Iterator[threading.Event]:
    """Ctrl-C lets the bench go on to its next sample and stop there; a second one breaks off at once."""
    interrupted = threading.Event()

    def on_interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupted.set()
        bench.stop()
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
