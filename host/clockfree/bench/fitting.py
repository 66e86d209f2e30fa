"""Fit of a job to a bench, checked before any port is opened."""

from collections.abc import Sequence

from clockfree.base.errors import InputError
from clockfree.link.benchfile import BenchFile
from clockfree_model.job import Job
from clockfree_model.parts import CONVERTERS

LEAST_DWELL_S = 0.02
"""Of boards. The largest supervisor, of eight DACs, takes some 6 ms to measure and to show an example, and no board
builds or reads a line with less than 5 ms left (board.py): with a shorter dwell it might tell nothing until the end."""


def check_fit(job: Job, bench: BenchFile, file: str) -> None:
    """InputError where the job is none for this bench: before anything is opened."""
    network, physics = job.network, job.physics
    nodes = network.nodes
    if job.damage:
        raise InputError(f"{file}: damage: expected none on boards (break them by hand), got some in the task")
    if job.clamp.dwell_s < LEAST_DWELL_S:
        text = f"expected at least {LEAST_DWELL_S:g} on boards, got {job.clamp.dwell_s:g} in the task"
        raise InputError(f"{file}: clamp.dwell_s: {text}")
    if abs(physics.supply_V - bench.supply_V) > 1e-9:
        text = f"expected {physics.supply_V:g}, as physics.supply_V of the task, got {bench.supply_V:g}"
        raise InputError(f"{file}: supply_V: {text}: --preset board is 3.3 V")
    for i, board in enumerate(bench.boards):
        for j, wiring in enumerate(board.edges):
            for key in ("front_end", "pot"):
                wanted, there = getattr(job.edge, key), getattr(wiring, key)
                if wanted != there:
                    text = f"expected {wanted}, as edge.{key} of the task, got {there}"
                    raise InputError(f"{file}: boards.{i}.edges.{j}.{key}: {text}: --set edge.{key}={there}")
            if wiring.rab_ohm != physics.rab_ohm:
                text = f"expected {physics.rab_ohm:g}, as physics.rab_ohm of the task, got {wiring.rab_ohm:g}"
                raise InputError(f"{file}: boards.{i}.edges.{j}.rab_ohm: {text}")
    names = [[nodes[i] for i in chosen] for chosen in (job.sources, job.targets)]
    for problem in (
        misserved(bench, [network.edge_name(edge) for edge in range(len(network.ends))]),
        lacking(bench, *map(len, names)),
        miswired(bench, *names),
    ):
        if problem:
            raise InputError(f"{file}: {problem}")


def lacking(bench: BenchFile, sources: int, targets: int) -> str | None:
    """What the supervisor's chips lack for a task with so many sources and targets; None if they do.

    Every source and every desired voltage takes a DAC channel, every target a mixer and an ADC channel.
    """
    board = bench.supervisor
    needs = {
        "DAC channels": (sources + targets, sum(CONVERTERS[dac.chip].channels for dac in board.dacs)),
        "mixers": (targets, len(board.mixers)),
        "ADC channels": (targets, sum(CONVERTERS[adc.chip].channels for adc in board.adcs)),
    }
    for what, (needed, there) in needs.items():
        if needed > there:
            return f"supervisor: the task needs {needed} {what}, bench has {there}"
    return None


def miswired(bench: BenchFile, sources: Sequence[str], targets: Sequence[str]) -> str | None:
    """Which of a task's sources or targets the supervisor is not wired to; None where it is, or does not say."""
    for key, wired, wanted in (
        ("sources", bench.supervisor.sources, sources),
        ("targets", bench.supervisor.targets, targets),
    ):
        if wired and wired != [*wanted]:
            return f"supervisor.{key}: expected the nodes of the task, {_some([*wanted])}, got {_some(wired)}"
    return None


def misserved(bench: BenchFile, edges: Sequence[str]) -> str | None:
    """Which edges of a network no board serves, or which of those served are none of it; None if all is well."""
    served = {edge.edge: f"boards.{i}" for i, board in enumerate(bench.boards) for edge in board.edges}
    missing = [name for name in edges if name not in served]
    foreign = [f"{name} ({key})" for name, key in served.items() if name not in edges]
    if missing:
        return f"boards: expected every edge of the network served, got no board for {_some(missing)}"
    if foreign:
        return f"boards: expected edges of the network only, got {_some(foreign)}"
    return None


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
