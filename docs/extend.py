r"""Holds the lists of files in docs/extend.md to the commits that they name: `python docs/extend.py`.

A list stands under a line `Commit *SUBJECT*` and has a line `- \`FILE\` - what it is` for each file.
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")
_COMMIT = re.compile(r"^Commit \*(.+?)\*")
_FILE = re.compile(r"^- `(.+?)` - ")


def lists(text: str) -> dict[str, list[str]]:
    """Files by the subject of a commit."""
    found: dict[str, list[str]] = {}
    files: list[str] | None = None
    for line in text.splitlines():
        if subject := _COMMIT.match(line):
            files = found[subject[1]] = []
        elif line.startswith("#"):
            files = None
        elif (file := _FILE.match(line)) and files is not None:
            files.append(file[1])
    return found


def touched(subject: str) -> list[str] | None:
    """Files of the commit with this subject; None where history has none, or more than one."""
    log = _git("log", "--format=%H %s")
    hashes = [line.split(" ")[0] for line in log.splitlines() if line.partition(" ")[2] == subject]
    if len(hashes) != 1:
        return None
    return sorted(_git("diff-tree", "--no-commit-id", "--name-only", "-r", hashes[0]).split())


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=PAGE.parent, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Print what differs; 1 where anything does."""
    wrong = 0
    for subject, files in lists(PAGE.read_text(encoding="utf-8")).items():
        of_commit = touched(subject)
        if of_commit is None:
            print(f"{PAGE.name}: {subject}: expected one commit of this subject in the history")
            wrong = 1
            continue
        for file in sorted({*files} ^ {*of_commit}):
            print(f"{PAGE.name}: {subject}: {file}: {'not in the commit' if file in files else 'not in the list'}")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
