"""The check of the wiring, on readings of a model of its own: a dense solve, with offsets, noise and INL on top."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from clockfree.bench import wiring
from clockfree.learning.measuring import Measured
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.physics import PRESETS
from clockfree_model.settings import EdgeSettings

LAB = load("lab16")
E, N = len(LAB.ends), len(LAB.nodes)
BOARD = PRESETS["board"]
OHM = 75.0 + np.arange(128) * 100e3 / 128


class Bench:
    """What a probe is, on a dense solve: `at` is the edge at which each board really is; turned ones are reversed."""

    def __init__(self, seed, sources, targets, at=None, turned=(), ohm=1.0, front_end="adc"):
        self.random = random = np.random.default_rng(seed)
        self.sources, self.targets = list(sources), list(targets)
        self.at, self.turned, self.ohm = np.arange(E) if at is None else np.array(at), turned, ohm
        self.offset_V = random.normal(0, 0.005, (E, 2))
        self.supervisor_V = random.normal(0, 0.0005, len(targets))
        self.bow_V = random.uniform(-1, 1, (E, 2)) * 3.3 / 4096
        self.taps = None
        lesson = Lesson("x", 0.0, np.zeros((1, len(sources))), np.zeros((1, len(targets))))
        edge = EdgeSettings(front_end=front_end)
        self.job = Job(LAB, tuple(sources), tuple(targets), (lesson,), edge=edge, physics=BOARD, updates=1, seed=seed)

    def limits(self):
        return 6, 127

    def set_taps(self, taps):
        self.taps = taps

    def release(self):
        pass

    def around(self, source_V):
        ohm = np.full(E, np.nan)
        ohm[self.at] = OHM[self.taps if self.taps is not None else np.full(E, 64)]
        ohm *= self.ohm
        matrix = np.zeros((N, N))
        for (tail, head), r in zip(LAB.ends, ohm):
            matrix[[tail, head, tail, head], [tail, head, head, tail]] += [1 / r, 1 / r, -1 / r, -1 / r]
        volts = np.zeros(N)
        volts[self.sources] = np.rint(source_V / 3.3 * 4096) * 3.3 / 4096
        free = [node for node in range(N) if node not in self.sources]
        volts[free] = np.linalg.solve(
            matrix[np.ix_(free, free)], -matrix[np.ix_(free, self.sources)] @ volts[self.sources]
        )
        found = Measured(volts[self.targets] + self.supervisor_V + self.random.normal(0, 0.0003, len(self.targets)))
        for board in range(E if self.job.edge.front_end == "adc" else 0):
            ends = LAB.ends[self.at[board]]
            seen = volts[ends[::-1] if board in self.turned else ends]
            seen = seen + self.offset_V[board] + self.bow_V[board] * np.sin(2 * np.pi * seen / 3.3)
            seen = seen + self.random.normal(0, 0.00035, 2)
            found.drops_V[board] = (seen[0] - seen[1], 0.0, "")
            found.ends_V[board] = tuple(seen)
        return found


def places(seed):
    nodes = np.random.default_rng(seed).permutation(N)
    return nodes[:3].tolist(), nodes[3:5].tolist()


def judged(bench, ends=True):
    readings = wiring.measure(bench.job, bench, np.full(E, 64))
    if not ends:
        readings.rows_V[:, :, 1:] = np.nan
    return wiring.judge(bench.job, readings)


def at_each_others(edge, also):
    at = np.arange(E)
    at[[edge, also]] = also, edge
    return at


@pytest.mark.parametrize("front_end", ["adc", "comparator"])
def test_healthy_benches_raise_no_alarm(front_end):
    """Nor those of chips whose R_AB is up to a fifth off."""
    for seed in range(20):
        found = judged(Bench(seed, *places(seed), front_end=front_end))
        assert not found.problem and found.outputs_V < 0.001, found
        assert found.drops_V < 0.003 or front_end == "comparator"
        ohm = np.random.default_rng(seed).uniform(0.8, 1.2, E)
        assert not judged(Bench(seed, *places(seed), ohm=ohm, front_end=front_end)).problem


def test_every_exchanged_pair_and_reversed_edge_is_named():
    name = LAB.edge_name
    for edge, also in itertools.combinations(range(E), 2):
        found = judged(Bench(edge, *places(1), at=at_each_others(edge, also)))
        assert f"{name(edge)} and {name(also)} are exchanged" in found.problem
    for edge in range(E):
        assert f"{name(edge)} is the wrong way round" in judged(Bench(edge, *places(1), turned=[edge])).problem


def test_by_drops_alone_all_are_found_but_those_in_series():
    missed = [
        {LAB.edge_name(edge), LAB.edge_name(also)}
        for edge, also in itertools.combinations(range(E), 2)
        if not judged(Bench(edge, *places(1), at=at_each_others(edge, also)), ends=False).problem
    ]
    series = [{"A-B", "B-E"}, {"C-D", "D-F"}]
    assert all(pair in series for pair in missed), missed


def test_edges_that_know_two_bits_are_found_by_moving_taps():
    """All that any output can tell apart, by whole milvolts."""
    bench = Bench(0, *places(1), front_end="comparator")
    readings = wiring.measure(bench.job, bench, np.full(E, 64))
    size = np.zeros((E, E))
    for taps, source_V in zip(readings.taps, readings.source_V):
        size += (wiring.exchanged(bench.job, taps, source_V)[1] ** 2).mean(axis=0) / len(readings.taps)
    missed, pairs = [], 0
    for edge, also in itertools.combinations(range(E), 2):
        found = judged(Bench(edge, *places(1), at=at_each_others(edge, also), front_end="comparator"))
        if size[edge, also] ** 0.5 > 0.004:
            pairs += 1
            assert "are exchanged" in found.problem, (LAB.edge_name(edge), LAB.edge_name(also))
        elif not found.problem:
            missed.append((edge, also))
    assert pairs >= 110 and len(missed) <= 10


def test_what_an_exchange_does_is_what_a_solve_says():
    bench = Bench(3, *places(3))
    bench.supervisor_V[:] = 0
    taps, source_V = np.random.default_rng(0).integers(6, 128, E), np.array([0.3, 2.0, 3.0])
    outputs_V, change_V = wiring.exchanged(bench.job, taps, BOARD.dac_volts(source_V))
    bench.taps, bench.random = taps, SimpleNamespace(normal=lambda *_: 0.0)
    assert bench.around(source_V).outputs_V == pytest.approx(outputs_V, abs=1e-12)
    for edge, also in ((0, 5), (3, 15), (7, 8)):
        bench.at = at_each_others(edge, also)
        for which in ((edge, also), (also, edge)):
            assert bench.around(source_V).outputs_V - outputs_V == pytest.approx(change_V[(..., *which)], abs=1e-11)


def test_two_things_wrong_are_said_without_a_name_for_them():
    at = at_each_others(1, 8)
    at[[4, 13]] = at[[13, 4]]
    assert "more than one thing is wrong" in judged(Bench(0, *places(1), at=at)).problem


def test_taps_are_put_back():
    bench = Bench(0, *places(0))
    wiring.measure(bench.job, bench, np.arange(E) + 50)
    assert bench.taps == [*range(50, 50 + E)]
    assert POTS["mcp42xx"].start_tap == 64
