"""Network files as labs have them: each gives its network, or one line that says what to decide."""

from pathlib import Path

import pytest

from clockfree_model.importers import Reading
from clockfree_model.importers.resistance import described, ohms_in, scale_of
from clockfree_model.network import NetworkError, noted
from tests.model import writers

CASES = Path(__file__).parents[1] / "fixtures/cases/networks"
SIX = {frozenset(pair) for pair in writers.EDGES}
FROM_0, FROM_1 = writers.ZERO, writers.ONE
UMLAUTS = dict(zip("ABCDEF", ("Süd", "Nord", "Straße", "Höhe", "Ost", "West")))
GROUNDED = dict(zip("ABCDEF", "ABCDE0"))
N = {letter: f"n{i}" for i, letter in enumerate("ABCDEF")}
SAME = writers.SAME
POSITIONS = list(writers.PLACES.values())

LOADED = {
    "adjacency-bare.txt": (FROM_0, "space, adjacency matrix, nodes numbered from 0; 9 edges, 6 nodes"),
    "adjacency.csv": (SAME, "comma, adjacency matrix; 9 edges, 6 nodes"),
    "attributes.edgelist": (FROM_0, "edge list with attributes; k, kind not used; 9 edges, 6 nodes"),
    "both-directions.csv": (
        SAME,
        "comma, header source, target, each edge listed in both directions; 9 edges, 6 nodes",
    ),
    "drawn.graphml": (SAME, "GraphML, names from label; with positions; 9 edges, 6 nodes"),
    "float-ids.csv": (FROM_1, "comma, header node_i, node_j; 9 edges, 6 nodes"),
    "header-i-j.csv": (FROM_0, "comma, header i, j; 9 edges, 6 nodes"),
    "header-u-v.csv": (SAME, "comma, header u, v; 9 edges, 6 nodes"),
    "index-column.csv": (
        SAME,
        "comma, header source, target, running number left out; "
        'conductance_S kept, for start_taps = "file"; 9 edges, 6 nodes',
    ),
    "labels.gml": (SAME, "GML, names from label; value not used; with positions; 9 edges, 6 nodes"),
    "latin1.csv": (UMLAUTS, "comma, Latin-1, header from, to; 9 edges, 6 nodes"),
    "links-by-index.json": (
        SAME,
        "JSON, names from name, edges by place in the list of nodes; value not used; 9 edges, 6 nodes",
    ),
    "name-attribute.graphml": (
        SAME,
        "GraphML, names from name; weight not used; with positions; 9 edges, 6 nodes",
    ),
    "no-labels.gml": (FROM_1, "GML; 9 edges, 6 nodes"),
    "no-namespace.graphml": (SAME, "GraphML, names from label; 9 edges, 6 nodes"),
    "number-arrays.json": (FROM_0, "JSON; with positions; 9 edges, 6 nodes"),
    "pairs.txt": (FROM_0, "space; 9 edges, 6 nodes"),
    "pattern.mtx": (FROM_1, "Matrix Market, nodes numbered from 1; 9 edges, 6 nodes"),
    "resistors.cir": (
        GROUNDED,
        "SPICE, node 0 is its ground: as a source at 0 V it is one here, Vin not used; "
        'resistance_ohm kept, for start_taps = "file"; 9 edges, 6 nodes',
    ),
    "semicolon.csv": (
        SAME,
        'semicolon, header from, to, decimal comma; R_kohm kept, for start_taps = "file"; 9 edges, 6 nodes',
    ),
    "tabs.tsv": (SAME, "tab, header node1, node2; length_mm not used; 9 edges, 6 nodes"),
    "utf16.csv": (SAME, "tab, UTF-16, header from, to; 9 edges, 6 nodes"),
    "vector-positions.graphml": (N, "GraphML; k not used; with positions; 9 edges, 6 nodes"),
    "weight-column.csv": (
        SAME,
        'comma, header source, target; resistance kept, for start_taps = "file"; 9 edges, 6 nodes',
    ),
}
OTHERS = {"grid-pairs.json", "listed-twice.csv", "self-loop.csv", "two-pieces.csv"}
PLACED = {"drawn.graphml", "labels.gml", "name-attribute.graphml", "number-arrays.json", "vector-positions.graphml"}
OHM = {"index-column.csv", "resistors.cir", "semicolon.csv", "weight-column.csv"}


def pairs_of(network):
    return [frozenset((network.nodes[a], network.nodes[b])) for a, b in network.ends.tolist()]


