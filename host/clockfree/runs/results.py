"""Results of a run, made from its log: a netCDF data set, and the numbers that sum a run up."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.runs import netcdf, notes
from clockfree.runs.lag import lag_in, too_fast
from clockfree.runs.netcdf import DataSet, Variable
from clockfree.runs.runlog import Record, read_wall_s
from clockfree_model import events
from clockfree_model.counters import COUNTERS, DOWN, FIRINGS, UP
from clockfree_model.final import error_at, sampling_error


def dataset(record: Record) -> DataSet:
    """The log as arrays with units.

    Dimensions: sample (records on the way), edge, node, source, target, example (of the largest lesson; shorter
    lessons are padded with nan), lesson,
    phase (of the best achievable error), damaged (failures by plan), end (tail and head of an edge).
    """
    job, samples = record.job, record.samples
    network, lessons = job.network, job.lessons
    phases = record.about["best"]
    examples = max(len(lesson.source_V) for lesson in lessons)

    def column(name: str) -> np.ndarray:
        return np.array([sample[name] for sample in samples])

    def counts(name: str) -> np.ndarray:
        none = np.zeros(len(network.ends), dtype=np.int64)
        return np.array([sample["counters"].get(name, none) for sample in samples])

    def names(indices: Any) -> list[str]:
        return [network.nodes[index] for index in indices]

    one = "1"
    kind, by = ("wall", ", measured by the supervisor") if record.on_boards else ("virtual", "")
    variables = {
        "time": ("sample", column("time_us") / 1e6, "s", f"{kind} time since the start"),
        "updates": ("sample", column("updates"), one, "updates (firings) per live edge"),
        "present_lesson": ("sample", column("lesson"), one, "index of the lesson being taught"),
        "error": ("sample", column("error_V2"), "V2", f"mean over examples and outputs of (V_F - V_D)^2{by}"),
        "measured_error": ("sample", column("measured_error_V2"), "V2", "the same from the supervisor's readings"),
        **(_means(column) if record.exact else {}),
        "taps": (("sample", "edge"), column("taps").astype(np.int16), one, "wiper position, both twins"),
        "outputs": (
            ("sample", "example", "target"),
            np.array([_padded(sample["outputs_V"], examples) for sample in samples]),
            "V",
            f"voltage of the targets on the free twin{by}",
        ),
        "desired": (
            ("lesson", "example", "target"),
            np.array([_padded(lesson.desired_V, examples) for lesson in lessons]),
            "V",
            "desired voltage of the targets",
        ),
        "source_voltage": (
            ("lesson", "example", "source"),
            np.array([_padded(lesson.source_V, examples) for lesson in lessons]),
            "V",
            "voltage of the sources",
        ),
        "lesson_from": (
            "lesson",
            [float(lesson.from_updates) for lesson in lessons],
            one,
            "updates per edge at the start of the lesson",
        ),
        "best_from": ("phase", [best.from_updates for best in phases], one, "updates per edge from which it holds"),
        "best_lesson": ("phase", [best.lesson for best in phases], one, "index of the lesson it belongs to"),
        "best_error": (
            "phase",
            [best.error_V2 for best in phases],
            "V2",
            "best achievable error, minimised over continuous taps of every edge that is not cut",
        ),
        "edge_ends": (("edge", "end"), network.ends, one, "node index of the tail and of the head of an edge"),
        "x": ("node", network.positions[:, 0], one, "position for drawing, horizontal"),
        "y": ("node", network.positions[:, 1], one, "position for drawing, vertical"),
        "damaged_edge": (
            "damaged",
            np.array([d.edge for d in job.damage], dtype=int),
            one,
            "index of an edge that fails",
        ),
        "damage_kind": ("damaged", np.array([d.kind for d in job.damage], dtype=object), one, "how it fails"),
        "damage_at": (
            "damaged",
            np.array([d.at_updates for d in job.damage], dtype=float),
            one,
            "updates per edge when it fails",
        ),
    }
    for name, counter in COUNTERS.items():
        variables[name] = (("sample", "edge"), counts(name), counter.unit, counter.meaning)
    for name in dict.fromkeys(name for sample in samples for name in sample["accuracy"]):  # of some lessons, maybe
        share = [sample["accuracy"].get(name, np.nan) for sample in samples]
        variables[f"{name}_accuracy"] = ("sample", share, one, f"share of the {name} examples classified correctly")

    along = {
        "edge": ([network.edge_name(edge) for edge in range(len(network.ends))], {"long_name": "tail-head"}),
        "node": (list(network.nodes), {"long_name": "node"}),
        "source": (names(job.sources), {"long_name": "source node"}),
        "target": (names(job.targets), {"long_name": "target node"}),
        "example": (np.arange(examples), {"long_name": "example", "units": one}),
        "lesson": ([lesson.name for lesson in lessons], {"long_name": "lesson"}),
    }
    arrays = {}
    for name, (dims, values, unit, text) in variables.items():
        dims = (dims,) if isinstance(dims, str) else tuple(dims)
        arrays[name] = Variable(dims, np.asarray(values), {"units": unit, "long_name": text})
    arrays |= {dim: Variable((dim,), np.asarray(values), attrs) for dim, (values, attrs) in along.items()}
    said = {key: value for key, value in record.about.items() if isinstance(value, str | int | float)}
    about = {
        "title": "clockfree run",
        **said,
        "rule": job.schedule,
        "seed": job.seed,
        "network": network.name,
        "supply_V": job.physics.supply_V,
        "ended": record.end["reason"],
    }
    floor_V2 = predicted_V2(record)
    if np.isfinite(floor_V2):
        about["predicted_error_V2"] = floor_V2
    if lag := lag_in(record.job, record.about):
        about |= {"n_r_tau": lag.under_way, "lag": str(lag)}
    if record.on_boards:
        about["measured_by"] = f"supervisor {record.about['supervisor']['id']}"
    return DataSet(arrays, coordinates=("time", "updates"), attrs=about)


WITHIN = 0.1
"""Of its floor, below which the best achievable error has to be for outputs to count as within reach."""
WALKERS = 4
"""Of the law at each of its moments, where there are several outputs or examples: some percent of the floor."""


def predicted_V2(record: Record) -> float:
    """Floor of the last lesson by the law (docs/theory/law.md), V^2; nan where it says nothing or nobody knows.

    It says something of ideal parts and the plain rule on outputs that can be reached, at the taps of the last fifth.
    """
    job, last = record.job, record.samples[-1]
    if record.on_boards or not last["updates"]:
        return float("nan")
    from clockfree_sim.theory import law  # scipy: slow to load, and most commands do without

    late = [
        sample["taps"]
        for sample in record.samples
        if sample["lesson"] == last["lesson"] and sample["updates"] >= 0.8 * last["updates"]
    ]
    floor_V2 = law.predicted_V2(job, np.array(late), last["lesson"], WALKERS)
    best_V2 = [best.error_V2 for best in record.about["best"] if best.from_updates <= last["updates"]][-1]
    return floor_V2 if best_V2 < WITHIN * floor_V2 else float("nan")


def _means(column: Callable[[str], np.ndarray]) -> dict[str, tuple[str, np.ndarray, str, str]]:
    """What is known beside samples where every state is."""
    text = "mean of the error of every state since the sample before or the start of its lesson, weighed by its time"
    return {
        "mean_error": ("sample", column("mean_error_V2"), "V2", text),
        "mean_time": ("sample", column("stood_us") / 1e6, "s", "time that mean_error is the mean over"),
    }


def course(data: DataSet) -> tuple[np.ndarray, np.ndarray | None]:
    """A run's error on its way, as `error_at` takes it: means, V^2, and times they are of, us; or samples, and None."""
    if "mean_error" in data.variables:
        return data["mean_error"].values, np.rint(data["mean_time"].values * 1e6).astype(np.int64)
    return data["error"].values, None


