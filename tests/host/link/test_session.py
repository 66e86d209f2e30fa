"""One board at its port: replies lost, late, twice; telemetry lost; noise; and nothing that hangs."""

import threading
import time

import pytest

from clockfree.link.handshake import NoAnswerError, RefusedError
from clockfree.link.roundtrips import LEAST_S, MOST_S
from clockfree_board.link import EDGE_ROW, NUMBERS, seal
from tests.host.peers import hello, no, ok, pause, told


def test_a_command_is_answered(meet):
    _, session, _ = meet((("tap", 0, 63), [ok(63)]), (("null", 1), [ok([5, -6, 0])]))
    assert session.hello == hello()
    assert session.ask("tap", 0, 63) == [63]
    assert session.ask("null", 1) == [[5, -6, 0]]


def test_a_refusal_says_why(meet):
    _, session, _ = meet((("run", 5), [no("prepared for run 0")]))
    with pytest.raises(RefusedError, match="run: refused: prepared for run 0"):
        session.ask("run", 5)


def test_a_lost_reply_is_asked_for_again_under_the_same_id(meet):
    again = ("tap", 0, 63)
    peer, session, _ = meet((again, []), (again, []), (again, [ok(63)]), (("hold",), [ok()]))
    assert session.ask("tap", 0, 63) == [63]
    assert session.ask("hold") == []
    _, first, second, third, other = peer.ids
    assert first == second == third != other


def test_a_reply_that_comes_twice_or_late_answers_nothing_else(meet):
    late = []

    def keep(number):
        late.append(seal(["ok", number, 1]))
        return b""

    peer, session, _ = meet(
        (("tap", 0, 1), [keep]),
        (("tap", 0, 1), [ok(1), ok(1)]),
        (("tap", 0, 2), [lambda number: late[0], ok(2), ok(2)]),
        (("tap", 0, 3), [lambda number: seal(["ok", number - 1, 2]), ok(3)]),
    )
    assert [session.ask("tap", 0, tap) for tap in (1, 2, 3)] == [[1], [2], [3]]


