"""`clockfree read`: voltages, drops and taps of a recorded run, or of a bench now."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.base.errors import InputError
from clockfree.commands.options import Json


def read(
    folder: Annotated[Path | None, typer.Argument(help="Folder of a run.", show_default=False)] = None,
    bench: Annotated[Path | None, typer.Option(help="Bench file (TOML): what its boards say and measure now.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="With --bench: again and again, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    if (folder is None) == (bench is None):
        raise InputError("read: expected the folder of a run or --bench FILE, got " + ("both" if folder else "neither"))
    if bench is not None:
        from clockfree.commands.read_bench import read_bench_now  # each loads nothing of the other's

        read_bench_now(bench, watch, as_json)
    elif watch:
        raise InputError("--watch: expected --bench beside it, got the folder of a run, which stays as it is")
    else:
        from clockfree.commands.read_run import read_run  # the same

        assert folder is not None
        read_run(folder, as_json)
