"""Edge lists: a table with a row for each edge, by whatever separator, with or without names of its columns."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from clockfree_model import tables
from clockfree_model.importers import matrix
from clockfree_model.importers.reading import Graph, NetworkError, Reading, columns_of, name_of
from clockfree_model.tables import Rows, TableError

PAIRS = (
    ("source", "target"), ("from", "to"), ("tail", "head"), ("node1", "node2"), ("node 1", "node 2"), ("n1", "n2"),
    ("node i", "node j"), ("node a", "node b"), ("u", "v"), ("i", "j"), ("start", "end"), ("src", "dst"),
    ("von", "nach"), ("de", "vers"), ("id1", "id2"), ("node from", "node to"), ("from node", "to node"),
    ("source node", "target node"), ("start node", "end node"),
)  # fmt: skip
"""What the columns of an edge's two nodes are called, in lower case."""
RUNNING = ("", "index", "unnamed: 0", "no", "no.", "nr", "nr.", "number", "edge", "id", "#", "row")
"""Names of a column that only counts the rows."""
_WITH_DICT = re.compile(r"^(.*\S)\s+(\{.*\})\s*$")


def read(path: Path, text: str, reading: Reading) -> Graph:
    """Two columns with a node's name each, and what else is said of an edge; or a matrix, which is a table too.

    Blank lines, and lines that begin with # or %, are passed over.
    """
    try:
        if _with_dicts(text):
            return _dicts(path, text)
        rows = tables.rows_of(text, reading.separator)
        if (made := matrix.from_rows(path, rows)) is not None:
            return made
        return _edges(path, rows, reading)
    except TableError as error:
        raise NetworkError(path, f"line {error.line}" if error.line else "table", error.problem) from None


def _with_dicts(text: str) -> bool:
    """Whether lines end with a dict of attributes, as networkx writes them."""
    first = next((line for line in text.splitlines() if line.strip() and not tables.COMMENT.match(line)), "")
    return bool(_WITH_DICT.match(first))


