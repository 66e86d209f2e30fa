"""What has to be so after an operation on a file has failed: commands run here, judged by what they leave."""

import contextlib
import io
import json
import shutil
import tomllib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import h5netcdf
from matplotlib.image import imread

from clockfree.base.errors import InputError
from clockfree.commands import app
from clockfree.runs import checking, runlog
from tests.faults.failing_io import ERRORS, Operations, failing

NETWORK = "square:2x2"
TASK = f"""
network = "{NETWORK}"
updates = 40
[placement]
sources = ["r0c0", "r1c1"]
targets = ["r0c1"]
[[lesson]]
teacher = true
"""
COMMANDS: dict[str, list[str]] = {
    "run": ["run", "task.toml", "--out", "made/run", "--trace"],
    "run --seeds": ["run", "task.toml", "--seeds", "2", "--out", "made/seeds"],
    "show": ["show", "made/run"],
    "export": ["export", "made/run", "made/net.graphml"],
    "infer": ["infer", "made/run", "rows.csv", "--out", "made/answers.csv"],
    "new": ["new", "made/new.toml"],
    "examples": ["examples", "first", "--to", "made/copies"],
}
NEAR = 3
NOT_MADE = " was not made: "
"""What is said of a file that can be made again from the log, and fails nothing."""
MADE_FROM = {"show": "run", "export": "run", "infer": "run"}
"""Commands that need what another has made."""


def prepared(folder: Path) -> None:
    """Put what commands read into a folder."""
    (folder / "task.toml").write_text(TASK, encoding="utf-8")
    (folder / "rows.csv").write_text("r0c0,r1c1\n1.0,2.0\n2.0,1.0\n", encoding="utf-8")


def once(
    folder: Path, command: str, at: int | None, number: int = 0, ever: bool = False
) -> tuple[Operations, list[str]]:
    """Run a command in a folder that is the current one; its operations, and what is not as it has to be."""
    made = folder / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    if command in MADE_FROM:
        shutil.copytree(folder / "kept" / MADE_FROM[command], made / MADE_FROM[command])
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    said, operations = io.StringIO(), Operations(made, at, number, ever)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            with failing(operations):
                status = app.status_of(COMMANDS[command])
        except BaseException:
            status = -1
            said.write(traceback.format_exc())
    return operations, [*_complaints(made, before, operations, status, said.getvalue())]


def _complaints(made: Path, before: dict[Path, bytes], operations: Operations, status: int, said: str) -> Iterator[str]:
    if "Traceback" in said:
        yield f"end: a traceback: {said.strip().splitlines()[-1]}"
    elif operations.failed and status not in (1, 2) and NOT_MADE not in said:
        yield f"end: status {status}, and an operation failed: {said[-200:]}"
    elif not operations.failed and status != 0:
        yield f"end: status {status}: {said[-200:]}"
    if operations.failed and status in (1, 2) and "/" not in said.strip().splitlines()[-1]:
        yield f"end: no file is named: {said.strip().splitlines()[-1]}"
    for path in made.rglob("*"):
        if path.is_file() and before.get(path) != path.read_bytes():
            try:
                yield from _whole(path)
            except Exception as error:
                yield f"{path.name}: not whole: {type(error).__name__}: {error}"
    yield from (f"{path.name}: gone" for path in before if not path.exists())


def _whole(path: Path) -> Iterator[str]:
    if path.suffix == ".new" or path.name.startswith("."):
        yield f"{path.name}: left behind"
    elif path.name == "log.jsonl":
        yield from _log(path)
    elif path.suffix == ".nc":
        with h5netcdf.File(path, "r") as file:
            for variable in file.variables.values():
                variable[...]
    elif path.suffix == ".png":
        imread(path)
    elif path.suffix == ".toml":
        tomllib.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".graphml" and not path.read_text("utf-8").rstrip().endswith("</graphml>"):
        yield f"{path.name}: cut short"


def _log(path: Path) -> Iterator[str]:
    """Every whole line is what was written; it says that it was not ended, unless it was."""
    try:
        found = checking.check(path.parent)
    except InputError:
        if path.read_bytes().count(b"\n"):
            yield "log.jsonl: no record, and there are lines in it"
        return
    if found.broken:
        yield f"log.jsonl: lines {found.broken} are not what was written"
    elif not found.problem and runlog.read(path.parent).end["reason"] == "cut off":
        yield "log.jsonl: cut off, and said to be complete"


def chosen(names: list[str]) -> Iterator[tuple[int, str]]:
    """Operations by their places; of many of the same name in a row the first and last ones, and every eighth."""
    for at, name in enumerate(names):
        near = names[max(0, at - NEAR) : at + NEAR + 1]
        if near != [name] * (2 * NEAR + 1) or at % 8 == 0:
            yield at, name


def cases(folder: Path, tell: Callable[[str], None]) -> Iterator[tuple[str, list[str]]]:
    """Every operation of every command, with every error, once and for ever: what it was, and the complaints."""
    prepared(folder)
    for command in COMMANDS:
        operations, found = once(folder, command, None)
        if command == "run":
            shutil.copytree(folder / "made/run", folder / "kept/run")
        tell(f"{command}: {len(operations.names)} operations")
        yield command, found
        for at, name in chosen(operations.names):
            for number in ERRORS:
                for ever in (False, True):
                    _, found = once(folder, command, at, number, ever)
                    yield f"{command}: {at} {name}, error {number}{', for ever' * ever}", found
