"""Every command and every piece of Python in README and docs, run: `make commands`.

A block of the language `console` has lines `$ COMMAND`, and below each what it prints: as it stands there, but for
white space and for `...`, which is anything. `# exit status 2` (or `0 or 1`) behind a command says how it ends, if not
with 0. A block of `python` runs in one namespace a page. A block whose first line is `# file: NAME` is written to that
file. Other blocks are for reading.

Each page has a folder of its own, with the tree's files in it. What would take long is run in a short form, and what
changes the machine is not run; both are listed at the end.
"""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from tests.docs.pages import ROOT, Command, blocks, commands, matches, pages

LANGUAGES = {"console", "python", "toml", "text", "json", "csv"}
SHORT = {
    r"make (test|check|bench|docs|figures|figures-large|results|setup|generated|extras|lock|commands|soak)": (
        "make --dry-run {0}", "takes minutes, or is a step of CI by itself: only whether there is such a target"
    ),
    r"clockfree sweep examples/sweeps/outputs\.toml": (
        "clockfree sweep --help", "takes minutes"
    ),
}  # fmt: skip
"""What stands for a command that takes long, and why."""
NOT_RUN = {
    r"pip(x)? install .*|uv .*": "installs from a network",
    r"(sudo|apt-get|git clone|source|cd) .*": "changes the machine, or the shell",
}
ONCE = {"make run"}
"""Run on the first page that has it."""
LIMIT_S = 300


class Wrong(Exception):
    """A command or a piece of Python that does not do what its page says, or a page that cannot be read."""


class Page:
    """The commands of one page, in a folder with the tree's files in it."""

    def __init__(self, path: Path, folder: Path):
        self.name = path.relative_to(ROOT).as_posix()
        self.folder = folder
        try:
            self._blocks = [*blocks(path.read_text(encoding="utf-8"))]
        except ValueError as error:
            raise Wrong(f"{self.name}: {error}") from None
        self._namespace: dict[str, object] = {"__name__": "__main__"}
        self._running: list[subprocess.Popen[str]] = []
        for each in ROOT.iterdir():
            if each.name not in ("runs", "build", ".git"):
                (folder / each.name).symlink_to(each)

    def steps(self) -> Iterator[tuple[str, str]]:
        """Do what stands there, in order: yields what was done, and what was said instead or nothing."""
        try:
            for block in self._blocks:
                if block.language not in LANGUAGES and not block.language.startswith("{"):  # a directive of the site's
                    raise Wrong(f"{self.name}:{block.line}: expected a block of {', '.join(sorted(LANGUAGES))}")
                if block.file:
                    (self.folder / block.file).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
                elif block.language == "python":
                    self._python("\n" * block.line + "\n".join(block.lines), block.line)
                    yield f"{self.name}:{block.line}: {block.lines[0]} ...", ""
                elif block.language == "console":
                    for command in commands(block):
                        yield f"{self.name}:{command.line}: {command.text}", self._do(command)
        finally:
            for process in self._running:
                process.terminate()  # as Ctrl-C does, which a process in the background is deaf to
                process.wait(120)

    def _do(self, command: Command) -> str:
        text = command.text
        for pattern, why in NOT_RUN.items():
            if re.fullmatch(pattern, text):
                return f"not run: {why}"
        if text in ONCE and text in _done:
            return f"run already, on {_done[text]}"
        _done[text] = self.name
        said = ""
        for pattern, (short, why) in SHORT.items():
            if match := re.fullmatch(pattern, text):
                text = short.format(*match.groups())
                said, command = f"as `{text}`: {why}", Command(text, command.line)
        if command.until_interrupted:
            self._keep(command)
            return said
        # What is installed is the tree's: make must not install this folder, which is gone soon.
        text = re.sub(r"^make ", "make --old-file=.venv/.installed ", text)
        status, printed = self._run(text)
        if status not in command.statuses:
            expected = " or ".join(map(str, command.statuses))
            raise self._wrong(command, f"exit status {expected}", f"{status}:\n{printed[-3000:]}")
        if command.printed and not matches(printed, command.printed):
            expected = "\n".join(command.printed)
            raise self._wrong(command, f"it to print\n{expected}", f"\n{printed[-3000:]}")
        return said

    def _run(self, text: str) -> tuple[int | None, str]:
        """Exit status, None where it took too long, and all that was printed."""
        process = subprocess.Popen(
            text, shell=True, cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            printed, _ = process.communicate(timeout=LIMIT_S)
            return process.returncode, printed
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and whoever it has started
            return None, process.communicate()[0]

    def _keep(self, command: Command) -> None:
        """Start it and go on when it says how it ends."""
        process = subprocess.Popen(
            f"exec {command.text}", shell=True, cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._running.append(process)
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C ends it" in line:
                break
        if not matches(printed, command.printed):
            raise self._wrong(command, "\n".join(command.printed), printed)

    def _python(self, text: str, line: int) -> None:
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(text, self.name, "exec"), self._namespace)
        except Exception:
            raise Wrong(f"{self.name}:{line}: {traceback.format_exc(limit=-2)}") from None
        finally:
            os.chdir(before)

    def _wrong(self, command: Command, expected: str, got: str) -> Wrong:
        return Wrong(f"{self.name}:{command.line}: {command.text}: expected {expected}\ngot {got}")


ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "MPLBACKEND": "Agg",
    "COLUMNS": "300",
}
_done: dict[str, str] = {}


def main(wanted: list[str]) -> int:
    """Run the pages whose names hold one of these words; all, where there is none."""
    os.environ["MPLBACKEND"] = "Agg"
    passed, failed, otherwise = 0, 0, []
    for path in pages():
        if wanted and not any(word in str(path.relative_to(ROOT)) for word in wanted):
            continue
        with tempfile.TemporaryDirectory(prefix="clockfree-docs-") as folder:
            began = time.monotonic()
            try:
                for done, said in Page(path, Path(folder)).steps():
                    print(f"{time.monotonic() - began:6.1f} s  {done}", flush=True)
                    began = time.monotonic()
                    passed += not said.startswith(("not run", "run already"))
                    if said:
                        otherwise.append(f"{done}: {said}")
            except Wrong as wrong:
                print(f"FAILED {wrong}", flush=True)
                failed += 1
    if otherwise:
        print("\nNot as they stand there:")
        print("\n".join(otherwise))
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
