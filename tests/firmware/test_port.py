"""The port over real streams: nothing is waited for, nothing is torn."""

import os

import pytest

from clockfree_board.link import TO_BOARD, opened, seal
from clockfree_board.port import Port


class Line:
    """A port with a pipe in each direction."""

    def __init__(self, gulp=1):
        stdin, self.host_out = os.pipe()
        self.host_in, stdout = os.pipe()
        os.set_blocking(self.host_in, False)
        self.streams = os.fdopen(stdin, "rb", buffering=0), os.fdopen(stdout, "wb", buffering=0)
        self.port = Port(*self.streams, gulp)

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


def until_idle(port):
    while port.busy:
        port.pump()


def test_messages_arrive_and_leave_in_order(line):
    for i in range(10):
        line.say(b"noise %d\r\n" % i + seal(["n", i]))
    found = []
    while line.port.listen(0):
        found += line.port.messages()
    assert found == [["n", i] for i in range(10)]
    for i in range(10):
        assert line.port.send(["ok", i])
    until_idle(line.port)
    assert line.received() == b"".join(seal(["ok", i]) for i in range(10))


def test_one_turn_reads_and_writes_only_a_little(line):
    line.say(seal(["n", 1]) * 100)
    assert len(line.port.messages()) < 10
    for i in range(20):
        line.port.send(["ok", i])
    line.port.pump(gulps=1)
    assert line.port.busy and len(line.received()) <= 64


def test_what_finds_no_room_is_refused_whole(line):
    count = 0
    while line.port.send(["ok", count]):
        count += 1
    assert 50 < count < 500
    until_idle(line.port)
    got = line.received().splitlines()
    assert [opened(each)[1] for each in got] == list(range(count))


def test_a_host_that_does_not_read_is_not_waited_for(line):
    sent = 0
    for _ in range(10_000):  # far more than pipe and queue can hold
        sent += line.port.send(["ok", sent])
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
    found = []
    while line.port.listen(0):
        found += line.port.messages()
    assert found == [["n", 1]]


def test_a_port_that_is_gone_reads_as_nothing(line):
    line.hang_up()
    assert line.port.messages() == []
