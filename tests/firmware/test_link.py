"""The link, on whatever a cable can do to a line. Nothing raises, nothing grows, nothing wrong is accepted."""

import binascii
import itertools
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.link import NUMBERS, TO_BOARD, TO_HOST, Lines, opened, seal

numbers = st.integers(-NUMBERS, NUMBERS - 1)
words = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
messages = st.lists(values, min_size=1, max_size=6)


def chunks(draw, data):
    """Cut bytes into pieces of any sizes, as a port hands them over."""
    pieces = []
    while data:
        size = draw(st.integers(1, 40))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@given(messages)
def test_what_was_sealed_is_opened(message):
    line = seal(message)
    assert line[-1:] == b"\n" and all(0x20 <= byte <= 0x7E for byte in line[:-1])
    assert opened(line[:-1]) == opened(line[:-1] + b"\r") == message


def test_the_form_of_a_line():
    # CRC-32 of ISO 3309, from an independent table (the check value of '123456789' is cbf43926)
    assert binascii.crc32(b"123456789") == 0xCBF43926
    body = b'["tap",7,0,63]'
    assert seal(["tap", 7, 0, 63]) == body + b"*%08x\n" % binascii.crc32(body)


@given(messages, st.data())
def test_no_line_with_flipped_bits_is_opened(message, data):
    line = bytearray(seal(message)[:-1])
    for _ in range(data.draw(st.integers(1, 3))):  # a CRC-32 finds any three wrong bits in so short a line
        line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    if bytes(line) != seal(message)[:-1]:
        assert opened(bytes(line)) is None


@given(messages, st.data())
def test_no_truncated_line_is_opened(message, data):
    line = seal(message)[:-1]
    assert opened(line[: data.draw(st.integers(0, len(line) - 1))]) is None
    assert opened(line[data.draw(st.integers(1, len(line))) :]) is None


@given(st.binary(max_size=200))
def test_garbage_is_not_opened(garbage):
    assert opened(garbage) is None


NO_MESSAGES = (
    b"7",
    b'"text"',
    b'{"kind":"hold"}',
    b"",
    b"[1,2",
    b"[1] [2]",
    b'["\xc3\xa9"]',
    b'["tab\t"]',
    b"[" * 1900 + b"]" * 1900,
)


@pytest.mark.parametrize("body", NO_MESSAGES)
def test_a_seal_alone_makes_no_message(body):
    assert opened(body + b"*%08x" % binascii.crc32(body)) is None


def test_the_crc_is_of_the_bytes_that_came_not_of_a_re_encoding():
    body = b'[ "tap" , 7 ]'  # not as `seal` writes it, and yet sealed
    assert opened(body + b"*%08x" % binascii.crc32(body)) == ["tap", 7]
    assert json.dumps(["tap", 7], separators=(",", ":")).encode() != body
    assert opened(body + b"*%08X" % (binascii.crc32(body) | 0xA)) is None


@pytest.mark.parametrize("message", [("tap", 1), {"kind": 1}, "hold", 7, None])
def test_only_a_list_is_sealed(message):
    with pytest.raises(ValueError, match="list"):
        seal(message)


@given(st.lists(messages, max_size=6), st.data())
def test_messages_survive_garbage_duplicates_and_any_cutting(found, data):
    sent, wire = [], bytearray()
    for message in found:
        line = seal(message)
        if len(line) > TO_BOARD:
            continue
        # Other text ends with its own newline: a person's, or a traceback's.
        wire += data.draw(st.binary(max_size=30)).replace(b"\n", b" ") + b"\n"
        times = data.draw(st.integers(1, 2))
        wire += line * times
        sent += [message] * times
    lines = Lines(TO_BOARD)
    got = [opened(line) for piece in chunks(data.draw, bytes(wire)) for line in lines.feed(piece)]
    assert [message for message in got if message is not None] == sent


@given(st.permutations([["a", 1], ["b", 2], ["c", 3]]))
def test_lines_out_of_order_are_still_lines(order):
    lines = Lines(TO_BOARD)
    assert [opened(line) for line in lines.feed(b"".join(map(seal, order)))] == order


def test_a_line_cut_in_the_middle_costs_only_itself_and_what_it_runs_into():
    first, second, third = (seal(["n", i]) for i in range(3))
    lines = Lines(TO_BOARD)
    got = [opened(line) for line in lines.feed(first[:9] + second + third)]
    assert got == [None, ["n", 2]]


@pytest.mark.parametrize("most", [TO_BOARD, TO_HOST])
def test_the_longest_line_is_taken_and_one_byte_more_is_not(most):
    for extra, kept in ((0, True), (1, False)):
        line = b"x" * (most - 1 + extra) + b"\n"
        lines = Lines(most)
        by_ones = [found for i in range(len(line)) for found in lines.feed(line[i : i + 1])]
        assert by_ones == Lines(most).feed(line) == ([line[:-1]] if kept else [])


