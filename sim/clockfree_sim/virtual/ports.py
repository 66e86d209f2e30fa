"""Ports of boards: pseudo-terminals with the names that USB would give them."""

import contextlib
import ctypes
import os
import pty
import struct
import termios
import tty
from functools import cache
from pathlib import Path

BY_ID = "usb-MicroPython_Board_in_FS_mode_{}-if00"

_IN_CLOSE = 0x8 | 0x10  # written to, or not
_IN_OPEN = 0x20
_EVENT = struct.Struct("iIII")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def inotify() -> int:
    """The file of a new inotify instance, of which every user may have some hundred."""
    file: int = _libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if file < 0:
        raise OSError(ctypes.get_errno(), "no inotify instance is left (fs.inotify.max_user_instances)")
    return file


class Watch:
    """Who has ports open: a pseudo-terminal has no DTR, so opening and closing are watched (inotify)."""

    def __init__(self) -> None:
        self._file = inotify()
        self._ports: dict[int, Port] = {}

    def fileno(self) -> int:
        """For a selector: readable when a port was opened or closed."""
        return self._file

    def add(self, port: "Port") -> int:
        """Watch a port."""
        watch = _libc().inotify_add_watch(self._file, port.name.encode(), _IN_OPEN | _IN_CLOSE)
        if watch < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", port.name)
        self._ports[watch] = port
        return watch

    def remove(self, watch: int) -> None:
        """Watch a port no longer."""
        del self._ports[watch]
        _libc().inotify_rm_watch(self._file, watch)

    def look(self) -> None:
        """Tell each port what happened to it."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data = os.read(self._file, 4096)
                while data:
                    watch, what, _, length = _EVENT.unpack_from(data)
                    data = data[_EVENT.size + length :]
                    if watch in self._ports:
                        self._ports[watch].opened(1 if what & _IN_OPEN else -1 if what & _IN_CLOSE else 0)


class Port:
    """One pseudo-terminal and its link; it is gone when closed.

    Attributes
    ----------
    name : str
        What the host opens.
    """

    def __init__(self, watch: Watch, link: Path):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._users = 0
        self._watch = watch
        self._number = watch.add(self)
        self._link = link
        fresh = link.with_name(link.name + ".new")
        fresh.symlink_to(self.name)
        fresh.replace(link)

    def fileno(self) -> int:
        """For a selector: what the host writes comes out here."""
        return self._master

    @property
    def connected(self) -> bool:
        """True while somebody has the port open."""
        if not self._users:
            self._watch.look()
        return self._users > 0

    def opened(self, change: int) -> None:
        """So many more users; two who open it at once may be told as one."""
        self._users = max(0, self._users + change)
        if not self._users:
            # What the last one has not read is nobody's.
            termios.tcflush(self._slave, termios.TCIFLUSH)

    def read(self, most: int) -> bytes:
        """What the host has written."""
        try:
            data = os.read(self._master, most)
        except BlockingIOError:
            return b""
        self._users = self._users or 1  # who writes has it open
        return data

    def write(self, data: bytes | bytearray) -> int:
        """Bytes that went to the host; 0 while it does not read."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """The port vanishes."""
        self._link.unlink(missing_ok=True)
        self._watch.remove(self._number)
        os.close(self._master)
        os.close(self._slave)
