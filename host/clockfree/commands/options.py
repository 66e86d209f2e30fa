"""Options and arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

TaskFile = Annotated[Path, typer.Argument(help="Task file (TOML), or the run.toml of a run, to run it again.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]
BenchPath = Annotated[Path, typer.Option("--bench", help="Bench file (TOML).")]
NetworkSpec = Annotated[
    str | None, typer.Option(help="lab16, square:ROWSxCOLS[:periodic], planar:NODES:EDGES:SEED, or a file.")
]
Preset = Annotated[str | None, typer.Option(help="Physics: ideal, paper or board.")]
Seed = Annotated[str | None, typer.Option(help="Seeds clocks and noise.", metavar="INTEGER")]
TaskSeed = Annotated[str | None, typer.Option(help="Seeds teacher and placement.", metavar="INTEGER")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of the task file; may be repeated.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]
