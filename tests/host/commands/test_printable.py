"""No name and no text of other people tells a terminal what to do."""

import io
import re
from dataclasses import replace

import pytest
from rich.table import Table

from clockfree.base.files import create
from clockfree.commands import app, output
from clockfree.commands.terminal import Terminal
from clockfree.link import discovery
from clockfree.link.discovery import Present
from clockfree.runs import live
from clockfree.runs.runlog import RunLog
from clockfree_model.final import Best
from clockfree_model.network import Network
from tests.host.conftest import ABOUT

EVIL = "\x1b[2J\x1b]0;mine\x07\r\x9b31m\x7f"
SHOWN = re.compile(r"\\x1b\[2J")


def clean(text):
    return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@pytest.fixture
def folder(tmp_path, made_up):
    """A run in whose record every name and every text is evil."""
    job_of, samples_of = made_up
    job = job_of()
    network = Network(
        f"net{EVIL}", tuple(f"{name}{EVIL}" for name in job.network.nodes), job.network.ends, job.network.positions
    )
    job = replace(job, network=network, lessons=tuple(replace(each, name=f"one{EVIL}") for each in job.lessons))
    folder = tmp_path / "run"
    create(folder)
    boards = [{"id": f"id{EVIL}", "port": None, "edges": [*range(16)], "reset": EVIL, "config": "", "version": EVIL}]
    more = {"values": {}, "run_id": 5, "supervisor": boards[0], "boards": boards}
    about = {**ABOUT, "task": f"task{EVIL}", "preset": EVIL, "best": [Best(0, 0.0, 1e-6)], "baselines": [None]}
    log = RunLog(folder, job, about | more)
    said = {"event": "wiring", "time_us": 0, "board": f"id{EVIL}", "edges": [0], "text": f"text{EVIL}", "failed": True}
    for sample in samples_of(job, count=3):
        log.sample(replace(sample, events=[said]))
    log.checkpoint(sample)
    log.end(f"done{EVIL}")
    return folder


@pytest.mark.parametrize("command", ["show", "read", "check"])
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_of_a_record(folder, capsys, command, option):
    app.status_of([command, str(folder), *option])
    out, err = capsys.readouterr()
    assert out and clean(out) and clean(err)
    assert command == "check" or option or SHOWN.search(out)


def test_of_a_record_that_cannot_be_used(folder, capsys):
    assert app.status_of(["infer", str(folder), "--data", f"x{EVIL}.csv"]) == 2
    assert app.status_of(["run", f"x{EVIL}"]) == 2
    out, err = capsys.readouterr()
    assert SHOWN.search(err) and clean(out) and clean(err)


def test_of_boards(capsys):
    can = {"edges": [[f"A{EVIL}-B", "comparator", "mcp42xx", 0, 127]]}
    hello = {"role": EVIL, "version": EVIL, "config": EVIL, "state": "hold", "reason": f"why{EVIL}", "can": can}
    output.print_table(discovery.table([Present(EVIL, EVIL, hello, EVIL)]))
    output.print_table(live.held([{"board": EVIL, "was": EVIL, "run": 5, "error": ""}]))
    out, _ = capsys.readouterr()
    assert SHOWN.search(out) and clean(out)


def test_on_a_terminal_only_rich_itself_sends_control_characters():
    drawn = {}
    for name in ("", EVIL):
        file = io.StringIO()
        rows = Table("a", title=f"t{name}")
        rows.add_row(f"[bold]{name}", style="red")
        terminal = Terminal(file=file, force_terminal=True, width=200)
        terminal.print(f"x{name}", rows)
        drawn[name] = file.getvalue()
    assert set(re.findall(r"\x1b\[[0-9;]*.", drawn[EVIL])) == set(re.findall(r"\x1b\[[0-9;]*.", drawn[""])) != set()
    assert "[bold]" in drawn[EVIL] and len(SHOWN.findall(drawn[EVIL])) == 3
