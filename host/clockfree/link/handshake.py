"""The handshake: one question to a board before there is a session, and who is at a port in what state."""

import random
import time
from collections.abc import Iterator
from typing import Any

from clockfree.base import firmware
from clockfree.link.benchfile import config_hash
from clockfree.link.identity import is_board
from clockfree.link.pyserial import serial
from clockfree.link.quality import Quality, looks_broken
from clockfree.link.shapes import is_answer
from clockfree.link.users import others, shared
from clockfree_board.link import NUMBERS, PROTOCOL, TO_HOST, VERSION, Lines, opened, seal
from clockfree_model.saying import printable

READ_S = 0.05
"""What a port should be opened with: how long a single read may wait."""
ASK_S = 1.0
LOSSY_S = 30.0
"""What lines come broken from is a board at a bad cable: it is asked so long."""
_SHOWN = 60
_AGAIN_S = 0.4  # a board in RUN answers within a firing or two
_BROKEN_AGAIN_S = 0.1
_PROMPT = b"\n>>> "
_CTRL_C = b"\r\x03\x02"  # and Ctrl-B: out of the raw prompt, in which mpremote leaves a board when it is killed
NO_ANSWER = "no answer"
"""What is said begins with this where a port can be had, and what is behind it answers nothing."""


class NoAnswerError(Exception):
    """Nothing that speaks the link is there; the text says what is there instead.

    Attributes
    ----------
    busy : bool
        Neither an answer nor a prompt came: nobody is there, or a program that is busy with itself.
    """

    def __init__(self, text: str, busy: bool = False) -> None:
        super().__init__(text)
        self.busy = busy


class RefusedError(Exception):
    """The board said no."""


def ask(
    port: serial.SerialBase, kind: str, *arguments: Any, within_s: float = ASK_S, quality: Quality | None = None
) -> list[Any]:
    """Send a command until it is answered; returns what follows `["ok", id]`.

    `quality`, that of the cable, is told of every line.

    Raises
    ------
    NoAnswerError
        Nothing answered in time, or a MicroPython prompt did.
    RefusedError
    OSError
        The port is gone.
    """
    lines = Lines(TO_HOST)
    number = random.randrange(NUMBERS)  # an answer to somebody else's question is not ours
    line = seal([kind, number, *arguments])
    quality = quality or Quality()
    began_s = time.monotonic()
    again_s = _AGAIN_S
    said, told, looked = bytearray(), False, False
    while time.monotonic() < (late_s := began_s + (LOSSY_S if quality.broken > 1 else within_s)):
        port.write(b"\n" + line)  # the newline ends whatever half a line stands before it
        for message in _messages(port, lines, min(late_s, time.monotonic() + again_s), quality, said):
            told = told or len(message) > 1
            if message[:2] == ["ok", number]:
                return message[2:]
            if message[:2] == ["no", number]:
                raise RefusedError(f"{kind}: refused: {' '.join(map(str, message[2:]))}")
        if quality.broken > 1 and not looked:
            looked = True
            if other := others([port.name or ""]):
                raise NoAnswerError(shared(*other.popitem()), busy=True)
        # It may be busy: with what it was asked before, for one.
        again_s = _BROKEN_AGAIN_S if quality.broken else 2 * again_s
    raise NoAnswerError(f"{NO_ANSWER}: {_instead(bytes(said), told, quality)}", busy=True)


def hello(port: serial.SerialBase, within_s: float = ASK_S, quality: Quality | None = None) -> dict[str, Any]:
    """What the board says of itself; raises as `ask` does."""
    answer = ask(port, "hello", within_s=within_s, quality=quality)
    if not is_answer("hello", answer):
        raise NoAnswerError("an answer that is no HELLO")
    said: dict[str, Any] = answer[0]
    return said


