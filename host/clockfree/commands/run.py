"""`clockfree run`: a plan, a bench, an experiment, and what it came to."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import Json, NetworkSpec, Preset, Seed, Sets, TaskFile, TaskSeed
from clockfree.commands.output import FAILED, INTERRUPTED, print_json, print_table


def run(
    task: TaskFile,
    bench: Annotated[
        str, typer.Option(help="sim (virtual time, in this process), virtual (boards made up for it), or a bench file.")
    ] = "sim",
    network: NetworkSpec = None,
    preset: Preset = None,
    rule: Annotated[
        str | None, typer.Option(help="clockfree; for comparison, sim only: sync, p=P or oscillators=P.")
    ] = None,
    seed: Seed = None,
    task_seed: TaskSeed = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    set_: Sets = None,
    trace: Annotated[bool, typer.Option("--trace", help="Record every firing.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; one that exists is refused. Default: in runs/.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Take boards with another version of the firmware.")] = False,
    or_sim: Annotated[
        bool, typer.Option("--or-sim", help="With --bench virtual: sim, where there are no virtual boards.")
    ] = False,
    as_json: Json = False,
) -> None:
    from clockfree.bench.registry import no_virtual_boards, open_bench  # --help does without
    from clockfree.commands.lines import say
    from clockfree.commands.progress import progress
    from clockfree.runs import experiment
    from clockfree.task.plan import make_plan

    options = {
        "network": network,
        "preset": preset,
        "rule": rule,
        "seed": seed,
        "task_seed": task_seed,
        "updates": updates,
    }
    plan = make_plan(task, options, set_ or [], trace)
    if or_sim and bench == "virtual" and (why := no_virtual_boards()):
        say(f"{why}; so this runs on --bench sim")
        bench = "sim"
    boards = open_bench(bench, plan.job.schedule, anyway)
    with progress() as shown:
        outcome = experiment.run(plan, task, bench, boards, out, shown)
    if as_json:
        print_json(outcome.summary)
    else:
        from clockfree.runs import report  # netCDF and rich: slow to load, and it comes last

        print_table(report.table(outcome.summary, outcome.data))
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if outcome.failures:
        raise typer.Exit(FAILED)
