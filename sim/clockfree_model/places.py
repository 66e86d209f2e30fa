"""Where a name leads: `~` is a home, and what a file names lies beside that file.

Neither the current folder nor a link to the file says anything else.
"""

import os
from collections.abc import Callable
from pathlib import Path


def named(name: str | Path) -> Path:
    """The path that a person means; ValueError where `~` is to be a home and there is none."""
    text = os.path.expanduser(name)
    if text == str(name) and text.startswith(("~/", "~\\")):
        raise ValueError("expected a path, got ~, and this user has no home: ./~ is a folder of that name")
    return Path(text)


def beside(file: Path, name: str, there: Callable[[Path], bool] = Path.is_file) -> Path | None:
    """What a file means by a name: beside it, or, where the file is a link, beside that; None if it is in neither.

    Raises
    ------
    ValueError
        There is one beside the link and another beside the file.
    """
    path = named(name)
    real = Path(os.path.realpath(file)).parent
    folders = [file.parent] if os.path.realpath(file.parent) == str(real) else [real, file.parent]
    found = [folder / path for folder in folders if there(folder / path)]
    if len(found) > 1 and not os.path.samefile(*found):
        text = f"expected one, got {found[0]} beside the file and {found[1]} beside the link to it"
        raise ValueError(f"{text}: write the whole path")
    return found[0] if found else None


def is_clutter(path: Path) -> bool:
    """Whether a file is what desktops and network drives leave in folders, and nobody's work."""
    return path.name.startswith(".") or path.name.lower() in ("desktop.ini", "thumbs.db")
