"""Folders of the current directory that have the name of a package are not taken for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from clockfree_sim.virtual import VirtualBoards
from tests.sim.virtual.benches import edge_config, edge_job
from tests.sim.virtual.conftest import ONE

HOST = Path(__file__).resolve().parent.parent / "host/clockfree"


@pytest.mark.parametrize("arguments", [["-c", "import clockfree; print(clockfree.__file__)"], ["-m", "clockfree"]])
def test_a_folder_with_a_clone_in_it_is_not_the_package(arguments, tmp_path):
    (tmp_path / "clockfree/host").mkdir(parents=True)
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(HOST / "__init__.py") or "Usage: clockfree" in done.stdout + done.stderr


def test_virtual_boards_run_no_code_of_the_current_folder(micropython, as_installed, tmp_path, monkeypatch):
    for name in ("clockfree_sim", "clockfree_model", "clockfree_board", "clockfree"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"open('{tmp_path}/ran', 'w')\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    job = edge_job()
    with VirtualBoards(job, {ONE: edge_config(job)}, tmp_path / "flash") as boards:
        assert Path(boards.port(ONE)).exists()
    assert not (tmp_path / "ran").exists()
