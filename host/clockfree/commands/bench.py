"""`clockfree bench`: a bench file from the boards that are plugged in."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import Json, NetworkSpec, Preset, Sets, TaskFile, TaskSeed
from clockfree.commands.output import print_json, print_made
from clockfree_model.quiet import quiet


def bench(
    task: TaskFile,
    out: Annotated[Path, typer.Option(help="Bench file to write.")],
    by_id: Annotated[
        Path | None, typer.Option(help="Folder of links to ports, and nowhere else. Default: every port there is.")
    ] = None,
    network: NetworkSpec = None,
    preset: Preset = "board",
    task_seed: TaskSeed = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    from clockfree.base import files  # --help does without
    from clockfree.base.errors import InputError
    from clockfree.bench.layout import boards_needed, lay_out
    from clockfree.commands.lines import say
    from clockfree.link import ports
    from clockfree.link.benchfile import bench_text
    from clockfree.task.plan import make_plan

    job = make_plan(task, {"network": network, "preset": preset, "task_seed": task_seed}, set_ or [], False).job
    if not job.physics.limit_lowest:
        raise InputError(f"--preset: expected board, whose chips are real ones, got {preset}")
    files.check(out, "file")
    found = ports.scan(by_id)
    needed, ids = boards_needed(job), sorted({board.id for board in found if board.micropython})
    if len(ids) < needed:
        text = f"expected {needed} boards plugged in, one for each edge and a supervisor, got {len(ids)}"
        raise InputError(f"{by_id or 'the ports of this machine'}: {text}: clockfree boards lists them")
    made = lay_out(job, ids[:needed], job.physics.wiper_ohm, str(out))
    made = made.model_copy(update={"by_id": str(by_id.absolute()) if by_id else None})
    files.replace_text(out, bench_text(made))
    if as_json:
        print_json({"bench": str(out), "supervisor": ids[0], "edges": ids[1:needed], "left_over": ids[needed:]})
        return
    if quiet():
        print_made(out)
    say(f"{out}: {ids[0]} is the supervisor, {needed - 1} more have an edge each: label the boards as it says")
    if len(ids) > needed:
        say(f"left over: {', '.join(ids[needed:])}")
