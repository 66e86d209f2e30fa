"""GraphML of networkx, igraph, graph-tool, Gephi and yEd.

networkx's own reader refuses files without a namespace or types of keys, which these programs write, so the elements
are gone through here; edges come in networkx's order, as they always did.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from clockfree_model.importers.reading import (
    Graph,
    NetworkError,
    Reading,
    columns_of,
    in_networkx_order,
    named,
    positions_of,
)

NUMBERS = ("int", "integer", "long", "short", "float", "double")


def read(path: Path, text: str, reading: Reading) -> Graph:
    """Nodes and edges; names from an attribute or label, positions from x and y, a vector, or the drawing."""
    try:
        # The text is decoded already, whatever the first line says of its bytes.
        root = ElementTree.fromstring(text.partition("?>")[2] if text.lstrip().startswith("<?xml") else text)
    except ElementTree.ParseError as error:
        raise NetworkError(path, f"line {error.position[0]}", f"expected GraphML, got {error}") from None
    graphs = [element for element in root.iter() if _tag(element) == "graph"]
    if _tag(root) != "graphml" or not graphs:
        raise NetworkError(path, "graphml", f"expected GraphML with a graph, got <{_tag(root)}>")
    if len(graphs) > 1:
        raise NetworkError(path, "graph", f"expected one graph, without groups, got {len(graphs)}")
    keys = {key.get("id"): key for key in root.iter() if _tag(key) == "key"}
    nodes, edges = ([e for e in graphs[0] if _tag(e) == what] for what in ("node", "edge"))
    ids = [str(node.get("id")) for node in nodes]
    attributes = [_attributes(path, node, keys) for node in nodes]
    said = ["GraphML"]
    names = named(ids, attributes, said)
    pairs, places = [], []
    for i, edge in enumerate(edges):
        ends = str(edge.get("source")), str(edge.get("target"))
        for end in ends:
            if end not in names:
                raise NetworkError(path, "edges", f"expected the id of one of the nodes, got {end!r}")
        pairs.append((names[ends[0]], names[ends[1]]))
        places.append(f"edges.{i}")
    columns = columns_of([_attributes(path, edge, keys) for edge in edges])
    listed = [names[id_] for id_ in ids]
    directed = graphs[0].get("edgedefault") == "directed" and all(edge.get("directed") != "false" for edge in edges)
    order, pairs = in_networkx_order(list(dict.fromkeys(listed)), pairs, directed)
    columns = {name: [values[i] for i in order] for name, values in columns.items()}
    places = [f"edges.{i}" for i in range(len(pairs))]
    positions = positions_of(path, list(zip(listed, attributes, strict=True)))
    return Graph(listed, pairs, places, positions, columns, said)


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attributes(
    path: Path, element: ElementTree.Element, keys: dict[str | None, ElementTree.Element]
) -> dict[str, Any]:
    """What <data> says of a node or an edge, by name: defaults first, drawings as label, x and y."""
    kind = _tag(element)
    found: dict[str, Any] = {}
    for each in keys.values():
        default = next((part for part in each if _tag(part) == "default"), None)
        if default is not None and default.text and each.get("for") in (kind, "all", None):
            _put(path, found, each, default.text.strip())
    for data in element:
        key = keys.get(data.get("key"))
        if _tag(data) != "data":
            continue
        for part in data.iter():
            if _tag(part) == "Geometry":
                found |= {axis: float(part.get(axis, "nan")) for axis in "xy"}
            elif _tag(part) in ("NodeLabel", "EdgeLabel") and (part.text or "").strip():
                found.setdefault("label", str(part.text).strip())
        if not len(data):
            _put(path, found, key if key is not None else data, (data.text or "").strip())
    return found


def _put(path: Path, found: dict[str, Any], key: ElementTree.Element, text: str) -> None:
    name = key.get("attr.name") or key.get("id") or key.get("key") or ""
    kind = key.get("attr.type", "")
    try:
        if kind.startswith("vector_"):
            vector = [float.fromhex(part) if "x" in part else float(part) for part in text.replace(",", " ").split()]
            if name.lower() in ("pos", "position", "coordinates") and len(vector) >= 2:
                found["x"], found["y"] = vector[:2]
            return
        found[name] = float(text) if kind in NUMBERS or name in ("x", "y") else text
    except ValueError:
        # graph-tool writes floats in hexadecimal
        try:
            found[name] = float.fromhex(text)
        except ValueError:
            raise NetworkError(path, name, f"expected a number, got {text[:60]!r}") from None
