"""`clockfree paper NAME`: the arguments, and the names of the figures."""

import pkgutil
from pathlib import Path
from typing import Annotated

import typer

from clockfree_sim.paper import figures

ALONE = ("large",)
"""Figures that are made by name only, as they take long."""
NAMES = tuple(sorted({module.name for module in pkgutil.iter_modules(figures.__path__)}.difference(ALONE)))
ALL = "all"
CHOICE = ", ".join((ALL, *NAMES, *ALONE))


def paper(
    name: Annotated[str, typer.Argument(help=f"One of {CHOICE}.")],
    quick: Annotated[bool, typer.Option("--quick", help="Few seeds: seconds, and no statistics to speak of.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for NAME.nc, NAME.png and NAME.txt.")] = Path("build/figures"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seeds everything random.")] = 0,
    large: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="The larger network, in place of ours: a file, or planar:...")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")] = False,
) -> None:
    """Make a figure of the paper, or one of ours, from new runs."""
    if name not in (ALL, *NAMES, *ALONE):
        raise typer.BadParameter(f"expected one of {CHOICE}, got {name!r}", param_hint="NAME")
    from clockfree_sim.paper import making  # slow to load, and `clockfree --help` loads this module

    making.make_all(NAMES if name == ALL else (name,), quick, out, jobs, seed, large, as_json)
