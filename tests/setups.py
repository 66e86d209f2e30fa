"""Set-ups and runs where things are not as they usually are, each tried in a copy of the tree.

`make setups` runs it. It prints a line for each thing that was tried, and ends with status 1 at the first that is not
as it should be. Arguments are names of cases, all of them if there are none.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOR_OTHERS = {
    "PIP_USER": "1", "PIP_REQUIRE_HASHES": "1", "PIP_TARGET": "/nowhere", "PIP_NO_DEPS": "1", "PIP_DRY_RUN": "1",
    "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error",
    "MPLBACKEND": "module://not.here", "NUMBA_DISABLE_JIT": "1",
}  # fmt: skip
RUN = ["make", "run", "TASK=examples/first.toml"]
PYTHON = os.environ.get("PYTHON", "python3")
NOBODY = 4242


def clean(**more: str) -> dict[str, str]:
    """The environment of whoever calls this, without what an outer make has put there."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "VIRTUAL"))} | more


def copied(folder: Path) -> Path:
    """The files of this tree, in a new folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run(*command: str, folder: Path, **more: str) -> str:
    """What a command says; it has to end with status 0 and without a traceback."""
    done = subprocess.run(
        command, cwd=folder, env=clean(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode or "Traceback" in done.stdout:
        sys.exit(f"{' '.join(command)}: status {done.returncode} in {folder}\n{done.stdout}")
    return done.stdout


def runs(folder: Path, what: str, **more: str) -> None:
    """`make run`, which sets up what is not there, by the sources of this very folder."""
    began = time.monotonic()
    run(*RUN, folder=folder, **more)
    code = "import clockfree; print(clockfree.__file__)"
    found = run(".venv/bin/python", "-c", code, folder=folder).strip()
    if not Path(found).is_relative_to(folder.resolve()):
        sys.exit(f"{what}: expected the sources in {folder}, got {found}")
    print(f"  make run {what}: {time.monotonic() - began:.0f} s", flush=True)


def two_at_once(folder: Path) -> None:
    """In a folder with spaces, for nobody else to read, with everything set that is meant for others."""
    began = time.monotonic()
    both = [
        subprocess.Popen(["make", "setup"], cwd=folder, env=clean(**FOR_OTHERS), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in both]
    if [process.returncode for process in both] != [0, 0] or not any("waiting for it" in text for text in said):
        sys.exit(f"two at once: {[process.returncode for process in both]}\n{said[0]}\n{said[1]}")
    print(f"  make setup, two at once, in {folder.name!r}: {time.monotonic() - began:.0f} s", flush=True)
    if "installing" in run("make", "setup", folder=folder):
        sys.exit("a third make setup: expected nothing to do")
    runs(folder, "with PIP_*, PYTHON*, MPLBACKEND and NUMBA_* set, umask 077", **FOR_OTHERS)


def moved(folder: Path) -> None:
    """The checkout lies somewhere else now."""
    there = folder.with_name("moved")
    folder.rename(there)
    runs(there, "in a moved checkout")
    there.rename(folder)


def kill(folder: Path, after: str, more_s: float = 0.0) -> None:
    """A set-up from nothing, killed so long after this file of the environment is there."""
    shutil.rmtree(folder / ".venv", ignore_errors=True)
    begun = subprocess.Popen(
        ["make", "setup"], cwd=folder, env=clean(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    while not any((folder / ".venv").glob(after)):
        time.sleep(0.001)
    time.sleep(more_s)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()


def broken_off(folder: Path) -> None:
    """Killed while it installs, and while the environment gets its pip."""
    kill(folder, "bin/pip*", more_s=5.0)
    runs(folder, "after a set-up that was killed while it installed")
    kill(folder, "lib/*/site-packages/pip/__main__.py")  # empty, it ends with status 0 whatever it is asked for
    runs(folder, "after a set-up that was killed before it had pip")


def gone(folder: Path) -> None:
    """The Python that the environment was made with is not there any more."""
    for name in ("python", "python3"):
        (folder / ".venv/bin" / name).unlink()
        (folder / ".venv/bin" / name).symlink_to("/nowhere/python3")
    runs(folder, "where its Python has gone")


def another(folder: Path) -> None:
    """The name of the Python that the environment was made with leads to a later or earlier one."""
    code = "import os, sys; print(os.path.realpath(sys._base_executable)); sys.exit(sys.version_info < (3, 11))"
    ours = run(PYTHON, "-c", "import sys; print(*sys.version_info[:2])", folder=folder).split()[1]
    for minor in range(11, 20):
        found = shutil.which(f"python3.{minor}")
        if str(minor) == ours or not found:
            continue
        told = subprocess.run([found, "-c", code], capture_output=True, text=True)
        if told.returncode == 0:
            break
    else:
        print("  not tried: there is one Python here", flush=True)
        return
    python = told.stdout.strip()
    for name in ("python", "python3"):
        (folder / ".venv/bin" / name).unlink()
        (folder / ".venv/bin" / name).symlink_to(python)
    runs(folder, f"where the same name leads to Python 3.{minor}", PYTHON=python)


def read_only(folder: Path) -> None:
    """A wheel in an environment that nobody may write to, for a user without a home."""
    place = folder.parent / "installed"
    run(PYTHON, "-m", "venv", str(place), folder=folder)
    pip = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--constraint", "requirements.lock", str(folder), folder=folder)
    for path in [place, *place.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
    work = folder.parent / "work"
    work.mkdir()
    work.chmod(0o777)
    user = ["env", "-u", "HOME", "-u", "XDG_CACHE_HOME"]
    if os.getuid() == 0:
        for above in (work, *work.parents):
            if above != Path("/") and str(above).startswith(tempfile.gettempdir() + "/"):
                above.chmod(above.stat().st_mode | 0o055)
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *user]
    clockfree = str(place / "bin/clockfree")
    for bench in ("sim", "virtual"):
        options = ["--updates", "30", "--set", "edge.rate_hz=25", "--out", bench, "--bench", bench, "--or-sim"]
        said = run(*user, clockfree, "run", "allostery", *options, folder=work)
        if not (work / bench / "figure.png").exists():
            sys.exit(f"expected a figure, got\n{said}")
    print("  clockfree run, sim and virtual, from a read-only wheel, as a user without a home", flush=True)
    for path in [place, *place.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


CASES = {case.__name__: case for case in (two_at_once, moved, broken_off, gone, another, read_only)}


def main() -> None:
    """One case after another, in one copy."""
    with tempfile.TemporaryDirectory(prefix="clockfree setups ") as place:
        folder = Path(place, "a clone")
        os.umask(0o077)
        copied(folder)
        for name in sys.argv[1:] or CASES:
            print(name, flush=True)
            if name == "read_only":
                os.umask(0o022)
            CASES[name](folder)


if __name__ == "__main__":
    main()
