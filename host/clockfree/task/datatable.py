"""Data sets in files: columns by name, whatever program wrote them, and what was understood of them.

Text tables are read cell by cell, so that nothing becomes a number, a name or a gap but by the rules here.
"""

import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base.errors import InputError
from clockfree_model import tables
from clockfree_model.contents import contents, opened, tell
from clockfree_model.nearest import nearest
from clockfree_model.tables import TableError
from clockfree_model.text import decoded

MOST_UNPACKED = 128 << 20
"""Bytes of all arrays of an .npz."""
RUNNING = ("", "index", "unnamed: 0", "no", "no.", "nr", "nr.", "number", "id", "#", "row")
"""Names of a column that only counts the rows."""
IDENTIFIERS = ("id", "sample", "name", "specimen", "uid", "probe", "code")


@dataclass(frozen=True)
class Form:
    """How a file is to be read where it could be read in two ways; None is for the file to tell.

    `header`: whether the first row names the columns; `separator`, `decimal`: one sign each; `missing`: rows without a
    value are refused, or dropped.
    """

    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    missing: str = "refuse"


@dataclass
class DataTable:
    """A table as text, and what it is called.

    Attributes
    ----------
    path : str
    names : list of str
        Columns; 1, 2, ... where the file does not name them.
    cells : dict of list of str
        Of each column.
    rows : list of int
        Where each row is in the file, as a spreadsheet counts.
    decimal : str
    said : list of str
    class_names : list of str
        Of a file whose first line names classes, and whose last column counts them from 0.
    """

    path: str
    names: list[str]
    cells: dict[str, list[str]]
    rows: list[int]
    decimal: str
    said: list[str] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)

    def problem(self, text: str, row: int | None = None, column: str | None = None) -> InputError:
        """The error to raise about the file, a row of it, a column, or both."""
        places = ([f"row {self.rows[row]}"] if row is not None else []) + ([f"column {column}"] if column else [])
        return InputError(f"{self.path}: {', '.join(places) or 'data'}: {text}")

    def column(self, key: str, name: str) -> str:
        """A column that a key of the task names, or its record; InputError, with what is there, if there is none."""
        if name not in self.cells:
            shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
            text = f"expected one of {shown}, got {name!r}{nearest(name, self.names)}"
            raise self.problem(f"{key}: {text}" if key else text)
        return name

    def kind(self, name: str) -> str:
        """`number`, `text`, `mixed` or `empty`: what the cells of a column are."""
        known = [cell for cell in self.cells[name] if not tables.is_missing(cell)]
        numbers = sum(tables.number(cell, self.decimal) is not None for cell in known)
        return "empty" if not known else "number" if numbers == len(known) else "mixed" if numbers else "text"

    def without_missing(self, used: Sequence[str], form: Form) -> None:
        """Leave out rows without a value in a column that is used, or refuse them all in one line."""
        gaps = [(i, name) for i in range(len(self.rows)) for name in used if tables.is_missing(self.cells[name][i])]
        if not gaps:
            return
        gone = sorted({i for i, _ in gaps})
        if form.missing != "drop":
            shown = ", ".join(f"row {self.rows[i]} {name}" for i, name in gaps[:6]) + (", ..." if gaps[6:] else "")
            hint = f'missing = "drop" leaves {len(gone)} of {len(self.rows)} rows out'
            raise self.problem(f"expected a value in every row, got none in {shown}: {hint}")
        kept = [i for i in range(len(self.rows)) if i not in set(gone)]
        self.rows = [self.rows[i] for i in kept]
        self.cells = {name: [cells[i] for i in kept] for name, cells in self.cells.items()}
        self.said.append(f"{len(gone)} rows without a value left out")

    def numbers(self, name: str) -> np.ndarray:
        """A column as numbers; InputError for the first cell that is none."""
        values = [tables.number(cell, self.decimal) for cell in self.cells[name]]
        for i, value in enumerate(values):
            if value is None:
                raise self.problem(f"expected a number, got {self.cells[name][i][:60]!r}", i, name)
        return np.array(values, dtype=float)

    def left_out(self, chosen: Sequence[str]) -> list[str]:
        """Columns that only count or name the rows, and are not chosen; said."""
        found = []
        for name in self.names:
            cells, plain = self.cells[name], name.strip().lower()
            if name in chosen:
                continue
            different = len(set(cells)) == len(cells) >= 3
            if self.kind(name) == "empty":
                self.said.append(f"column {name} is empty")
            elif plain in RUNNING and tables.is_running(cells):
                self.said.append(f"running number{f' {name}' if name else ''} left out")
            elif different and (self.kind(name) == "text" or (plain in IDENTIFIERS and all(map(_whole, cells)))):
                self.said.append(f"identifier {name} left out")
            else:
                continue
            found.append(name)
        return found


