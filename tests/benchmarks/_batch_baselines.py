"""Two bare batches of one task: the sign rule on a dense inverse that one edge a step changes, by JAX and by numba."""

from collections.abc import Callable

import numpy as np
from numba import njit

from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import laplacian

LANES = 8


class Reduced:
    """One task with one example and one output, as numbers.

    Rows are those of the nodes that are no source, the output's first, then the sources'.

    Attributes
    ----------
    unknown : int
        U, nodes that are no source.
    tail, head : (E,) int64
        Rows of an edge's ends.
    inverse : (U, U) float
        Of the conductance matrix at the start, 1/S.
    volts : (U + S,) float
        Of the free twin at the start, V; of the sources always.
    per_S : float
        A resistor at a tap has (tap + spare) / per_S ohm.
    """

    def __init__(self, job: Job):
        pot, physics, nodes = POTS[job.edge.pot], job.physics, len(job.network.nodes)
        lesson, (output,) = job.lessons[0], job.targets
        if physics.wiper_ohm or len(lesson.source_V) != 1:
            raise ValueError("expected one example, and wipers without resistance")
        order = [output, *sorted({*range(nodes)} - {output, *job.sources}), *job.sources]
        place = np.argsort(order)
        self.tail, self.head = place[job.network.ends].T.copy()
        self.unknown = nodes - len(job.sources)
        self.per_S, self.spare = pot.steps / physics.rab_ohm, physics.spare_taps
        self.lowest, self.highest, self.start = physics.lowest_tap(pot), pot.highest, pot.start_tap
        self.desired_V, self.eta = lesson.desired_V[0, 0], physics.mixer_eta(job.clamp.eta)
        g_S = np.full(len(self.tail), self.per_S / (self.start + self.spare))
        rows = laplacian(nodes, np.column_stack([self.tail, self.head]), g_S).toarray()[: self.unknown]
        self.inverse = np.linalg.inv(rows[:, : self.unknown])
        self.volts = np.concatenate([-self.inverse @ rows[:, self.unknown :] @ lesson.source_V[0], lesson.source_V[0]])


Batch = Callable[[], tuple[np.ndarray, np.ndarray]]
"""Runs a batch: taps (N, E) and outputs (N,), V, at its end."""


