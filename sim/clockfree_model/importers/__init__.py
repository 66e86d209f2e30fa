"""Network files: one module a format, each with a function `read(path, text, reading)`.

What is wrong with a file is said in one line, `FILE: key: expected …`; what was understood is in `Graph.said`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from clockfree_model.contents import contents, tell
from clockfree_model.importers import by_networkx, edge_list, graphml, json_graph, matrix, positions, spice
from clockfree_model.importers.reading import MOST, Graph, NetworkError, Reading, settled
from clockfree_model.nearest import nearest
from clockfree_model.text import decoded

__all__ = ["READERS", "Graph", "NetworkError", "Reading", "read_graph"]

Reader = Callable[[Path, str, Reading], Graph]


def _plain(path: Path, text: str, reading: Reading) -> Graph:
    """Plain text of any format: what it begins with says which."""
    for begins, reader in BEGINNINGS:
        if re.match(begins, text, re.IGNORECASE):
            return reader(path, text, reading)
    return positions.read(path, text, reading) if positions.fits(text) else edge_list.read(path, text, reading)


def _netlist(path: Path, text: str, reading: Reading) -> Graph:
    """A netlist, or Pajek's network, which have one ending."""
    return (by_networkx.pajek if re.search(r"^\s*\*vertices", text, re.IGNORECASE | re.M) else spice.read)(
        path, text, reading
    )


BEGINNINGS: tuple[tuple[str, Reader], ...] = (
    (r"\s*<(\?xml|graphml|!)", graphml.read),
    (r"%%MatrixMarket", matrix.read),
    (r"\s*[{\[]", json_graph.read),
    (r"\s*(\*vertices|\*network)", by_networkx.pajek),
    (r"\s*((creator|version|comment)\b.*\n\s*)*graph\s*\[", by_networkx.gml),
)
MARKS = {
    ".json": (b"{",), ".gml": (b"[",), **dict.fromkeys((".graphml", ".xml", ".gexf"), (b"<node", b"<edge"))
}  # fmt: skip
"""What stands once for each node or edge, by the ending; anywhere else they are lines."""
READERS: dict[str, Reader] = {
    ".graphml": graphml.read,
    ".xml": graphml.read,
    ".gexf": by_networkx.gexf,
    ".gml": by_networkx.gml,
    ".json": json_graph.read,
    ".csv": edge_list.read,
    ".tsv": edge_list.read,
    ".txt": _plain,
    ".dat": _plain,
    ".edges": _plain,
    ".edgelist": _plain,
    ".adjlist": by_networkx.adjacency_list,
    ".mtx": matrix.read,
    ".paj": by_networkx.pajek,
    ".net": _netlist,
    ".cir": spice.read,
    ".sp": spice.read,
    ".spice": spice.read,
}
"""The reader of each format, by the ending of its files."""


def read_graph(path: Path, reading: Reading = Reading()) -> Graph:
    """Read a network file; the ending says which format it is, and for plain text its beginning.

    Raises
    ------
    NetworkError
        No such file, not text, an ending that is not known, or contents that are not what the format asks for.
    """
    ending = path.suffix.lower()
    reader = READERS.get(ending)
    if reader is None:
        text = f"expected a name ending in {', '.join(READERS)}, got {ending!r}{nearest(ending, READERS)}"
        raise NetworkError(path, "file", text)
    try:
        raw = contents(path)
        text, encoding = decoded(raw)
    except OSError as error:
        is_gone = isinstance(error, FileNotFoundError) and path.parent.is_dir()
        beside = [each.name for each in path.parent.iterdir()] if is_gone else []
        text = f"expected a readable network file, got {error.strerror}{nearest(path.name, beside)}"
        raise NetworkError(path, "file", text) from None
    except ValueError:
        raise NetworkError(path, "file", "expected text in UTF-8, UTF-16 or Latin-1, got other bytes") from None
    if (count := sum(map(raw.count, MARKS.get(ending, (b"\n",))))) > MOST:
        raise NetworkError(path, "file", f"expected at most {MOST:,} nodes and edges, got about {count:,}")
    tell(path, len(raw))
    graph = reader(path, text, reading)
    if encoding != "UTF-8":
        graph.said.insert(1, encoding)
    return settled(path, graph, reading)
