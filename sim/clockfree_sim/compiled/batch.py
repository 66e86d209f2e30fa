"""Many seeds of one job: kernels side by side, whose edges fire in one call of compiled code for all samples."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numba import carray, types

from clockfree_model.counters import COUNTERS
from clockfree_model.job import Job
from clockfree_model.linear import mean_squares
from clockfree_sim.circuit import meter, solver
from clockfree_sim.circuit.caching import either, kept
from clockfree_sim.circuit.lanes import get, pointer
from clockfree_sim.compiled import loop
from clockfree_sim.compiled.clamp import Clamp
from clockfree_sim.compiled.kernel import Kernel, check
from clockfree_sim.compiled.own_clocks import OwnClocks
from clockfree_sim.compiled.records import Taught, Wires
from clockfree_sim.plant.outcomes import Outcomes, joined
from clockfree_sim.plant.setup import moments

SIDE_BY_SIDE = 64
"""Kernels that are set up at the same time, in each thread: their circuits and ADC levels take up to a MB each."""

MOST_READ = 4_000_000
"""Readings of all samples of these, which are kept until they have become errors."""


def run(job: Job, seeds: Sequence[int], threads: int = 1) -> Outcomes:
    """Run one job with each of these seeds: the samples of as many kernels, without their traces.

    Parameters
    ----------
    job : Job
        Clock-free; its own seed is not used.
    seeds : sequence of int
    threads : int
        Compiled code holds no lock of the interpreter's: threads share the seeds.

    Raises
    ------
    ValueError
        No seeds; a rule of rounds; what a kernel has not, see `kernel.check`.
    """
    if job.schedule != "clockfree" or not len(seeds):
        raise ValueError(f"expected seeds of a clock-free job, got {len(seeds)} of rule {job.schedule}")
    check(job)
    first = Kernel(replace(job, seed=int(seeds[0]), trace=False))  # the plan of its circuit serves all others
    if len(seeds) == 1:
        return _run([first])
    read = (job.samples + 1) * max(lesson.desired_V.size for lesson in job.lessons)
    side_by_side = max(1, min(SIDE_BY_SIDE, MOST_READ // read))
    parts = [seeds[begin : begin + side_by_side] for begin in range(0, len(seeds), side_by_side)]

    def run_part(part: Sequence[int]) -> Outcomes:
        return _run([Kernel(replace(first.job, seed=int(seed)), first) for seed in part])

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(run_part, parts))
    return joined(found)


def _run(kernels: list[Kernel]) -> Outcomes:
    """What kernels come to that differ in their seeds alone."""
    side, job = _Side(kernels), kernels[0].job
    for at, what in moments(job):
        count = kernels[0].setup.wanted(at)
        if what is None:
            side.sample(count)
        else:
            side.learn(count)
        for kernel in kernels:
            kernel.setup.learnt(count)
            if what is not None:
                kernel.setup.change(kernel.edges, what)
    return side.outcomes(np.array([kernel.job.seed for kernel in kernels]))


class _Side:
    """Kernels side by side: firings that were asked for are made when something changes, or at the end."""

    def __init__(self, kernels: list[Kernel]):
        self._kernels = kernels
        self._job = kernels[0].job
        circuit = kernels[0].plant.circuit
        self._where = solver.rows_of_targets(circuit.plan, np.arange(len(circuit.state))).copy()
        self._wanted: list[tuple[int, int]] = []
        self._updates: list[float] = []
        self._found: list[tuple[np.ndarray, ...]] = []
        self._lessons: list[int] = []

    def sample(self, count: int) -> None:
        """So many firings, then a sample."""
        setup = self._kernels[0].setup
        if not self._updates:
            for kernel in self._kernels:
                kernel.setup.start(kernel.edges)
        self._wanted.append((count, 1))
        self._lessons.append(setup.lesson)
        self._updates.append(setup.updates + setup.per_edge(count))

    def learn(self, count: int) -> None:
        """So many firings; then whatever was asked for has been done."""
        if count:
            self._wanted.append((count, 0))
        if self._wanted:
            self._found.append(self._serve(np.array(self._wanted)))
            self._wanted = []

    def outcomes(self, seeds: np.ndarray) -> Outcomes:
        """What all samples came to."""
        self.learn(0)
        times_us, mean_V2, gain, readings = (np.concatenate(part, axis=1) for part in zip(*self._found, strict=True))
        lesson = np.array(self._lessons)
        errors = np.empty((2, len(seeds), len(lesson)))
        physics, ground = self._job.physics, self._job.ground
        for which in set(self._lessons):
            taught, now = self._job.lessons[which], lesson == which
            errors[0][:, now] = mean_squares(taught.source_V, taught.desired_V, gain[:, now])
            codes = readings[:, now][:, :, : len(taught.source_V)]
            off_V = ground.own(codes / 4096 * physics.supply_V, physics) - taught.desired_V
            errors[1][:, now] = np.where((codes < 0).any(axis=(2, 3)), np.nan, (off_V**2).mean(axis=(2, 3)))
        edges = [kernel.edges for kernel in self._kernels]
        last = [each.counters() for each in edges]
        return Outcomes(
            seeds=seeds,
            updates=np.array(self._updates),
            lesson=lesson,
            time_us=times_us[:, :, 0],
            stood_us=times_us[:, :, 1],
            error_V2=errors[0],
            mean_error_V2=mean_V2,
            measured_error_V2=errors[1],
            gain=gain,
            taps=np.array([each.taps() for each in edges]),
            counters={name: np.array([counts[name] for counts in last]) for name in COUNTERS},
        )

    def _serve(self, wanted: np.ndarray) -> tuple[np.ndarray, ...]:
        """Let all kernels make these firings; times, mean errors and gain at each sample, and readings."""
        edges = [kernel.edges for kernel in self._kernels]
        samples, one = int(wanted[:, 1].sum()), edges[0]
        assert isinstance(one, OwnClocks)
        most = max(len(lesson.source_V) for lesson in self._job.lessons)
        times_us = np.empty((len(edges), samples, 2), dtype=np.int64)
        mean_V2 = np.empty((len(edges), samples))
        gain = np.empty((len(edges), samples, *self._where.shape))
        readings = np.full((len(edges), samples, most, len(self._where)), -1)
        addresses = np.array([[array.ctypes.data for array in _arrays(each)] for each in edges])
        serve_all(
            one.wires, one.shows, one.taught, one.edges, one.alike, one.turns, addresses, wanted, self._where, times_us,
            mean_V2, gain, readings,
        )  # fmt: skip
        for each in edges:
            each.caught_up()
        return times_us, mean_V2, gain, readings


def _arrays(edges) -> Iterator[np.ndarray]:
    """The arrays that a kernel's compiled code changes or reads for itself, in the order of `serve_all`."""
    wires, taught = edges.wires, edges.taught
    yield from (edges.edges, edges.turns, edges.shows)
    own = (wires.state, wires.ladders, wires.levels, wires.now, wires.moves, wires.pending)
    shown = (taught.readings, taught.examples_V, taught.turns)
    clamp = taught.digital_clamp
    drawn = (clamp.error_V, clamp.desired_V, clamp.coming, clamp.coming_V, clamp.turn) if clamp else ()
    aimed = (taught.levels, taught.shift, taught.error_V, taught.nulls, taught.free, taught.codes, taught.held)
    for array in (*own, *shown, *aimed, *drawn):
        yield edges.edges if array is None else array