def interrupt(port: serial.SerialBase, within_s: float = ASK_S) -> bool:
    """Ctrl-C, which stops our program, in HOLD, and most others; whether the prompt came."""
    port.write(_CTRL_C)
    text, late_s = b"", time.monotonic() + within_s
    while _PROMPT not in text and time.monotonic() < late_s:
        text += port.read(max(1, port.in_waiting))
    return _PROMPT in text


def _instead(said: bytes, told: bool, quality: Quality) -> str:
    """What is there instead of an answer, and what a person does about it."""
    if told:
        return "it tells of itself, and is too busy to listen; Ctrl-C at its port, or clockfree hold, stops it"
    last = (said.decode("ascii", "replace").replace("\r", "\n").strip("\n").splitlines() or [""])[-1]
    if quality.broken and looks_broken(last.encode()):
        return "broken messages arrive: a bad cable, or another program that reads the same port"
    if last:
        return f"it says {printable(last)[-_SHOWN:]!r}: another program is on it; clockfree flash takes its place"
    return (
        "nor does it say anything: reset it; if that does not help hold GP3 low at the reset, which skips our program, "
        "or BOOTSEL while you plug it in, and flash it"
    )


def _messages(
    port: serial.SerialBase, lines: Lines, late_s: float, quality: Quality, said: bytearray
) -> Iterator[list[Any]]:
    """The messages that arrive until a moment, or a broken line does; NoAnswerError where a prompt of MicroPython does.

    The end of what arrives and is no message goes to `said`. A prompt answers an empty line with a prompt, and a
    command, that it does not know, with another: all is read then.
    """
    text = b""
    while time.monotonic() < late_s:
        data = port.read(max(1, port.in_waiting))
        said += data
        for line in lines.feed(data):
            message = opened(line)
            if message is not None:
                quality.whole += 1
                said.clear()
                yield message
            elif looks_broken(line):
                quality.broken += 1
                late_s = 0.0  # it may have been the answer
        del said[:-TO_HOST]
        text = text[-TO_HOST:] + data
        if text.count(_PROMPT) > 1:
            break
    if _PROMPT in text:
        raise NoAnswerError("MicroPython's prompt, no clockfree")


def other_code(hello: dict[str, Any]) -> str:
    """How what a board runs differs from the firmware here, by its HELLO; "" if it does not."""
    for key, expected, what in (
        ("protocol", PROTOCOL, "its firmware is another"),
        ("version", VERSION, "its firmware is another"),
        ("code", firmware.code(), "it runs other files than those here, or one was changed on it"),
    ):
        if hello.get(key) != expected:
            return f"{key}: expected {expected}, got {hello.get(key)}: {what}, flash it"
    return ""


def misfit(hello: dict[str, Any], board_id: str | None, config: dict[str, Any], anyway: bool = False) -> str:
    """What of a board's HELLO is not as it should be; "" if all of it is.

    Parameters
    ----------
    hello : dict
    board_id : str or None
        None where it is named by its port.
    config : dict
        What its `/clockfree.json` should say.
    anyway : bool
        Take one that runs other code, of the same link.
    """
    if (not anyway or hello.get("protocol") != PROTOCOL) and (other := other_code(hello)):
        return other
    if hello.get("role") is None:
        return f"in HOLD with a configuration it cannot use: {hello.get('reason')}"
    expected = {"role": config["role"], "config": config_hash(config)}
    if not is_board(board_id, hello.get("id")):
        return f"id: expected {board_id}, got {hello.get('id')}"
    for key, value in expected.items():
        if hello.get(key) != value:
            return f"{key}: expected {value}, got {hello.get(key)}"
    able = [
        [edge["edge"], edge["front_end"], edge["pot"], *(edge["pots"]["given"][end] for end in ("lowest", "highest"))]
        for edge in config.get("edges", ())
    ]
    told = hello.get("can")
    found = told.get("edges", []) if isinstance(told, dict) else []
    return "" if found == able else f"can: expected the edges of its configuration, {able}, got {found}"
