"""A task from Python as files that the command line takes."""

import json
from pathlib import Path
from typing import Any

from clockfree.base import files
from clockfree.base.errors import InputError
from clockfree.base.toml import dumps
from clockfree_model.network import Network


def save(path: Path, data: dict[str, Any], network: Network | None) -> Path:
    """Write a task file, and its network beside it if one is given; InputError if anything is there already."""
    if path.suffix != ".toml":
        raise InputError(f"{path}: expected a name that ends in .toml, got {path.suffix!r}")
    beside = path.with_name(f"{path.stem}-network.json")
    for each in [path] if network is None else [path, beside]:
        files.check(each, "file")
    path.parent.mkdir(parents=True, exist_ok=True)
    if network is not None:
        data = data | {"network": beside.name}
        files.replace_text(beside, json.dumps(node_link(network), indent=1) + "\n")
    files.replace_text(path, dumps(data))
    return path


def node_link(network: Network) -> dict[str, Any]:
    """A network as node-link JSON, in its order of nodes and edges."""
    places = network.positions.tolist()
    return {
        "nodes": [{"id": name, "x": x, "y": y} for name, (x, y) in zip(network.nodes, places)],
        "links": [{"source": network.nodes[a], "target": network.nodes[b]} for a, b in network.ends.tolist()],
    }
