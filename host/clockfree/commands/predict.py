"""`clockfree predict`: what a run on a bench will come to."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clockfree.commands.completion import completed
from clockfree.commands.options import (
    Json,
    NetworkSpec,
    Parallel,
    Preset,
    Seed,
    SelfLoops,
    Sets,
    TaskFile,
    TaskSeed,
    with_network_file,
)
from clockfree.commands.output import print_json, print_table

if TYPE_CHECKING:
    from clockfree.runs.prediction import Prediction


def predict(
    bench: Annotated[
        str,
        typer.Argument(
            help="Bench file (TOML) of boards, which are calibrated in HOLD and keep their taps; virtual; or sim.",
            autocompletion=completed("benches", "toml"),
        ),
    ],
    task: TaskFile,
    network: NetworkSpec = None,
    preset: Preset = None,
    seed: Seed = None,
    task_seed: TaskSeed = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    set_: Sets = None,
    parallel: Parallel = None,
    self_loops: SelfLoops = None,
    as_json: Json = False,
) -> None:
    from clockfree.api.observing import observer  # --help does without
    from clockfree.bench.registry import open_boards
    from clockfree.commands.lines import say
    from clockfree.commands.progress import progress
    from clockfree.task.plan import make_plan

    options = {"network": network, "preset": preset, "seed": seed, "task_seed": task_seed, "updates": updates}
    plan = make_plan(task, options, with_network_file(set_, parallel, self_loops), False)
    boards = None if bench == "sim" else open_boards(bench)
    for note in plan.notes:
        say(note)
    with progress() as shown:
        told = observer(shown)
        firing_us = None
        if boards is not None:
            try:
                trims, firing_us = boards.survey(plan.job, told)
            finally:
                boards.close()
        from clockfree.runs import prediction  # compiled code: slow to load, and a refused task does without

        if boards is None:
            from clockfree_sim.sweep.fitted import trims as simulated  # the same

            trims = simulated(plan.job)
        found = prediction.predict(plan.job, trims, firing_us, told)
    if as_json:
        print_json({"task": plan.task, "bench": bench, **found.summary()})
    else:
        print_table(_table(plan.task, bench, found))


def _table(task: str, bench: str, found: "Prediction") -> Any:
    from rich.table import Table  # slow to load, and it comes last

    from clockfree.runs.prediction import SEEDS, SURE
    from clockfree_sim.theory.statistics import shown

    rows = Table(show_header=False, box=None, pad_edge=False)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    (low_V2, high_V2), physics = found.interval_V2, found.job.physics
    told = ", ".join(f"{name} {getattr(physics, name):.3g}" for name in found.known)
    rows.add_row("task", f"{task} on {found.job.network.name}, bench {bench}")
    rows.add_row("bench", f"{told or 'tells nothing of itself'}; all else is that of the preset")
    within = f"{low_V2:.2g} .. {high_V2:.2g} V² with a chance of {SURE:.0%}, from {SEEDS} such runs"
    rows.add_row("error", f"{found.error_V2:.2g} V² ({within})")
    rows.add_row("best", f"{found.best_V2:.3g} V² achievable on this network")
    near = f"within twice that of the end after {found.near_end:.0f}"
    rows.add_row("time", f"{found.takes_s:.3g} s for {found.job.updates:,} updates per edge, {near}")
    if found.lag and found.lag.tau_us:
        rows.add_row("lag", str(found.lag))
    rows.add_row("limits", found.limits())
    for name, share in sorted(found.without.items(), key=lambda each: each[1]):
        rows.add_row("", f"without {name}: {shown(share)} times the error")
    rows.add_row("", f"without all of them: {shown(found.steps)} times")
    return rows
