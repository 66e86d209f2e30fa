"""The checkout that one stands in, and whether what runs are its sources.

A checkout that was copied with its `.venv`, or one whose packages were installed from another, runs the other's code:
tests would pass and results come out that say nothing about the sources at hand.
"""

import struct
from contextlib import suppress
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from clockfree.base.errors import InputError
from clockfree_model.saying import say

PACKAGES = {
    "clockfree": "host",
    "clockfree_sim": "sim",
    "clockfree_model": "sim",
    "clockfree_board": "firmware",
}
"""Folders of a checkout that our packages are in."""
_WORD = 0xFFFFFFFF


def stood_in() -> Path | None:
    """The top of the checkout that the current folder is in, if it is in one."""
    try:
        here = Path.cwd()
    except OSError:  # it has been deleted
        return None
    return next((folder for folder in (here, *here.parents) if _is_one(folder)), None)


def others(checkout: Path) -> tuple[Path, str] | None:
    """Where a package comes from that is not the checkout's own, and a file of it that is another; None if none is.

    A package somewhere else whose files are the same is as good.
    """
    for package, place in PACKAGES.items():
        spec = find_spec(package)
        if spec is None or not spec.origin:  # a lighter installation
            continue
        own, running = (folder.resolve() for folder in (checkout / place / package, Path(spec.origin).parent))
        if own != running and (another := _another(own, running)):
            return running, f"{place}/{package}/{another}"
    return None


def check() -> None:
    """InputError where the checkout that one stands in, or has its environment in, is not what runs.

    What is installed somewhere else is nobody's copy, and its record has its own digest: it runs, and that is said.
    """
    checkout = stood_in()
    found = checkout and others(checkout)
    if not found:
        return
    running, another = found
    text = f"the sources here do not run: those in {running} do, and {another} differs"
    if _is_one(running.parents[1]):
        raise InputError(f"{checkout}: {text}: a copied .venv is that of where it was made: make clean setup")
    if running.is_relative_to(str(checkout)):
        raise InputError(f"{checkout}: {text}: they were changed after it was installed: install them again")
    say(f"{checkout}: {text}")


def outdated() -> str:
    """A source that was changed since Python kept it compiled, and which it takes to be as it was; "" if there is none.

    Python goes by length and second of a source: a letter changed within the second of the first import is not run.
    """
    for package in PACKAGES:
        spec = find_spec(package)
        for source in Path(spec.origin).parent.rglob("*.py") if spec and spec.origin else ():
            with suppress(OSError, NotImplementedError, struct.error):  # nothing whole is kept of it, or by this Python
                kept, now = Path(cache_from_source(str(source))), source.stat()
                if now.st_mtime_ns > kept.stat().st_mtime_ns:
                    with open(kept, "rb") as file:
                        flags, second, length = struct.unpack("<4x3I", file.read(16))
                    if (flags, second, length) == (0, int(now.st_mtime) & _WORD, now.st_size & _WORD):
                        return str(source)
    return ""


def _is_one(folder: Path) -> bool:
    return all((folder / place / package / "__init__.py").is_file() for package, place in PACKAGES.items())


def _another(own: Path, running: Path) -> str:
    """The first source that is another in two folders, or in one of them alone; "" if none is."""
    found = {path.relative_to(folder).as_posix() for folder in (own, running) for path in folder.rglob("*.py")}
    for name in sorted(found):
        try:
            if (own / name).read_bytes() != (running / name).read_bytes():
                return name
        except OSError:
            return name
    return ""
