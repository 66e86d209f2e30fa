"""Serial ports: which board is at which port, and a port for oneself alone.

A board is known by its unique id, which its USB serial number repeats. Operating systems tell it in two ways: with each
port, and in the names of a folder of links (`/dev/serial/by-id`); a bench can name a folder of links of its own.
"""

import contextlib
import errno
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from clockfree.base.errors import BoardError
from clockfree.link.descriptors import wait_by_poll
from clockfree.link.identity import DIGITS, is_micropython, numbers
from clockfree.link.pyserial import list_ports, serial
from clockfree.link.users import others

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
_LINK = re.compile(rf"usb-(.*)_({DIGITS})-if0[01]", re.IGNORECASE)  # of some boards the first interface is a disk
_ID = re.compile(DIGITS)


class PortError(BoardError):
    """A board that is not at exactly one port, or a port that cannot be had; the text says what to do."""


@dataclass(frozen=True, order=True)
class Found:
    """A port with a board: its unique id, and the device (`/dev/ttyACM0`, `COM3`).

    `what` is what its USB calls it, and `micropython` whether it says that it is MicroPython.
    """

    id: str
    device: str
    what: str = field(default="", compare=False)
    micropython: bool = field(default=True, compare=False)


def scan(by_id: Path | None = None, id_: str | None = None) -> list[Found]:
    """Every board that has a port, or the one with an id, by id.

    Parameters
    ----------
    by_id : Path or None
        Folder of links to look into, and nowhere else; None is all that the system knows.
    id_ : str or None
        Only this one.

    Raises
    ------
    PortError
        The folder is there, and not for this user.
    """
    wanted = None if id_ is None else numbers(id_)
    found = _linked(by_id or BY_ID, wanted)
    if by_id is None:
        for port in list_ports.comports():
            number = str(port.serial_number or "").replace(":", "").lower()
            if _ID.fullmatch(number):
                what = " ".join(filter(None, (port.manufacturer, port.product)))
                told = is_micropython(port.vid, port.pid, port.manufacturer)
                board = Found(number, str(_literal(port.device)), what, told)
                found = {each for each in found if each != board or each.micropython} | {board}
    return sorted(board for board in found if wanted is None or board.id in wanted)


def _linked(folder: Path, wanted: set[str] | None) -> set[Found]:
    """Boards by the links of a folder; those of a folder that a person names are taken to be boards."""
    found = set()
    try:
        # To match and to follow a link takes long, and of a thousand boards each is looked for again and again.
        for name in os.listdir(folder):
            if wanted is None or any(number in name.lower() for number in wanted):
                match = _LINK.match(name)
                if match and (wanted is None or match[2].lower() in wanted):
                    what = match[1].replace("_", " ")
                    told = folder != BY_ID or is_micropython(None, None, what)
                    with contextlib.suppress(FileNotFoundError):  # it has just gone away
                        found.add(Found(match[2].lower(), os.path.realpath(folder / name), what, told))
    except PermissionError:
        raise PortError(f"{folder}: no permission to look for boards there: ask whoever it belongs to") from None
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


def lost(error: BaseException) -> str:
    """What became of a port that was had: of one without its device systems say much, and each something else."""
    text = " ".join(str(error).split()) or type(error).__name__
    if text == "socket disconnected":
        return "its other end has closed the connection"
    gone = "disconnected" in text or (isinstance(error, OSError) and error.errno == errno.EIO)
    return "unplugged, or in a reset" if gone else text


def _why(device: str, error: OSError) -> str:
    text = " ".join(str(error).split())
    refused = "PermissionError" in text  # Windows: somebody has it; elsewhere: not for this user
    if error.errno in (errno.EAGAIN, errno.EBUSY) or (refused and os.name == "nt"):
        other = others([device]).get(device, "another program")
        return f"{device}: in use by {other}: end it (clockfree, mpremote, a terminal) and try again"
    if error.errno == errno.EACCES:
        return f"{device}: no permission: on Linux, join the group of the port ({_group(device)}) and log in again"
    if error.errno == errno.ENOENT:
        return f"{device}: no such port: plug the board in"
    return f"{device}: {text.rpartition('] ')[2]}"


def _group(device: str) -> str:
    """The group that may have a port: dialout, uucp, by the distribution."""
    with contextlib.suppress(OSError, KeyError, ImportError):
        import grp  # Windows has none

        name = grp.getgrgid(os.stat(device).st_gid).gr_name
        if name != "root":
            return name
    return "dialout"
