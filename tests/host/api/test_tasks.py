"""Tasks from Python: networks and nodes of any kind, keywords for keys, and one line for what is wrong."""

import networkx as nx
import numpy as np
import pytest
import xarray as xr

import clockfree as cf
from clockfree.commands import app
from clockfree_model.record import plain

GRID = nx.grid_2d_graph(3, 3)
TAUGHT = {"source_V": [[0, 5]], "desired_V": [[2]]}
FILE = """
updates = 20
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""


def a_task(network=GRID, sources=((0, 0), (2, 2)), targets=((1, 2),), **more):
    return cf.Task(network=network, sources=list(sources), targets=list(targets), **TAUGHT | more)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text(FILE)
    return path


def drops(task):
    """Edges as pairs of nodes, by the job's own indices."""
    return [(task.nodes[a], task.nodes[b]) for a, b in task.job.network.ends.tolist()]


@pytest.mark.parametrize(
    ("graph", "sources", "targets"),
    [
        (GRID, [(0, 0), (2, 2)], [(1, 2)]),
        (nx.path_graph(5), [0, 4], [2]),
        (nx.relabel_nodes(nx.path_graph(4), dict(enumerate("abcd"))), ["a", "d"], ["c"]),
        (nx.relabel_nodes(nx.cycle_graph(3), {0: "hub", 1: 7, 2: frozenset({1})}), ["hub", 7], [frozenset({1})]),
    ],
)
def test_a_graph_has_the_nodes_and_edges_that_networkx_says(graph, sources, targets):
    task = a_task(graph, sources, targets)
    assert task.nodes == list(graph.nodes)
    assert task.edges == drops(task) == list(graph.edges)
    assert (task.sources, task.targets) == (sources, targets)


def test_positions_are_those_of_the_graph():
    graph = nx.path_graph(3)
    assert a_task(GRID).plan(False).job.network.positions.tolist() == [[*map(float, node)] for node in GRID]
    nx.set_node_attributes(graph, {0: (0, 0), 1: (2, 1), 2: (4, 0)}, "pos")
    assert a_task(graph, [0, 2], [1]).plan(False).job.network.positions.tolist() == [[0, 0], [2, 1], [4, 0]]
    laid_out = a_task(nx.path_graph(3), [0, 2], [1]).plan(False).job.network.positions
    assert len(np.unique(laid_out, axis=0)) == 3  # three places, not one


@pytest.mark.parametrize(
    "network",
    [
        nx.to_numpy_array(nx.cycle_graph(5)),
        nx.to_numpy_array(nx.cycle_graph(5)).astype(bool),
        nx.to_numpy_array(nx.cycle_graph(5)).astype(int).tolist(),
    ],
)
def test_an_adjacency_matrix_is_the_graph_that_it_is_of(network):
    task = a_task(network, [0, 2], [4])
    assert task.nodes == list(range(5))
    assert {frozenset(edge) for edge in task.edges} == {frozenset(edge) for edge in nx.cycle_graph(5).edges}


def test_pairs_of_nodes_are_edges_in_their_order():
    assert a_task(np.array([[0, 1], [1, 5], [5, 0]]), [0, 5], [1]).edges == [(0, 1), (1, 5), (5, 0)]
    assert a_task([("in", "mid"), ("mid", "out")], ["in", "out"], ["mid"]).edges == [("in", "mid"), ("mid", "out")]
    assert a_task([[0, 1], [1, 2]], [0, 2], [1]).nodes == [0, 1, 2]
    assert a_task([((0, 0), (0, 1)), ((0, 1), (1, 1))], [(0, 0), (1, 1)], [(0, 1)]).nodes == [(0, 0), (0, 1), (1, 1)]


def test_arrays_and_keywords_say_what_a_task_file_says(file):
    task = cf.Task(
        sources=["A", "C"], targets=["G"], source_V=np.array([[0, 5], [5, 0]], dtype=np.float32),
        desired_V=xr.DataArray([[1.0], [2.0]]), edge={"rate_hz": 20}, updates=np.int64(70), **{"clamp.eta": 1.0},
        start_taps=np.arange(40, 56), damage=[{"edges": [("A", "B"), 3], "kind": "dead", "at_updates": 5}],
    )  # fmt: skip
    job = task.plan(False).job
    assert job.lessons[0].source_V.shape == (2, 2) and job.lessons[0].desired_V.shape == (2, 1)
    assert (job.edge.rate_hz, job.updates, job.clamp.eta) == (20, 70, 1.0)
    assert job.start_taps.tolist() == list(range(40, 56)) and [each.edge for each in job.damage] == [0, 3]
    laid_over = cf.Task(file, updates=30, physics={"noise_V": 0.001}).plan(False)
    assert (laid_over.task, laid_over.job.updates, laid_over.job.physics.noise_V) == ("task", 30, 0.001)


def test_a_network_of_the_file_takes_the_place_of_a_graph():
    over = ["network=square:2x2", "placement.sources=['r0c0', 'r1c1']", "placement.targets=['r0c1']"]
    assert a_task().laid_over(over).nodes == ["r0c0", "r0c1", "r1c0", "r1c1"]


