"""Tables in plain text, as spreadsheets and scripts write them: separator, quotes, comments, the sign of decimals.

Nothing is guessed in silence: what could be read in two ways is refused with the line that decides it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "space"}
"""Separators by preference, and their names."""
COMMENT = re.compile(r"""\s*"?(%|\#(?!\s*"?[,;|\t]|N/A|[A-Z0/]+[!?]))""")
"""How a comment begins; a spreadsheet may head its running numbers with #, and writes #N/A, #REF! for values."""
MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-", "--", "."}
"""Cells that stand for no value, in lower case."""

MOST_COLUMNS = 20_000
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?")
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?")


class TableError(ValueError):
    """A table that cannot be used: the line it is about, 0 for the whole file, and what was expected."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = line, problem


@dataclass(frozen=True)
class Rows:
    """Cells of a table.

    Attributes
    ----------
    cells : list of list of str
        Row by row, without the blanks around a cell.
    lines : list of int
        Line of the file, from 1, that each row ends on.
    separator : str
        One of SEPARATORS.
    commented : int
        How many comments have as many columns as the rows.
    """

    cells: list[list[str]]
    lines: list[int]
    separator: str
    commented: int = 0

    @cached_property
    def width(self) -> int:
        """Number of columns that most rows have."""
        return Counter(map(len, self.cells)).most_common(1)[0][0] if self.cells else 0

    def check_even(self) -> None:
        """TableError for the first row with another number of columns than most."""
        width = self.width
        for row, line in zip(self.cells, self.lines):
            if len(row) != width:
                like = self.lines[[len(other) for other in self.cells].index(width)]
                shown = self.shown(row)
                raise TableError(line, f"expected {width} columns, as line {like} has, got {len(row)}: {shown!r}")

    def shown(self, row: Sequence[str]) -> str:
        """A row as an error shows it."""
        return self.separator.join(row)[:60]


def rows_of(text: str, separator: str | None = None) -> Rows:
    """The rows of a table; blank ones and comments are passed over.

    Parameters
    ----------
    text : str
    separator : str, optional
        One of SEPARATORS; left out, the one by which all rows have as many columns.

    Raises
    ------
    TableError
        It could be read by two separators, or is no text that a spreadsheet writes.
    """
    lines = text.splitlines()
    most = max((line.count(sign) for line in lines for sign in SEPARATORS), default=0)
    if most >= MOST_COLUMNS:
        raise TableError(0, f"expected at most {MOST_COLUMNS:,} columns, got {most + 1:,}")
    if lines and (said := re.fullmatch(r'"?sep=(.)"?', lines[0].strip(), re.IGNORECASE)):  # a spreadsheet's own word
        separator, lines = separator or said[1], ["", *lines[1:]]
    if separator is not None:
        if separator not in SEPARATORS:
            known = ", ".join(f"{sign!r}" for sign in SEPARATORS)
            raise TableError(0, f"expected a separator of {known}, got {separator!r}")
        return _parted(lines, separator)
    ways = {sign: _parted(lines, sign) for sign in SEPARATORS if any(sign in line for line in lines)}
    even = {sign: rows for sign, rows in ways.items() if rows.width > 1 and _even(rows)}
    clean = {sign: rows for sign, rows in even.items() if _clean(rows)}
    if len(clean) == 1 or (len(even) == 1 and not clean):
        return next(iter((clean or even).values()))
    wordy = {sign: rows for sign, rows in (clean or even).items() if sign != " "}  # names may have blanks in them
    if len(wordy) == 1:
        return next(iter(wordy.values()))
    if len(even) > 1:
        names = " or ".join(SEPARATORS[sign] for sign in (clean or even))
        signs = " or ".join(f'separator = "{sign}"' for sign in (clean or even))
        raise TableError(1, f"expected one separator, got lines that part by {names}: write {signs}")
    # None fits all rows: the one that fits most of them tells which rows are wrong.
    rest = [rows for rows in ways.values() if rows.width > 1] or [_parted(lines, ",")]
    return max(
        rest, key=lambda rows: sum(len(row) == rows.width for row in rows.cells) * (rows.separator != " " or 0.5)
    )


def _even(rows: Rows) -> bool:
    """Whether all rows have as many columns, but for the first, which may hold something else."""
    return {len(row) for row in rows.cells[1:]} <= {rows.width}


def _clean(rows: Rows) -> bool:
    """Whether no cell looks as if another separator had to part it."""
    return not any(
        _parts(cell, sign) for row in rows.cells for cell in row for sign in SEPARATORS.keys() - rows.separator
    )


def _parts(cell: str, sign: str) -> bool:
    if sign not in cell:
        return False
    if sign == ",":
        return not _COMMA.fullmatch(cell) and not _POINT_GROUPS.fullmatch(cell) and not _COMMA_GROUPS.fullmatch(cell)
    return sign != " " or all(is_number(part) for part in cell.split())


def _parted(lines: list[str], separator: str) -> Rows:
    """Cells by one separator; a comment is no row, whatever quotes are in it."""
    cells, numbers = [], []
    comments = [line for line in lines if COMMENT.match(line)]
    lines = ["" if COMMENT.match(line) else line for line in lines]
    try:
        for line, row in _spaced(lines) if separator == " " else _quoted(lines, separator):
            row = [cell.strip() for cell in row]
            if any(row):
                cells.append(row)
                numbers.append(line)
    except csv.Error as error:
        raise TableError(0, f"expected {SEPARATORS[separator]}-separated text, got {error}") from None
    while cells and len({len(row) for row in cells}) == 1 and len(cells[0]) > 1 and not any(row[-1] for row in cells):
        cells = [row[:-1] for row in cells]  # every line ends with a separator
    width = len(cells[0]) if cells else 0
    parts = [[part.strip() for part in line.split(separator)] for line in comments]
    commented = sum(1 < width == len(row) and sum(map(bool, row)) > 1 for row in parts) if separator != " " else 0
    return Rows(cells, numbers, separator, commented)


def _quoted(lines: list[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for row in reader:
        yield reader.line_num, row


def _spaced(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        yield number, [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def is_number(cell: str) -> bool:
    """Whether a cell is a number by some way of writing one."""
    return any(form.fullmatch(cell) for form in (_POINT, _POINT_GROUPS, _COMMA, _COMMA_GROUPS))


def decimal_of(cells: Iterable[str]) -> str:
    """The decimal sign of a table, "." or ",", from all its cells.

    Raises
    ------
    TableError
        Both, or numbers such as 1,234, which may be 1234 or 1.234.
    """
    only: dict[str, str] = {}
    either = ""
    for cell in cells:
        point = bool(_POINT.fullmatch(cell) or _POINT_GROUPS.fullmatch(cell))
        comma = bool(_COMMA.fullmatch(cell) or _COMMA_GROUPS.fullmatch(cell))
        if point != comma:
            only.setdefault("." if point else ",", cell)
        elif point and "," in cell:
            either = either or cell
    if len(only) == 2:
        text = f"expected one decimal sign, got {only['.']} and {only[',']}"
        raise TableError(0, f'{text}: write decimal = "." or decimal = ","')
    if either and not only:
        raise TableError(0, f'expected a decimal sign that is sure, got {either}: write decimal = "." or decimal = ","')
    return next(iter(only), ".")


def number(cell: str, decimal: str) -> float | None:
    """The value of a cell, None where it is no number by this decimal sign."""
    if decimal == ",":
        if _COMMA.fullmatch(cell) or _COMMA_GROUPS.fullmatch(cell):
            return float(cell.replace(".", "").replace(",", "."))
        return None
    if _POINT.fullmatch(cell) or _POINT_GROUPS.fullmatch(cell):
        return float(cell.replace(",", ""))
    return None


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no value."""
    return cell.lower() in MISSING


def is_running(cells: Sequence[str]) -> bool:
    """Whether a column counts the rows, from 0 or from 1, in any order."""
    if len(cells) < 3 or not all(re.fullmatch(r"\d+(\.0+)?", cell) for cell in cells):
        return False
    values = sorted(int(float(cell)) for cell in cells)
    return values == list(range(values[0], values[0] + len(cells))) and values[0] in (0, 1)


def described(encoding: str, rows: Rows, decimal: str) -> list[str]:
    """What is to be said of a table: its separator, and what is not as usual."""
    said = [SEPARATORS[rows.separator]]
    if decimal == ",":
        said.append("decimal comma")
    if encoding != "UTF-8":
        said.append(encoding)
    if rows.commented:
        said.append(f"{rows.commented} behind # or % not read")
    return said