def _padded(volts: np.ndarray, examples: int) -> np.ndarray:
    return (
        volts if len(volts) == examples else np.pad(volts, ((0, examples - len(volts)), (0, 0)), constant_values=np.nan)
    )


def write(data: DataSet, file: Path) -> None:
    """Write the results of a run, in one go."""
    netcdf.write(data, file, packed=("taps", *COUNTERS))


def best_at(data: DataSet, updates: float) -> float:
    """The best achievable error at so many updates per edge, V^2."""
    return float(data["best_error"].values[data["best_from"].values <= updates][-1])


def summary(record: Record, data: DataSet) -> dict[str, Any]:
    """What a run came to: the object that `--json` prints. None where a number is not known."""
    job, about = record.job, record.about
    updates, (error_V2, stood_us) = data["updates"].values, course(data)
    steps = data[UP].values[-1].sum() + data[DOWN].values[-1].sum()
    lesson = data["present_lesson"].values
    found = {
        "run": str(record.folder),
        "task": about["task"],
        "network": job.network.name,
        "nodes": len(job.network.nodes),
        "edges": len(job.network.ends),
        "bench": about["bench"],
        "rule": job.schedule,
        "preset": about["preset"],
        "seed": job.seed,
        "task_seed": about["task_seed"],
        FIRINGS: int(data[FIRINGS].values[-1].sum()),
        "steps": int(steps),
        "updates_per_edge": float(updates[-1]),
        "initial_error_V2": float(data["error"].values[0]),
        "final_error_V2": error_at(updates, error_V2, updates[-1], lesson, stood_us),
        "best_error_V2": best_at(data, updates[-1]),
        "predicted_error_V2": float(data.attrs.get("predicted_error_V2", np.nan)),
        "n_r_tau": float(data.attrs.get("n_r_tau", np.nan)),
        "wall_s": read_wall_s(record.folder, float(updates[-1])),
        "wall_time_s" if record.on_boards else "virtual_s": float(data["time"].values[-1]),
    }
    if stood_us is None:
        found["sampling_error_V2"] = sampling_error(updates, error_V2, updates[-1], lesson)
    if record.on_boards:
        found |= _boards(record)
    found |= {events.RESUMED: len(record.resumed)} if record.resumed else {}
    found |= {"notes": [notes.said(note) for note in record.notes]} if record.notes else {}
    if record.samples[-1]["accuracy"]:
        for key, name in (("accuracy", "test_accuracy"), ("training_accuracy", "training_accuracy")):
            found[key] = error_at(updates, data[name].values, updates[-1], lesson)
        found |= {f"{name}_accuracy": share for name, share in about["baselines"][lesson[-1]].items()}
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in found.items()}


def _boards(record: Record) -> dict[str, Any]:
    """What became of the boards, from the events of the run."""
    fast = too_fast(record.job, record.about)
    happened = Counter(str(event.get("event")) for event in record.events)
    lost = sum(event.get("lost", 0) for event in record.events if event.get("event") == events.GAP)
    return {
        "boards": 1 + len(record.about["boards"]),
        "restarts": happened[events.RESTART],
        "lost_lines": lost,
        "warnings": [*(_said(event) for event in record.events if _warns(event)), *fast],
        "failures": [_said(event) for event in record.events if event.get("failed")],
    }


def _said(event: dict[str, Any]) -> str:
    return f"board {event['board']}: {event['text']}" if "board" in event else str(event["text"])


def _warns(event: dict[str, Any]) -> bool:
    kind = events.EVENTS.get(str(event.get("event")))
    return kind is not None and kind.warns
