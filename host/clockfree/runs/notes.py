"""Notes in the record of a run: lines that a person adds when it is over, sealed like all others."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.runs.logfile import LOG, NOTE, LogFile

MOST = 1000
"""Characters of a note."""


def add(folder: Path, text: str) -> None:
    """Add a note, with the time.

    Raises
    ------
    InputError
        No such run, one that goes on now or is of a version without checksums; a text that is no line.
    """
    if not text.strip() or not text.isprintable() or len(text) > MOST:
        raise InputError(f"{folder}: note: expected one printable line of 1..{MOST} characters, got {text[:40]!a}")
    log = LogFile.reopen(folder / LOG)
    try:
        log.write({"record": NOTE, "at_utc": datetime.now(UTC).isoformat(timespec="seconds"), "text": text})
        log.sync()
    finally:
        log.close()


def said(note: dict[str, Any]) -> str:
    """A note as a person reads it."""
    return f"{note.get('at_utc')}: {note.get('text')}"
