"""JSON: node-link of networkx and d3, adjacency of networkx, Cytoscape's elements, arrays of nodes and pairs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clockfree_model.importers.reading import (
    Graph,
    NetworkError,
    Reading,
    columns_of,
    name_of,
    named,
    positions_of,
    shown,
)

EDGES = ("links", "edges", "pairs", "connections")
POSITIONS = ("pts", "pos", "positions", "coords", "coordinates", "points", "xy")
ENDS = (("source", "target"), ("from", "to"), ("u", "v"), ("start", "end"), ("tail", "head"), ("node1", "node2"))


def read(path: Path, text: str, reading: Reading) -> Graph:
    """Lists of nodes and edges, whose items are objects or plain numbers, names and pairs."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise NetworkError(path, f"line {error.lineno}", f"expected JSON, got {error.msg}") from None
    except RecursionError:
        raise NetworkError(path, "file", "expected node-link JSON, got brackets nested too deeply") from None
    if isinstance(data, list) and data and all(isinstance(pair, list) for pair in data):
        data = {"edges": data}
    if not isinstance(data, dict) or not data:
        raise NetworkError(path, "file", f"expected a node-link object with nodes and links, got {shown(data)}")
    if isinstance(data.get("elements"), dict):
        data = _cytoscape(path, data["elements"])
    elif isinstance(data.get("adjacency"), list):
        data = _adjacency(path, data)
    elif not {"nodes", *EDGES} & data.keys() and all(isinstance(near, list) for near in data.values()):
        data = {"nodes": list(data), "edges": [[name, near] for name, others in data.items() for near in others]}
    return _node_link(path, data)


def _node_link(path: Path, data: dict[str, Any]) -> Graph:
    # networkx wrote "links" for years and writes "edges" since version 3.4.
    key = next((key for key in EDGES if key in data), EDGES[0])
    edges = _list(path, data, key)
    ends, rest = [], []
    for i, edge in enumerate(edges):
        ends.append(_ends(path, f"{key}.{i}", edge))
        rest.append(_attributes(edge))
    if "nodes" not in data and all(not isinstance(edge, dict) for edge in edges):
        nodes: list[Any] = list(dict.fromkeys(end for pair in ends for end in pair))
    else:
        nodes = _list(path, data, "nodes", count=True)
    said = ["JSON"]
    attributes = [node if isinstance(node, dict) else {} for node in nodes]
    ids = _ids(path, nodes)
    names = named(ids, attributes, said)
    by = _by_index(path, key, ids, names, ends, said)
    pairs = [(by[a], by[b]) for a, b in ends]
    listed = [names[id_] for id_ in ids]
    if (positions := _positions(path, data, listed)) is None:
        positions = positions_of(path, list(zip(listed, map(_placed, attributes), strict=True)))
    return Graph(listed, pairs, [f"{key}.{i}" for i in range(len(pairs))], positions, columns_of(rest), said)


def _placed(node: dict[str, Any]) -> dict[str, Any]:
    """x and y of a node, which may stand in a pair of their own."""
    for key in POSITIONS:
        if isinstance(node.get(key), list) and len(node[key]) >= 2:
            return {"x": node[key][0], "y": node[key][1]}
    return node


def _list(path: Path, data: dict[str, Any], key: str, count: bool = False) -> list[Any]:
    listed = data.get(key)
    if count and isinstance(listed, int) and not isinstance(listed, bool):
        return list(range(listed))
    if not isinstance(listed, list):
        raise NetworkError(path, key, f"expected a list of objects, got {shown(listed)}")
    return listed


def _ids(path: Path, nodes: Sequence[Any]) -> list[str]:
    """Ids of the nodes: their id or key, or where they have none their index."""
    bare = bool(nodes) and all(isinstance(node, dict) and "id" not in node and "key" not in node for node in nodes)
    nameless = bare and any(name_of(node.get("name", node.get("label"))) is None for node in nodes)
    if bare and not nameless:
        return [str(i) for i in range(len(nodes))]
    ids = []
    for i, node in enumerate(nodes):
        if isinstance(node, str | int | float | list) and not isinstance(node, bool):
            node = {"id": node}
            at = f"nodes.{i}"
        else:
            at = f"nodes.{i}.id"
        if not isinstance(node, dict):
            raise NetworkError(path, f"nodes.{i}", f"expected an object, a name or a number, got {shown(node)}")
        value = node.get("id", node.get("key"))
        name = name_of(value)
        if name is None:
            raise NetworkError(path, at, f"expected a node's name or number, got {shown(value)}")
        ids.append(name)
    if len(set(ids)) != len(ids):
        twice = next(name for i, name in enumerate(ids) if name in ids[:i])
        raise NetworkError(path, "nodes", f"expected each name once, got {twice!r} twice")
    return ids