def _whole(cell: str) -> bool:
    return re.fullmatch(r"\d+", cell) is not None


def read(path: Path | str, form: Form = Form()) -> DataTable:
    """A data set in a file: .npz by numpy, .parquet by pandas, anything else as text.

    Raises
    ------
    InputError
        The file cannot be read, or could be read in two ways.
    """
    ending = Path(path).suffix.lower()
    try:
        if ending in (".npz", ".parquet", ".pq"):
            opened(path).close()
            return (_npz if ending == ".npz" else _parquet)(str(path))
        raw = contents(path)
        text, encoding = decoded(raw)
    except OSError as error:
        folder = Path(path).parent
        is_gone = isinstance(error, FileNotFoundError) and folder.is_dir()
        beside = [each.name for each in folder.iterdir()] if is_gone else []
        hint = nearest(Path(path).name, beside)
        raise InputError(f"{path}: file: expected a readable data file, got {error.strerror}{hint}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: file: expected text in UTF-8, UTF-16 or Latin-1, got other bytes") from None
    except ValueError as error:  # a name that no file can have
        raise InputError(f"{path}: file: expected a readable data file, got {error}") from None
    tell(path, len(raw))
    try:
        return _text(str(path), text, encoding, form)
    except TableError as error:
        where = f"row {error.line}" if error.line else "data"
        raise InputError(f"{path}: {where}: {error.problem.replace('as line', 'as row')}") from None


def _text(path: str, text: str, encoding: str, form: Form) -> DataTable:
    rows = tables.rows_of(text, form.separator)
    if not rows.cells:
        raise TableError(0, "expected rows of data, got none")
    decimal = form.decimal or tables.decimal_of(cell for row in rows.cells[1:] for cell in row)
    said = tables.described(encoding, rows, decimal)
    counted = _counted(rows)
    if counted:
        rows = tables.Rows(rows.cells[1:], rows.lines[1:], rows.separator, rows.commented)
    rows.check_even()
    header = None if counted else _header(rows, decimal, form.header)
    body, lines = (rows.cells[1:], rows.lines[1:]) if header else (rows.cells, rows.lines)
    if not body:
        raise TableError(0, "expected rows of data, got none")
    names = header or [str(i + 1) for i in range(rows.width)]
    if counted:
        said.append(f"first line with counts and classes {', '.join(counted)}")
    if not header:
        said.append(f"no header: columns 1..{rows.width}")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise TableError(rows.lines[0], f"expected each column's name once, got {twice!r} twice")
    cells = {name: list(column) for name, column in zip(names, zip(*body, strict=True), strict=True)}
    return DataTable(path, names, cells, lines, decimal, said, counted)


def _counted(rows: tables.Rows) -> list[str]:
    """Classes that the first line names after two counts, as scikit-learn's data files do; none where it does not."""
    first, rest = rows.cells[0], rows.cells[1:]
    if len(first) < 4 or not all(map(_whole, first[:2])) or any(tables.is_number(cell) for cell in first[2:]):
        return []
    examples, features, classes = int(first[0]), int(first[1]), first[2:]
    fits = examples == len(rest) and all(len(row) == features + 1 for row in rest)
    if fits and all(_whole(row[-1]) and int(row[-1]) < len(classes) for row in rest):
        return classes
    if len(first) == rows.width and not fits:
        return []
    text = f"expected names of columns, or counts of rows and features before the classes, got {rows.shown(first)!r}"
    raise TableError(rows.lines[0], f"{text}: {len(rest)} rows of {len(rest[0]) - 1 if rest else 0} features follow")


