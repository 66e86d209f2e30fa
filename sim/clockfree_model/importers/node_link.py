"""Node-link JSON, as networkx writes it."""

import json
from pathlib import Path
from typing import Any

from clockfree_model.importers.reading import Graph, NetworkError, positions_of, shown


def read(path: Path, text: str) -> Graph:
    """Objects `nodes` with an id, and `links` or `edges` with source and target; x and y are positions."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise NetworkError(path, f"line {error.lineno}", f"expected JSON, got {error.msg}") from None
    except RecursionError:
        raise NetworkError(path, "file", "expected node-link JSON, got brackets nested too deeply") from None
    if not isinstance(data, dict):
        raise NetworkError(path, "file", f"expected a node-link object with nodes and links, got {shown(data)}")
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
    return [name for name, _ in nodes], pairs, positions_of(path, nodes)


def _objects(path: Path, data: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list in node-link JSON, each with its place in the file."""
    listed = data.get(key)
    if not isinstance(listed, list):
        raise NetworkError(path, key, f"expected a list of objects, got {shown(listed)}")
    for i, item in enumerate(listed):
        if not isinstance(item, dict):
            raise NetworkError(path, f"{key}.{i}", f"expected an object, got {shown(item)}")
    return [(f"{key}.{i}", item) for i, item in enumerate(listed)]


def _identifier(path: Path, at: str, item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise NetworkError(path, f"{at}.{key}", f"expected a node's name or number, got {shown(value)}")
    return str(value)
