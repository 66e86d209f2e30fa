"""Metrics of a run while it goes on: a file for the textfile collector of Prometheus' node exporter (`--metrics`)."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from clockfree.base import files
from clockfree_model.counters import COUNTERS, FIRINGS
from clockfree_model.events import GAP
from clockfree_model.job import Job, Sample

EVERY_S = 5.0
"""The collector looks no more often."""


class Metered:
    """Tells somebody else of a run, and writes the file at its first sample, now and then, and at the end.

    Parameters
    ----------
    shown : observer
    file : Path
        `.prom`, as the collector wants it; replaced in one go.

    Raises
    ------
    InputError
        Nothing can be written there.
    """

    def __init__(self, shown: Any, file: Path) -> None:
        files.check_room(file, "file", "--metrics")
        self._shown, self._file = shown, file
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._lost: dict[str, int] = {}
        self._written_s = self._fired_s = -EVERY_S
        self._fired: np.ndarray | None = None
        self.say, self.share = shown.say, shown.share

    def sample(self, job: Job, sample: Sample, wall_s: float) -> None:
        """The state at one moment."""
        self._shown.sample(job, sample, wall_s)
        for event in sample.events:
            if event["event"] == GAP:
                board = str(event.get("board", ""))
                self._lost[board] = self._lost.get(board, 0) + int(event.get("lost", 0))
        now_s = time.monotonic()
        if now_s - self._written_s >= EVERY_S or sample.updates >= job.updates:
            self._written_s = now_s
            self._tell(job, sample, wall_s)
            write_to_textfile(str(self._file), self._registry)

    def _tell(self, job: Job, sample: Sample, wall_s: float) -> None:
        self._gauge("updates_per_edge", "Updates (firings) per edge").set(sample.updates)
        self._gauge("updates_per_edge_wanted", "Updates per edge at the end").set(job.updates)
        self._gauge("lesson", "Index of the lesson being taught").set(sample.lesson)
        self._gauge("error_square_volts", "Mean square error, NaN where nobody knows it").set(sample.error_V2)
        self._gauge("run_seconds", "Time of the run, virtual in a simulation").set(1e-6 * sample.time_us)
        self._gauge("wall_seconds", "Wall time of the run").set(wall_s)
        self._gauge("written_seconds", "When this was written, Unix time").set(time.time())
        names = [job.network.edge_name(edge) for edge in range(len(job.network.ends))]
        for counter, about in COUNTERS.items():
            gauge = self._gauge(counter, about.meaning, "edge")
            for name, count in zip(names, sample.counters.get(counter, ())):
                gauge.labels(name).set(count)
        fired, run_s = np.array(sample.counters[FIRINGS]), 1e-6 * sample.time_us
        if self._fired is not None and run_s > self._fired_s:
            gauge = self._gauge(
                "rate_hertz", "Firings per second of the run's time since this was last written", "edge"
            )
            for name, rate_hz in zip(names, (fired - self._fired) / (run_s - self._fired_s)):
                gauge.labels(name).set(rate_hz)
        self._fired, self._fired_s = fired, run_s
        for board, lost in self._lost.items():
            self._gauge("lost_lines", "Lines of telemetry that never arrived", "board").labels(board).set(lost)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"clockfree_{name}", text, labels, registry=self._registry)
        return self._gauges[name]
