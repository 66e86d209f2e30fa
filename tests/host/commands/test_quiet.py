"""`--quiet`: errors and warnings on stderr, what was made on stdout, and nothing else."""

import json
import os
import re
from pathlib import Path

import pytest

from clockfree.commands import app
from clockfree.commands.printed import OBJECTS
from clockfree_model.quiet import VARIABLE, quiet

MINE = "task = 'allostery'\n[set]\nupdates = 2\n[axes]\nseed = [0, 1]\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(MINE)


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["run", "allostery", "--updates", "2", "--out", "r"], "r\n"),
        (["sweep", "mine.toml", "--jobs", "1"], "runs/mine\n"),
        (["new"], "task.toml\n"),
    ],
)
def test_a_quiet_command_says_what_it_made(arguments, out, capfd):
    assert app.status_of([*arguments, "-q"]) == 0
    assert capfd.readouterr() == (out, "")
    assert Path(out.strip()).exists() and not quiet()


def test_an_environment_may_say_so_and_an_object_is_printed_all_the_same(capfd, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    assert app.status_of(["run", "allostery", "--updates", "2", "--out", "r", "--json"]) == 0
    captured = capfd.readouterr()
    found = json.loads(captured.out)
    assert found["run"] == "r" and captured.err == ""
    assert {*found} <= {*re.findall(r"\w+", OBJECTS["run"])}
    assert os.environ[VARIABLE] == "1"


def test_errors_and_warnings_are_said(capsys, monkeypatch):
    from clockfree.bench import registry

    assert app.status_of(["run", "alostery", "-q"]) == 2
    assert capsys.readouterr().err.endswith("(did you mean allostery?)\n")
    monkeypatch.setattr(registry, "no_virtual_boards", lambda edges: "there are none")
    assert app.status_of(["run", "allostery", "--updates", "2", "--bench", "virtual", "--or-sim", "-q"]) == 0
    assert capsys.readouterr().err == "there are none; so this runs on --bench sim\n"
