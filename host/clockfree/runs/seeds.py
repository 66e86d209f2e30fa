"""One plan with many clock seeds, in simulation: arrays with a dimension `seed`, and what they come to."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from clockfree.base import files
from clockfree.base.errors import InputError
from clockfree.base.toml import dumps
from clockfree.runs import netcdf
from clockfree.runs.experiment import Progress, check_out, make_folder
from clockfree.runs.made import RESULTS
from clockfree.runs.netcdf import DataSet, Variable
from clockfree.task.plan import Plan, run_toml
from clockfree.task.taskfile import SEEDS
from clockfree_model.counters import COUNTERS
from clockfree_model.files import attempt
from clockfree_model.final import error_at
from clockfree_model.linear import outputs
from clockfree_sim.sweep.point import accuracies
from clockfree_sim.sweep.processes import cores
from clockfree_sim.sweep.seeds import run_seeds
from clockfree_sim.theory.best import best_errors
from clockfree_sim.theory.statistics import interval

if TYPE_CHECKING:
    import xarray as xr

TITLE = "clockfree seeds"
"""What the data set of such runs calls itself."""


def run(
    plan: Plan, seeds: Sequence[int], file: Path, out: Path | None, progress: Progress, kept: bool
) -> tuple[DataSet, Path | None]:
    """Run a plan with each of these seeds; returns what came out, and the folder to keep it in, if there is to be one.

    Parameters
    ----------
    plan : Plan
        Its own seed is not used.
    seeds : sequence of int
        All different.
    file : Path
        Where the plan comes from, for the record.
    out : Path or None
        Folder to make; None is a new one in runs/.
    progress : Progress
    kept : bool
        False: nothing is written.

    Raises
    ------
    InputError
        The folder exists, or cannot be made.
    """
    check_out(out, kept)
    for note in plan.notes:
        progress.say(note)
    job = plan.job
    progress.say(f"finding the best achievable error of {plan.task} on {job.network.name}")
    best_V2 = best_errors(job)[-1].error_V2
    progress.say(f"running {len(seeds)} seeds of {len(job.network.ends)} edges, {job.updates:,} updates per edge")
    data = dataset(plan, seeds, best_V2)
    if not kept:
        return data, None
    started = datetime.now(UTC)
    folder = make_folder(plan.task, started, out)
    recorded = run_toml(plan, file, "sim", started.isoformat(timespec="seconds"))
    files.replace_text(folder / "run.toml", dumps(recorded))
    return data, folder


def make_file(data: DataSet, folder: Path) -> list[str]:
    """Keep such runs in their folder; returns a line if that was not possible."""
    return attempt(folder / RESULTS, lambda file: netcdf.write(data, file, packed=("taps", *COUNTERS)))


def dataset(plan: Plan, seeds: Sequence[int], best_V2: float) -> DataSet:
    """Runs of a plan with these seeds, as arrays with units: of each what a run with that seed alone comes to.

    Dimensions: seed, sample (records on the way), edge, target, source, example (of the last lesson), bound (of the
    interval of 95%: low, high). Taps, outputs and counters are those at the end.
    """
    job = plan.job
    _, found = run_seeds(job, seeds, threads=cores())
    last = job.lessons[int(found.lesson[-1])]
    n = float(found.updates[-1])
    final_V2 = np.array(found.final_errors())
    mean_V2, *bounds_V2 = geometric(final_V2)
    names, one = job.network.nodes, "1"
    variables: dict[str, tuple[tuple[str, ...], Any, str, str]] = {
        "time": (("seed", "sample"), found.time_us / 1e6, "s", "virtual time since the start"),
        "updates": (("sample",), found.updates, one, "updates (firings) per live edge"),
        "present_lesson": (("sample",), found.lesson, one, "index of the lesson being taught"),
        "error": (("seed", "sample"), found.error_V2, "V2", "mean over examples and outputs of (V_F - V_D)^2"),
        "mean_error": (("seed", "sample"), found.mean_error_V2, "V2", "its mean over the time since the sample before"),
        "mean_time": (("seed", "sample"), found.stood_us / 1e6, "s", "time that mean_error is the mean over"),
        "measured_error": (
            ("seed", "sample"),
            found.measured_error_V2,
            "V2",
            "the same from the supervisor's readings",
        ),
        "final_error": (
            ("seed",),
            final_V2,
            "V2",
            "error at the end, its mean from 0.8 n updates on",
        ),
        "geometric_mean": ((), mean_V2, "V2", "geometric mean of the final errors"),
        "interval": (("bound",), bounds_V2, "V2", "its interval of 95%, by Student's t on the logarithms"),
        "best_error": ((), best_V2, "V2", "best achievable error at the end, over continuous taps"),
        "taps": (("seed", "edge"), found.taps.astype(np.int16), one, "wiper position at the end, both twins"),
        "outputs": (
            ("seed", "example", "target"),
            np.array([outputs(last.source_V, gain) for gain in found.gain[:, -1]]),
            "V",
            "voltage of the targets on the free twin at the end",
        ),
        "desired": (("example", "target"), last.desired_V, "V", "desired voltage of the targets"),
        "source_voltage": (("example", "source"), last.source_V, "V", "voltage of the sources"),
    }
    for name, counter in COUNTERS.items():
        variables[name] = (("seed", "edge"), found.counters[name], counter.unit, counter.meaning)
    if plan.held_out[int(found.lesson[-1])] is not None:
        shares = np.array([accuracies(job, plan.held_out, found.lesson, gain) for gain in found.gain])
        for name, share in zip(("training", "test"), np.moveaxis(shares, -1, 0)):
            at_end = np.array([error_at(found.updates, each, n, found.lesson) for each in share])
            text = f"share of the {name} examples classified correctly at the end"
            variables[f"{name}_accuracy"] = (("seed",), at_end, one, text)
    along = {
        "seed": (list(seeds), {"long_name": "seed of clocks and noise", "units": one}),
        "edge": ([job.network.edge_name(edge) for edge in range(len(job.network.ends))], {"long_name": "tail-head"}),
        "source": ([names[node] for node in job.sources], {"long_name": "source node"}),
        "target": ([names[node] for node in job.targets], {"long_name": "target node"}),
        "example": (np.arange(len(last.source_V)), {"long_name": "example", "units": one}),
        "bound": (["low", "high"], {"long_name": "end of the interval"}),
    }
    arrays = {
        name: Variable(dims, np.asarray(values), {"units": unit, "long_name": text})
        for name, (dims, values, unit, text) in variables.items()
    }
    arrays |= {dim: Variable((dim,), np.asarray(values), attrs) for dim, (values, attrs) in along.items()}
    about = {"title": TITLE, "task": plan.task, "bench": "sim", "preset": plan.preset, "task_seed": plan.task_seed}
    about |= {"rule": job.schedule, "network": job.network.name}
    return DataSet(arrays, coordinates=("updates",), attrs=about)


def geometric(errors_V2: np.ndarray) -> tuple[float, float, float]:
    """Geometric mean of errors, V^2, and its interval of 95%, which is nan of a single one, or where one is 0."""
    if len(errors_V2) > 1 and (errors_V2 > 0).all():
        return interval(errors_V2)
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(errors_V2).mean())), np.nan, np.nan


def summary(data: "DataSet | xr.Dataset") -> dict[str, Any]:
    """What the runs came to: the object that `--json` prints. None where a number is not known."""
    low_V2, high_V2 = data["interval"].values.tolist()
    return {
        "run": data.attrs.get("folder"),
        **{key: data.attrs[key] for key in ("task", "network", "bench", "rule", "preset", "task_seed")},
        "seeds": data["seed"].values.tolist(),
        "updates_per_edge": float(data["updates"].values[-1]),
        "final_error_V2": data["final_error"].values.tolist(),
        "geometric_mean_V2": float(data["geometric_mean"].values),
        "interval_V2": None if np.isnan(low_V2) else [low_V2, high_V2],
        "best_error_V2": float(data["best_error"].values),
    }


def table(found: dict[str, Any]) -> Table:
    """What the runs came to, for a terminal."""
    rows = Table(show_header=False, box=None, pad_edge=False)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    errors_V2, within = found["final_error_V2"], found["interval_V2"]
    interval_ = f"  ({within[0]:.3g} .. {within[1]:.3g} V², 95%)" if within else ""
    for key, value in (
        ("run", found["run"] or "not kept"),
        ("task", f"{found['task']} on {found['network']}"),
        ("how", ", ".join(f"{key.replace('_', ' ')} {found[key]}" for key in ("bench", "rule", "preset", "task_seed"))),
        ("seeds", f"{len(errors_V2)}: {shown(found['seeds'])}"),
        ("updates", f"{found['updates_per_edge']:.6g} per edge"),
        ("error", f"{found['geometric_mean_V2']:.3g} V² at last, geometric mean{interval_}"),
        ("", f"{min(errors_V2):.3g} .. {max(errors_V2):.3g} V², lowest and highest"),
        ("best", f"{found['best_error_V2']:.3g} V² achievable on this network"),
    ):
        rows.add_row(key, value)
    return rows


def shown(seeds: Sequence[int]) -> str:
    """Seeds as a person reads them: `0..7`, or one by one."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}..{seeds[-1]}"
    text = ", ".join(map(str, seeds))
    return text if len(text) <= 60 else f"{text[:57]}..."


def checked(seeds: Any, where: Path) -> list[int]:
    """Seeds, each an integer, and each once; InputError if they are not."""
    if not isinstance(seeds, Iterable):
        raise InputError(f"{where}: seeds: expected a list of seeds, got {seeds!r}: write seeds=range({seeds!r})")
    listed = [seed.item() if isinstance(seed, np.integer) else seed for seed in seeds]
    for seed in listed:
        if type(seed) is not int or not 0 <= seed < SEEDS:
            raise InputError(f"{where}: seeds: expected integers >= 0, got {seed!r}")
    if not listed:
        raise InputError(f"{where}: seeds: expected at least one seed, got none")
    if len({*listed}) < len(listed):
        twice = next(seed for seed in listed if listed.count(seed) > 1)
        raise InputError(f"{where}: seeds: expected every seed once, got {twice} twice")
    return listed
