"""`clockfree place`: placements of a task ranked by what they can reach, and the best one written."""

from pathlib import Path
from typing import Annotated, Any

import typer

from clockfree.commands.options import (
    Json,
    NetworkSpec,
    Parallel,
    Preset,
    SelfLoops,
    Sets,
    TaskFile,
    TaskSeed,
    with_network_file,
)
from clockfree.commands.output import FAILED, print_json, print_table

SHOWN = 5


def place(
    task: TaskFile,
    out: Annotated[
        Path | None, typer.Option(help="Task file to write. Default: TASK-placed.toml, beside the task.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, max=100_000, help="Placements to draw.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seeds the draws.")] = 0,
    network: NetworkSpec = None,
    preset: Preset = None,
    task_seed: TaskSeed = None,
    set_: Sets = None,
    parallel: Parallel = None,
    self_loops: SelfLoops = None,
    as_json: Json = False,
) -> None:
    from clockfree.base import files  # --help does without
    from clockfree.commands.lines import say
    from clockfree.commands.progress import progress
    from clockfree.task.placed import placed_task
    from clockfree.task.plan import make_plan

    options = {"network": network, "preset": preset, "task_seed": task_seed}
    sets = with_network_file(set_, parallel, self_loops)
    plan = make_plan(task, options, sets, False)
    written = out or task.with_name(f"{task.stem}-placed.toml")
    text = placed_task(task, options, sets, written)
    files.check(written, "file")
    for note in plan.notes:
        say(note)
    from clockfree_sim.theory.placing import ranked  # scipy: slow to load, and a refused task does without
    from clockfree_sim.theory.reach import near_V

    job = plan.job
    with progress() as shown:
        found = ranked(job, draws, seed, lambda done: shown.share(f"trying {draws} placements", done))
    names, best = job.network.nodes, found[0]
    reach = sum(each.error_V2 <= near_V(job) ** 2 for each in found)
    own = next(each for each in found if (each.sources, each.targets) == (job.sources, job.targets))
    rows: list[dict[str, Any]] = [
        {
            "sources": [names[node] for node in each.sources],
            "targets": [names[node] for node in each.targets],
            "best_error_V2": each.error_V2,
            "own": each is own,
        }
        for each in dict.fromkeys([*found[:SHOWN], own])
    ]
    files.replace_text(written, text(rows[0]["sources"], rows[0]["targets"], best.error_V2))
    summary: dict[str, Any] = {
        "written": str(written), "placements": len(found), "within_reach": reach, "near_V": near_V(job), "best": rows,
    }  # fmt: skip
    if as_json:
        print_json(summary)
    else:
        print_table(_table(rows))
        say(f"{reach} of {len(found)} placements come within {near_V(job):.2g} V rms; the first one is in {written}")
    if not reach:
        raise typer.Exit(FAILED)


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # slow to load, and it comes last

    drawn = Table(box=None, pad_edge=False)
    for column in ("best error", "sources", "targets", ""):
        drawn.add_column(column)
    for row in rows:
        own = "the task's own" if row["own"] else ""
        drawn.add_row(f"{row['best_error_V2']:.3g} V²", " ".join(row["sources"]), " ".join(row["targets"]), own)
    return drawn
