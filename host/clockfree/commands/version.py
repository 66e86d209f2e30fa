"""`clockfree version`: the version; with `--verbose` all that a report of a bug needs, in one paste.

Nothing is opened, written to or asked of a board. What cannot be found out says so in its place.
"""

import importlib.metadata
import locale
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clockfree.base import environment
from clockfree.commands.options import Json
from clockfree.commands.output import print_json
from clockfree_model.saying import put

TOLD = (
    "COLUMNS",
    "CLOCKFREE_",
    "LANG",
    "LC_",
    "MPL",
    "NUMBA_",
    "OMP_",
    "OPENBLAS_",
    "PYTHON",
    "TERM",
    "XDG_CACHE_HOME",
)
"""Beginnings of variables that may have to do with it. What pip is told may be secret."""


def version(
    verbose: Annotated[bool, typer.Option("--verbose", help="All that a report of a bug needs, in one paste.")] = False,
    as_json: Json = False,
) -> None:
    given = {name: text for name, text in sorted(os.environ.items()) if name.startswith(TOLD)} | environment.shut_out
    found: dict[str, Any] = {"clockfree": importlib.metadata.version("clockfree")}
    if verbose:
        asked: dict[str, Callable[[], Any]] = {
            "installed": _installed, "code": _code, "system": _system, "terminal": _terminal,
            "environment": lambda: given, "cache": _cache, "virtual boards": _virtual, "ports": _ports,
        }  # fmt: skip
        found |= {name: _found(ask) for name, ask in asked.items()}
    if as_json:
        print_json(found)
    else:
        put("\n".join(line for name, value in found.items() for line in _lines(name, value)))


def _found(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:  # a report of what does not work has to work
        return f"not known: {' '.join(f'{type(error).__name__} {error}'.split())}"


def _lines(name: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        width = max(map(len, value), default=0)
        return [f"{name}:" if value else f"{name}: none", *(f"  {key:{width}}  {each}" for key, each in value.items())]
    if isinstance(value, list):
        return [f"{name}:" if value else f"{name}: none", *(f"  {each}" for each in value)]
    return [f"{name} {value}" if name == "clockfree" else f"{name}: {value}"]


def _installed() -> dict[str, str]:
    import clockfree  # its folder; what is loaded already

    return {"clockfree": str(Path(str(clockfree.__file__)).parent), "python": sys.executable}


def _code() -> dict[str, str]:
    from clockfree.task.versions import versions  # numpy, LLVM: slow to load, and a version needs none

    return versions()


def _system() -> str:
    return f"{platform.platform()}, {os.cpu_count()} cores"


def _terminal() -> dict[str, str]:
    size = shutil.get_terminal_size()
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    shown = {
        name: f"{'terminal' if each.isatty() else 'no terminal'}, {each.encoding}" for name, each in streams.items()
    }
    letters = f"{locale.setlocale(locale.LC_CTYPE)}, names of files {sys.getfilesystemencoding()}"
    return {"size": f"{size.columns} x {size.lines}", **shown, "locale": letters}


def _cache() -> str:
    from clockfree_sim.circuit.caching import folder  # numba: the same

    place = folder()
    if place is None:
        return "none: this user has no home"
    above = next(each for each in (place, *place.parents) if each.exists())
    return f"{place}{'' if os.access(above, os.W_OK) else ', which cannot be written to'}"


def _virtual() -> str:
    from clockfree.bench.registry import no_virtual_boards  # the same

    return no_virtual_boards(1) or "can be had"


def _ports() -> list[str]:
    from serial.tools import list_ports  # the same

    from clockfree.link.users import others

    ports = sorted(list_ports.comports())
    by = others(os.path.realpath(port.device) for port in ports)
    rows = []
    for port in ports:
        access = "" if os.access(port.device, os.R_OK | os.W_OK) else ", no permission"
        has = by.get(os.path.realpath(port.device))
        user = f", open in {has}" if has else ""
        rows.append(f"{port.device}: {port.description}, serial number {port.serial_number or 'none'}{access}{user}")
    return rows
