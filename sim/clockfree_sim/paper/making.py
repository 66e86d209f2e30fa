"""Making figures: run one, keep it, print what it found."""

import importlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import typer

from clockfree_model.network import NetworkError, load
from clockfree_model.saying import put
from clockfree_sim.paper import save, tasks
from clockfree_sim.sweep import processes

LEAST_NODES = 64
"""Of the larger network: as many as ours has."""


@dataclass(frozen=True)
class Made:
    """A figure that was made: its files, which of what it must show is seen, its table, and how long it took."""

    files: list[str]
    seen: dict[str, bool]
    text: str
    took_s: float


def make_all(
    names: Sequence[str], quick: bool, out: Path, jobs: int | None, seed: int, large: str | None, as_json: bool
) -> None:
    """Make figures one after another, on the larger network that is named if one is, and print what they found."""
    if large is not None:
        tasks.LARGE = large_enough(large)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"expected a folder that can be made, got {out}", param_hint="--out") from error
    each, made = names[0], []
    try:
        with processes.pool(jobs or processes.cores()) as pool:
            for each in names:
                found = make(each, pool, quick, seed, out)
                made.append(found)
                if not as_json:
                    put(f"{found.text}\n{out / each}.nc, .png, .txt: {found.took_s:.0f} s\n")
    except BrokenExecutor:
        raise typer.TyperException(f"{each}: one of its processes died: killed, or out of memory") from None
    if as_json:
        figures = [{"name": name, "files": found.files, "seen": found.seen} for name, found in zip(names, made)]
        put(json.dumps({"figures": figures}))


def large_enough(spec: str) -> str:
    """A specification or file of a network that every figure finds room on."""
    try:
        nodes = len(load(spec).nodes)
    except NetworkError as error:
        raise typer.BadParameter(str(error), param_hint="--large") from error
    if nodes < LEAST_NODES:
        raise typer.BadParameter(f"expected at least {LEAST_NODES} nodes, got {nodes}", param_hint="--large")
    return spec


def make(name: str, pool, quick: bool, seed: int, out: Path) -> Made:
    """Run one figure in an executor, and write its files into a folder that exists."""
    figure = importlib.import_module(f"clockfree_sim.paper.figures.{name}")
    began_s = time.monotonic()
    data = figure.measure(pool, quick, seed).assign_attrs(seed=seed, quick=int(quick))
    shown = {expected: bool(seen) for expected, seen in figure.must_show(data).items()}
    verdicts = [f"{'seen' if seen else 'NOT SEEN'}: {expected}" for expected, seen in shown.items()]
    few = ["Few seeds (--quick): nothing here is a result."] if quick else []
    text = save.plain(figure.caption(data), "", figure.table(data), *verdicts, *few)
    with plt.rc_context(save.STYLE):
        drawn = figure.draw(data)
        save.save(out, name, data, drawn, text)
        plt.close(drawn)
    return Made([f"{out / name}.{ending}" for ending in ("nc", "png", "txt")], shown, text, time.monotonic() - began_s)
