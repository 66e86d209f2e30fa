"""Stopping of a bench, whoever runs it: its host is asked to end, or made to, and every board is put in HOLD."""

from typing import Any

from clockfree.base.errors import BoardError
from clockfree.link.benchfile import BenchFile
from clockfree.link.hosts import Host, host_of
from clockfree.runs import live

ASKED_S = 20.0
"""A host that is asked to end measures in HOLD first, and closes its record."""
GENTLE_S = 5.0
"""One whose boards have to stop is given less."""
KILLED_S = 5.0


def hold(bench: BenchFile, file: str) -> tuple[Host | None, list[dict[str, Any]]]:
    """HOLD to every board: the host that ran them and was asked to end, if there was one, and what became of each.

    Raises
    ------
    BoardError
        It does not end.
    """
    host = host_of(bench)
    if host:
        host.interrupt()
        if not host.gone(ASKED_S):
            text = f"process {host.pid} runs these boards and does not end: clockfree stop takes them from it"
            raise BoardError(f"{file}: {text}")
    return host, live.hold(bench)


def stop(bench: BenchFile) -> tuple[Host | None, bool, list[dict[str, Any]]]:
    """The same, but a host that does not end soon is killed: the host, whether it was, and what became of each board.

    Raises
    ------
    BoardError
        It cannot be killed.
    """
    host, killed = host_of(bench), False
    if host:
        host.interrupt()
        if not host.gone(GENTLE_S):
            killed = True
            host.kill()
            if not host.gone(KILLED_S):
                raise BoardError(f"process {host.pid} runs these boards and cannot be killed: take their power")
    return host, killed, live.hold(bench)


def said(host: Host, killed: bool) -> str:
    """What became of a host, for a person."""
    record = f"; the record of {host.run} is cut off there" if host.run and killed else ""
    return f"process {host.pid}, which ran these boards, was {'killed' if killed else 'asked to end, and has'}{record}"
