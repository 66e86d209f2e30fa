"""Completion of a shell: what an argument or an option may be, beside files.

Each list is made when a shell asks for it, from where it is said.
"""

from collections.abc import Callable, Iterable, Iterator
from glob import escape
from pathlib import Path

from clockfree.base import shipped


def completed(*lists: str) -> Callable[[str], list[str]]:
    """Completion by the lists of these names, `LISTS` says which there are, for an argument or an option of typer's."""

    def complete(incomplete: str) -> list[str]:
        return [word for name in lists for word in LISTS[name](incomplete) if word.startswith(incomplete)]

    return complete


def files(incomplete: str, endings: Iterable[str] = ()) -> Iterator[str]:
    """Files that have one of these endings, if any are named, and folders."""
    typed, _, _ = incomplete.rpartition("/")
    before = f"{typed}/" if typed or incomplete.startswith("/") else ""
    folder = Path(before or ".")
    begun = incomplete[len(before) :]
    for path in sorted(folder.glob(f"{escape(begun)}*")) if folder.is_dir() else ():
        if path.name.startswith(".") and not begun:  # as a shell does
            continue
        if path.is_dir():
            yield f"{before}{path.name}/"
        elif not endings or path.suffix in endings:
            yield before + path.name


def _toml(incomplete: str) -> Iterator[str]:
    return files(incomplete, [".toml"])


def _networks(incomplete: str) -> Iterator[str]:
    yield from ("lab16", "square:", "planar:", *shipped.NETWORK.examples())
    yield from files(incomplete, shipped.NETWORK.endings)


def _presets(incomplete: str) -> Iterable[str]:
    from clockfree_model.physics import PRESETS  # numpy: only a shell asks, and for no other list

    return PRESETS


def _keys(incomplete: str) -> Iterator[str]:
    """`KEY=` of every setting, then `KEY=VALUE` where it is one of a few."""
    from clockfree_model.defaults import TABLES
    from clockfree_model.settings import settings_of  # the same

    for table, presets in TABLES.items():
        for key, kind, known in settings_of(type(presets["ideal"])):
            begun = f"{table}.{key}="
            values = ("true", "false") if kind is bool or kind == "bool" else known.choices
            yield from (begun + value for value in values) if incomplete.startswith(begun) else [begun]


def _runs(incomplete: str) -> Iterator[str]:
    if not incomplete:
        yield from (str(path.parent) for path in sorted(Path("runs").glob("*/log.jsonl")))
    yield from files(incomplete, ["no file is a run"])


def _topics(incomplete: str) -> Iterator[str]:
    from clockfree.task.topics import topics  # pydantic

    yield from topics()


LISTS: dict[str, Callable[[str], Iterable[str]]] = {
    "files": files,
    "toml": _toml,
    "tasks": lambda incomplete: shipped.TASK.examples(),
    "sweeps": lambda incomplete: shipped.SWEEP.examples(),
    "examples": lambda incomplete: [name for kind in shipped.KINDS.values() for name in kind.examples()],
    "lessons": lambda incomplete: ("teacher", "examples", "regression", "classification"),
    "benches": lambda incomplete: ("sim", "virtual"),
    "rules": lambda incomplete: ("clockfree", "sync", "p=", "oscillators="),
    "networks": _networks,
    "presets": _presets,
    "keys": _keys,
    "runs": _runs,
    "topics": _topics,
}
"""Of each list, what it holds; it may look at what was typed."""
