"""Streams whose reader goes away, that are closed, or full: in processes of their own, as a shell starts them."""

import io
import os
import subprocess
import sys

import pytest

from clockfree_model.saying import say

TELLS = """
import os, sys
from clockfree_model import streams
streams.settle()
held = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for _ in range(3):
    print("found " * 20000)
    print("said " * 20000, file=sys.stderr)
sys.stdout.flush()
os.write(held, b"to its end, %d" % streams.unread())
"""
"""More than a pipe holds."""


def told(tmp_path, shell):
    """Exit status, and what was written to a file, of a process that a shell starts so."""
    done = subprocess.run(["sh", "-c", shell, TELLS, sys.executable, str(tmp_path / "record")], timeout=60)
    return done.returncode, (tmp_path / "record").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sh")
@pytest.mark.parametrize(
    ("how", "unread"),
    [
        ("2>&1 | head -c 2", True),
        ("2>/dev/null | head -c 2", True),
        ("2>&1 >/dev/null | head -c 2", False),
        (">&-", False),
        ("2>&-", False),
        ("<&- >&- 2>&-", False),
        ("2>/dev/full", False),
    ],
)
def test_what_was_begun_goes_on_to_its_end(tmp_path, how, unread):
    command = f'{{ "$1" -c "$0" "$2"; echo $? > "$2.status"; }} {how}'
    assert told(tmp_path, command) == (0, f"to its end, {unread:d}")
    assert (tmp_path / "record.status").read_text() == "0\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_result_that_finds_no_room_is_an_error(tmp_path):
    status, record = told(tmp_path, '"$1" -c "$0" "$2" >/dev/full 2>/dev/null')
    assert (status, record) == (1, "")


def test_a_line_that_nobody_can_read_is_lost_and_nothing_else(monkeypatch):
    """As in Python, whose streams are as it found them."""

    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    say("so many updates")
