"""Network files as other programs write them: of one network, six nodes and nine edges, or of another that is said."""

import json
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import scipy.io
from scipy.sparse import coo_array

EDGES = [("A", "B"), ("A", "C"), ("B", "C"), ("B", "D"), ("C", "E"), ("D", "E"), ("D", "F"), ("E", "F"), ("C", "D")]
OHM = [12500.0, 33000.0, 47200.0, 10000.0, 68100.0, 22000.0, 56400.0, 15000.0, 39000.0]
LETTERS = "ABCDEF"
FROM_0, FROM_1 = dict(zip(LETTERS, range(6))), dict(zip(LETTERS, range(1, 7)))
PLACES = dict(zip(LETTERS, [(0.0, 1.0), (1.0, 2.0), (1.0, 0.0), (2.0, 2.0), (2.0, 0.0), (3.0, 1.0)]))


def graph(names: dict | None = None, weight: str | None = "weight", positions: bool = False) -> nx.Graph:
    made = nx.Graph()
    for letter in LETTERS:
        x, y = PLACES[letter]
        made.add_node(letter, **({"x": x, "y": y} if positions else {}))
    for (a, b), ohm in zip(EDGES, OHM):
        made.add_edge(a, b, **({weight: ohm} if weight else {}))
    return nx.relabel_nodes(made, names) if names else made


def numbers(names: dict) -> np.ndarray:
    return np.array([[names[a], names[b]] for a, b in EDGES])


def table() -> pd.DataFrame:
    return nx.to_pandas_edgelist(graph())


def _text(text: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text.encode(encoding))


def _json(data: object) -> Callable[[Path], object]:
    return _text(json.dumps(data, default=str))


def _lines(form: str, **names: dict) -> str:
    to = names.get("names", {})
    return "".join(
        form.format(a=to.get(a, a), b=to.get(b, b), i=i, ohm=ohm) for i, ((a, b), ohm) in enumerate(zip(EDGES, OHM), 1)
    )


def _igraph(path: Path) -> None:
    """As R's igraph and python-igraph write GraphML."""
    nodes = "".join(
        f'    <node id="n{i}">\n      <data key="v_name">{n}</data>\n    </node>\n' for n, i in FROM_0.items()
    )
    edges = "".join(
        f'    <edge source="n{FROM_0[a]}" target="n{FROM_0[b]}">\n      <data key="e_R_ohm">{ohm}</data>\n    </edge>\n'
        for (a, b), ohm in zip(EDGES, OHM)
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns"\n'
        '         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<!-- Created by igraph -->\n'
        '  <key id="v_name" for="node" attr.name="name" attr.type="string"/>\n'
        '  <key id="e_R_ohm" for="edge" attr.name="R_ohm" attr.type="double"/>\n'
        f'  <graph id="G" edgedefault="undirected">\n{nodes}{edges}  </graph>\n</graphml>\n'
    )


SAME, ZERO, ONE = (
    {n: n for n in LETTERS},
    {n: str(i) for n, i in FROM_0.items()},
    {n: str(i) for n, i in FROM_1.items()},
)

WRITTEN: dict[str, tuple[str, Callable[[Path], object], dict[str, str]]] = {
    "gephi": ("g.gexf", lambda path: nx.write_gexf(graph(positions=True), path), SAME),
    "pajek": ("g.net", lambda path: nx.write_pajek(graph(), path), SAME),
    "adjacency list": ("g.adjlist", lambda path: nx.write_adjlist(graph(), path), SAME),
    "weighted edges": ("g.edgelist", lambda path: nx.write_weighted_edgelist(graph(), path), SAME),
    "edges with bars": ("g.txt", lambda path: nx.write_edgelist(graph(), path, delimiter="|", data=False), SAME),
    "edges with dicts": ("g.edges", lambda path: nx.write_edgelist(graph(FROM_1, "R_ohm"), path), ONE),
    "gml": ("g.gml", lambda path: nx.write_gml(graph(), path), SAME),
    "cytoscape": ("g.json", _json(nx.cytoscape_data(graph())), SAME),
    "adjacency data": ("g.json", _json(nx.adjacency_data(graph())), SAME),
    "node-link of whole floats": (
        "g.json",
        _json(nx.node_link_data(nx.relabel_nodes(graph(), {n: float(i) for n, i in FROM_0.items()}), edges="edges")),
        ZERO,
    ),
    "lists by name": ("g.json", _json(nx.to_dict_of_lists(graph())), SAME),
    "d3": (
        "g.json",
        _json(
            {
                "nodes": [{"id": n, "group": 1} for n in LETTERS],
                "links": [{"source": a, "target": b, "value": 1} for a, b in EDGES],
            }
        ),
        SAME,
    ),
    "pandas edge list": ("g.csv", lambda path: table().to_csv(path), SAME),
    "pandas adjacency": ("g.csv", lambda path: nx.to_pandas_adjacency(graph(weight=None)).to_csv(path), SAME),
    "numpy edges": ("g.txt", lambda path: np.savetxt(path, numbers(FROM_0)), ZERO),
    "numpy adjacency": ("g.txt", lambda path: np.savetxt(path, nx.to_numpy_array(graph()), fmt="%.1f"), ZERO),
    "scipy": (
        "g.mtx",
        lambda path: scipy.io.mmwrite(path, coo_array(nx.to_scipy_sparse_array(graph())), symmetry="general"),
        ONE,
    ),
    "R": ("g.csv", _text('"","V1","V2"\n' + _lines('"{i}","{a}","{b}"\n')), SAME),
    "igraph": ("g.graphml", _igraph, SAME),
    "SNAP": (
        "g.txt",
        _text(
            "# Undirected graph\n# Nodes: 6 Edges: 9\n# FromNodeId\tToNodeId\n" + _lines("{a}\t{b}\r\n", names=FROM_0)
        ),
        ZERO,
    ),
    "Gephi's table": (
        "g.csv",
        _text("Source,Target,Type,Id,Label,Weight\n" + _lines("{a},{b},Undirected,{i},,1.0\n")),
        SAME,
    ),
    "LTspice": (
        "g.net",
        _text("* C:\\lab\\bench 3.asc\n" + _lines("R{i} {a} {b} {ohm:g}\n") + "V1 A 0 5\n.backanno\n.end\n", "cp1252"),
        SAME,
    ),
    "KiCad": (
        "g.cir",
        _text(".title KiCad schematic\n" + _lines("R{i} /{a} /{b} {ohm:g}\n") + ".end\n"),
        {n: f"/{n}" for n in LETTERS},
    ),
    "MATLAB": ("g.dat", _text(_lines("{a}   {b}   {ohm:.4e}\n", names=FROM_1)), ONE),
    "a French spreadsheet": (
        "g.csv",
        _text("sep=;\r\nNœud 1;Nœud 2;Résistance (kΩ)\r\n" + _lines("{a};{b};{i},5\r\n"), "utf-16"),
        SAME,
    ),
}
"""By who wrote it: name of the file, what writes it, and the names that its nodes are to have."""
