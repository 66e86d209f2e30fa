"""The port over real streams: nothing is waited for, nothing is torn."""

import os

import pytest

from clockfree_board.link import TO_BOARD, opened, seal
from clockfree_board.port import Port


class Line:
    """A port with a pipe in each direction."""

    def __init__(self, gulp=1, pad=1):
        stdin, self.host_out = os.pipe()
        self.host_in, stdout = os.pipe()
        os.set_blocking(self.host_in, False)
        self.streams = os.fdopen(stdin, "rb", buffering=0), os.fdopen(stdout, "wb", buffering=0)
        self.port = Port(*self.streams, gulp, pad)

    def say(self, data):
        os.write(self.host_out, data)

    def received(self):
        data = bytearray()
        try:
            while piece := os.read(self.host_in, 1 << 16):
                data += piece
        except BlockingIOError:
            pass
        return bytes(data)

    def hang_up(self):
        os.close(self.host_out)
        self.host_out = -1

    def close(self):
        if self.host_out >= 0:
            self.hang_up()
        os.close(self.host_in)
        for stream in self.streams:
            stream.close()


@pytest.fixture(params=[1, 64])
def line(request):
    made = Line(request.param)
    yield made
    made.close()


def messages(port):
    """What has come, as far as it is a message."""
    found = []
    while port.hear() or port.told:
        if port.told:
            found.append(port.message())
    return [message for message in found if message]


def until_idle(port):
    while port.busy:
        port.pump()


def test_messages_arrive_and_leave_in_order(line):
    for i in range(10):
        line.say(b"noise %d\r\n" % i + seal(["n", i]))
    assert messages(line.port) == [["n", i] for i in range(10)]
    for i in range(10):
        assert line.port.send(["ok", i])
    until_idle(line.port)
    assert line.received() == b"".join(seal(["ok", i]) for i in range(10))


def test_one_step_reads_and_writes_only_a_little(line):
    line.say(seal(["n", 1]) * 100)
    line.port.hear()
    assert len(line.port._heard) < 10
    for i in range(10):
        line.port.send(["ok", i])
    for _ in range(3):
        line.port.pump()
        assert len(line.received()) <= 64
    assert line.port.busy


def test_a_line_is_made_piece_by_piece_on_its_way(line):
    made = []

    def pieces():
        for text in ('["status",5', ",[1,2,3]", ',{"a":"' + 100 * "b" + '"}'):
            made.append(text)
            yield text

    line.port.tell(pieces())
    line.port.pump()
    assert len(made) == 1
    until_idle(line.port)
    assert line.received() == seal(["status", 5, [1, 2, 3], {"a": 100 * "b"}])


def test_a_line_that_finds_no_memory_is_no_message_and_the_next_one_is(line):
    def pieces():
        yield '["status",5'
        raise MemoryError

    line.port.tell(pieces())
    line.port.send(["ok", 6])
    until_idle(line.port)
    first, second = line.received().splitlines()
    assert opened(first) is None and opened(second) == ["ok", 6]


def test_lines_are_as_long_as_a_multiple_of_what_is_written_at_once():
    """A USB port that has room for one byte then has room for all that is written."""
    made = Line(16, 16)
    sent = []
    for i in range(20):
        sent.append(["ok", 10**i, "x" * i])
        assert made.port.send(sent[-1])
        while made.port.busy:
            made.port.pump()
    found = made.received()
    made.close()
    assert [opened(line) for line in found.splitlines()] == sent
    assert all(len(line) % 16 == 0 for line in found.splitlines(keepends=True))


def test_what_finds_no_room_is_refused_whole(line):
    count = 0
    while line.port.send(["ok", count]):
        count += 1
    assert 10 < count < 100
    until_idle(line.port)
    got = line.received().splitlines()
    assert [opened(each)[1] for each in got] == list(range(count))


def test_a_host_that_does_not_read_is_not_waited_for(line):
    sent = 0
    for _ in range(6000):  # far more than pipe and queue can hold
        sent += line.port.send(["ok", sent])
        for _ in range(100):
            line.port.pump()
    assert line.port.busy and sent < 6000
    assert not line.port.listen(0)
    got = line.received()
    assert line.port.listen(0)  # there is room now: whoever listens with something to send is woken
    while line.port.busy:
        line.port.pump()
        got += line.received()
    assert [opened(each)[1] for each in got.splitlines()] == list(range(sent))


def test_a_line_too_long_for_a_board_is_thrown_away(line):
    line.say(b"x" * (TO_BOARD + 10) + b"\n" + seal(["n", 1]))
    assert messages(line.port) == [["n", 1]]


def test_a_port_that_is_gone_reads_as_nothing(line):
    line.hang_up()
    assert messages(line.port) == []
