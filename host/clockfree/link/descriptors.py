"""Descriptors of many ports: more than a process may have by default, and numbers that `select` does not take."""

import select
import sys
import types
from collections.abc import Sequence
from typing import Any

from clockfree.base.errors import InputError

A_PORT = 5  # the port, and the two pipes by which pyserial is told to stop waiting
_MORE = 50


def room_for(ports: int) -> None:
    """Let this process have so many ports open at the same time; InputError where the machine does not let it."""
    if sys.platform != "win32":
        import resource

        wanted = A_PORT * ports + _MORE
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise InputError(f"{ports:,} boards: expected {wanted:,} open files (ulimit -Hn), got {hard:,}")
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def wait_by_poll() -> None:
    """Have pyserial wait for ports and sockets by `poll`: its `select` takes no descriptor above 1,023.

    Only on Linux: elsewhere not all that is a port can be polled.
    """
    if sys.platform == "linux":
        from serial import serialposix
        from serial.urlhandler import protocol_socket

        polled = types.ModuleType("select")
        vars(polled).update(vars(select), select=_select)
        for module in (serialposix, protocol_socket):
            vars(module)["select"] = polled


def _select(
    reads: Sequence[Any], writes: Sequence[Any], _: Sequence[Any], timeout_s: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """What `select.select` does; a file that has hung up is ready."""
    poll = select.poll()
    for files, event in ((reads, select.POLLIN), (writes, select.POLLOUT)):
        for file in files:
            poll.register(file, event)
    ready = {number for number, _ in poll.poll(None if timeout_s is None else 1000 * timeout_s)}

    def of(files: Sequence[Any]) -> list[Any]:
        return [file for file in files if (file if isinstance(file, int) else file.fileno()) in ready]

    return of(reads), of(writes), []
