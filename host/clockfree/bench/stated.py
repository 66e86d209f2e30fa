"""Network that a bench file states: edges by their names, sources and targets by what the supervisor is wired to.

A bench file has no task. Where names say between which nodes an edge is, what is measured can be held against what a
network of such edges would show.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clockfree.base.errors import InputError
from clockfree.bench.fitting import lacking
from clockfree.link.benchfile import BenchFile, EdgeWiring
from clockfree_model.job import Job, Lesson
from clockfree_model.network import Network, NetworkError
from clockfree_model.physics import PRESETS
from clockfree_model.settings import ClampSettings, EdgeSettings

_NUMBER = re.compile(r"#\d{1,9}$")
_BOTH = re.compile(r"\((.+)\)-\((.+)\)")


def stated(bench: BenchFile, seed: int) -> tuple[Job, str]:
    """A job that teaches nothing, of the network that a bench file states, and why it is none, or "".

    Where the file does not say enough the network is one of edges that are not joined: boards can be armed for it, and
    nothing that they measure be held against it.
    """
    edges = [edge for board in bench.boards for edge in board.edges]
    try:
        network, sources, targets = _network(bench, [edge.edge for edge in edges])
        kinds = {(edge.front_end, edge.pot, edge.rab_ohm) for edge in edges}
        if len(kinds) > 1:
            raise InputError("its edges have different front ends, potentiometers or rab_ohm")
        why = lacking(bench, len(sources), len(targets)) or ""
    except (InputError, NetworkError) as error:
        names = [f"{end} of edge {number}" for number in range(len(edges)) for end in ("tail", "head")]
        ends = np.arange(len(names)).reshape(-1, 2)
        network, sources, targets = Network("bench", tuple(names), ends, np.zeros((len(names), 2))), (0,), (1,)
        why = " ".join(str(error).split())
    return _job(bench, network, sources, targets, edges[0], seed), why


def _network(bench: BenchFile, names: Sequence[str]) -> tuple[Network, tuple[int, ...], tuple[int, ...]]:
    """The network, and the indices of its sources and targets; InputError where the file does not say them."""
    board = bench.supervisor
    if not board.sources or not board.targets:
        raise InputError("supervisor.sources and supervisor.targets are left out")
    pairs = _pairs(names, {*board.sources, *board.targets})
    nodes = tuple(dict.fromkeys(node for pair in pairs for node in pair))
    index = {name: i for i, name in enumerate(nodes)}
    ends = np.array([[index[tail], index[head]] for tail, head in pairs])
    network = Network("bench", nodes, ends, np.zeros((len(nodes), 2)))
    sources, targets = (tuple(map(network.index, chosen)) for chosen in (board.sources, board.targets))
    network.check(sources, targets)
    for edge, name in enumerate(names):
        if network.edge(name) != edge:
            raise InputError(f"edge {name} may be another one, too")
    return network, sources, targets


def _pairs(names: Sequence[str], known: set[str]) -> list[tuple[str, str]]:
    """Tail and head of each edge; one whose nodes have hyphens is parted where both parts are nodes that are known."""
    ways = []
    for name in names:
        bare = _NUMBER.sub("", name)
        parts = bare.split("-")
        both = _BOTH.fullmatch(bare)
        cuts = [("-".join(parts[:cut]), "-".join(parts[cut:])) for cut in range(1, len(parts))]
        ways.append([(both[1], both[2])] if both else cuts)
    known |= {node for way in ways if len(way) == 1 for node in way[0]}
    found = []
    for name, way in zip(names, ways):
        meant = way if len(way) == 1 else [pair for pair in way if known.issuperset(pair)]
        if len(meant) != 1:
            raise InputError(f"the name of edge {name} does not say between which nodes it is (A-B)")
        found.append(meant[0])
    return found


def _job(
    bench: BenchFile, network: Network, sources: tuple[int, ...], targets: tuple[int, ...], edge: EdgeWiring, seed: int
) -> Job:
    wiper_ohm = edge.parts[1].wiper_ohm if edge.wiper_ohm is None else edge.wiper_ohm
    physics = replace(PRESETS["board"], supply_V=bench.supply_V, rab_ohm=edge.rab_ohm, wiper_ohm=wiper_ohm)
    # Two examples, so that a supervisor which shows them has something to do.
    source_V = np.outer([0.3, 0.7], np.full(len(sources), bench.supply_V))
    lesson = Lesson("examined", 0.0, source_V, np.full((2, len(targets)), 0.5 * bench.supply_V))
    settings, clamp = EdgeSettings(front_end=edge.front_end, pot=edge.pot), ClampSettings(eta=1.0, order="fixed")
    return Job(network, sources, targets, (lesson,), edge=settings, clamp=clamp, physics=physics, updates=1, seed=seed)