def renamed(names):
    return {frozenset(names[letter] for letter in pair) for pair in SIX}


def test_every_case_is_here():
    assert LOADED.keys() | OTHERS == {path.name for path in CASES.iterdir()}


@pytest.mark.parametrize("name", LOADED)
def test_a_lab_file_gives_its_network_and_says_so(name):
    names, said = LOADED[name]
    network, graph = noted(str(CASES / name))
    assert set(network.nodes) == set(names.values()) and len(network.nodes) == 6
    assert len(network.ends) == 9 and set(pairs_of(network)) == renamed(names)
    assert described(graph) == said
    found = ohms_in(graph)
    if name in OHM:
        # conductances are written with four digits
        assert found[1] == pytest.approx(writers.OHM, rel=5e-4)
    else:
        assert found is None
    if name in PLACED:
        (x, y), scale = network.positions.T.tolist(), 100 if name == "drawn.graphml" else 1
        down = 2 if name == "drawn.graphml" else 0  # an editor's drawing has its origin above
        assert [(a / scale, abs(down - b / scale)) for a, b in zip(x, y)] == POSITIONS


def test_a_grid_of_pairs():
    network, graph = noted(str(CASES / "grid-pairs.json"))
    assert network.nodes == tuple(f"{i},{j}" for i in range(3) for j in range(3))
    assert described(graph) == "JSON; 12 edges, 9 nodes"


def test_an_edge_listed_twice_is_decided_by_the_person():
    path = CASES / "listed-twice.csv"
    with pytest.raises(
        NetworkError, match=r"line 7: expected each edge once, got B-A, which is on line 2 \(--parallel keep makes"
    ):
        noted(str(path))
    kept, graph = noted(str(path), Reading(parallel="keep"))
    assert [kept.edge_name(edge) for edge in range(6)] == ["A-B", "B-C", "C-A", "C-D", "D-B", "B-A#2"]
    assert "1 edge in parallel to another kept" in described(graph)
    merged, graph = noted(str(path), Reading(parallel="merge"))
    assert len(merged.ends) == 5 and "1 edge merged with another" in described(graph)


def test_a_self_loop_is_decided_by_the_person():
    path = CASES / "self-loop.csv"
    with pytest.raises(NetworkError, match=r"line 5: expected two different nodes, got C-C \(it carries no current"):
        noted(str(path))
    network, graph = noted(str(path), Reading(self_loops="drop"))
    assert len(network.ends) == 5 and "1 self-loop dropped" in described(graph)


def test_each_piece_needs_a_source():
    network, _ = noted(str(CASES / "two-pieces.csv"))
    a, x, b = (network.index(name) for name in "AXB")
    network.check([a, x], [b])
    with pytest.raises(NetworkError, match=r"got 2 pieces \(A, B, C and X, Y, Z\), none of X, Y, Z a source"):
        network.check([a], [b])


@pytest.mark.parametrize("who", writers.WRITTEN)
def test_what_other_programs_write(tmp_path, who):
    name, write, names = writers.WRITTEN[who]
    write(tmp_path / name)
    network, _ = noted(str(tmp_path / name))
    assert set(network.nodes) == set(names.values())
    assert len(network.ends) == 9 and set(pairs_of(network)) == renamed(names)


def test_two_directions_that_differ_are_refused(tmp_path):
    (tmp_path / "g.csv").write_text("source,target,ohm\nA,B,10\nB,C,20\nB,A,11\nC,B,20\n")
    with pytest.raises(NetworkError, match=r"line 4: expected each edge once, got B-A, which is on line 2"):
        noted(str(tmp_path / "g.csv"))
    _, graph = noted(str(tmp_path / "g.csv"), Reading(parallel="merge"))
    assert ohms_in(graph) == ("ohm", [None, 20.0])  # which of the two holds, nobody said


@pytest.mark.parametrize(
    ("column", "means"),
    [
        ("resistance", (1.0, False)),
        ("R_kohm", (1e3, False)),
        ("R (MΩ)", (1e6, False)),
        ("Widerstand [kOhm]", (1e3, False)),
        ("conductance_S", (1.0, True)),
        ("G_uS", (1e-6, True)),
        ("conductance (mS)", (1e-3, True)),
        ("weight", None),
        ("k", None),
        ("length_mm", None),
        ("resistance_S", None),
        ("target_ohm_max", None),
    ],
)
def test_a_resistance_is_known_by_its_name_and_unit(column, means):
    assert scale_of(column) == means
