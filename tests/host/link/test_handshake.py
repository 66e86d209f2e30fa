import pytest

from clockfree.base import firmware
from clockfree.link import handshake
from clockfree.link.benchfile import config_hash
from clockfree.link.handshake import NoAnswerError, RefusedError, ask, hello, misfit
from clockfree_board.link import PROTOCOL, TO_BOARD, VERSION, Lines, opened, seal

CONFIG = {"role": "edge"}
HELLO = {"role": "edge", "id": "e6614c311b7f5a2b", "version": VERSION, "protocol": PROTOCOL, "reason": ""}
HELLO["code"] = firmware.code()
HELLO["config"] = config_hash(CONFIG)


class Wire:
    """A port with something at its other end: `answer(message)` is what comes back for a sealed message, in bytes."""

    name = "wire"

    def __init__(self, answer, most=5):
        self._answer, self._most = answer, most
        self._lines = Lines(TO_BOARD)
        self._held = b""
        self.heard = []

    @property
    def in_waiting(self):
        return min(len(self._held), self._most)

    def write(self, data):
        for line in self._lines.feed(data):
            message = opened(line)
            if message:
                self.heard.append(message)
                self._held += self._answer(message)

    def read(self, count):
        data, self._held = self._held[:count], self._held[count:]
        return data


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(handshake, "_AGAIN_S", 0.01)


def test_the_answer_to_the_question_and_to_no_other():
    def answer(message):
        other = seal(["ok", message[1] + 1, "another's"])
        return b'half a line"]*0000' + other + b"\n" + other + seal(["edges", 5, []]) + seal(["ok", message[1], 63, 1])

    wire = Wire(answer)
    assert ask(wire, "tap", 0, 63) == [63, 1]
    assert wire.heard[0][0] == "tap" and wire.heard[0][2:] == [0, 63]


def test_a_lost_question_is_asked_again_with_the_same_id():
    wire = Wire(lambda message: seal(["ok", message[1]]) if len(wire.heard) == 3 else b"")
    assert ask(wire, "hold") == []
    assert len({tuple(message) for message in wire.heard}) == 1


def test_a_refusal():
    with pytest.raises(RefusedError, match=r"^reset: refused: in HOLD only$"):
        ask(Wire(lambda message: seal(["no", message[1], "in HOLD only"])), "reset")


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (b"", "nor does it say anything: reset it; if that does not help hold GP3 low at the reset, .* BOOTSEL "),
        (b"\xff\x00" * 40, r"it says '.*\\x00': another program is on it; clockfree flash takes its place$"),
        (b"x" * 5000, f"it says '{'x' * 60}': another program is on it"),
        (b"temperature 21\r\nno prompt: 3 >>> 2\r\n", "it says 'no prompt: 3 >>> 2': another program is on it"),
        (b'0","t_us":619,"heap":[11,8]}]*d324fa5c\n', "broken messages arrive: a bad cable, or another program"),
        (
            seal(["edges", 5, 0, 7]),
            "it tells of itself, and is too busy to listen; Ctrl-C at its port, or clockfree hold",
        ),
    ],
    ids=range(6),
)
def test_what_is_there_instead_of_an_answer_is_said_and_what_to_do(noise, said, monkeypatch):
    monkeypatch.setattr(handshake, "LOSSY_S", 0.05)
    with pytest.raises(NoAnswerError, match=f"^no answer: {said}"):
        ask(Wire(lambda message: noise, most=500), "hello", within_s=0.05)


PROMPT = b'\r\n>>> ["hello",5]*00000000\r\nTraceback (most recent call last):\r\n  SyntaxError: invalid syntax\r\n>>> '


def test_a_prompt_is_known_at_once_and_all_it_says_is_read():
    wire = Wire(lambda message: PROMPT, most=3)
    with pytest.raises(NoAnswerError, match=r"^MicroPython's prompt, no clockfree$"):
        ask(wire, "hello", within_s=1e9)
    assert len(wire.heard) == 1 and not wire.in_waiting


def test_a_prompt_that_says_nothing_more_is_one_too():
    with pytest.raises(NoAnswerError, match=r"^MicroPython's prompt, no clockfree$"):
        ask(Wire(lambda message: PROMPT[:20]), "hello", within_s=0.05)


def test_a_hello_is_a_table():
    assert hello(Wire(lambda message: seal(["ok", message[1], HELLO]))) == HELLO
    for wrong in ([], [5], [HELLO, 1]):
        with pytest.raises(NoAnswerError, match="no HELLO"):
            hello(Wire(lambda message, wrong=wrong: seal(["ok", message[1], *wrong])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"version": "0.1.9"}, f"version: expected {VERSION}, got 0.1.9: its firmware is another, flash it"),
        (
            {"protocol": 2, "version": "0.2.0"},
            f"protocol: expected {PROTOCOL}, got 2: its firmware is another, flash it",
        ),
        (
            {"code": "0" * 16},
            f"code: expected {firmware.code()}, got {'0' * 16}: it runs other files than those here, or one was "
            "changed on it, flash it",
        ),
        ({"role": "supervisor"}, "role: expected edge, got supervisor"),
        ({"config": None}, f"config: expected {HELLO['config']}, got None"),
        ({"id": "0" * 16}, f"id: expected {HELLO['id']}, got {'0' * 16}"),
        ({"role": None, "reason": "pins: no GP99"}, "in HOLD with a configuration it cannot use: pins: no GP99"),
    ],
)
def test_what_of_a_hello_is_not_as_it_should_be(change, said):
    assert misfit({**HELLO, **change}, HELLO["id"], CONFIG) == said


def test_other_code_of_the_same_link_is_taken_anyway_and_nothing_else():
    hello = {**HELLO, "version": "0.1.9", "code": None}
    assert misfit(hello, HELLO["id"], CONFIG, anyway=True) == ""
    for key in ("protocol", "role", "config", "id"):
        assert misfit({**hello, key: "another"}, HELLO["id"], CONFIG, anyway=True).startswith(f"{key}: expected")


def test_a_board_with_other_edges_or_limits_than_its_configuration_has_is_no_board_of_it():
    given = {"lowest": 2, "highest": 127}
    config = {
        "role": "edge",
        "edges": [{"edge": "A-B", "front_end": "adc", "pot": "mcp42xx", "pots": {"given": given}}],
    }
    hello = {**HELLO, "config": config_hash(config), "can": {"edges": [["A-B", "adc", "mcp42xx", 2, 127]]}}
    assert misfit(hello, HELLO["id"], config) == ""
    for edges in ([], [["B-C", "adc", "mcp42xx", 2, 127]], [["A-B", "adc", "mcp42xx", 0, 127]], "A-B", None):
        assert misfit({**hello, "can": {"edges": edges}}, HELLO["id"], config).startswith("can: expected the edges of")
    assert misfit({**hello, "can": 3}, HELLO["id"], config).startswith("can: ")


def test_a_board_named_by_its_port_may_be_any():
    assert misfit({**HELLO, "id": "0" * 16}, None, CONFIG) == ""
