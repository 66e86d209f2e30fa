"""A board at the other end of a port, played from a script: pairs of what is sent to it and what it replies."""

import contextlib
import os
import pty
import select
import socket
import threading
import time
import tty
from functools import partial

from clockfree.link.listener import Listener
from clockfree_board.link import PROTOCOL, Lines, opened, seal

ID = "e6614c311b7f5a2b"


def hello(**more):
    """What a board says of itself."""
    return {"id": ID, "boot": 7, "state": "hold", "role": "edge", "protocol": PROTOCOL, **more}


def ok(*fields):
    """A reply to the command it is for."""
    return lambda number: seal(["ok", number, *fields])


def no(reason):
    return lambda number: seal(["no", number, reason])


def pause(seconds):
    """A board that takes its time."""

    def wait(number):
        time.sleep(seconds)
        return b""

    return wait


def told(kind, number, *fields):
    """A line of telemetry."""
    return seal([kind, number, *fields])


HELLO = (("hello",), [ok(hello())])


class Heard(Listener):
    """Keeps what it is told, and can be waited for."""

    def __init__(self):
        self.all = []
        self._more = threading.Condition()

    def _keep(self, *what):
        with self._more:
            self.all.append(what)
            self._more.notify_all()

    def heard(self, session, message):
        self._keep("heard", message)

    def text(self, session, line):
        self._keep("text", line)

    def missed(self, session, count):
        self._keep("missed", count)

    def rebooted(self, session, boot):
        self._keep("rebooted", boot)

    def gone(self, session, why):
        self._keep("gone", why)

    def back(self, session, away_s):
        self._keep("back", away_s)

    def of(self, kind):
        return [what[1] for what in self.all if what[0] == kind]

    def wait_for(self, kind, count=1):
        with self._more:
            assert self._more.wait_for(lambda: len(self.of(kind)) >= count, 10), f"no {kind}: {self.all}"
        return self.of(kind)


class Peer:
    """Answers by the script, on a pseudo-terminal or a TCP port; what differs from it is raised by `finish`.

    Each pair is the command without its id, and a list of what goes back: bytes, or functions of the id that make them.
    """

    def __init__(self, script, by_id=None, id=ID, tcp=False):
        self.script = list(script)
        self.ids = []
        self.error = None
        self._by_id, self._id, self._tcp = by_id, id, tcp
        self._over = threading.Event()
        self._cut = threading.Event()
        self.plug()

    def plug(self):
        """There is a port, another one each time."""
        if self._tcp:
            self._server = socket.create_server(("127.0.0.1", 0))
            self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
            serve = self._serve_tcp
        else:
            self._master, self._slave = pty.openpty()
            tty.setraw(self._slave)
            self.port = os.ttyname(self._slave)
            if self._by_id:
                self._link = self._by_id / f"usb-MicroPython_Board_in_FS_mode_{self._id}-if00"
                self._link.symlink_to(self.port)
            serve = self._serve_pty
        self._over.clear()
        self._thread = threading.Thread(target=serve)
        self._thread.start()

    def unplug(self):
        """The port vanishes."""
        self._over.set()
        self._thread.join()
        if self._tcp:
            self._server.close()
        else:
            if self._by_id:
                self._link.unlink()
            os.close(self._master)
            os.close(self._slave)

    def cut(self):
        """A connection over the network ends, and can be made again."""
        self._cut.set()

    def say(self, data):
        """Bytes that nobody asked for."""
        while data:
            _, ready, _ = select.select([], [self._master], [], 5)
            assert ready, "the host does not read"
            data = data[os.write(self._master, data) :]

    def finish(self):
        """Everything was said, and nothing else."""
        self.unplug()
        if self.error:
            raise self.error
        assert not self.script, f"never asked: {self.script}"

    def _serve_pty(self):
        self._serve(self._master, partial(os.read, self._master), self.say)

    def _serve_tcp(self):
        while not self._over.is_set():
            if select.select([self._server], [], [], 0.02)[0]:
                link, _ = self._server.accept()
                with link, contextlib.suppress(ConnectionError):
                    self._cut.clear()
                    self._serve(link, link.recv, link.sendall)

    def _serve(self, file, read, write):
        lines = Lines(512)
        try:
            while not (self._over.is_set() or self._cut.is_set()):
                if not select.select([file], [], [], 0.02)[0]:
                    continue
                data = read(4096)
                if not data:
                    return
                for line in lines.feed(data):
                    if line:
                        for part in self._replies(opened(line)):
                            write(part)
        except AssertionError as error:
            self.error = error

    def _replies(self, message):
        assert message is not None, "a line that is no message"
        kind, number, *arguments = message
        self.ids.append(number)
        assert self.script, f"asked beyond the script: {message}"
        sent, replies = self.script.pop(0)
        assert (kind, *arguments) == tuple(sent), f"expected {sent}, got {message}"
        for reply in replies:
            part = reply(number) if callable(reply) else reply
            if part:
                yield part
