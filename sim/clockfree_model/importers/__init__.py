"""Network files: one module a format, each with a function `read(path, text)`.

What is wrong with a file is said in one line, `FILE: key: expected …`.
"""

from pathlib import Path

from clockfree_model.importers import edge_list, graphml, node_link, positions
from clockfree_model.importers.reading import Graph, NetworkError

__all__ = ["READERS", "Graph", "NetworkError", "read_graph"]

READERS = {
    ".graphml": graphml.read,
    ".json": node_link.read,
    ".csv": edge_list.read,
    ".txt": positions.read,
}
"""The reader of each format, by the ending of its files."""


def read_graph(path: Path) -> Graph:
    """Read a network file; the ending says which format it is.

    Raises
    ------
    NetworkError
        No such file, not text, an ending that is not known, or contents that are not what the format asks for.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise NetworkError(path, "file", f"expected a name ending in {', '.join(READERS)}, got {path.suffix!r}")
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets put a byte order mark in front
    except OSError as error:
        raise NetworkError(path, "file", f"expected a readable network file, got {error.strerror}") from None
    except UnicodeDecodeError:
        raise NetworkError(path, "file", "expected UTF-8 text, got other bytes") from None
    return reader(path, text)
