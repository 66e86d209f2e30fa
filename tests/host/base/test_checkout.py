"""A checkout whose sources are not those that run: a copy with the .venv of the original."""

import shutil
from pathlib import Path

import pytest

from clockfree.base import checkout
from clockfree.commands import app

ROOT = Path(__file__).resolve().parents[3]
RULE = "firmware/clockfree_board/rule.py"


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the sources, which one stands in."""
    for name in ("firmware", "sim", "host"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, ignore=ignored)
    monkeypatch.chdir(tmp_path / "copy" / "host")
    return tmp_path / "copy"


def test_a_sign_that_was_flipped_in_a_copy_which_does_not_run(copied, capsys):
    assert app.status_of(["examples"]) == 0 and not capsys.readouterr().err
    rule = copied / RULE
    text = rule.read_text("utf-8")
    rule.write_text(text.replace("step = 1", "step = -1"), "utf-8")
    assert app.status_of(["examples"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"clockfree: {copied}: the sources here do not run: those in {ROOT / RULE} do"[:-11])
    assert f"and {RULE} differs" in said.err and said.err.count("\n") == 1 and not said.out
    rule.write_text(text, "utf-8")
    (copied / "host/clockfree/new.py").write_text("")
    assert checkout.others(copied) == (ROOT / "host/clockfree", "host/clockfree/new.py")
    assert checkout.others(ROOT) is None


def test_what_is_installed_for_good_runs_and_is_said(copied, capsys, monkeypatch):
    (copied / RULE).unlink()
    monkeypatch.setattr(checkout, "_is_one", lambda folder: folder == copied)
    assert app.status_of(["examples"]) == 0
    assert f"and {RULE} differs" in capsys.readouterr().err
    assert app.status_of(["help", "run"]) == 0 and not capsys.readouterr().err
