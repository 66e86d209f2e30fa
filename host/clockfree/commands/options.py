"""Options and arguments that several commands take."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clockfree.base import shipped
from clockfree.commands.completion import completed

if TYPE_CHECKING:
    from clockfree.task.datatable import Form


def _task(name: str) -> Path:
    return shipped.find(shipped.TASK, name)


TaskFile = Annotated[
    Path,
    typer.Argument(
        parser=_task,
        metavar="TASK",
        autocompletion=completed("tasks", "toml"),
        help="Task file (TOML); the name of an example; or the run.toml of a run, to run it again.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=completed("runs"))]
BenchPath = Annotated[Path, typer.Option("--bench", help="Bench file (TOML).", autocompletion=completed("toml"))]
Bench = Annotated[Path, typer.Argument(metavar="BENCH", help="Bench file (TOML).", autocompletion=completed("toml"))]
NetworkSpec = Annotated[
    str | None,
    typer.Option(
        help="lab16, square:ROWSxCOLS[:periodic], planar:NODES:EDGES:SEED, a file, or an example.",
        autocompletion=completed("networks"),
    ),
]
Preset = Annotated[
    str | None, typer.Option(help="Physics: ideal, paper or board.", autocompletion=completed("presets"))
]
Seed = Annotated[str | None, typer.Option(help="Seeds clocks and noise.", metavar="INTEGER")]
TaskSeed = Annotated[str | None, typer.Option(help="Seeds teacher and placement.", metavar="INTEGER")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any key of the task file (clockfree help task); may be repeated.",
        autocompletion=completed("keys"),
    ),
]
Parallel = Annotated[
    str | None, typer.Option(help="Edges that the network's file lists twice: refuse, keep (two resistors) or merge.")
]
SelfLoops = Annotated[str | None, typer.Option(help="Edges from a node to itself in the file: refuse or drop.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]


DataPath = Annotated[Path, typer.Argument(help="Data set: .csv as any program writes it, .npz or .parquet.")]
AskedBench = Annotated[
    str,
    typer.Option(
        "--bench",
        help="Who is asked: sim, virtual boards, or a bench file (TOML) of boards, in HOLD.",
        autocompletion=completed("benches", "toml"),
    ),
]
Move = Annotated[bool, typer.Option("--move", help="Move wipers of boards that stand elsewhere to the run's taps.")]
Missing = Annotated[str | None, typer.Option(help="Rows without a value: refuse or drop.")]


def form_with(data: Path, missing: str | None) -> "Form":
    """How a data file is read, with what --missing says."""
    from clockfree.base.errors import InputError  # --help does without
    from clockfree.task.datatable import Form

    if missing not in (None, "refuse", "drop"):
        raise InputError(f"{data}: --missing: expected refuse or drop, got {missing}")
    return Form(missing=missing or "refuse")


def with_network_file(sets: list[str] | None, parallel: str | None, self_loops: str | None) -> list[str]:
    """`KEY=VALUE` of every --set, and of the two options that have one of their own."""
    given = {"network_file.parallel": parallel, "network_file.self_loops": self_loops}
    return [*(sets or []), *(f"{key}={value}" for key, value in given.items() if value is not None)]