def numba_batch(task: Reduced, seeds: int, steps: int) -> Batch:
    """Compiles: one seed after another."""
    unknown, padded = task.unknown, -(-task.unknown // LANES) * LANES
    inverse = np.zeros((len(task.volts), padded))
    inverse[:unknown, :unknown] = task.inverse
    g_S = task.per_S / (np.arange(task.highest + 1) + task.spare)
    nudge_eta, desired_V, lowest, highest = task.eta, task.desired_V, task.lowest, task.highest

    def run(count):
        taps, volts = np.full((seeds, len(task.tail)), task.start), np.tile(task.volts, (seeds, 1))
        for seed in range(seeds):
            word = np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
            bare(inverse.copy(), volts[seed], taps[seed], task.tail, task.head, g_S, word, count)
        return taps, volts[:, 0]

    @njit(error_model="numpy")
    def bare(inverse, volts, taps, tail, head, g_S, word, count):
        edges, k = np.uint64(len(tail)), np.zeros(padded)
        for _ in range(count):
            word ^= word << np.uint64(13)
            word ^= word >> np.uint64(7)
            word ^= word << np.uint64(17)
            edge = np.int64((word >> np.uint64(32)) * edges >> np.uint64(32))
            a, b = tail[edge], head[edge]
            for j in range(padded):
                k[j] = inverse[a, j] - inverse[b, j]
            free_V = volts[a] - volts[b]
            clamped_V = free_V + k[0] * nudge_eta * (desired_V - volts[0]) / inverse[0, 0]
            old = taps[edge]
            tap = min(max(old + (1 if abs(clamped_V) > abs(free_V) else -1), lowest), highest)
            if tap == old:
                continue
            taps[edge] = tap
            d_S = g_S[tap] - g_S[old]
            at_a, at_b = k[a] if a < unknown else 0.0, k[b] if b < unknown else 0.0
            weight = d_S / (1.0 + d_S * (at_a - at_b))
            for i in range(unknown):
                each = weight * k[i]
                for j in range(padded):
                    inverse[i, j] -= each * k[j]
                volts[i] -= each * free_V

    run(1)
    return lambda: run(steps)


def jax_batch(task: Reduced, seeds: int, steps: int) -> Batch | None:
    """Compiles: all seeds in step, the batch on the last axis; None without JAX.

    Of the forms tried this is the fastest, at 1,000 seeds: sums over the edges and nodes written out, because gathering
    from and scattering to a place of each seed's own is not vectorised (0.6 of this speed), sums by a reduction neither
    (0.5); one array for the inverse and not its triangle (0.9), the whole batch at once and not in parts that fit the
    caches nearer by (0.7 for 200 seeds), no steps unrolled (0.9 for two).
    """
    try:
        import jax
    except ImportError:
        return None
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    unknown, edges, nodes = task.unknown, len(task.tail), len(task.volts)
    incidence = np.zeros((edges, nodes))
    incidence[range(edges), task.tail], incidence[range(edges), task.head] = 1.0, -1.0

    def step(inverse, volts, taps, word):
        word = word ^ word << 13
        word = word ^ word >> 17
        word = word ^ word << 5
        edge = (word >> 16) * edges >> 16
        x = []
        for node in range(nodes):
            x.append(jnp.zeros(()))
            for each in np.flatnonzero(incidence[:, node]):
                x[-1] = jnp.where(edge == each, incidence[each, node], x[-1])
        old = taps[0]
        for each in range(1, edges):
            old = jnp.where(edge == each, taps[each], old)
        k = [sum(inverse[i, j] * x[j] for j in range(unknown)) for i in range(unknown)]
        across = sum(k[i] * x[i] for i in range(unknown))
        free_V = sum(volts[i] * x[i] for i in range(unknown))
        free_V += sum(task.volts[i] * x[i] for i in range(unknown, nodes) if task.volts[i])
        clamped_V = free_V + k[0] * (task.eta * (task.desired_V - volts[0]) / inverse[0, 0])
        up = jnp.abs(clamped_V) > jnp.abs(free_V)
        tap = jnp.clip(old + jnp.where(up, 1.0, -1.0), task.lowest, task.highest)
        taps = jnp.where(jnp.arange(edges, dtype=jnp.uint32) == edge, tap, taps)
        # d / (1 + d x'k) with one division: d is that of 1 / resistance.
        change = task.per_S * (old - tap)
        weight = change / ((old + task.spare) * (tap + task.spare) + change * across)
        weighted = [weight * each for each in k]
        inverse = inverse - jnp.stack(weighted)[:, None] * jnp.stack(k)[None]
        volts = jnp.stack([volts[i] - weighted[i] * free_V for i in range(unknown)])
        return inverse, volts, taps, word

    mapped = jax.vmap(step, in_axes=-1, out_axes=-1)

    @jax.jit
    def run(words):
        each = (task.inverse, task.volts[:unknown], np.full(edges, float(task.start)))
        begin = (*(jnp.repeat(jnp.asarray(part)[..., None], seeds, -1) for part in each), words)
        _, volts, taps, _ = jax.lax.scan(lambda now, _: (mapped(*now), None), begin, length=steps)[0]
        return taps.T, volts[0]

    words = jnp.asarray(np.arange(1, seeds + 1) * 0x9E3779B1 % 2**32, dtype=jnp.uint32)
    compiled = run.lower(words).compile()

    def batch():
        taps, output_V = jax.block_until_ready(compiled(words))
        return np.asarray(taps), np.asarray(output_V)

    return batch