@kept(error_model="numpy")
def _none(array, address):
    return None


@kept(error_model="numpy")
def _there(array, address):
    return carray(pointer(address, array), array.shape)


_other = either(_none, _there, lambda array: isinstance(array, types.NoneType))
"""The array of another kernel, at an address, that is like this one."""


@kept(error_model="numpy")
def _no_clamp(clamp, addresses):
    return None


@kept(error_model="numpy")
def _clamp(clamp, addresses):
    return Clamp(
        clamp.digital,
        clamp.period_us,
        clamp.delay_us,
        clamp.eta,
        _other(clamp.error_V, addresses[19]),
        _other(clamp.desired_V, addresses[20]),
        _other(clamp.coming, addresses[21]),
        _other(clamp.coming_V, addresses[22]),
        _other(clamp.turn, addresses[23]),
    )


_other_clamp = either(_no_clamp, _clamp, lambda clamp: isinstance(clamp, types.NoneType))


@kept(error_model="numpy", nogil=True)
def serve_all(wires, shows, taught, edges, alike, turns, addresses, wanted, where, times_us, mean_V2, gain, readings):
    """Let kernels make firings, one kernel after another.

    Parameters
    ----------
    wires, shows, taught, edges, alike, turns : as for `loop.serve`, of one of them
    addresses : (N, A) int64, of the arrays of each; see `_arrays`
    wanted : (W, 2) int64, firings, and 1 where a sample follows them
    where : (O, S) int64, where the gain is in the state
    times_us : (N, T, 2) int64, filled: when, and of how long the mean is
    mean_V2 : (N, T) float, filled
    gain : (N, T, O, S) float, filled
    readings : (N, T, B, O) int64, filled
    """
    rows = np.empty((0, 6), dtype=np.int64)
    for n in range(len(addresses)):
        of = addresses[n]
        state, now = _other(wires.state, of[3]), _other(wires.now, of[6])
        own = Wires(
            wires.plan,
            state,
            _other(wires.ladders, of[4]),
            wires.taps,
            _other(wires.levels, of[5]),
            now,
            _other(wires.moves, of[7]),
            _other(wires.pending, of[8]),
        )
        read = _other(taught.readings, of[9])
        shown = Taught(
            read,
            _other(taught.examples_V, of[10]),
            _other(taught.turns, of[11]),
            taught.plan,
            state,
            _other(taught.levels, of[12]),
            _other(taught.shift, of[13]),
            _other(taught.error_V, of[14]),
            taught.codes_per_V,
            taught.supply_V,
            now,
            _other_clamp(taught.digital_clamp, of),
            taught.examples,
            taught.asked,
            taught.classes,
            _other(taught.nulls, of[15]),
            _other(taught.free, of[16]),
            _other(taught.codes, of[17]),
            _other(taught.held, of[18]),
        )
        records, tournament, supervisor = _other(edges, of[0]), _other(turns, of[1]), _other(shows, of[2])
        sample = 0
        for w in range(len(wanted)):
            loop.serve(own, supervisor, shown, records, alike, tournament, rows, wanted[w, 0])
            if wanted[w, 1]:
                times_us[n, sample, 0] = now[0]
                mean_V2[n, sample], times_us[n, sample, 1] = meter.take(own.plan, state, now[0])
                for o in range(where.shape[0]):
                    for s in range(where.shape[1]):
                        gain[n, sample, o, s] = get(state, where[o, s])
                    for b in range(len(read)):
                        readings[n, sample, b, o] = read[b, o]
                sample += 1
