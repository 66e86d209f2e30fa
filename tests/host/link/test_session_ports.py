"""One board at its port, as the port comes and goes: unplugged, reset, taken by another, not to be had."""

import contextlib
import select
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import serial
from serial.rfc2217 import PortManager

from clockfree.link import session as module
from clockfree.link.benchfile import EdgeBoard
from clockfree.link.handshake import NoAnswerError
from clockfree.link.ports import PortError
from clockfree.link.session import Session
from clockfree_board.link import seal
from tests.host.peers import HELLO, ID, Peer, hello, ok


def test_unplugged_and_plugged_in_at_another_port(meet):
    peer, session, heard = meet(HELLO, (("tap", 0, 5), [ok(5)]))
    found = []
    peer.unplug()
    heard.wait_for("gone")
    assert not session.up
    asking = threading.Thread(target=lambda: found.append(session.ask("tap", 0, 5)))
    asking.start()  # waits for the board
    peer.plug()
    asking.join()
    assert found == [[5]]
    (away_s,) = heard.wait_for("back")
    assert 0 < away_s < 10 and session.up
    assert not heard.of("rebooted")


def test_a_board_that_was_reset_while_it_was_away(meet):
    peer, session, heard = meet((("hello",), [ok(hello(boot=8))]))
    peer.unplug()
    peer.plug()
    heard.wait_for("back")
    assert heard.of("rebooted") == [8] and session.boot == session.hello["boot"] == 8


def test_a_board_that_stays_away_fails_a_command_in_time(meet):
    peer, session, heard = meet()
    peer.unplug()
    heard.wait_for("gone")
    begun_s = time.monotonic()
    with pytest.raises(NoAnswerError, match="hold: no answer: the board is away"):
        session.ask("hold", within_s=0.3)
    assert time.monotonic() - begun_s < 2
    peer.script.append(HELLO)
    peer.plug()
    heard.wait_for("back")


def test_another_board_at_its_port_is_not_taken_for_it(meet):
    other = "0" * 16
    peer, session, heard = meet((("hello",), [ok(hello(id=other))]), HELLO, tcp=True)
    peer.cut()
    heard.wait_for("back")  # the second time it is the right one again
    assert heard.of("gone") and session.hello["id"] == ID
    assert not peer.script


def test_a_connection_that_is_dead_without_a_word_is_made_again(meet, monkeypatch):
    """A server that has lost its power closes nothing: only the silence tells."""
    monkeypatch.setattr(module, "SILENT_S", 0.05)
    peer, session, heard = meet(HELLO, (("tap", 0, 5), [ok(5)]), tcp=True, heartbeat_s=1000.0)
    assert heard.wait_for("gone") == ["says nothing for 0 s"]
    monkeypatch.setattr(module, "SILENT_S", 60.0)
    heard.wait_for("back")
    assert session.ask("tap", 0, 5) == [5]


def test_a_prompt_that_echoes_every_heartbeat_is_not_a_board_that_says_something(meet):
    def echo(number):
        return b"\n" + seal(["status", number]) + b"SyntaxError: invalid syntax\n"

    peer, session, heard = meet((("status",), [echo]), heartbeat_s=0.4)
    before_s = session.heard_s
    heard.wait_for("text", 2)
    session._heartbeat_s = None  # one is enough
    assert session.heard_s == before_s


def test_a_board_that_takes_no_bytes_holds_nobody_up(meet, monkeypatch):
    peer, session, heard = meet()
    peer._over.set()  # it reads no more; its port is still there
    peer._thread.join()
    peer._thread = threading.Thread()
    peer._thread.start()
    monkeypatch.setattr(session.trips, "late", lambda: None)
    session.trips.timeout_s = 0.0
    begun_s = time.monotonic()
    with pytest.raises(NoAnswerError, match="example: no answer in"):
        session.ask("example", 1, 0, [4095] * 90, within_s=0.3)
    assert time.monotonic() - begun_s < 5  # not as long as a flash may take to write


def test_a_board_that_is_not_there(tmp_path):
    session = Session(EdgeBoard(id=ID, edges=[{"edge": "A-B"}]), tmp_path)
    with pytest.raises(PortError, match="plug it in"):
        session.open()
    session.close()


def test_a_port_that_nobody_answers_at_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(module.handshake, "ASK_S", 0.2)
    peer = Peer([(("hello",), [])] * 4, by_id=tmp_path)
    session = Session(EdgeBoard(id=ID, edges=[{"edge": "A-B"}]), tmp_path)
    with pytest.raises(NoAnswerError):
        session.open()
    session.close()
    again = Session(EdgeBoard(id=ID, edges=[{"edge": "A-B"}]), tmp_path)
    peer.script = [HELLO]
    again.open()  # the port was not left locked
    again.close()
    peer.finish()


def test_over_a_network(meet):
    peer, session, heard = meet((("tap", 0, 63), []), (("tap", 0, 63), [ok(63)]), HELLO, tcp=True)
    assert session.ask("tap", 0, 63) == [63]
    peer.cut()
    heard.wait_for("gone")
    heard.wait_for("back")


class Pty(serial.Serial):
    """A pseudo-terminal has no control lines."""

    cts = dsr = ri = cd = False
    _update_dtr_state = _update_rts_state = _update_break_state = lambda self: None


class Rfc2217:
    """What ser2net is: it offers a port of this machine to one who comes over the network."""

    def __init__(self, device):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = f"rfc2217://127.0.0.1:{self._server.getsockname()[1]}"
        self._serial = Pty(device, timeout=0.02)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self):
        link, _ = self._server.accept()
        with link, contextlib.suppress(OSError):
            manager = PortManager(self._serial, SimpleNamespace(write=link.sendall))
            up = threading.Thread(target=self._up, args=[link, manager])
            self._threads.append(up)
            up.start()
            while not self._over.is_set():
                if select.select([link], [], [], 0.02)[0]:
                    self._serial.write(b"".join(manager.filter(link.recv(1024))))
            self._over.set()
            up.join()

    def _up(self, link, manager):
        with contextlib.suppress(OSError):
            while not self._over.is_set():
                if data := self._serial.read(self._serial.in_waiting or 1):
                    link.sendall(b"".join(manager.escape(data)))

    def finish(self):
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._serial.close()
        self._server.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pyserial
@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
@pytest.mark.parametrize("expected", [ID, "0" * 16])
def test_a_board_over_a_network_has_the_id_that_the_bench_file_says(scheme, expected):
    peer = Peer([HELLO], tcp=scheme == "socket")
    # What is asked of control lines that are not there is never acknowledged.
    between = Rfc2217(peer.port) if scheme == "rfc2217" else None
    port = f"{between.port}?ign_set_control" if between else peer.port
    session = Session(EdgeBoard(id=expected, port=port, edges=[{"edge": "A-B"}]), None)
    try:
        if expected == ID:
            assert session.open()["id"] == ID
        else:
            with pytest.raises(NoAnswerError, match=f"^another board, {ID}, is at its port$"):
                session.open()
    finally:
        session.close()
        if between:
            between.finish()
        peer.finish()