def test_what_is_taught_takes_the_place_of_what_was(file):
    task = cf.Task(file, source_V=[[0, 5]], desired_V=[[2]])
    assert task.plan(False).job.lessons[0].desired_V == pytest.approx(2, abs=1e-3)
    other = task.replace(desired_V=[[3]])
    assert other.plan(False).job.lessons[0].desired_V == pytest.approx(3, abs=1e-3)
    assert task.plan(False).job.lessons[0].desired_V == pytest.approx(2, abs=1e-3)  # as it was
    assert (
        len(task.replace(lesson=[{"teacher": True}, {"teacher": True, "from_updates": 9}]).plan(False).job.lessons) == 2
    )


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"sources": ["A"], "sorces": 1}, "task: sorces: expected one of name, network"),
        ({"sources": ["Z", "C"]}, "task: sources.0: expected one of A, B, C, D, E, F, G, H, I, got 'Z'"),
        ({"targets": None}, "task: targets: expected a value, got nothing"),
        ({"sources": None, "targets": None}, "task: sources: expected a value, got nothing"),
        ({"source_V": [0, 5]}, "task: source_V: expected a row .* got one row: write [[0, 5]]"),
        ({"desired_V": [[9]]}, "task: scale: expected voltages that span at most 4.999 V on the circuit, got 0 .. 9 V"),
        ({"desired_V": None}, "task: expected one of desired_V, teacher = true, regression, classification, got none"),
        ({"desired_V": [[1, 2]]}, "task: desired_V.0: expected 1 voltages, one for each target, got 2"),
        ({"desired_V": [["x"]]}, "task: desired_V.0.0: expected a number, got 'x'"),
        ({"edge": {"rate": 1}}, "task: edge.rate: expected one of front_end"),
        ({"lesson": [{"teacher": True}]}, "task: lesson: expected it without source_V"),
        ({"preset": "lab"}, "task: preset: expected ideal, paper, board, got 'lab'"),
        ({"updates": 1.5}, "task: updates: expected an integer, got 1.5"),
        ({"network": "lab17"}, "task: network: expected lab16, square"),
        ({"network": 7}, "task: network: expected a networkx graph"),
        ({"network": nx.DiGraph(GRID)}, "task: network: expected an undirected graph"),
        ({"network": nx.MultiGraph([(0, 1), (0, 1)])}, "task: network: expected one edge between two nodes"),
        ({"network": nx.Graph([(0, 1), (1, 1)])}, "task: network: expected edges between two nodes, got 1 joined to"),
        ({"network": nx.Graph([(1, "1"), ("1", 2)])}, "task: network: expected nodes that differ as text"),
        ({"network": nx.Graph()}, "graph: edges: expected at least one edge, got none"),
        ({"network": nx.Graph([("A", "C"), ("G", "B")])}, "graph: targets: expected a path to a source"),
        ({"network": np.array([[0, 0.5], [0.5, 0]])}, "task: network: expected whole numbers of nodes"),
        ({"network": np.array([[0, 2, 0], [2, 0, 1], [0, 1, 0]])}, "expected 0 and 1 .* got 2: write network=(A != 0)"),
        ({"network": np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]])}, "expected a symmetric adjacency matrix"),
        ({"network": np.eye(3)}, "expected 0 on the diagonal of an adjacency matrix, got 1 at node 0"),
        ({"network": np.zeros((3, 4))}, "got an array of shape (3, 4)"),
        ({"network": GRID, "sources": (0, 0)}, "task: sources: expected a list of nodes, got one node: write [(0, 0)]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(wrong, line):
    given = {"sources": ["A", "C"], "targets": ["G"], **TAUGHT} | wrong
    with pytest.raises(cf.InputError) as error:
        cf.Task(**given)
    said = str(error.value)
    for part in line.split(".*"):
        assert part.strip() in said
    assert "\n" not in said and isinstance(error.value, cf.Error)


@pytest.mark.parametrize(("key", "value"), [("updates", "-3"), ("edge.rate_hz", "0"), ("placement.targets", "['Z']")])
def test_the_line_of_an_exception_is_that_of_the_command_line(file, key, value, capsys):
    assert app.status_of(["run", str(file), "--set", f"{key}={value}"]) == 2
    printed = capsys.readouterr().err.removeprefix("clockfree: ").replace(" (from --set)", "")
    with pytest.raises(cf.InputError) as error:
        cf.Task(file, **{key: eval(value)})
    assert str(error.value).replace(f" (from {key}=)", "") + "\n" == printed


def test_a_task_that_is_saved_is_what_the_command_line_runs(tmp_path):
    graph = nx.relabel_nodes(nx.wheel_graph(6), {0: "hub - 0"})
    task = a_task(graph, ["hub - 0", 3], [5], name="spokes", preset="board", source_V=[[0.1, 3]])
    path = task.save(tmp_path / "saved.toml")
    saved, made = cf.Task(path).plan(False), task.plan(False)
    assert saved.task == made.task == "spokes"
    both = [plain(each.job) for each in (saved, made)]
    assert both[0]["network"].pop("name") == str(tmp_path / "saved-network.json")
    both[1]["network"].pop("name")
    assert both[0] == both[1]
    with pytest.raises(cf.InputError, match="expected a file that does not exist"):
        task.save(path)


def test_a_task_is_one_plain_line(file):
    for task in (a_task(), cf.Task(file), a_task(preset="board", source_V=[[0, 3]])):
        assert "\n" not in repr(task) and f"{len(task.edges)} edges" in repr(task)
        assert task._repr_html_().startswith("<code>clockfree.Task") and "\n" not in task._repr_html_()
