"""What the Makefile does, as far as it can be told without doing it."""

import os
import shutil
import subprocess
import sys
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


@pytest.fixture
def checkout(tmp_path):
    """A folder with install.py and an environment that it takes for whole."""
    for name in ("install.py", "requirements.lock", "pyproject.toml", "setup.py", "Makefile"):
        shutil.copy(MAKEFILE.parent / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    version = ".".join(map(str, sys.version_info[:2]))
    (tmp_path / ".venv/.installed").write_text(f"{version} {tmp_path}\n")
    return tmp_path


def installs(folder):
    """Whether `make compare` would install first."""
    command = ["make", "-n", "compare", "RUN=x"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return " install.py" in done.stdout


def test_an_environment_goes_by_its_folder_and_its_python(checkout):
    assert not installs(checkout)
    moved = checkout.with_name("moved with spaces")
    checkout.rename(moved)
    assert installs(moved)
    moved.rename(checkout)
    stamp = checkout / ".venv/.installed"
    stamp.write_text(stamp.read_text().replace("3.", "2."))
    assert installs(checkout)
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to("/nowhere/python")
    assert installs(checkout)


def test_what_is_set_for_others_is_not_passed_on(tmp_path):
    (tmp_path / "Makefile").write_text(f"include {MAKEFILE}\nshow:\n\t@env | grep -E '^(PIP|PYTHON)' | sort\n")
    others = {"PIP_USER": "1", "PIP_TARGET": "/x", "PIP_REQUIRE_HASHES": "1", "PYTHONPATH": "/x", "PYTHONHOME": "/x"}
    ours = {"PIP_INDEX_URL": "http://mirror", "PIP_PROXY": "http://proxy"}
    told = {name: value for name, value in os.environ.items() if not name.startswith(("PIP", "PYTHON", "MAKE"))}
    done = subprocess.run(
        ["make", "show"], cwd=tmp_path, env=told | others | ours, capture_output=True, text=True, timeout=60
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert found == ours | {"PIP_USER": "0", "PIP_REQUIRE_HASHES": "0"}
