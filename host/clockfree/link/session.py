"""Session with one board: commands with replies, telemetry, and its coming and going."""

import contextlib
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from clockfree.link import handshake
from clockfree.link.benchfile import Board
from clockfree.link.handshake import NoAnswerError, RefusedError
from clockfree.link.identity import is_board
from clockfree.link.listener import Listener
from clockfree.link.ports import PortError, locate, lost, open_port
from clockfree.link.pyserial import serial
from clockfree.link.quality import Quality, looks_broken
from clockfree.link.questions import Questions
from clockfree.link.roundtrips import LEAST_S
from clockfree.link.shapes import is_answer, is_telemetry
from clockfree_board.link import FIRINGS, NUMBERS, PROTOCOL, TO_HOST, Lines, opened, seal

ASK_S = 8.0
"""A command that is not answered within this time will not be."""
LOSSY_TIMES = 4
"""Over a bad cable it is asked so many times longer."""
READ_S = 0.5
WRITE_S = 1.0
"""A board that takes no bytes holds nobody up for longer."""
SILENT_S = 6.0
"""A board with a heartbeat that says nothing for so long has to be looked for, as one that was unplugged."""
STOOD_S = 2.0
"""Between two looks, each of `READ_S` at most, this process did not run."""
PASS_ON_S = 1.0
"""An edge board is told so often how long ago the supervisor was heard of."""
MOST_AGO_MS = 500_000
LOOK_S = 0.2
"""A board that went away is looked for so often at first."""
LATER = 0.1
MOST_LOOK_S = 5.0
"""Later once in this share of the time that it has been away, but so often at least: of a thousand boards that went
away at once, those who look would keep each other from finding."""
FAR = 4096
"""So many lines of telemetry may be missing at once; of a board that was away for long, or of another number, more."""
BELIEVED = 4
TEXTS = 100
SHOWN = 60
"""Letters of what a board says that are repeated."""
SHOWN = 60
"""Letters of an answer that is none."""
NO_MESSAGE = "what is no message of this link: "
TELEMETRY = ("hello", "edges", FIRINGS, "shown", "readings")
_BOOT_AT = {"edges": 3, "shown": 3}
_PROMPT = re.compile(r">>> ")


