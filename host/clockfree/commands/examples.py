"""`clockfree examples`: the examples that are shipped, listed or copied out."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from clockfree.base import shipped
from clockfree.commands.completion import completed
from clockfree.commands.options import Json
from clockfree.commands.output import print_json, print_table
from clockfree_model.saying import put


def examples(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these. Default: all.", autocompletion=completed("examples")),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Folder to copy them to; nothing is written over.")] = None,
    as_json: Json = False,
) -> None:
    chosen = [_named(name) for name in names or ()] or [
        (kind, path) for kind in shipped.KINDS.values() for path in kind.examples().values()
    ]
    if to is not None:
        copied = _copy(dict.fromkeys(file for kind, path in chosen for file in _with_its_task(kind, path)), to)
        if as_json:
            print_json({"copied": [str(path) for path in copied]})
        else:
            put("\n".join(map(str, copied)))
        return
    rows = [{"name": path.stem, "kind": kind.noun, "what": _what(path), "file": str(path)} for kind, path in chosen]
    if as_json:
        print_json({"examples": rows})
    else:
        _print(rows)


def _named(name: str) -> tuple[shipped.Kind, Path]:
    from clockfree.base.errors import InputError  # only a slip asks
    from clockfree_model.nearest import nearest

    for kind in shipped.KINDS.values():
        if path := shipped.example(kind, name):
            return kind, path
    every = [each for kind in shipped.KINDS.values() for each in kind.examples()]
    raise InputError(f"{name}: expected an example, one of {', '.join(every)}, got none{nearest(name, every)}")


def _with_its_task(kind: shipped.Kind, path: Path) -> Iterator[Path]:
    """A sweep names a task beside it."""
    yield path
    if kind is shipped.SWEEP:
        from clockfree.base.toml import read_toml  # only a sweep is read

        yield (path.parent / read_toml(path)["task"]).resolve()


def _copy(files: dict[Path, None], to: Path) -> list[Path]:
    """Copies of examples, in the folders they have among the examples: all of them, or none is begun."""
    from clockfree.base.files import check  # a list does without
    from clockfree_model.files import replaced

    copies = {path: to / path.relative_to(shipped.folder("examples")) for path in files}
    for copy in copies.values():
        check(copy, "file", "--to")
    for path, copy in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with replaced(copy) as beside:
            shutil.copyfile(path, beside)
    return [*copies.values()]


def _what(path: Path) -> str:
    """An example in a sentence: the first of the comment it begins with, or the size of a network."""
    if path.suffix != ".toml":
        from clockfree_model.network import load  # numpy: slow to load, and tasks do without

        network = load(str(path))
        return f"{len(network.nodes)} nodes, {len(network.ends)} edges ({path.suffix[1:]})"
    comment = path.read_text(encoding="utf-8").split("\n#\n")[0].replace("\n# ", " ").removeprefix("# ")
    return re.split(r"(?<=[.?]) ", comment.replace("\n", " "))[0]


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table  # slow to load, and JSON does without

    table = Table(box=None, pad_edge=False)
    for column in ("example", "kind", "what"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["kind"], row["what"])
    print_table(table)
    put("")
    for kind in shipped.KINDS.values():
        if first := next((row["name"] for row in rows if row["kind"] == kind.noun), None):
            put(kind.used.format(first))
    put("clockfree examples NAME --to FOLDER copies one")
