"""Descriptors of many ports: numbers above what `select` takes, and limits of the machine."""

import os
import pty
import resource
import socket
import subprocess
import sys
import threading
import tty

import pytest

from clockfree.base.errors import InputError
from clockfree.link.descriptors import A_PORT, room_for
from clockfree.link.fleet import Fleet
from clockfree.link.ports import open_port
from tests.host.flashing import bench_of
from tests.sim.jobs import a_job

LOWEST = 1100


@pytest.fixture
def high():
    """Descriptors that are opened from now on are above those that `select` takes."""
    room_for(LOWEST)
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(LOWEST)]
    yield
    for number in taken:
        os.close(number)


@pytest.fixture
def terminal():
    """Both ends of a port: the name that is opened, and the file at the other end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave), master
    os.close(master)
    os.close(slave)


def test_a_port_is_read_and_written_whatever_the_number_of_its_descriptor(high, terminal):
    name, master = terminal
    with open_port(name, 0.01, 5.0) as port:
        assert port.fileno() > 1023
        assert port.read(1) == b""
        os.write(master, b"board")
        port.timeout = 5.0
        assert port.read(5) == b"board"
        assert port.write(b"host") == 4 and os.read(master, 4) == b"host"
        port.timeout = None
        read = []
        reader = threading.Thread(target=lambda: read.append(port.read(1)))
        reader.start()
        port.cancel_read()
        reader.join(10)
        assert read == [b""]


def test_a_socket_is_read_and_written_whatever_the_number_of_its_descriptor(high):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with open_port(f"socket://127.0.0.1:{server.getsockname()[1]}", 0.01) as port:
            there, _ = server.accept()
            with there:
                assert port.fileno() > 1023 and port.read(1) == b"" and port.in_waiting == 0
                there.sendall(b"board")
                port.timeout = 5.0
                assert port.read(5) == b"board"
                assert port.write(b"host") == 4 and there.recv(4) == b"host"


def test_a_port_takes_as_many_descriptors_as_is_reckoned(terminal):
    before = len(os.listdir("/proc/self/fd"))
    with open_port(terminal[0], 0.01):
        assert len(os.listdir("/proc/self/fd")) - before == A_PORT


def test_a_low_limit_is_raised_as_far_as_the_machine_lets_it():
    code = """
import resource
from clockfree.link.descriptors import room_for
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 600))
room_for(100)
print(resource.getrlimit(resource.RLIMIT_NOFILE))
room_for(200)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "(550, 600)\n"
    last = done.stderr.splitlines()[-1]
    assert last.endswith("InputError: 200 boards: expected 1,050 open files (ulimit -Hn), got 600")


def test_a_fleet_that_finds_no_room_opens_nothing(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (60, 60))
    with pytest.raises(InputError, match=r"3 boards: expected 65 open files \(ulimit -Hn\), got 60"):
        Fleet(bench_of(a_job()))
