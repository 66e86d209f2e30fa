"""The handshake: one question to a board before there is a session, and who is at a port in what state."""

import random
import time
from collections.abc import Iterator
from typing import Any

import serial

from clockfree.base import firmware
from clockfree.link.benchfile import config_hash
from clockfree.link.quality import Quality, looks_broken
from clockfree.link.shapes import is_answer
from clockfree_board.link import NUMBERS, PROTOCOL, TO_HOST, VERSION, Lines, opened, seal

READ_S = 0.05
"""What a port should be opened with: how long a single read may wait."""
ASK_S = 1.0
LOSSY_S = 30.0
"""What lines come broken from is a board at a bad cable: it is asked so long."""
_AGAIN_S = 0.4  # a board in RUN answers within a firing or two
_BROKEN_AGAIN_S = 0.1
_PROMPT = b"\n>>> "


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
    while time.monotonic() < (late_s := began_s + (LOSSY_S if quality.broken > 1 else within_s)):
        port.write(b"\n" + line)  # the newline ends whatever half a line stands before it
        for message in _messages(port, lines, min(late_s, time.monotonic() + again_s), quality):
            if message[:2] == ["ok", number]:
                return message[2:]
            if message[:2] == ["no", number]:
                raise RefusedError(f"{kind}: refused: {' '.join(map(str, message[2:]))}")
        # It may be busy: with what it was asked before, for one.
        again_s = _BROKEN_AGAIN_S if quality.broken else 2 * again_s
    raise NoAnswerError("no answer", busy=True)


def hello(port: serial.SerialBase, within_s: float = ASK_S, quality: Quality | None = None) -> dict[str, Any]:
    """What the board says of itself; raises as `ask` does."""
    answer = ask(port, "hello", within_s=within_s, quality=quality)
    if not is_answer("hello", answer):
        raise NoAnswerError("an answer that is no HELLO")
    said: dict[str, Any] = answer[0]
    return said


def _messages(port: serial.SerialBase, lines: Lines, late_s: float, quality: Quality) -> Iterator[list[Any]]:
    """The messages that arrive until a moment, or a broken line does; NoAnswerError where a prompt of MicroPython does.

    It answers an empty line with a prompt, and a command, that it does not know, with another: all is read then.
    """
    text = b""
    while time.monotonic() < late_s:
        data = port.read(max(1, port.in_waiting))
        for line in lines.feed(data):
            message = opened(line)
            if message is not None:
                quality.whole += 1
                yield message
            elif looks_broken(line):
                quality.broken += 1
                late_s = 0.0  # it may have been the answer
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
    if board_id is not None:
        expected["id"] = board_id
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
