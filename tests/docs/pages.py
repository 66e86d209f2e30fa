"""What stands in README, CONTRIBUTING and docs: blocks of code, commands among them, and what these are to print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ANY = "..."
"""A line of it is any lines, none too; in a line it is any text."""

_FENCE = re.compile(r"^(\s*)(```+|~~~+)\s*([^\s`]*)[^`]*$")
_FILE = re.compile(r"#\s*file:\s*(\S+)")
_COMMENT = re.compile(r"\s+# .*$")
_STATUS = re.compile(r"exit status (\d+)(?: or (\d+))?")


def pages() -> list[Path]:
    """Every page that people read, README first."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and the line of the page on which it begins."""

    language: str
    lines: list[str]
    line: int

    @property
    def file(self) -> str | None:
        """Name of the file that it is: `# file: NAME` on its first line."""
        match = _FILE.match(self.lines[0]) if self.lines else None
        return match[1] if match else None


@dataclass
class Command:
    """A line to type, and what it is to print; nothing is asked where no line stands below it."""

    text: str
    line: int
    statuses: tuple[int, ...] = (0,)
    until_interrupted: bool = False
    printed: list[str] = field(default_factory=list)


def blocks(text: str) -> Iterator[Block]:
    """Fenced blocks of a page.

    Raises
    ------
    ValueError
        A fence that is not closed.
    """
    inside: tuple[str, str, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if inside is None:
            if fence:
                inside, lines = (fence[1], fence[2], fence[3], number), []
        elif fence and fence[2] == inside[1] and not fence[3]:
            yield Block(inside[2], lines, inside[3])
            inside = None
        else:
            lines.append(line.removeprefix(inside[0]))
    if inside:
        raise ValueError(f"line {inside[3]}: expected a fence that is closed")


def commands(block: Block) -> list[Command]:
    """Commands of a `console` block, each with what is below it."""
    found: list[Command] = []
    for number, line in enumerate(block.lines, start=block.line + 1):
        if line.startswith("$ "):
            said = _COMMENT.search(line)
            status = _STATUS.search(said[0]) if said else None
            text = _COMMENT.sub("", line[2:]).strip()
            stays = bool(said and "until Ctrl-C" in said[0])
            statuses = tuple(int(each) for each in status.groups() if each) if status else (0,)
            found.append(Command(text, number, statuses, stays))
        elif found:
            found[-1].printed.append(line)
        elif line.strip():
            raise ValueError(f"line {number}: expected a line that begins with $, got {line!r}")
    return found


def matches(printed: str, expected: list[str]) -> bool:
    """Whether a program printed what a page says, white space aside."""
    pattern = ""
    for line in expected:
        words = " ".join(line.split())
        if words == ANY:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\\n]*".join(re.escape(part) for part in words.split(ANY)) + "\n"
    told = "".join(" ".join(line.split()) + "\n" for line in printed.splitlines() if line.strip())
    return re.fullmatch(pattern, told) is not None
