"""What benchmarks are held against."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import laplacian


def one_thread() -> None:
    """Begin again with linear algebra held to one thread, which it takes note of when it is imported."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def ngspice_rate(job: Job, repeats: int = 3) -> float | None:
    """Operating points of both twins per second by ngspice, a process for each; None where there is none.

    The clamp is made of controlled sources, so that one netlist holds both twins.
    """
    ngspice = shutil.which("ngspice")
    if ngspice is None:
        return None
    rng = np.random.default_rng(0)
    lesson, eta = job.lessons[0], job.clamp.eta
    lines = ["twin networks"]
    for i, ((a, b), ohm) in enumerate(
        zip(job.network.ends, job.physics.resistance(rng.integers(2, 128, 10**5), POTS[job.edge.pot]))
    ):
        lines += [f"Rf{i} f{a} f{b} {ohm:.9g}", f"Rc{i} c{a} c{b} {ohm:.9g}"]
    for i, (node, volts) in enumerate(zip(job.sources, lesson.source_V[0])):
        lines += [f"Vf{i} f{node} 0 {volts:.9g}", f"Vc{i} c{node} 0 {volts:.9g}"]
    for i, (node, volts) in enumerate(zip(job.targets, lesson.desired_V[0])):
        lines += [f"Vd{i} d{i} 0 {eta * volts:.9g}", f"Ec{i} c{node} d{i} f{node} 0 {1 - eta:.9g}"]
    deck = "\n".join([*lines, ".control", "op", "print length(allv)", ".endc", ".end", ""])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "twins.cir"
        file.write_text(deck)
        begun = time.monotonic()
        for _ in range(repeats):
            subprocess.run([ngspice, "-b", file], capture_output=True, check=False, timeout=600)
        return repeats / (time.monotonic() - begun)


def jax_rate(job: Job, seconds: float = 3.0) -> float | None:
    """Edge updates per second of the synchronous rule on a dense float64 solver compiled by JAX; None without JAX.

    Both twins are solved once a step, for one example, and every edge steps. Node voltages are exact; nothing else of a
    bench is there: no clock, no supervisor, no imperfection.
    """
    try:
        import jax
    except ImportError:
        return None
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    network, lesson, physics = job.network, job.lessons[0], job.physics
    nodes, edges = len(network.nodes), len(network.ends)
    tail, head = jnp.asarray(network.ends[:, 0]), jnp.asarray(network.ends[:, 1])
    sources, targets = np.array(job.sources), np.array(job.targets)
    inner = np.setdiff1d(np.arange(nodes), sources)
    held = np.concatenate([sources, targets])
    loose = np.setdiff1d(np.arange(nodes), held)
    source_V, desired_V, eta = jnp.asarray(lesson.source_V[0]), jnp.asarray(lesson.desired_V[0]), job.clamp.eta

    def solved(matrix, unknown, known, known_V):
        rows = matrix[unknown]
        inside = jnp.linalg.solve(rows[:, unknown], -rows[:, known] @ known_V)
        return jnp.zeros(nodes).at[known].set(known_V).at[unknown].set(inside)

    def step(taps, _):
        g = 1.0 / (physics.wiper_ohm + (taps + physics.spare_taps) * (physics.rab_ohm / 128))
        matrix = jnp.zeros((nodes, nodes)).at[tail, tail].add(g).at[head, head].add(g)
        matrix = matrix.at[tail, head].add(-g).at[head, tail].add(-g)
        free_V = solved(matrix, inner, sources, source_V)
        clamp_V = free_V[targets] + eta * (desired_V - free_V[targets])
        clamped_V = solved(matrix, loose, held, jnp.concatenate([source_V, clamp_V]))
        up = jnp.abs(clamped_V[tail] - clamped_V[head]) > jnp.abs(free_V[tail] - free_V[head])
        return jnp.clip(taps + jnp.where(up, 1, -1), 0, 127), None

    @partial(jax.jit, static_argnums=1)
    def steps(taps, count):
        return jax.lax.scan(step, taps, length=count)[0]

    count = 200 if edges < 1000 else 10 if edges < 5000 else 1
    taps = steps(jnp.full(edges, 64), count).block_until_ready()  # compiles
    begun, done = time.process_time(), 0
    while not done or time.process_time() - begun < seconds:
        taps = steps(taps, count).block_until_ready()
        done += count
    return edges * done / (time.process_time() - begun)


def dense_rate(job: Job, firings: int = 400) -> float:
    """Firings per second when both twins are solved anew, dense, at every firing: the solves alone, no edge code."""
    rng = np.random.default_rng(0)
    nodes, ends = len(job.network.nodes), job.network.ends
    sources, targets = list(job.sources), list(job.targets)
    free = [n for n in range(nodes) if n not in sources]
    clamped = [n for n in free if n not in targets]
    held = sources + targets
    g = 1.0 / job.physics.resistance(
        rng.integers(job.physics.lowest_tap(POTS[job.edge.pot]), 128, len(ends)), POTS[job.edge.pot]
    )
    matrix = laplacian(nodes, ends, g).toarray()
    source_V, held_V = np.ones(len(sources)), np.ones(len(held))
    begun = time.process_time()
    for _ in range(firings):
        tail, head = ends[rng.integers(len(ends))]
        matrix[[tail, head], [tail, head]] += 1e-9
        matrix[[tail, head], [head, tail]] -= 1e-9
        np.linalg.solve(matrix[np.ix_(free, free)], -matrix[np.ix_(free, sources)] @ source_V)
        np.linalg.solve(matrix[np.ix_(clamped, clamped)], -matrix[np.ix_(clamped, held)] @ held_V)
    return firings / (time.process_time() - begun)
