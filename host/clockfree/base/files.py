"""Files of results: nothing is ever written over, and nothing is left half-written."""

import itertools
import os
from pathlib import Path

from clockfree.base.errors import InputError
from clockfree_model.files import replace_bytes
from clockfree_model.places import named


def meant(name: Path | str) -> Path:
    """The path that a person typed: `~` is a home; InputError where there is none."""
    try:
        return named(name)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def check(path: Path, kind: str = "folder", option: str = "--out") -> None:
    """InputError if anything is where a folder, or a file, is to be made, or nothing can be put there."""
    if os.path.lexists(path):
        raise InputError(f"{path}: {option}: expected a {kind} that does not exist, got one that does")
    check_room(path, kind, option)


def check_room(path: Path, kind: str = "folder", option: str = "--out") -> None:
    """InputError if nothing can be put where a folder, or a file, is to be made."""
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        got = f"{above}, which nothing can be put in"
        raise InputError(f"{path}: {option}: expected a {kind} that can be made, got {got}")


def create(folder: Path) -> None:
    """Make a folder; InputError if anything is there already, or it cannot be made."""
    check(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise InputError(f"{folder}: --out: expected a folder that can be made, got {error.strerror}") from None


def create_free(folder: Path) -> Path:
    """Make a folder of this name, or of this name and a number where others, at the same time too, have it already."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for free in itertools.chain([folder], (folder.with_name(f"{folder.name}-{count}") for count in itertools.count(1))):
        try:
            free.mkdir()
        except FileExistsError:
            continue
        return free
    raise AssertionError("there is no last number")


def replace_text(path: Path, text: str) -> None:
    """Write a file in one go: a reader, or a kill, finds the old contents or the new, never a part."""
    replace_bytes(path, text.encode("utf-8"))
