"""`clockfree paper NAME`: run a figure, keep it, print what it found.

What is slow to import is imported where it is used: every `clockfree` command loads this module.
"""

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
LEAST_NODES = 64
"""Of the larger network: as many as ours has."""


def paper(
    name: Annotated[str, typer.Argument(help=f"One of {CHOICE}.")],
    quick: Annotated[bool, typer.Option("--quick", help="Few seeds: seconds, and no statistics to speak of.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for NAME.nc, NAME.png and NAME.txt.")] = Path("build/figures"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seeds everything random.")] = 0,
    large: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="The larger network, in place of ours: a file, or planar:...")
    ] = None,
) -> None:
    """Make a figure of the paper, or one of ours, from new runs."""
    if name not in (ALL, *NAMES, *ALONE):
        raise typer.BadParameter(f"expected one of {CHOICE}, got {name!r}", param_hint="NAME")
    if large is not None:
        from clockfree_sim.paper import tasks

        tasks.LARGE = _large_enough(large)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"expected a folder that can be made, got {out}", param_hint="--out") from error
    from concurrent.futures import BrokenExecutor

    from clockfree_sim.sweep import processes

    each = name
    try:
        with processes.pool(jobs or processes.cores()) as pool:
            for each in NAMES if name == ALL else (name,):
                make(each, pool, quick, seed, out)
    except BrokenExecutor:
        raise typer.TyperException(f"{each}: one of its processes died: killed, or out of memory") from None


def _large_enough(spec: str) -> str:
    """A specification or file of a network that every figure finds room on."""
    from clockfree_model.network import NetworkError, load

    try:
        nodes = len(load(spec).nodes)
    except NetworkError as error:
        raise typer.BadParameter(str(error), param_hint="--large") from error
    if nodes < LEAST_NODES:
        raise typer.BadParameter(f"expected at least {LEAST_NODES} nodes, got {nodes}", param_hint="--large")
    return spec


def make(name: str, pool, quick: bool, seed: int, out: Path) -> None:
    """Run one figure in an executor, write its files into a folder that exists, print its table."""
    import importlib
    import time

    import matplotlib.pyplot as plt

    from clockfree_sim.paper import save

    figure = importlib.import_module(f"clockfree_sim.paper.figures.{name}")
    began_s = time.monotonic()
    data = figure.measure(pool, quick, seed).assign_attrs(seed=seed, quick=int(quick))
    verdicts = [f"{'seen' if seen else 'NOT SEEN'}: {demand}" for demand, seen in figure.must_show(data).items()]
    few = ["Few seeds (--quick): nothing here is a result."] if quick else []
    text = save.plain(figure.caption(data), "", figure.table(data), *verdicts, *few)
    with plt.rc_context(save.STYLE):
        drawn = figure.draw(data)
        save.save(out, name, data, drawn, text)
        plt.close(drawn)
    print(text)
    print(f"{out / name}.nc, .png, .txt: {time.monotonic() - began_s:.0f} s\n")