def _ends(path: Path, at: str, edge: Any) -> tuple[str, str]:
    if isinstance(edge, list) and len(edge) >= 2:
        values, keys = edge[:2], ("0", "1")
    elif isinstance(edge, dict):
        keys = next((pair for pair in ENDS if pair[0] in edge or pair[1] in edge), ENDS[0])
        values = [edge.get(key) for key in keys]
    else:
        raise NetworkError(path, at, f"expected an object or a pair, got {shown(edge)}")
    found = []
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, dict):  # d3 puts the node itself in its place
            value = value.get("id", value.get("index"))
        name = name_of(value)
        if name is None:
            raise NetworkError(path, f"{at}.{key}", f"expected a node's name or number, got {shown(value)}")
        found.append(name)
    return found[0], found[1]


def _attributes(edge: Any) -> dict[str, Any]:
    if isinstance(edge, list):
        if len(edge) == 3 and isinstance(edge[2], dict):
            return {str(key): value for key, value in edge[2].items()}
        return {f"column {i}": value for i, value in enumerate(edge[2:], start=3)}
    ends = {key for pair in ENDS if pair[0] in edge for key in pair}
    return {name: v for name, v in edge.items() if name not in ends and not isinstance(v, dict | list)}


def _by_index(
    path: Path, key: str, ids: list[str], names: dict[str, str], ends: list[tuple[str, str]], said: list[str]
) -> dict[str, str]:
    """Names of the nodes by what the edges call them: ids, or names, or places in the list of nodes."""
    used = {end for pair in ends for end in pair}
    own = {name: name for name in names.values()}
    places = {str(i): names[id_] for i, id_ in enumerate(ids)}
    for by, how in ((names, ""), (own, "edges by name"), (places, "edges by place in the list of nodes")):
        if used <= by.keys():
            if how or ids == [str(i) for i in range(len(ids))] != list(own):
                said.append(how or "edges by place in the list of nodes")
            return by
    for i, pair in enumerate(ends):
        for end, word in zip(pair, ("source", "target"), strict=True):
            if end not in names and end not in own:
                raise NetworkError(path, f"{key}.{i}.{word}", f"expected the id of one of the nodes, got {end!r}")
    raise NetworkError(path, key, "expected edges by id, by name or by place in the list of nodes, got a mixture")


def _positions(path: Path, data: dict[str, Any], names: list[str]) -> list[tuple[float, float]] | None:
    """Positions in a list, or by name, beside the nodes."""
    key = next((key for key in POSITIONS if isinstance(data.get(key), list | dict)), None)
    if key is None:
        return None
    listed = data[key]
    places = [listed.get(name) for name in names] if isinstance(listed, dict) else listed
    if len(places) != len(names):
        raise NetworkError(path, key, f"expected {len(names)} positions, one for each node, got {len(places)}")
    nodes = []
    for name, place in zip(names, places, strict=True):
        if not isinstance(place, list) or len(place) < 2:
            raise NetworkError(path, f"{key}.{name}", f"expected [x, y], got {shown(place)}")
        nodes.append((name, {"x": place[0], "y": place[1]}))
    return positions_of(path, nodes)


def _cytoscape(path: Path, elements: dict[str, Any]) -> dict[str, Any]:
    nodes = []
    for i, node in enumerate(elements.get("nodes", [])):
        if not isinstance(node, dict) or not isinstance(node.get("data"), dict):
            raise NetworkError(path, f"elements.nodes.{i}", f"expected an object with data, got {shown(node)}")
        nodes.append({**node["data"], **(node.get("position") or {})})
    return {"nodes": nodes, "edges": [edge.get("data", edge) for edge in elements.get("edges", [])]}


def _adjacency(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    """networkx's adjacency data: an undirected edge stands with both of its nodes."""
    nodes, met, edges = _list(path, data, "nodes"), set(), []
    ids = _ids(path, nodes)
    for id_, near in zip(ids, data["adjacency"], strict=False):
        for other in near:
            name = name_of(other.get("id")) or ""
            if data.get("directed") or (name, id_, other.get("key")) not in met:
                edges.append(
                    {**{k: v for k, v in other.items() if k not in ("id", "key")}, "source": id_, "target": name}
                )
                met.add((id_, name, other.get("key")))
    return {"nodes": nodes, "edges": edges}