@pytest.mark.parametrize("size", [1, 1000, 10_000_000])
def test_ten_megabytes_without_a_newline_take_no_memory(size):
    piece = bytes(size).replace(b"\0", b"x")
    lines = Lines(TO_BOARD)
    lines.feed(b"begun")
    tracemalloc.start()
    try:
        for _ in range(min(20_000, 10_000_000 // size)):
            assert lines.feed(piece) == []
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()
    assert lines.feed(b"y\n" + seal(["ok", 1])) == [seal(["ok", 1])[:-1]]


def spoil(draw, lines):
    """What a bad cable makes of lines: each may come twice, late, cut short, with wrong bits, or amid other bytes.

    Returns the bytes, and the messages of the lines that were left alone.
    """
    wire, whole = [], []
    for message in draw(st.permutations(lines)):
        line = bytearray(seal(message))
        fault = draw(st.sampled_from(["none", "twice", "bits", "short", "garbage before", "garbage after", "long"]))
        if fault == "twice":
            line *= 2
        elif fault == "bits":
            for _ in range(draw(st.integers(1, 3))):
                line[draw(st.integers(0, len(line) - 1))] ^= 1 << draw(st.integers(0, 7))
        elif fault == "short":
            del line[draw(st.integers(0, len(line) - 1)) :]
        elif fault == "garbage before":
            line[:0] = draw(st.binary(min_size=1, max_size=30))
        elif fault == "garbage after":
            line[-1:] = draw(st.binary(min_size=1, max_size=30))
        elif fault == "long":
            line[:0] = b"x" * draw(st.integers(TO_BOARD, 3 * TO_BOARD))
        if fault in ("none", "twice"):
            # A newline first ends what is left of a line before it, as a host that asks again sends it.
            line[:0] = b"\n"
            whole += [message] * (2 if fault == "twice" else 1)
        wire.append(bytes(line))
    return b"".join(wire), whole


short = st.lists(st.tuples(words, numbers).map(list), max_size=8, unique_by=lambda message: json.dumps(message))


@given(short, st.data(), st.sampled_from([1, 40]))
def test_whatever_a_cable_does_nothing_wrong_is_accepted_and_nothing_right_is_lost(sent, data, most):
    wire, whole = spoil(data.draw, sent)
    lines = Lines(TO_BOARD)
    got = []
    while wire:
        size = data.draw(st.integers(1, most)) if most > 1 else 1
        got += [opened(line) for line in lines.feed(wire[:size])]
        wire = wire[size:]
        assert len(lines._held) < TO_BOARD
    got += [opened(line) for line in lines.feed(b"\n")]
    got = [message for message in got if message is not None]
    assert all(message in sent for message in got)
    # In their order; beside them come lines whose fault was none, such as bits flipped back or nothing cut off.
    left = iter(got)
    assert all(message in left for message in whole)


def test_any_two_lines_that_run_into_each_other_are_none():
    """Whichever newline is lost: the CRC of the second does not fit what stands before it."""
    for first, second in itertools.permutations([["n", 1], ["ok", 7, {"a": "*"}], ["no", 7, "not now"]], 2):
        assert opened(seal(first)[:-1] + seal(second)[:-1]) is None


def test_micropython_seals_and_opens_the_same(vm):
    cases = [["tap", 7, 0, 63], ["ok", NUMBERS - 1, {"a": [1, None, True], "b": "x*y"}], ["no", 0, 'it\'s "so"']]
    cases.append(["ok", 1, "*" * 9])
    said = vm(f"from clockfree_board.link import opened, seal\nfor m in {cases!r}:\n    print(seal(m))\n")
    assert said.splitlines() == [repr(seal(message)) for message in cases]
    wrong = [seal(case)[:-2] for case in cases] + [b"", b"*", b"x" * 600, b'{"a":1}*' + b"0" * 8]
    for body in (*NO_MESSAGES, b"[" * 200 + b"]" * 199):
        if body.count(b"[") < 1000:  # the script is a message itself, to the VM's compiler
            wrong.append(body + b"*%08x" % binascii.crc32(body))
    right = [seal(case)[:-1] for case in cases]
    code = f"for lines in {wrong!r}, {right!r}:\n    print([opened(line) for line in lines])\n"
    assert vm("from clockfree_board.link import opened\n" + code).splitlines() == [
        repr([None] * len(wrong)),
        repr(cases),
    ]


SPOILT = """
from clockfree_board.link import TO_BOARD, Lines, opened
for size in 1, 7, 5000:
    lines = Lines(TO_BOARD)
    with open({path!r}, "rb") as file:
        wire = file.read()
    for at in range(0, len(wire), size):
        for line in lines.feed(wire[at : at + size]):
            message = opened(line)
            if message is not None:
                print(size, message)
"""


def test_micropython_finds_the_same_in_a_spoilt_stream(vm, tmp_path, capsys):
    rng = random.Random(3)
    wire = bytearray()
    for i in range(300):
        line = bytearray(seal(["ok", i, rng.randrange(NUMBERS), "*" * rng.randrange(9)]))
        if rng.random() < 0.3:
            line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.2:
            del line[rng.randrange(len(line)) :]
        if rng.random() < 0.1:
            line[:0] = rng.randbytes(rng.choice([5, 600]))
        wire += line
    path = tmp_path / "wire"
    path.write_bytes(wire)
    code = SPOILT.format(path=str(path))
    exec(code, {})
    here = capsys.readouterr().out
    assert here.count("1 [") > 100
    assert vm(code) == here
