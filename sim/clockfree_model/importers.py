"""Network files: GraphML, node-link JSON, CSV edge list, and plain text with positions.

Each reader returns `(names, pairs, positions)`: the node names in file order, the edges as pairs of names, and the
positions, or None where the file has none. What is wrong with a file is said in one line, `FILE: key: expected …`.
"""

import csv
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx

HEADERS = {("source", "target"), ("from", "to"), ("tail", "head"), ("node1", "node2")}

Graph = tuple[list[str], list[tuple[str, str]], list[tuple[float, float]] | None]


class NetworkError(ValueError):
    """A network that cannot be used, in one line: `FILE: key: expected …, got …`.

    For a network made from a specification, the specification stands in the place of the file.
    """

    def __init__(self, where: str | Path, key: str, problem: str) -> None:
        super().__init__(f"{where}: {key}: {problem}")
        self.problem = problem


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


def _graphml(path: Path, text: str) -> Graph:
    try:
        listed = {element.get("id") for element in ElementTree.fromstring(text).iter() if element.tag.endswith("node")}
        graph = nx.parse_graphml(text)  # an edge that is listed twice makes a multigraph, and is refused later
    except ElementTree.ParseError as error:
        raise NetworkError(path, f"line {error.position[0]}", f"expected GraphML, got {error}") from None
    except (nx.NetworkXException, KeyError, ValueError, TypeError, AttributeError) as error:
        raise NetworkError(path, "graphml", f"expected GraphML, got {_one_line(error)}") from None
    for name in graph.nodes:
        if name not in listed:  # networkx makes up the nodes that an edge names
            raise NetworkError(path, "edges", f"expected the id of one of the nodes, got {name!r}")
    return list(graph.nodes), list(graph.edges()), _positions(path, list(graph.nodes(data=True)))


def _node_link(path: Path, text: str) -> Graph:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise NetworkError(path, f"line {error.lineno}", f"expected JSON, got {error.msg}") from None
    except RecursionError:
        raise NetworkError(path, "file", "expected node-link JSON, got brackets nested too deeply") from None
    if not isinstance(data, dict):
        raise NetworkError(path, "file", f"expected a node-link object with nodes and links, got {_kind(data)}")
    # networkx wrote "links" for years and writes "edges" since version 3.4.
    link_key = "edges" if "links" not in data and "edges" in data else "links"
    nodes, pairs = [], []
    for at, node in _objects(path, data, "nodes"):
        nodes.append((_identifier(path, at, node, "id"), node))
    names = {name for name, _ in nodes}
    for at, link in _objects(path, data, link_key):
        pair = _identifier(path, at, link, "source"), _identifier(path, at, link, "target")
        for key, name in zip(("source", "target"), pair, strict=True):
            if name not in names:
                raise NetworkError(path, f"{at}.{key}", f"expected the id of one of the nodes, got {name!r}")
        pairs.append(pair)
    return [name for name, _ in nodes], pairs, _positions(path, nodes)


def _edge_list(path: Path, text: str) -> Graph:
    """Two columns, a node name each; blank lines and lines that start with # are passed over."""
    names: dict[str, None] = {}  # a dict keeps the order of first appearance
    pairs: list[tuple[str, str]] = []
    lines: dict[frozenset[str], int] = {}
    first = True
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if len(cells) != 2 or not all(cells):
                got = ",".join(row)
                raise NetworkError(path, f"line {rows.line_num}", f"expected two node names, got {got[:60]!r}")
            header, first = first and (cells[0].lower(), cells[1].lower()) in HEADERS, False
            if header:
                continue
            a, b = cells
            if frozenset((a, b)) in lines:
                earlier = lines[frozenset((a, b))]
                raise NetworkError(
                    path, f"line {rows.line_num}", f"expected each edge once, got {a}-{b}, which is on line {earlier}"
                )
            if a == b:
                raise NetworkError(path, f"line {rows.line_num}", f"expected two different nodes, got {a}-{b}")
            lines[frozenset((a, b))] = rows.line_num
            names.setdefault(a)
            names.setdefault(b)
            pairs.append((a, b))
    except csv.Error as error:
        raise NetworkError(path, f"line {rows.line_num}", f"expected comma-separated text, got {error}") from None
    return list(names), pairs, None


def _plain_text(path: Path, text: str) -> Graph:
    """First line `nodes edges size`, then a line `x y` for each node, then a line `a b` for each edge, nodes from 0."""
    lines = text.splitlines()

    def numbers(at: int, what: str, kinds: tuple[type, ...]) -> list:
        words = lines[at].split() if at < len(lines) else []
        try:
            values = [kind(word) for kind, word in zip(kinds, words, strict=True)]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)):
            got = repr(lines[at][:60]) if at < len(lines) else "the end of the file"
            raise NetworkError(path, f"line {at + 1}", f"expected {what}, got {got}")
        return values

    node_count, edge_count, _ = numbers(0, "nodes edges size", (int, int, float))
    positions = [numbers(1 + i, "x y of a node", (float, float)) for i in range(node_count)]
    pairs = []
    for at in range(1 + node_count, 1 + node_count + edge_count):
        pair = numbers(at, "two node numbers", (int, int))
        if not all(0 <= node < node_count for node in pair):
            raise NetworkError(
                path, f"line {at + 1}", f"expected two node numbers 0..{node_count - 1}, got {lines[at][:60]!r}"
            )
        pairs.append((str(pair[0]), str(pair[1])))
    for at in range(1 + node_count + edge_count, len(lines)):
        if lines[at].strip():
            raise NetworkError(path, f"line {at + 1}", f"expected the end of the file, got {lines[at][:60]!r}")
    return [str(i) for i in range(node_count)], pairs, [(x, y) for x, y in positions]


READERS = {".graphml": _graphml, ".json": _node_link, ".csv": _edge_list, ".txt": _plain_text}


def _objects(path: Path, data: dict, key: str) -> list[tuple[str, dict]]:
    """The objects of a list in node-link JSON, each with its place in the file."""
    listed = data.get(key)
    if not isinstance(listed, list):
        raise NetworkError(path, key, f"expected a list of objects, got {_kind(listed)}")
    for i, item in enumerate(listed):
        if not isinstance(item, dict):
            raise NetworkError(path, f"{key}.{i}", f"expected an object, got {_kind(item)}")
    return [(f"{key}.{i}", item) for i, item in enumerate(listed)]


def _identifier(path: Path, at: str, item: dict, key: str) -> str:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise NetworkError(path, f"{at}.{key}", f"expected a node's name or number, got {_kind(value)}")
    return str(value)


def _positions(path: Path, nodes: list[tuple[str, dict]]) -> list[tuple[float, float]] | None:
    """Node attributes x and y, all or none."""
    if not any("x" in attributes or "y" in attributes for _, attributes in nodes):
        return None
    positions = []
    for name, attributes in nodes:
        place = []
        for key in "xy":
            value = attributes.get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise NetworkError(
                    path, f"nodes.{name}.{key}", f"expected a number, as the other nodes have, got {_kind(value)}"
                )
            place.append(float(value))
        positions.append((place[0], place[1]))
    return positions


def _kind(value: object) -> str:
    """A value as an error shows it: short, and nothing for what is missing."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
