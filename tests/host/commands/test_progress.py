"""How a run or a flash gets on, on stderr, where there is a terminal and where there is none."""

import contextlib
import io
import math
import os
import pty
import threading
import time
from types import SimpleNamespace

import pytest

from clockfree.api import observing
from clockfree.commands import progress


class Slow(io.StringIO):
    """Whoever writes here is overtaken by others."""

    def write(self, text):
        written = super().write(text)
        time.sleep(0.001)
        return written


def test_boards_that_are_done_at_the_same_moment_have_a_line_each(monkeypatch):
    stderr = Slow()
    monkeypatch.setattr(progress.sys, "stderr", stderr)
    names = [f"board {number}" for number in range(16)]
    together = threading.Barrier(len(names))
    with progress.board_progress(len(names)) as shown:

        def flash(name):
            together.wait()
            shown.tell(name, 0.5, "writing 3 files")
            shown.tell(name, 1.0, "done")

        threads = [threading.Thread(target=flash, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(stderr.getvalue().splitlines()) == sorted(f"{name}: done" for name in names)


def on_a_terminal(monkeypatch, act):
    """What a terminal on stderr shows of something."""
    master, slave = pty.openpty()
    with monkeypatch.context() as patch, os.fdopen(slave, "w") as stderr:
        patch.setattr(progress.sys, "stderr", stderr)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "100")
        act()
    found = b""
    with contextlib.suppress(OSError):  # all of it is read
        while data := os.read(master, 65536):
            found += data
    os.close(master)
    return found.decode()


def test_a_flash_on_a_terminal_is_one_bar_over_all_boards(monkeypatch):
    def flash():
        with progress.board_progress(3) as bar:
            bar.tell("one", 1.0, "done")
            bar.tell("two", 0.4, "writing 3 files")
            bar.tell("two", 1.0, "done")

    text = on_a_terminal(monkeypatch, flash)
    assert "flashing" in text and "2 of 3 boards" in text and "two: done" in text


def test_what_is_said_on_a_terminal_stands_above_the_bar(monkeypatch):
    def run():
        with progress.progress() as bar:
            bar.share("flashing 3 boards", 0.5)
            bar.say("[red]a warning[/red] as it was said")

    text = on_a_terminal(monkeypatch, run)
    assert "[red]a warning[/red] as it was said" in text and "flashing 3 boards" in text and "50%" in text


def sampled(updates):
    counters = {"firings": [round(updates)] * 5}
    return SimpleNamespace(updates=updates, error_V2=1e-3, mean_error_V2=math.nan, counters=counters)


def test_what_is_shown_is_the_mean_since_the_sample_before_where_it_is_known():
    one = sampled(2.0)
    assert observing.error_of(one) == "1.00e-03"
    one.mean_error_V2 = 2e-4
    assert observing.error_of(one) == "2.00e-04"
    one.error_V2 = one.mean_error_V2 = math.nan
    assert observing.error_of(one) == "-"


def test_a_run_without_a_terminal_is_a_line_at_each_fifth_and_one_at_its_end(monkeypatch, capsys):
    """Samples of boards come when they come: each a little late."""
    job = SimpleNamespace(updates=300)
    with progress.progress() as shown:
        shown.share("flashing 17 boards", 0.0)
        shown.share("flashing 17 boards", 0.7)
        for updates in (0.0, *range(1, 300, 2), 300.75):
            shown.sample(job, sampled(1.0 * updates), 1.0)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "flashing 17 boards"
    assert [line.split()[0] for line in said[1:]] == ["0", "61", "121", "181", "241", "301"]


@pytest.mark.parametrize(("said", "left"), [(["calling 3 boards"], "getting ready"), ([], "flashing 3 boards")])
def test_a_bar_that_is_full_does_not_stay_for_what_comes_after(monkeypatch, said, left):
    def run():
        with progress.progress() as bar:
            bar.share("flashing 3 boards", 1.0)
            for text in said:
                bar.say(text)

    *_, last = (line for line in on_a_terminal(monkeypatch, run).splitlines() if "boards" in line or "ready" in line)
    last = last.rpartition("\r")[2]
    assert left in last and ("100%" in last) is not bool(said)
