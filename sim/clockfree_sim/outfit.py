"""The boards of a world as records: `records.EDGE` of each, `records.SHARED` of all, and what their ADCs are like."""

from collections.abc import Sequence

import numpy as np

from clockfree_sim import noise
from clockfree_sim.chips import DUTY_PER_C16
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.records import AFTER_ROUND, AT_ONCE, EDGE, FRONT_ENDS, LATER, NOWHERE, SHARED
from clockfree_sim.voltages import settles
from clockfree_sim.world import World


def edges_of(world: World) -> np.ndarray:
    """The edges as they are before anything was read or damaged, (E,) EDGE."""
    job, boards = world.job, world.boards
    physics, seed = job.physics, job.seed & 0xFFFFFFFFFFFFFFFF
    edges = np.zeros(len(boards), dtype=EDGE)
    edges["index"] = np.arange(len(boards))
    edges["late_us"] = [board.edge.late_us for board in boards]
    edges["tap"] = [board.pots.tap for board in boards]
    edges["at_free"] = edges["at_clamped"] = edges["tap"]
    edges["at"] = NOWHERE
    draws = noise.BIAS if _magnitude(world) else noise.DECISION
    edges["noise_key"] = [noise.key_of(seed, i, draws) for i in range(len(boards))]
    edges["lateness_key"] = [noise.key_of(seed, i, noise.LATENESS) for i in range(len(boards))]
    channels = [board.chips.channels for board in boards if board.chips.channels]
    if channels:
        offset_V = np.array([each.offset_V for each in channels])
        edges["shift"][:, : offset_V.shape[1]] = offset_V * (4096 / physics.supply_V)
        edges["levels"] = np.arange(len(boards)) if physics.adc_inl_lsb else 0
    elif _magnitude(world):
        if physics.sigma_kind == "fixed":
            edges["offset_a_V"] = [physics.sigma_V * noise.uniform(key, 0) for key in edges["noise_key"]]
    else:
        edges["offset_a_V"], edges["offset_b_V"] = zip(*comparators(world, "offset_V"), strict=True)
    return edges


def shared_of(world: World) -> np.ndarray:
    """What all edges share, (1,) SHARED."""
    job, physics = world.job, world.job.physics
    board = world.boards[0]
    edge, pots, sense, channels, trim = board.edge, board.pots, board.sense, board.chips.channels, board.chips.trim
    clockfree = job.rule == "clockfree"
    shared = {
        "lowest": pots.lowest,
        "highest": pots.highest,
        "floor_c16": edge.floor_c16,
        "dither_c16": edge.dither_c16,
        "bar_c16": getattr(sense, "bar_c16", 0),
        "settle_us": sense.settle_us,
        "front_end": FRONT_ENDS.index(job.edge.front_end),
        "kept": bool(channels) or not clockfree or settles(world.plant.circuit.state),
        "wipers": LATER if physics.age_us or physics.skew_us else AT_ONCE if clockfree else AFTER_ROUND,
        "age_us": physics.age_us,
        "skew_us": physics.skew_us,
        "magnitude": _magnitude(world),
        "noise_V": channels.noise_V if channels else physics.noise_V,
        "sigma_V": physics.sigma_V if _magnitude(world) and physics.sigma_kind == "redrawn" else 0.0,
        "supply_V": physics.supply_V,
        "codes_per_V": 4096 / physics.supply_V,
        "lateness_us": physics.lateness_us,
    }
    if trim:
        shared |= {"duty_per_c16": DUTY_PER_C16, "span_V": trim.span_V, "tau_us": trim.tau_us}
    alike = np.zeros(1, dtype=SHARED)
    for name, value in shared.items():
        alike[name] = value
    return alike


def levels_of(world: World) -> np.ndarray:
    """Where the codes of each ADC begin, one after another; of one that stands for all, if they are perfect."""
    levels: list[Sequence[float]] = [PERFECT]
    if world.job.physics.adc_inl_lsb:
        levels = [board.chips.channels.levels for board in world.boards if board.chips.channels] or levels
    return np.concatenate(levels)


def comparators(world: World, name: str) -> list[list]:
    """An attribute of A and B of every edge."""
    return [[getattr(each, name) for each in board.chips.comparators or ()] for board in world.boards]


def _magnitude(world: World) -> bool:
    """Whether A is the paper's comparison of magnitudes."""
    physics = world.job.physics
    return bool(physics.sigma_V) and physics.sigma_kind != "signed"
