"""`clockfree virtual`: virtual boards kept up, as if they were plugged in."""

import contextlib
import sys
import threading
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from clockfree.commands.options import Json, NetworkSpec, Preset, Seed, Sets, TaskFile, TaskSeed
from clockfree.commands.output import print_json


def virtual(
    task: TaskFile,
    out: Annotated[Path, typer.Option(help="Folder to make, for bench.toml.")],
    network: NetworkSpec = None,
    preset: Preset = None,
    seed: Seed = None,
    task_seed: TaskSeed = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    from clockfree.base import files  # --help does without
    from clockfree.commands.lines import say
    from clockfree.link.benchfile import bench_text
    from clockfree.task.plan import make_plan

    options = {"network": network, "preset": preset, "seed": seed, "task_seed": task_seed}
    job = make_plan(task, options, set_ or [], False).job
    from clockfree.bench.virtual import VirtualRack, made_up  # brings the flash, and a refused task does without

    files.check(out)
    with VirtualRack(job, made_up(job)) as rack:
        files.create(out)
        file = out / "bench.toml"
        files.replace_text(file, bench_text(rack.bench))
        ports = {board.name: rack.boards.port(board.name) for board in rack.bench.every_board}
        first = ports[rack.bench.every_board[1].name]
        if as_json:
            print_json({"bench": str(file), "ports": ports})
            sys.stdout.flush()  # whoever started it waits for this
        say(f"{len(rack.bench.every_board)} virtual boards are up, and blank. In another terminal:")
        named = quote(str(file))
        for command in (
            f"clockfree flash --bench {named}", f"clockfree boards --bench {named}",
            f"clockfree run {quote(str(task))} --bench {named}", f"clockfree read --bench {named} --watch",
            f"clockfree hold --bench {named}", f"mpremote connect {first} ls",
        ):  # fmt: skip
            say(f"    {command}")
        say("with the options that were given here for the task. Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
