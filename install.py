"""What `make setup` does: everything into .venv and typings, whatever was there before.

An environment goes by the folder it was made in and by a Python outside of it. One that was moved or copied, whose
Python has gone, or whose making was broken off, is made anew. Of several that begin at once one works, and the others
wait for it.

`install.py ready` prints a word if the environment is as it should be; `install.py` makes it so, and
`install.py typings` the typings.
"""

import contextlib
import os
import shutil
import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036  # make calls whatever Python there is
    sys.exit(f"clockfree needs Python 3.11 or newer, and this is {sys.version.split()[0]}; try PYTHON=...")

ROOT = os.path.dirname(os.path.realpath(__file__))
VENV, TYPINGS, BUILD = (os.path.join(ROOT, name) for name in (".venv", "typings", "build"))
SOURCES = ("firmware", "sim", "host")
STAMP = ".installed"
UNDER_WAY = os.path.join(VENV, ".installing")
SETTINGS = os.path.join(VENV, "pyvenv.cfg")
NEEDS = {VENV: ("requirements.lock", "pyproject.toml", "setup.py"), TYPINGS: ("typings.lock",)}


def said(python):
    """What the stamp of a whole environment says: its Python's version, and where it is."""
    return f"{'.'.join(map(str, python[:2]))} {ROOT}\n"


def is_ready():
    """Whether this, the environment's own Python, has everything."""
    try:
        with open(os.path.join(VENV, STAMP), encoding="utf-8") as file:
            return file.read() == said(sys.version_info)
    except OSError:
        return False


def is_up_to_date(folder):
    """Whether a folder was made after what it is made from last changed."""
    try:
        made = os.path.getmtime(os.path.join(folder, STAMP))
    except OSError:
        return False
    return all(os.path.getmtime(os.path.join(ROOT, name)) <= made for name in NEEDS[folder])


@contextlib.contextmanager
def alone():
    """Nobody else is at work in this checkout; a disk that knows no locks has to do without."""
    try:
        import fcntl

        held = os.open(ROOT, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("another make setup is at work here; waiting for it", flush=True)
                fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def python():
    """The environment's own."""
    return os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")


def is_made_here():
    """Whether the environment says that it was made in this folder."""
    try:
        with open(SETTINGS, encoding="utf-8") as file:
            return any(line.startswith("command") and line.rstrip().endswith(VENV) for line in file)
    except OSError:
        return False


def runs(*arguments):
    """Whether the environment's Python does this without a word of complaint."""
    with contextlib.suppress(OSError):
        return subprocess.run([python(), *arguments], capture_output=True).returncode == 0
    return False


def do(*command, **more):
    """A command that has to work: what it says is on the screen, or is put there when it fails."""
    done = subprocess.run(command, cwd=ROOT, **more)
    if done.returncode:
        sys.stderr.write((done.stderr or b"").decode(errors="replace"))
        sys.exit(f"make setup: {' '.join(command[:4])} ... has failed; make setup begins where it was")


def pip(*arguments, **more):
    """`pip install`, into the environment unless it is told otherwise."""
    do(python(), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments, **more)


def mark():
    """From here on a set-up is under way."""
    with open(UNDER_WAY, "w"):
        pass


def install():
    """The environment, from whatever is there."""
    if runs("-IS", __file__, "ready") and is_up_to_date(VENV):  # another process has done it
        return
    is_broken_off = os.path.exists(UNDER_WAY)
    if is_broken_off or not is_made_here() or not runs("-m", "pip", "--version"):
        try:
            import ensurepip
            import venv
        except ImportError:
            sys.exit(f"{sys.executable} cannot make virtual environments; on Debian: apt-get install python3-venv")
        del ensurepip, venv
        for tool in ("uv", "twine"):  # environments too, of this checkout
            shutil.rmtree(os.path.join(BUILD, tool), ignore_errors=True)
        # Whatever this is broken off at, the next one sees it: nothing is an environment without this file, and a pip
        # of which half is there, which may well end with status 0, comes after the mark.
        with contextlib.suppress(OSError):
            os.remove(SETTINGS)
        do(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)
        mark()
        do(python(), "-Im", "ensurepip", "--upgrade", "--default-pip", capture_output=True)
    mark()
    print("installing into .venv (about a minute the first time)", flush=True)
    pip("--requirement", "requirements.lock")
    quiet = dict(os.environ, PYTHONWARNINGS="ignore")
    pip("--no-deps", "--no-build-isolation", "--editable", ".", env=quiet)
    # setuptools' finder is asked only after a folder of that name in the current one was taken for the package: a
    # clone's parent holds a folder `clockfree`. Folders on the path are asked before.
    where = "import sysconfig; print(sysconfig.get_path('purelib'), *sys.version_info[:2], sep='\\n')"
    told = subprocess.run([python(), "-c", f"import sys; {where}"], check=True, capture_output=True, text=True).stdout
    purelib, *version = told.splitlines()
    with open(os.path.join(purelib, "clockfree_sources.pth"), "w", encoding="utf-8") as file:
        file.write("".join(os.path.join(ROOT, source) + "\n" for source in SOURCES))
    with open(os.path.join(VENV, STAMP), "w", encoding="utf-8") as file:
        file.write(said(version))
    os.remove(UNDER_WAY)


def install_typings():
    """MicroPython's types, anew."""
    if is_up_to_date(TYPINGS):
        return
    print("installing MicroPython's types into typings", flush=True)
    shutil.rmtree(TYPINGS, ignore_errors=True)
    pip("--no-deps", "--target", TYPINGS, "--requirement", "typings.lock")
    with open(os.path.join(TYPINGS, STAMP), "w"):
        pass


def main():
    """By the word that it is called with."""
    word = "".join(sys.argv[1:])
    if word == "ready":
        ready = is_ready()
        print("ready" if ready else "")
        sys.exit(not ready)
    with alone():
        install_typings() if word == "typings" else install()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("make setup: interrupted; make setup begins anew")
