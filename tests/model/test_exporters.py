"""What is written to a file is read again: nodes, edges, positions, taps and resistances."""

import networkx as nx
import numpy as np
import pytest

from clockfree_model.exporters import WRITERS, write
from clockfree_model.importers import Reading
from clockfree_model.importers.resistance import ohms_in
from clockfree_model.network import Network, NetworkError, lab16, noted, planar

NETWORKS = {"lab16": lab16(), "numbers": planar(12, 20, 1)}
PARALLEL = Network("p", ("A", "B", "C"), np.array([[0, 1], [1, 2], [1, 0]]), np.array([[0, 0], [1, 0], [1, 1.5]]))


def columns_of(network):
    rng = np.random.default_rng(3)
    count = len(network.ends)
    return {"tap": rng.integers(0, 128, count).tolist(), "resistance_ohm": rng.uniform(100, 1e5, count).tolist()}


def by_edge(network, values):
    return sorted(
        (*sorted((network.nodes[a], network.nodes[b])), value)
        for (a, b), value in zip(network.ends.tolist(), values, strict=True)
    )


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
@pytest.mark.parametrize("ending", WRITERS)
def test_round_trip(tmp_path, ending, network):
    columns, path = columns_of(network), tmp_path / f"g{ending}"
    write(path, network, columns)
    again, graph = noted(str(path))
    assert sorted(again.nodes) == sorted(network.nodes)
    name, ohms = ohms_in(graph)
    assert name == ("conductance_S" if ending == ".mtx" else "resistance_ohm")
    digits = 12 if ending == ".mtx" else 17  # it has conductances
    exact = [[float(f"{ohm:.{digits}g}") for ohm in each] for each in (ohms, columns["resistance_ohm"])]
    assert by_edge(again, exact[0]) == by_edge(network, exact[1])
    if ending not in (".mtx", ".cir", ".sp", ".spice"):  # in a netlist taps are comments
        assert by_edge(again, [int(tap) for tap in graph.columns["tap"]]) == by_edge(network, columns["tap"])
    if graph.positions is not None:
        place = dict(zip(again.nodes, again.positions.tolist()))
        assert [place[name] for name in network.nodes] == pytest.approx(network.positions)


@pytest.mark.parametrize("ending", WRITERS)
def test_edges_in_parallel(tmp_path, ending):
    columns, path = columns_of(PARALLEL), tmp_path / f"g{ending}"
    if ending == ".mtx":
        with pytest.raises(NetworkError, match=r"expected no edges in parallel, .* got B-A#2$"):
            write(path, PARALLEL, columns)
        return
    write(path, PARALLEL, columns)
    again, graph = noted(str(path), Reading(parallel="keep"))
    assert len(again.ends) == 3
    assert [round(ohm, 6) for *_, ohm in by_edge(again, ohms_in(graph)[1])] == [
        round(ohm, 6) for *_, ohm in by_edge(PARALLEL, columns["resistance_ohm"])
    ]


def test_networkx_reads_what_is_written(tmp_path):
    network = lab16()
    for ending, read in ((".graphml", nx.read_graphml), (".gml", nx.read_gml), (".gexf", nx.read_gexf)):
        write(tmp_path / f"g{ending}", network, columns_of(network))
        graph = read(tmp_path / f"g{ending}")
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (9, 16)
        assert set(graph.nodes) == set(network.nodes)


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    names = Network("n", ("a b", "c", "C"), np.array([[0, 1], [1, 2]]), np.zeros((3, 2)))
    for ending, problem in ((".cir", "expected names without blanks"), (".edgelist", "expected names without blanks")):
        with pytest.raises(NetworkError, match=problem):
            write(tmp_path / f"g{ending}", names, {"resistance_ohm": [1.0, 2.0]})
    with pytest.raises(NetworkError, match=r"expected a resistance of every edge, got none of A-B"):
        write(tmp_path / "g.cir", lab16(), {"resistance_ohm": [None] * 16})
    with pytest.raises(NetworkError, match=r"got '.gmll' \(did you mean .gml\?\)$"):
        write(tmp_path / "g.gmll", lab16(), {})
    assert not list(tmp_path.iterdir())
