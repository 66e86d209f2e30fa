"""What the Makefile does, as far as it can be told without doing it."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parent.parent / "Makefile"


def would_do(folder, *targets):
    """Commands that make would run in a folder in which everything is installed."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    command = ["make", "-n", "-f", MAKEFILE, "-o", ".venv/.installed", *targets]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_newest_run_is_the_one_begun_last_not_the_one_looked_at_last(tmp_path):
    for name, began in (("b", "2026-05-01T10:00:00"), ("newest of all", "2026-05-02T09:00:00"), ("a", "2026-05-01T11")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.toml").write_text(f'[record]\nstarted_utc = "{began}+00:00"\n')
        (tmp_path / "runs" / name / "results.nc").touch()
    (tmp_path / "runs/a sweep").mkdir()
    assert 'clockfree compare "runs/newest of all"\n' in would_do(tmp_path, "compare")
    assert 'clockfree compare "runs/b"\n' in would_do(tmp_path, "compare", "RUN=runs/b")