class Session:
    """One board at its port.

    A thread reads. When the port vanishes it looks for the board, by its unique id wherever it has one, until it is
    back or the session is closed; commands wait that long, within their own limits.

    Parameters
    ----------
    board : Board
        What the bench file says of it.
    by_id : Path or None
        Folder of links to ports; None is what the system knows.
    listener : Listener
    heartbeat_s : float or None
        Ask for its status so often, so that the board knows that its host is there.

    Attributes
    ----------
    hello : dict
        What the board said of itself when it was last connected.
    boot : int
        Its boot id, as last heard.
    heard_s : float
        When it last said anything, `time.monotonic`.
    shown_s : float
        When a supervisor last told of another example than before, or was told to begin, `time.monotonic`.
    teacher : Session or None
        The supervisor's: this board is told how long ago another example was shown.
    away_s : float
        A command waits so long for a board that is away, if that is longer than its own limit.
    quality : Quality
        Of its cable.
    device : str
        Where it was last looked for: the device of its port, or a URL.
    texts : deque of str
        The last lines that were no messages.
    trips : RoundTrips
        How long its replies take.
    """

    def __init__(
        self,
        board: Board,
        by_id: Path | None,
        listener: "Listener[Session] | None" = None,
        heartbeat_s: float | None = None,
    ) -> None:
        self.board = board
        self.hello: dict[str, Any] = {}
        self.boot = 0
        self.device = ""
        self.heard_s = self._alive_s = 0.0
        self.shown_s = 0.0
        self.teacher: Session | None = None
        self.texts: deque[str] = deque(maxlen=TEXTS)
        self._by_id = by_id
        self._listener: Listener[Session] = listener or Listener()
        self._heartbeat_s = heartbeat_s
        self._port: serial.SerialBase | None = None
        self._why = "not opened"
        self._up = threading.Event()
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self.away_s = 0.0
        self.quality = Quality()
        self._questions = Questions(self._write, self._up, self._stop, self.quality)
        self.trips = self._questions.trips
        self._expected: int | None = None  # number of the next telemetry
        self._far: tuple[int, int] | None = None  # the last number that was far from it, and how many followed so
        self._beat = -1
        self._said_s = self._passed_s = 0.0
        self._shown = -1
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """What the bench file calls the board."""
        return self.board.name

    @property
    def up(self) -> bool:
        """True while the port is there."""
        return self._up.is_set()

    @property
    def understood(self) -> bool:
        """True where the board speaks this host's link; another one's is only asked who it is."""
        return bool(self.hello.get("protocol") == PROTOCOL)

    def open(self) -> dict[str, Any]:
        """Open the port and say hello; returns what the board says of itself.

        Raises
        ------
        PortError
            No such port, or not to be had.
        NoAnswerError, RefusedError, OSError
            What is there does not speak the link.
        """
        try:
            self._connect()
        except NoAnswerError as error:
            if not error.busy:
                raise
            self._connect()  # over a bad cable three questions in a row get lost now and then
        self._thread = threading.Thread(target=self._run, name=f"session {self.name}", daemon=True)
        self._thread.start()
        return self.hello

    def stop(self) -> None:
        """Begin to end the session, without waiting: no command is answered any more."""
        self._stop.set()
        self._questions.end()
        port = self._port
        if port is not None:
            # Ports of a network know no cancel_read; one that is just being closed has nothing to write to.
            with contextlib.suppress(OSError, AttributeError, TypeError):
                port.cancel_read()

    def close(self) -> None:
        """End the session; the board goes on with what it does."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._drop("closed")

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- asking --------------------------------------------------------------------------------------------------

    def ask(self, kind: str, *arguments: Any, within_s: float = ASK_S) -> list[Any]:
        """Send a command, again and again under the same id, until it is answered; returns the fields of the reply.

        Raises
        ------
        RefusedError
            The board says no, and why.
        NoAnswerError
            No reply within the limit: the board is away, or does not answer.
        """
        begun_s = time.monotonic()
        if self.quality.lossy:
            within_s *= LOSSY_TIMES
        reply = self._questions.ask(kind, arguments, within_s, self.away_s)
        if reply is None:
            raise NoAnswerError(self._no_answer(kind, time.monotonic() - begun_s))
        if not is_answer(kind, reply):
            raise NoAnswerError(f"{kind}: an answer that is none, {str(reply)[:SHOWN]}: look at its firmware")
        return reply

    def interrupt(self) -> bool:
        """Ctrl-C to a board that does not answer, and the end of the session; whether the prompt came."""
        self.close()
        with contextlib.closing(open_port(self.device, handshake.READ_S, WRITE_S)) as port:
            return handshake.interrupt(port)

    def _no_answer(self, kind: str, seconds: float) -> str:
        if not self.up:
            return f"{kind}: no answer: the board is away ({self._why})"
        last = self.texts[-1] if self.texts else ""
        if _PROMPT.match(last):
            return f"{kind}: MicroPython's prompt answered: somebody has stopped its program; reset the board"
        if time.monotonic() - self.heard_s < seconds:
            return (
                f"{kind}: no answer in {seconds:.1f} s, though it tells of itself: too busy to listen; Ctrl-C stops it"
            )
        says = f", it says {last[:SHOWN]!r}" if last else ""
        return f"{kind}: no answer in {seconds:.1f} s{says}: reset the board"

    def _write(self, line: bytes) -> None:
        """Send a line; what goes wrong shows when reading."""
        with self._writing, contextlib.suppress(OSError):
            if self._port is not None:
                self._said_s = time.monotonic()
                self._port.write(line)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except OSError as error:
                self._drop(lost(error))
                self._listener.gone(self, self._why)
                self._find_again()

    def _read(self) -> None:
        """Read until the port vanishes or the session ends."""
        port = self._port
        assert port is not None
        lines = Lines(TO_HOST)
        looked_s = time.monotonic()
        whole = False  # the first line may have begun before we came
        while not self._stop.is_set():
            for line in lines.feed(port.read(max(1, port.in_waiting))):
                message = opened(line)
                if message is not None and len(message) > 1 and type(message[1]) is int:
                    self.quality.whole += 1
                    self._take(message, line)
                elif whole and message is None and looks_broken(line):
                    self.quality.broken += 1
                    self._alive_s = time.monotonic()
                    self._questions.disturbed()
                elif whole:
                    self._text(line)
                whole = True
            if self._heartbeat_s is None:
                continue
            now_s = time.monotonic()
            if now_s - looked_s > STOOD_S:  # we stood still, not the board
                self._alive_s = now_s
            looked_s = now_s
            if (
                now_s - max(self.heard_s, self._alive_s) > SILENT_S
            ):  # a connection over the network does not tell that it is dead
                raise OSError(f"says nothing for {SILENT_S:.0f} s")
            if not self.understood:
                continue
            if self.teacher is not None:
                if now_s - self._passed_s >= PASS_ON_S:
                    self._passed_s = now_s
                    self._ask_status("heard", min(MOST_AGO_MS, round(1e3 * (now_s - self.teacher.shown_s))))
            elif now_s - self._said_s >= self._heartbeat_s:
                self._ask_status("status")

    def _ask_status(self, kind: str, *arguments: int) -> None:
        """Ask for its status, without waiting for it."""
        self._beat = self._questions.number()
        self._write(seal([kind, self._beat, *arguments]))

    def _take(self, message: list[Any], line: bytes) -> None:
        kind, number = message[:2]
        if kind in ("ok", "no"):
            self.heard_s = time.monotonic()
            if self._questions.answer(message, self.heard_s):
                return
            if number == self._beat and kind == "ok":
                self._beat = -1
                if not is_answer("status", message[2:]):
                    self._text(line, NO_MESSAGE)
                    return
                self._booted(message[2]["boot"])
                self._listener.heard(self, ["status", number, message[2]])
        elif kind in TELEMETRY:
            if not is_telemetry(message):  # not counted either: it is missed when the next one comes
                self._text(line, NO_MESSAGE if len(message) > 2 else "")  # a prompt echoes our own question
                return
            told = message[2] if kind == "hello" else None
            self.heard_s = time.monotonic()
            if told:
                self.hello = told
            at = _BOOT_AT.get(kind, len(message))
            self._booted(told.get("boot") if told else message[at] if at < len(message) else None)
            if kind == "shown" and message[4] != self._shown:
                self._shown, self.shown_s = message[4], self.heard_s
            if self._count(number):
                self._listener.heard(self, message)
        else:
            self._text(line)

    def _text(self, line: bytes, what: str = "") -> None:
        text = line.decode("ascii", "backslashreplace").rstrip("\r")
        if text:
            text = what + text
            self.texts.append(text)
            self._listener.text(self, text)

    def _count(self, number: int) -> bool:
        """Telemetry is numbered: what is missing is counted and not made up for.

        What comes twice counts once, and what comes late not at all: it was counted as missing. A number far from
        those before is believed when others have followed it one by one: else a single line could silence a board.
        """
        if self._expected is not None:
            missing = (number - self._expected) % NUMBERS
            if missing >= FAR:
                follows = self._far is not None and number == (self._far[0] + 1) % NUMBERS
                self._far = (number, self._far[1] + 1 if follows and self._far else 1)
                if self._far[1] < BELIEVED:
                    return False
                missing = missing if missing < NUMBERS // 2 else 0
            self._far = None
            if missing:
                self._listener.missed(self, missing)
        self._expected = (number + 1) % NUMBERS
        return True

    def _booted(self, boot: Any) -> None:
        if isinstance(boot, int) and boot != self.boot:
            self.boot = boot
            self._expected = None
            self._listener.rebooted(self, boot)

    # -- coming and going ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Open the port of the board and have it say hello."""
        self.device = locate(self.board.id, self.board.port, self._by_id)
        port = open_port(self.device, handshake.READ_S, WRITE_S)
        try:
            begun_s = time.monotonic()
            hello = handshake.hello(port, quality=self.quality)
            if (took_s := time.monotonic() - begun_s) < LEAST_S:  # else it may have been asked twice
                self.trips.took(took_s)
            known = self.board.id or self.hello.get("id")
            if not is_board(known, hello.get("id")):
                raise NoAnswerError(f"another board, {hello.get('id')}, is at its port")
            port.timeout = READ_S
        except BaseException:
            port.close()
            raise
        first = not self.hello
        self.hello = hello
        self.heard_s = time.monotonic()
        if first:
            self.boot = hello.get("boot", 0)
        self._booted(hello.get("boot"))
        with self._writing:
            self._port = port
        self._up.set()

    def _drop(self, why: str) -> None:
        self._up.clear()
        self._why = why
        with self._writing:
            port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):
                port.close()

    def _find_again(self) -> None:
        """Look for the board until it answers, or the session is closed."""
        gone_s = time.monotonic()
        while not self._stop.wait(min(MOST_LOOK_S, max(LOOK_S, LATER * (time.monotonic() - gone_s)))):
            try:
                self._connect()
            except (PortError, OSError, NoAnswerError, RefusedError) as error:
                self._why = lost(error)
            else:
                self._listener.back(self, time.monotonic() - gone_s)
                return
