"""Serial ports: which board is at which port, and a port for oneself alone.

A board is known by its unique id, which its USB serial number repeats. Operating systems tell it in two ways: with each
port, and in the names of a folder of links (`/dev/serial/by-id`); a bench can name a folder of links of its own.
"""

import contextlib
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports

from clockfree.link.descriptors import wait_by_poll

_TERMIOS: tuple[type[Exception], ...] = ()
with contextlib.suppress(ImportError):  # Windows has none
    import termios

    _TERMIOS = (termios.error,)

wait_by_poll()

BY_ID = Path("/dev/serial/by-id")
BAUD = 115_200  # USB does not care; a serial line does
WRITE_S = 10.0
AT_ONCE = 64
"""So many boards are worked on at the same time where each has but seconds to answer: all share the host."""
_LINK = re.compile(r"usb-.*_([0-9a-f]{16})-if00", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)


class PortError(Exception):
    """A board that is not at exactly one port, or a port that cannot be had; the text says what to do."""


@dataclass(frozen=True, order=True)
class Found:
    """A port with a board: its unique id (16 hex digits), and the device (`/dev/ttyACM0`, `COM3`)."""

    id: str
    device: str


def scan(by_id: Path | None = None, id_: str | None = None) -> list[Found]:
    """Every board that has a port, or the one with an id, by id.

    Parameters
    ----------
    by_id : Path or None
        Folder of links to look into, and nowhere else; None is all that the system knows.
    id_ : str or None
        16 hex digits: only this one.
    """
    found = _linked(by_id or BY_ID, id_)
    if by_id is None:
        ports = [(str(port.serial_number or ""), port.device) for port in list_ports.comports()]
        found |= {Found(number.lower(), str(_literal(device))) for number, device in ports if _ID.fullmatch(number)}
    return sorted(board for board in found if id_ in (None, board.id))


def _linked(folder: Path, id_: str | None) -> set[Found]:
    found = set()
    try:
        # To match and to follow a link takes long, and of a thousand boards each is looked for again and again.
        for name in os.listdir(folder):
            if id_ is None or id_ in name.lower():
                match = _LINK.match(name)
                if match and id_ in (None, match[1].lower()):
                    with contextlib.suppress(FileNotFoundError):  # it has just gone away
                        found.add(Found(match[1].lower(), os.path.realpath(folder / name)))
    except OSError:  # there is no folder while no board is plugged in
        pass
    return found


def _literal(device: str) -> str | Path:
    """The device itself where the name is a link: some of what mpremote does goes by the name."""
    return Path(device).resolve() if device.startswith("/") else device


def locate(id_: str | None, port: str | None, by_id: Path | None = None) -> str:
    """The device or URL to open for a board: its port, or where its unique id is.

    Raises
    ------
    PortError
        No port has this id, or several have.
    """
    if port is not None:
        return str(_literal(port))
    if id_ is None:
        raise PortError("expected an id or a port, got neither")
    devices = [board.device for board in scan(by_id, id_)]
    if len(devices) > 1:
        raise PortError(
            f"{id_}: expected one port, got {' and '.join(devices)}: clones can repeat an id; give port "
            "instead of id in the bench file"
        )
    if not devices:
        boards = scan(by_id)
        there = ", ".join(board.id for board in boards[:3]) + (f" and {len(boards) - 3} more" * (len(boards) > 3))
        where = by_id or "the ports of this machine"
        raise PortError(f"{id_}: expected a port with this id in {where}, got {there or 'no board'}: plug it in")
    return devices[0]


def open_port(device: str, read_s: float, write_s: float = WRITE_S) -> serial.SerialBase:
    """Open a port that nobody else has, and nobody gets until it is closed.

    Parameters
    ----------
    device : str
        What `locate` returns; may be `rfc2217://...` or `socket://...`, which their server locks.
    read_s : float
        A read that gets nothing for so long returns what it has, s.
    write_s : float
        A write that nobody takes fails after so long, s.

    Raises
    ------
    PortError
    """
    more: dict[str, bool | float] = {} if "://" in device else {"exclusive": True}
    if not device.startswith("rfc2217:"):  # which has its own limit, and takes none
        more["write_timeout"] = write_s
    try:
        return serial.serial_for_url(device, BAUD, timeout=read_s, **more)
    except OSError as error:
        raise PortError(_why(device, error)) from None
    except _TERMIOS as error:  # it went away while it was being opened; this is no OSError
        raise PortError(_why(device, OSError(*error.args))) from None
    except ValueError as error:  # a URL that is none
        raise PortError(f"{device}: expected a port, got {error}") from None


def _why(device: str, error: OSError) -> str:
    text = " ".join(str(error).split())
    refused = "PermissionError" in text  # Windows: somebody has it; elsewhere: not for this user
    if error.errno in (errno.EAGAIN, errno.EBUSY) or (refused and os.name == "nt"):
        return f"{device}: in use by another program: end it (clockfree, mpremote, a terminal) and try again"
    if error.errno == errno.EACCES:
        return f"{device}: no permission: on Linux, join the group of the port (dialout) and log in again"
    if error.errno == errno.ENOENT:
        return f"{device}: no such port: plug the board in"
    return f"{device}: {text.rpartition('] ')[2]}"
