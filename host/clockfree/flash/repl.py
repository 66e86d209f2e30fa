"""Raw prompt of a board while it is flashed, by mpremote: its resets, and its coming back.

The only module that knows mpremote, which blocks: a board has a thread of its own.
"""

import contextlib
import struct
import threading
import time
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from clockfree.flash import prompt
from clockfree.link import handshake
from clockfree.link.benchfile import Board
from clockfree.link.identity import is_board
from clockfree.link.ports import PortError, locate, open_port
from clockfree.link.pyserial import serial

REPL_S = 10.0
BACK_S = 20.0
"""After a reset: USB comes back within two seconds, a board on a busy hub later."""
LOST = (TransportError, OSError, struct.error)
"""What a port that is gone, or a prompt that is none, can raise."""

__all__ = ["LOST", "FlashError", "Repl", "StoppedError", "TransportExecError"]


class FlashError(Exception):
    """A board that could not be flashed; the text says why, and what to do."""


class StoppedError(Exception):
    """Ctrl-C: leave the board as it is."""


class Raw(SerialTransport):
    """mpremote's raw REPL on a port that is open already, so that nobody gets it in between."""

    def __init__(self, port: serial.SerialBase) -> None:
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.device_name = port.name
        self.mounted = False
        self.serial = port
        self.is_pty = True  # wait for bytes, on any port, instead of looking for some every 10 ms


class Repl:
    """One board at its port, wherever that is after a reset.

    Parameters
    ----------
    board : Board
        What the bench file says of it.
    links : Path or None
        Folder of links to ports; None is what the system knows.
    stop : Event
        Set when the board is to be left as it is: whatever comes next raises StoppedError.

    Attributes
    ----------
    device : str
        Where it was last looked for: the device of its port, or a URL.
    """

    def __init__(self, board: Board, links: Path | None, stop: threading.Event) -> None:
        self.board, self.device = board, ""
        self._links, self._stop = links, stop
        self._port: serial.SerialBase | None = None
        self._raw: Raw | None = None

    def open(self) -> None:
        """Open the port that the board has now."""
        self.device = locate(self.board.id, self.board.port, self._links)
        self._port = open_port(self.device, handshake.READ_S)

    @property
    def port(self) -> serial.SerialBase:
        """The port, to ask a board that is not at its prompt."""
        assert self._port is not None
        return self._port

    def go_on(self) -> None:
        """StoppedError where it is time to stop."""
        if self._stop.is_set():
            raise StoppedError

    def enter(self, soft_reset: bool) -> None:
        """Stop the board's program, and bring it to its raw prompt."""
        self.go_on()
        self.port.timeout = REPL_S
        self._raw = Raw(self.port)
        try:
            self._raw.enter_raw_repl(soft_reset=soft_reset, timeout_overall=REPL_S)
        except TransportError as error:
            raise FlashError(
                f"its program does not let itself be stopped ({error}): if it is clockfree's, hold GP3 low while you "
                "reset it; else hold BOOTSEL while you plug it in, and copy a UF2 to it that erases its flash"
            ) from None

    def exec(self, code: str | bytes) -> bytes:
        """What a program prints at the prompt; TransportExecError where it raises."""
        assert self._raw is not None
        self.go_on()
        found: bytes = self._raw.exec(code)
        return found

    def hard_reset(self) -> None:
        """Reset the board; its port may be gone before it has said that it understood."""
        assert self._raw is not None
        with contextlib.suppress(*LOST):
            self._raw.exec_raw_no_follow(prompt.RESET)

    def wait_for_hello(self, old_boot: int | None) -> dict[str, Any]:
        """HELLO of the board after a reset, at whatever port it comes back."""
        late_s = time.monotonic() + BACK_S
        why, patience_s = "", 0.5
        while time.monotonic() < late_s:
            self.go_on()
            self.close()
            try:
                self.open()
                found = handshake.hello(self.port, within_s=patience_s)
                if not is_board(self.board.id, found.get("id")):
                    why = f"another board, {found.get('id')}, is at its port"
                elif found.get("boot") == old_boot:
                    why = "it did not reset"
                else:
                    return found
            except (PortError, OSError, handshake.NoAnswerError) as error:
                why = str(error)
                if isinstance(error, handshake.NoAnswerError):
                    patience_s *= 2  # when a hundred boards start at once, answers take their time
                time.sleep(0.02)
        raise FlashError(
            f"no HELLO within {BACK_S:.0f} s of its reset ({why}): is GP3 held low, or another main.py on it?"
        )

    def leave(self) -> None:
        """Start the board again if it was left at its prompt, and let go of the port."""
        if self._raw is not None and self._raw.in_raw_repl:
            self.hard_reset()
        self.close()

    def close(self) -> None:
        """Let go of the port."""
        self._raw = None
        if self._port is not None:
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None
