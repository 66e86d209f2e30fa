"""Networks written to files that other programs read, and the importers too: with a column of each edge or none."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clockfree_model.files import replaced
from clockfree_model.nearest import nearest
from clockfree_model.network import Network, NetworkError

Columns = Mapping[str, Sequence[Any]]
"""What is said of each edge, by name; None is not known."""
OHM = "resistance_ohm"


def write(path: Path, network: Network, columns: Columns) -> None:
    """Write a network, in the format that the ending says.

    Raises
    ------
    NetworkError
        An ending that is not known; something that the format cannot hold.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        text = f"expected a name ending in {', '.join(WRITERS)}, got {path.suffix!r}{nearest(path.suffix, WRITERS)}"
        raise NetworkError(path, "file", text)
    text = writer(path, network, columns)
    with replaced(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def _rows(network: Network, columns: Columns) -> list[tuple[str, str, dict[str, Any]]]:
    """Edges by the names of their nodes, each with what is known of it."""
    return [
        (network.nodes[a], network.nodes[b], {name: values[i] for name, values in columns.items()})
        for i, (a, b) in enumerate(network.ends.tolist())
    ]


def _table(separator: str) -> Callable[[Path, Network, Columns], str]:
    def table(path: Path, network: Network, columns: Columns) -> str:
        """A row for each edge below names of the columns."""
        file = io.StringIO()
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow(["source", "target", *columns])
        for a, b, said in _rows(network, columns):
            writer.writerow([a, b, *("" if value is None else value for value in said.values())])
        return file.getvalue()

    return table


def _json(path: Path, network: Network, columns: Columns) -> str:
    """Node-link, as networkx reads it."""
    places = zip(network.nodes, network.positions.tolist(), strict=True)
    edges = [{"source": a, "target": b, **said} for a, b, said in _rows(network, columns)]
    several = len({frozenset(pair) for pair in network.ends.tolist()}) < len(network.ends)
    data = {
        "directed": False,
        "multigraph": several,
        "graph": {},
        "nodes": [{"id": name, "x": x, "y": y} for name, (x, y) in places],
        "edges": edges,
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _by_networkx(generate: str) -> Callable[[Path, Network, Columns], str]:
    def written(path: Path, network: Network, columns: Columns) -> str:
        import networkx as nx  # slow to load, and only these formats ask

        graph = nx.MultiGraph()
        for name, (x, y) in zip(network.nodes, network.positions.tolist(), strict=True):
            graph.add_node(name, x=x, y=y)
        for a, b, said in _rows(network, columns):
            known = {name: value for name, value in said.items() if value is not None}
            # Pajek's attributes are text.
            graph.add_edge(a, b, **{name: str(v) if generate == "pajek" else v for name, v in known.items()})
        if len({tuple(sorted(pair)) for pair in graph.edges()}) == graph.number_of_edges():
            graph = nx.Graph(graph)
        return "\n".join(getattr(nx, f"generate_{generate}")(graph)) + "\n"

    return written


def _edge_list(path: Path, network: Network, columns: Columns) -> str:
    """networkx's edge list: two nodes and a dict of what is known."""
    lines = []
    for a, b, said in _rows(network, columns):
        for name in (a, b):
            if re.search(r"[\s,;{}#%\"]", name):
                raise NetworkError(path, "nodes", f"expected names without blanks in {path.suffix}, got {name!r}")
        lines.append(f"{a} {b} {said!r}")
    return "\n".join(lines) + "\n"


def _matrix(path: Path, network: Network, columns: Columns) -> str:
    """Matrix Market, symmetric: conductances, or ones where nobody knows them; names in a comment of ours."""
    ohms = columns.get(OHM)
    known = ohms is not None and None not in ohms
    entries = {}
    for i, (a, b) in enumerate(network.ends.tolist()):
        at = max(a, b) + 1, min(a, b) + 1
        if at in entries:
            text = f"expected no edges in parallel, which a matrix does not hold, got {network.edge_name(i)}"
            raise NetworkError(path, "edges", text)
        entries[at] = f" {1.0 / ohms[i]!r}" if known and ohms is not None else ""
    said = {"nodes": list(network.nodes), "values": "conductance_S" if known else None}
    size = len(network.nodes)
    kind = "real" if known else "pattern"
    lines = [f"%%MatrixMarket matrix coordinate {kind} symmetric", f"%clockfree {json.dumps(said)}"]
    lines += [f"{size} {size} {len(entries)}", *(f"{i} {j}{value}" for (i, j), value in entries.items())]
    return "\n".join(lines) + "\n"


def _netlist(path: Path, network: Network, columns: Columns) -> str:
    """A resistor for each edge; what else is known of it in a comment."""
    ohms = columns.get(OHM)
    lower = {name.lower(): name for name in network.nodes}
    for name in network.nodes:
        if re.search(r"[\s;=]", name) or lower[name.lower()] != name:
            text = "expected names without blanks that differ by more than case, as SPICE has them, got"
            raise NetworkError(path, "nodes", f"{text} {name!r}")
    lines = [f"{network.name}, written by clockfree"]
    for i, (a, b, said) in enumerate(_rows(network, columns), start=1):
        if ohms is None or said[OHM] is None:
            raise NetworkError(path, "edges", f"expected a resistance of every edge, got none of {a}-{b}")
        rest = ", ".join(f"{name} {value}" for name, value in said.items() if name != OHM)
        lines.append(f"R{i} {a} {b} {said[OHM]!r}" + (f" ; {rest}" if rest else ""))
    return "\n".join([*lines, ".end"]) + "\n"


WRITERS: dict[str, Callable[[Path, Network, Columns], str]] = {
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".json": _json,
    ".graphml": _by_networkx("graphml"),
    ".gexf": _by_networkx("gexf"),
    ".gml": _by_networkx("gml"),
    ".net": _by_networkx("pajek"),
    ".paj": _by_networkx("pajek"),
    ".edgelist": _edge_list,
    ".edges": _edge_list,
    ".mtx": _matrix,
    ".cir": _netlist,
    ".sp": _netlist,
    ".spice": _netlist,
}
"""The writer of each format, by the ending of its files."""
