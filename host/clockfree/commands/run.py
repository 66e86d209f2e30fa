"""`clockfree run`: `clockfree.run` of Python, with what a person typed."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clockfree.base.errors import InputError
from clockfree.commands.completion import completed
from clockfree.commands.ending import Metrics, Then, end, shown
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
from clockfree.commands.output import FAILED, print_json, print_made, print_table
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.api.tasks import Task

MOST_SEEDS = 100_000


def run(
    task: TaskFile,
    bench: Annotated[
        str,
        typer.Option(
            help="sim (virtual time, in this process), virtual (boards made up for it), or a bench file.",
            autocompletion=completed("benches", "toml"),
        ),
    ] = "sim",
    network: NetworkSpec = None,
    preset: Preset = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="clockfree; for comparison, sim only: sync, p=P or oscillators=P.", autocompletion=completed("rules")
        ),
    ] = None,
    seed: Seed = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="So many runs, seeds 0, 1, ..., or FIRST..LAST; sim only.", metavar="NUMBER"),
    ] = None,
    task_seed: TaskSeed = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    set_: Sets = None,
    parallel: Parallel = None,
    self_loops: SelfLoops = None,
    trace: Annotated[bool, typer.Option("--trace", help="Record every firing.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; one that exists is refused. Default: in runs/.")
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Take boards that run other firmware, or look miswired."),
    ] = False,
    or_sim: Annotated[
        bool, typer.Option("--or-sim", help="With --bench virtual: sim, where there are no virtual boards.")
    ] = False,
    then: Then = None,
    metrics: Metrics = None,
    as_json: Json = False,
) -> None:
    from clockfree.api import running  # --help does without
    from clockfree.api.tasks import Task
    from clockfree.bench.registry import no_virtual_boards
    from clockfree.commands.lines import warn

    options = {
        "network": network,
        "preset": preset,
        "rule": rule,
        "seed": seed,
        "task_seed": task_seed,
        "updates": updates,
    }
    asked = Task.of_command_line(task, options, with_network_file(set_, parallel, self_loops))
    if or_sim and bench == "virtual" and (why := no_virtual_boards(len(asked.edges))):
        warn(f"{why}; so this runs on --bench sim")
        bench = "sim"
    how: dict[str, Any] = {"bench": bench, "out": True if out is None else out, "trace": trace}
    if seeds is not None:
        if seed is not None:
            raise InputError(f"{task}: --seeds: expected no --seed beside them, got {seed}")
        for option, value in (("--then", then), ("--metrics", metrics)):
            if value is not None:
                raise InputError(f"{task}: {option}: expected one run with it, got --seeds {seeds}")
        _many(asked, task, seeds, how, as_json)
        return
    with shown(metrics, then) as told:
        found, outcome = running.run_once(asked, progress=told, anyway=anyway, **how)
    end(found, outcome, as_json, then)


def _many(asked: "Task", task: Path, seeds: str, how: dict[str, Any], as_json: bool) -> None:
    from clockfree.api import running  # --help does without
    from clockfree.commands.lines import warn
    from clockfree.commands.progress import progress
    from clockfree.runs import seeds as many

    with progress() as shown:
        data, make_file = running.run_seeds(asked, None, _listed(task, seeds), progress=shown, **how)
    found = many.summary(data)
    if as_json:
        print_json(found)
    elif quiet():
        print_made(found["run"])
    else:
        print_table(many.table(found))
    if not_made := make_file():  # the one file that keeps them
        for text in not_made:
            warn(text)
        raise typer.Exit(FAILED)


def _listed(task: Path, seeds: str) -> list[int]:
    """`8` is 0 .. 7, `3..10` all from 3 to 10."""
    given = re.fullmatch(r"(?:(\d{1,18})\.\.)?(\d{1,18})", seeds)
    first, last = (int(given[1] or 0), int(given[2]) - (given[1] is None)) if given else (0, -1)
    if not 0 <= last - first < MOST_SEEDS:
        text = f"expected how many (8 is 0..7), or the first and the last (3..10), {MOST_SEEDS} at most, got {seeds}"
        raise InputError(f"{task}: --seeds: {text}")
    return list(range(first, last + 1))