def test_several_may_ask_at_once(meet):
    held = []

    def hold(number):
        held.append(number)
        return b""

    def answer_all(number):
        return b"".join(seal(["ok", each, each]) for each in [number, *held])

    peer, session, _ = meet((("prepare",), [hold]), (("prepare",), [hold]), (("prepare",), [answer_all]))
    session.trips.timeout_s = 5.0
    found = []
    threads = [threading.Thread(target=lambda: found.append(session.ask("prepare"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([number] for number in peer.ids[1:])


def test_noise_is_counted_text_is_kept_and_neither_is_parsed(meet):
    """What was meant as a message, or has bytes that no text has, is a line that the cable broke."""
    noise = b'\n["ok",1,2]\nTraceback (most recent call last):\n["ok",9]*00000000\n\xff\x00\x1b[1m\n\n'
    _, session, heard = meet((("hold",), [noise, ok(), b'half["ok"']), (("hold",), [b"\n", ok()]))
    assert session.ask("hold") == session.ask("hold") == []
    expected = ["Traceback (most recent call last):", 'half["ok"']
    assert heard.wait_for("text", 2) == expected == list(session.texts)
    assert session.quality.broken == session.quality.whole == 3


def test_ten_megabytes_without_a_newline_are_thrown_away(meet):
    peer, session, heard = meet((("hold",), [ok()]))
    for _ in range(160):
        peer.say(b"x" * 65536)
    peer.say(b"\n" + told("edges", 0, 5, 7, 0, []))
    assert heard.wait_for("heard") == [["edges", 0, 5, 7, 0, []]]
    assert session.ask("hold") == []
    assert not session.texts


def test_what_is_in_the_middle_of_a_line_when_we_come_is_no_text(meet):
    peer, session, heard = meet((("hold",), [b"a real text\n", ok()]))
    peer.say(told("edges", 3, 5, 7, 0, [])[9:])
    session.ask("hold")
    assert heard.of("text") == ["a real text"]


def test_missing_telemetry_is_counted_and_never_made_up_for(meet):
    peer, session, heard = meet()
    for number in (NUMBERS - 2, NUMBERS - 1, 0, 3, 4, 4, 10):
        peer.say(told("firings", number, 0))
    found = heard.wait_for("heard", 6)
    assert [message[1] for message in found] == [NUMBERS - 2, NUMBERS - 1, 0, 3, 4, 10]  # what comes twice counts once
    assert heard.of("missed") == [2, 5]


def test_one_number_far_from_the_others_silences_nobody(meet):
    """A board that was away for long goes on from a number far ahead, and that is believed after a few lines."""
    peer, session, heard = meet()
    for number in (5, 500_000_000, 6, 7, 2000, 8, 9, 10, 11, 12, 1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004):
        peer.say(told("firings", number, 0))
    found = heard.wait_for("heard", 8)
    assert [message[1] for message in found] == [5, 6, 7, 2000, 11, 12, 1_000_003, 1_000_004]
    assert heard.of("missed") == [1992, 1_000_003 - 13]


def test_what_comes_late_was_counted_as_missing(meet):
    """Lines in another order: no firing is counted twice, and none that was not due to be lost."""
    peer, session, heard = meet()
    for number in (5, 7, 6, 8, 5, 9):
        peer.say(told("firings", number, 0))
    found = heard.wait_for("heard", 4)
    assert [message[1] for message in found] == [5, 7, 8, 9]
    assert heard.of("missed") == [1]


ROW = [64] + [0] * (len(EDGE_ROW) - 1)
BAD = (1 << 70, "64", 1.5, None, True, [64], {})


@pytest.mark.parametrize(
    "fields",
    [
        *(("edges", 1, 5, 7, 0, [ROW, [bad, *ROW[1:]]]) for bad in BAD),
        *(("edges", 1, 5, 7, 0, rows) for rows in ([ROW[1:]], [[*ROW, 0]], {}, 3, "rows", [3])),
        *(("firings", 1, 0, [0, 5, 0, 1, bad, 64]) for bad in BAD),
        *(("firings", 1, bad) for bad in BAD),
        *(("shown", 1, 5, 7, bad, 0, 900) for bad in BAD),
        *(("readings", 1, 1, 0, [[bad]]) for bad in (*BAD, 4096, -2)),
        *(("hello", 1, hello(boot=8, **{key: bad})) for key, bad in (("can", []), ("reason", 5), ("id", {}))),
        *((kind, 1) for kind in ("edges", "firings", "shown", "readings")),
        *(("edges", number, 5, 7, 0, [ROW]) for number in (-1, 1 << 70, True)),
    ],
)
def test_a_message_that_no_board_sends_is_text_and_missed(meet, fields):
    """Its checksum is right, and still nobody takes a number from it."""
    peer, session, heard = meet()
    peer.say(told("edges", 0, 5, 7, 0, [ROW]) + told(*fields) + told("edges", 2, 6, 7, 0, [ROW]))
    assert heard.wait_for("heard", 2) == [["edges", 0, 5, 7, 0, [ROW]], ["edges", 2, 6, 7, 0, [ROW]]]
    assert heard.of("missed") == [1] and not heard.of("rebooted")
    (text,) = heard.of("text")
    assert fields[0] in text


@pytest.mark.parametrize(
    "kind, fields",
    [
        *(("tap", (bad,)) for bad in BAD),
        ("adopt", ()),
        ("rehearse", (1, 2)),
        ("null", (5,)),
        ("match", ([1 << 70],)),
        ("measure", (1, 2, [4096])),
        ("measure", (1, "2", [])),
        ("measure", ([5000],)),
        ("measure", ()),
        ("status", ({"boot": 7, "state": "run", "run": 1, "reason": "", "t_us": 5, "edges": [[64]]},)),
        ("status", ({"boot": 7, "state": "off", "run": 1, "reason": "", "t_us": 5},)),
        ("status", ({"boot": 7},)),
        ("hello", ([],)),
    ],
)
def test_an_answer_that_no_board_gives_is_none(meet, kind, fields):
    _, session, _ = meet(((kind,), [ok(*fields)]))
    with pytest.raises(NoAnswerError, match=rf"^{kind}: an answer that is none, .*: look at its firmware$"):
        session.ask(kind)


@pytest.mark.parametrize(
    "line",
    [
        told("hello", 0, hello(boot=8)),
        told("edges", 0, 5, 8, 0, []),
        told("shown", 0, 5, 8, 1, 0, 900),
    ],
)
def test_another_boot_id_is_a_reset(meet, line):
    peer, session, heard = meet()
    peer.say(told("edges", 50, 5, 7, 0, []) + line + told("edges", 1, 5, 8, 0, []))
    heard.wait_for("heard", 3)
    assert heard.of("rebooted") == [8] and session.boot == 8
    assert not heard.of("missed")  # it counts from the start again


def test_a_heartbeat_asks_for_the_status(meet):
    status = [{"boot": 9, "state": "run", "run": 1, "reason": "", "t_us": 5}]
    peer, session, heard = meet((("status",), [ok(*status)]), heartbeat_s=0.01)
    session._heartbeat_s = 1000.0  # one is enough
    (message,) = heard.wait_for("heard")
    assert message == ["status", peer.ids[1], *status]
    assert heard.of("rebooted") == [9]


def test_the_echo_of_a_prompt_is_no_message(meet):
    def echo(number):
        body = seal(["hello", number])
        return b">>> " + body + body + b"SyntaxError: invalid syntax\n"

    _, session, heard = meet((("hello",), [echo]))
    session.trips.timeout_s = 1.0
    with pytest.raises(NoAnswerError, match="hello: no answer in"):
        session.ask("hello", within_s=0.3)
    assert not heard.of("heard") and heard.of("text")[-1] == "SyntaxError: invalid syntax"
    session.texts.append(">>> x")
    with pytest.raises(NoAnswerError, match="somebody has stopped its program; reset the board"):
        session.ask("x", within_s=0.0)


def test_closing_while_somebody_asks_ends_the_wait(meet):
    peer, session, heard = meet((("hold",), []))
    failed = []

    def ask():
        try:
            session.ask("hold", within_s=60.0)
        except NoAnswerError as error:
            failed.append(error)

    session.trips.timeout_s = 0.2
    asking = threading.Thread(target=ask)
    asking.start()
    while len(peer.ids) < 2:
        time.sleep(0.001)
    session.close()
    asking.join(5)
    assert not asking.is_alive() and failed


def test_a_port_that_is_just_being_closed_is_no_trouble_to_whoever_ends_the_session(meet, monkeypatch):
    _, session, _ = meet()

    def closing():
        raise TypeError("an integer is required (got type NoneType)")  # of a file descriptor that is gone

    monkeypatch.setattr(session._port, "cancel_read", closing)
    session.close()
    assert not session.up


def test_a_slow_board_is_soon_given_its_time(meet):
    peer, session, _ = meet(*[(("hold",), [pause(0.25), ok()])] * 30)
    session.trips.took(0.001)
    assert session.trips.timeout_s == LEAST_S
    for _ in range(4):
        session.ask("hold")
    assert 0.25 < session.trips.timeout_s <= MOST_S
    assert session.trips.smoothed_s > 0.02  # of those that were asked once
    peer.script.clear()


def test_what_is_too_long_for_a_board_is_not_sent(meet):
    _, session, _ = meet()
    with pytest.raises(ValueError, match="a board takes 512"):
        session.ask("example", 1, 0, [4095] * 200)
