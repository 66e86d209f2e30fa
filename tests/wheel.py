"""Wheel and source distribution, built, and tried where there is no clone: an empty folder, a fresh environment.

`make dist` runs it. What it builds goes to dist/. What is installed has the versions of requirements.lock. It prints a
line for each thing that was tried, and ends with status 1 at the first that is not as it should be.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
READ_THE_TREE = (
    "tests/test_generated.py",
    "tests/test_laws.py",
    "tests/test_said_once.py",
    "tests/host/flash/test_firmware.py",
)
"""Tests that fail where a file of the tree is missing; all the others run from a source distribution as well."""
NOT_SHIPPED = {".gitignore"}
CLEAN = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}

LOCK = ROOT / "requirements.lock"


def tried(what: str) -> None:
    """A line for what is as it should be."""
    print(f"  {what}", flush=True)


def run(*command: object, folder: Path, status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder, with nothing of the clone on its path; it has to end with this status."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=CLEAN | env, capture_output=True, text=True, timeout=600)
    if done.returncode != status:
        sys.exit(f"{' '.join(words)}: expected status {status}, got {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def expect(so: bool, what: str, got: object) -> None:
    """End here unless it is so."""
    if not so:
        sys.exit(f"expected {what}, got {got}")
    tried(what)


def build(folder: Path) -> tuple[Path, Path, Path]:
    """The source distribution, what it unpacks to, and the wheel that is built from that."""
    shutil.rmtree(DIST, ignore_errors=True)
    hooks = "from setuptools import build_meta; print(build_meta.build_sdist({!r}))"
    run(sys.executable, "-W", "error", "-c", hooks.format(str(DIST)), folder=ROOT)
    (source,) = DIST.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(folder, filter="data")
    tree = folder / source.name.removesuffix(".tar.gz")
    made = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", DIST]
    run(*made, tree, folder=folder)
    (wheel,) = DIST.glob("*.whl")
    return source, tree, wheel


def check_source(tree: Path) -> None:
    """The source distribution has every file of the tree, and its tests find what they read."""
    if (ROOT / ".git").exists():
        listed = run("git", "ls-files", folder=ROOT).stdout.split("\n")
        missing = {name for name in listed if name and not (tree / name).exists()} - NOT_SHIPPED
        expect(not missing, "every file of the clone in the source distribution", sorted(missing))
    folders = os.pathsep.join(str(tree / name) for name in ("firmware", "sim", "host"))
    tests = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *READ_THE_TREE]
    done = run(*tests, folder=tree, PYTHONPATH=folders)
    tried(f"tests from the source distribution: {done.stdout.splitlines()[-1]}")


def environment(folder: Path, *install: object) -> Path:
    """A fresh virtual environment with this installed; its folder of programs."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    run(*pip, "--constraint", LOCK, *install, folder=folder)
    return programs


def check_commands(programs: Path, folder: Path) -> None:
    """What a person types who has a wheel and no clone."""
    clockfree = programs / "clockfree"
    run(programs / "python", "-m", "pip", "check", folder=folder)
    expect(run(clockfree, "--version", folder=folder).stdout.startswith("clockfree "), "a version", "none")
    listed = json.loads(run(clockfree, "examples", "--json", folder=folder).stdout)["examples"]
    names = {path.stem for path in (ROOT / "examples").rglob("*.*") if path.is_file()}
    expect({row["name"] for row in listed} == names, f"clockfree examples: {len(names)}", listed)

    for bench, updates in (("sim", 300), ("virtual", 50)):
        options = ["--bench", bench, "--updates", updates, "--set", "edge.rate_hz=25", "--out", bench, "--json"]
        found = json.loads(run(clockfree, "run", "allostery", *options, folder=folder).stdout)
        expect(found["final_error_V2"] < found["initial_error_V2"], f"clockfree run allostery --bench {bench}", found)
        files = {path.name for path in (folder / bench).iterdir()}
        expect({"run.toml", "log.jsonl", "results.nc", "figure.png"} <= files, f"a record of it: {bench}/", files)
    run(clockfree, "show", "sim", folder=folder)
    run(clockfree, "read", "virtual", folder=folder)
    tried("clockfree show, clockfree read")

    (folder / "allostery.toml").write_text("mine = 1\n")
    refused = run(clockfree, "run", "allostery", folder=folder, status=2).stderr
    expect(refused.startswith("clockfree: allostery.toml: mine: "), "a file of that name wins", refused)
    run(clockfree, "examples", "p_scan", "--to", "mine", folder=folder)
    run(clockfree, "new", "own.toml", "--network", "wheel", folder=folder)
    run(clockfree, "run", "own.toml", "--updates", 2, "--out", "own", folder=folder)
    (folder / "sweep.toml").write_text('task = "iris"\n[set]\nupdates = 2\n[axes]\nseed = [0, 1]\n')
    run(clockfree, "sweep", "sweep.toml", "--jobs", 1, folder=folder)
    tried("clockfree examples --to, new, and a sweep over a shipped task")

    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    for block in blocks[:1]:
        run(programs / "python", "-c", block, folder=folder, MPLBACKEND="Agg")
        tried(f"python: {len(block.splitlines())} lines of the README")


@contextlib.contextmanager
def virtual_boards(clockfree: Path, folder: Path) -> Iterator[Path]:
    """The bench file of virtual boards that are up."""
    command = [str(clockfree), "virtual", "own.toml", "--out", "rack", "--json"]
    started = subprocess.Popen(
        command, cwd=folder, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert started.stdout is not None
        yield folder / json.loads(started.stdout.readline())["bench"]
    finally:
        started.terminate()
        started.wait(60)


def check_light(programs: Path, full: Path, folder: Path) -> None:
    """Boards are flashed and stopped by an installation without the simulation, which says so where it is asked for."""
    clockfree = programs / "clockfree"
    expect(not (programs / "f2py").exists(), "no numpy in the lighter installation", "numpy")
    with virtual_boards(full / "clockfree", folder) as bench:
        flashed = json.loads(run(clockfree, "flash", "--bench", bench, "--json", folder=folder).stdout)["boards"]
        expect(
            all("/main.py" in board["copied"] for board in flashed), f"clockfree flash: {len(flashed)} boards", flashed
        )
        run(clockfree, "boards", "--bench", bench, folder=folder)
        run(clockfree, "hold", "--bench", bench, folder=folder)
        tried("clockfree boards, clockfree hold")
    said = run(clockfree, "run", "iris", folder=folder, status=1).stderr
    expect(said.count("\n") == 1 and "pip install clockfree" in said, "what is missing, in one line", said)


def light_packages() -> list[str]:
    """What docs/install.md says that flashing needs."""
    text = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    found = re.search(r"pip install --no-deps clockfree\S*\npip install (.+)", text)
    if found is None:
        sys.exit("docs/install.md: expected the packages of a lighter installation, got none")
    return found[1].split()


def main() -> None:
    """Build, check, install, try; the argument is a twine."""
    with tempfile.TemporaryDirectory(prefix="clockfree-dist-") as place:
        empty, folder = Path(place), Path(place, "empty")
        folder.mkdir()
        source, tree, wheel = build(empty)
        print(f"{source.name}, {wheel.name}")
        run(Path(sys.argv[1]).absolute(), "check", "--strict", source, wheel, folder=ROOT)
        tried("twine check --strict")
        check_source(tree)
        full = environment(empty / "full", wheel)
        check_commands(full, folder)
        light = environment(empty / "light", *light_packages())
        run(light / "python", "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", wheel, folder=folder)
        check_light(light, full, folder)


if __name__ == "__main__":
    main()
