"""A checkout whose sources are not those that run: a copy with the .venv of the original."""

import os
import shutil
import subprocess
import sys
import types
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


def test_a_letter_that_was_changed_within_the_second_of_the_first_import(tmp_path, monkeypatch):
    """Python goes on with what it kept, and so would whoever reads the sources take it for something else."""
    source = tmp_path / "clockfree_board" / "rule.py"
    source.parent.mkdir()
    source.with_name("__init__.py").touch()
    run = [sys.executable, "-c", "from clockfree_board import rule; print(rule.STEP)"]
    answers = []
    for text, at_ns in (("STEP = +1", 5_000_000_000), ("STEP = -1", 5_500_000_000), ("STEP = -1", 6_000_000_000)):
        source.write_text(text)
        os.utime(source, ns=(at_ns, at_ns))
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
        answers.append(int(subprocess.run(run, env=env, stdout=subprocess.PIPE, timeout=60).stdout))
        (kept,) = source.parent.rglob("rule.*.pyc")
        os.utime(kept, ns=(5_200_000_000, 5_200_000_000) if at_ns < 6e9 else (at_ns, at_ns))
        spec = types.SimpleNamespace(origin=str(source.with_name("__init__.py")))
        monkeypatch.setattr(checkout, "find_spec", lambda package, spec=spec: spec)
        assert checkout.outdated() == (str(source) if len(answers) == 2 else "")
    assert answers == [1, 1, -1]


def test_what_is_installed_for_good_runs_and_is_said(copied, capsys, monkeypatch):
    (copied / RULE).unlink()
    monkeypatch.setattr(checkout, "_is_one", lambda folder: folder == copied)
    assert app.status_of(["examples"]) == 0
    assert f"and {RULE} differs" in capsys.readouterr().err
    assert app.status_of(["help", "run"]) == 0 and not capsys.readouterr().err


def test_what_was_installed_into_a_checkout_before_its_sources_were_changed(copied, capsys, monkeypatch):
    installed = copied / ".venv/lib/clockfree_board"
    shutil.copytree(copied / "firmware/clockfree_board", installed)
    spec = types.SimpleNamespace(origin=str(installed / "__init__.py"))
    monkeypatch.setattr(checkout, "find_spec", lambda package: spec if package == "clockfree_board" else None)
    assert app.status_of(["examples"]) == 0 and not capsys.readouterr().err
    (installed / "rule.py").write_text("")
    assert app.status_of(["examples"]) == 2
    assert capsys.readouterr().err == (
        f"clockfree: {copied}: the sources here do not run: those in {installed} do, and {RULE} differs: they were "
        "changed after it was installed: install them again\n"
    )