def _dicts(path: Path, text: str) -> Graph:
    pairs, places, attributes = [], [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or tables.COMMENT.match(line):
            continue
        form = _WITH_DICT.match(line)
        names = re.split(r"\s*[,;\t]\s*|\s+", form[1].strip(" ,;")) if form else []
        try:
            said = ast.literal_eval(form[2]) if form else None
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            said = None
        if len(names) != 2 or not isinstance(said, dict):
            raise NetworkError(path, f"line {number}", f"expected two nodes and a dict, got {line.strip()[:60]!r}")
        pairs.append((names[0], names[1]))
        places.append(f"line {number}")
        attributes.append(said)
    return _made(path, pairs, places, columns_of(attributes), ["edge list with attributes"])


def _edges(path: Path, rows: Rows, reading: Reading) -> Graph:
    rows.check_even()
    if not rows.cells:
        return Graph([], [], [])
    if rows.width < 2:
        raise TableError(rows.lines[0], f"expected two node names, got {rows.shown(rows.cells[0])!r}")
    header = _header(rows, reading.header)
    said = [tables.SEPARATORS[rows.separator]]
    cells, lines = (rows.cells[1:], rows.lines[1:]) if header else (rows.cells, rows.lines)
    if not cells:
        return Graph([], [], [])
    ends, left_out = _ends(header, cells, rows)
    if header:
        said.append(f"header {header[ends[0]]}, {header[ends[1]]}")
    for row, line in zip(cells, lines, strict=True):
        if not row[ends[0]] or not row[ends[1]]:
            raise TableError(line, f"expected two node names, got {rows.shown(row)!r}")
    values = [row[i] for row in cells for i in range(len(row)) if i not in (*ends, *left_out)]
    decimal = reading.decimal or tables.decimal_of(values)
    if decimal == "," and values:
        said.append("decimal comma")
    if left_out:
        said.append("running number left out")
    columns: dict[str, list[object]] = {}
    for i in range(rows.width):
        if i not in (*ends, *left_out):
            name = header[i] if header and header[i] else f"column {i + 1}"
            columns[name] = [_value(row[i], decimal) for row in cells]
    pairs = [(row[ends[0]], row[ends[1]]) for row in cells]
    return _made(path, pairs, [f"line {line}" for line in lines], columns, said)


def _value(cell: str, decimal: str) -> float | str | None:
    value = tables.number(cell, decimal)
    if value is not None:
        return value
    return None if tables.is_missing(cell) else cell


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", " ", name.strip().lower())


def _known(header: Sequence[str]) -> tuple[int, int] | None:
    """Places of the two columns whose names say that they are an edge's nodes."""
    names = [_plain(name) for name in header]
    found = [(names.index(a), names.index(b)) for a, b in PAIRS if names.count(a) == names.count(b) == 1]
    return found[0] if len(found) == 1 else None


def _header(rows: Rows, told: bool | None) -> list[str] | None:
    """The first row, if it names the columns."""
    first, rest = rows.cells[0], rows.cells[1:]
    if told is not None:
        return first if told else None
    later = {cell for row in rest for cell in row}
    known = _known(first)
    if known is not None and not {first[i] for i in known} & later:
        return first
    if any(first[i] in later for i in range(len(first)) if first[i]) or not rest:
        return None
    # No name of the first row comes again: either they name columns, or they are two nodes apart from all others.
    texts = [not tables.is_number(cell) for cell in first]
    numeric = [all(tables.is_number(row[i]) for row in rest) for i in range(len(first))]
    if any(text and number for text, number in zip(texts, numeric)):
        return first
    if all(texts):
        hint = "write network_file.header = true, or false"
        raise TableError(rows.lines[0], f"expected names of columns, or an edge, got {rows.shown(first)!r}: {hint}")
    return None


def _ends(header: list[str] | None, cells: list[list[str]], rows: Rows) -> tuple[tuple[int, int], list[int]]:
    """Places of the columns of an edge's nodes, and of those that only count the rows."""
    columns = list(zip(*cells, strict=True))
    known = _known(header) if header else None
    running = [
        i
        for i, column in enumerate(columns)
        if (tables.is_running(column) or len(cells) < 3)
        and (header is not None and _plain(header[i]) in RUNNING)
        and i not in (known or ())
        and len(columns) > 2
    ]
    if known is not None:
        return known, running
    left = [i for i in range(len(columns)) if i not in running]
    texts = [i for i in left if not any(tables.is_number(cell) for cell in columns[i])]
    if len(left) > 2 and left[0] not in texts:
        # Three columns of numbers, the first of which counts the rows: a running number, or nodes along a path.
        if header is None and tables.is_running(columns[left[0]]):
            if texts[:2] == left[1:3]:
                return (texts[0], texts[1]), [left[0]]
            if all(cell.isdecimal() for cell in columns[left[2]]):
                hint = 'give the columns names, such as "index,source,target" or "source,target,weight"'
                raise TableError(
                    rows.lines[0], f"expected to know which columns are nodes, got {rows.shown(cells[0])!r}: {hint}"
                )
        if header is not None and len(texts) >= 2 and texts[:2] != left[:2]:
            raise _which(header, rows)
    if header is not None and len(left) > 2:
        nodes = {*columns[left[0]], *columns[left[1]]}
        if any({*columns[i]} <= nodes and not all(tables.is_number(cell) for cell in columns[i]) for i in left[2:]):
            raise _which(header, rows)
    return (left[0], left[1]), running


def _which(header: list[str], rows: Rows) -> TableError:
    text = f"expected two columns named source and target, got {', '.join(header)}"
    return TableError(rows.lines[0], f"{text}: rename those that hold the nodes")


def _made(
    path: Path, pairs: list[tuple[str, str]], places: list[str], columns: dict[str, list[object]], said: list[str]
) -> Graph:
    """The graph, with whole numbers as names without their `.0`, if all names are numbers."""
    names = {name for pair in pairs for name in pair}
    if all(tables.is_number(name) for name in names) and not all(name.isdecimal() for name in names):
        whole = {name: name_of(float(name.replace(",", "."))) for name in names}
        for pair, place in zip(pairs, places, strict=True):
            if whole[pair[0]] is None or whole[pair[1]] is None:
                raise NetworkError(path, place, f"expected two node names, got {pair[0]} and {pair[1]}")
        pairs = [(str(whole[a]), str(whole[b])) for a, b in pairs]
    order = dict.fromkeys(name for pair in pairs for name in pair)
    return Graph(list(order), pairs, places, None, columns, said)