def _header(rows: tables.Rows, decimal: str, told: bool | None) -> list[str] | None:
    """The first row, if it names the columns."""
    first, rest = rows.cells[0], rows.cells[1:]
    if told is not None:
        return first if told else None
    hint = "write header = true, or false"
    numeric = [bool(rest) and all(_number_or_gap(row[i], decimal) for row in rest) for i in range(len(first))]
    named = [i for i, cell in enumerate(first) if cell and not _number_or_gap(cell, decimal)]
    if (
        len(first) >= 3
        and tables.is_running(first)
        and [int(float(cell)) for cell in first] == sorted(int(float(cell)) for cell in first)
    ):
        raise TableError(rows.lines[0], f"expected names of columns, or data, got {rows.shown(first)!r}: {hint}")
    if not named and not first[0] and tables.is_running(first[1:]):
        return first  # a frame without names, beside its row numbers
    if not named:
        return None
    if any(numeric[i] for i in named) or not any(numeric):
        if all(i in named or not first[i] for i in range(len(first))):
            return first
        raise TableError(rows.lines[0], f"expected names of columns, or data, got {rows.shown(first)!r}: {hint}")
    # Text stands over text only: data, unless one of these texts never comes again.
    if all(i in named for i in range(len(first))):
        return first
    if any(first[i] not in {row[i] for row in rest} for i in named) and not _identifies(rest, first, named):
        raise TableError(rows.lines[0], f"expected names of columns, or data, got {rows.shown(first)!r}: {hint}")
    return None


def _identifies(rest: list[list[str]], first: list[str], named: list[int]) -> bool:
    """Whether every text that never comes again stands in a column where none does."""
    once = [i for i in named if first[i] not in {row[i] for row in rest}]
    return all(len({row[i] for row in rest}) == len(rest) for i in once)


def _number_or_gap(cell: str, decimal: str) -> bool:
    return tables.is_missing(cell) or tables.number(cell, decimal) is not None


def _npz(path: str) -> DataTable:
    """Arrays called X or data, and y or target; feature_names and target_names where they are there."""
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > MOST_UNPACKED:
            raise ValueError(f"{size:,} bytes unpacked, and {MOST_UNPACKED:,} are the most that is read")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, MemoryError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"no arrays of numpy ({error})") from None
    x = next((found[name] for name in ("X", "x", "data", "features") if name in found), None)
    y = next((found[name] for name in ("y", "Y", "target", "labels", "classes") if name in found), None)
    if x is None or x.ndim != 2:
        raise InputError(f"{path}: X: expected an array X of rows and columns, got {', '.join(found) or 'none'}")
    if y is not None and len(y) != len(x):
        raise InputError(f"{path}: y: expected {len(x)} rows, as X has, got {len(y)}")
    names = [str(name) for name in found.get("feature_names", [])] or [f"x{i + 1}" for i in range(x.shape[1])]
    columns: dict[str, Any] = dict(zip(names, x.T, strict=True))
    if y is not None and y.ndim == 1:
        classes = found.get("target_names")
        try:
            columns["class"] = y if classes is None else classes[y]
        except IndexError:
            raise InputError(f"{path}: y: expected places in target_names, from 0, got others") from None
    elif y is not None:
        columns |= {f"y{i + 1}": column for i, column in enumerate(y.T)}
    return from_columns(path, columns, ["npz"])


def _parquet(path: str) -> DataTable:
    import pandas as pd  # slow to load, and only this format asks

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise InputError(
            f"{path}: file: expected pyarrow beside clockfree for .parquet (pip install clockfree[data])"
        ) from None
    return from_columns(path, {str(name): frame[name].to_numpy() for name in frame}, ["parquet"])


def from_columns(path: str, columns: dict[str, Any], said: list[str]) -> DataTable:
    """A table of arrays, each a column."""
    cells = {name: [_cell(value) for value in values] for name, values in columns.items()}
    count = len(next(iter(cells.values()), []))
    return DataTable(path, list(cells), cells, list(range(1, count + 1)), ".", said)


def _cell(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or plain is None:
        return str(plain)
    return repr(plain) if isinstance(plain, int | float) else str(plain).strip()
