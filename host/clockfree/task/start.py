"""Taps that a run starts from: given, those of another run, or the nearest to the resistances of the network's file."""

import json
from collections import Counter
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from clockfree.base.errors import InputError
from clockfree.task.taskfile import FROM_FILE, Task
from clockfree_model.chain import Chain, sealed
from clockfree_model.contents import lines
from clockfree_model.importers import Graph
from clockfree_model.importers.resistance import ohms_in
from clockfree_model.network import Network
from clockfree_model.parts import Pot
from clockfree_model.physics import Physics


def start_taps(task: Task, network: Network, graph: Graph | None, physics: Physics, pot: Pot) -> np.ndarray | None:
    """Tap of each edge (E,), or None for the start tap of the potentiometers.

    Raises
    ------
    InputError
        Taps out of range, too few or too many, a file without resistances, a run of another network.
    """
    given, edges = task.start_taps, len(network.ends)
    if given is None:
        return None
    if given == FROM_FILE:
        return _nearest(task, network, graph, physics, pot)
    if isinstance(given, str):
        taps = _of_run(task, given, network)
    else:
        taps = given if isinstance(given, list) else [given] * edges
    if len(taps) != edges:
        raise task.problem("start_taps", f"expected {edges} taps, one for each edge, got {len(taps)}")
    lowest, highest = physics.lowest_tap(pot), pot.highest
    for i, tap in enumerate(taps):
        if not lowest <= tap <= highest:
            key = f"start_taps.{i}" if isinstance(given, list) else "start_taps"
            of = f" at {network.edge_name(i)} in {given}" if isinstance(given, str) else ""
            raise task.problem(key, f"expected {lowest}..{highest}, got {tap}{of}")
    return np.array(taps, dtype=np.int64)


def _nearest(task: Task, network: Network, graph: Graph | None, physics: Physics, pot: Pot) -> np.ndarray:
    """The tap of each edge whose resistance is nearest to the file's; half a step beyond either end is an end's."""
    if graph is None:
        text = f"expected a network from a file with {FROM_FILE!r}, got {network.name}"
        raise task.problem("start_taps", text)
    found = ohms_in(graph)
    if found is None:
        kept = ", ".join(graph.columns) or "none"
        text = "expected one column of resistances or conductances in the network's file, such as resistance_ohm, got"
        raise task.problem("start_taps", f"{text} {kept}")
    name, ohms = found
    for edge, ohm in enumerate(ohms):
        if ohm is None:
            text = f"expected a {name} above 0 for every edge, got none for {network.edge_name(edge)}"
            raise task.problem("start_taps", text)
    taps = np.arange(physics.lowest_tap(pot), pot.highest + 1)
    of_tap = physics.resistance(taps, pot)
    half = 0.5 * (of_tap[1] - of_tap[0])
    for edge, ohm in enumerate(ohms):
        if not of_tap[0] - half <= (ohm or 0.0) <= of_tap[-1] + half:
            span = f"{of_tap[0]:.4g}..{of_tap[-1]:.4g} ohm, which the potentiometers have"
            raise task.problem("start_taps", f"expected {span}, got {ohm:.4g} ohm at {network.edge_name(edge)}")
    nearest: np.ndarray = taps[np.abs(of_tap[None, :] - np.array(ohms, dtype=float)[:, None]).argmin(axis=1)]
    return nearest.astype(np.int64)


def _of_run(task: Task, given: str, network: Network) -> list[int]:
    """Last known taps of a run's log, edge by edge of this network."""
    folder = Path(task.path("start_taps", given, Path.is_dir))
    path = folder / "log.jsonl"
    try:
        log, last, chain = lines(path), None, Chain()
        line = next(log, b"")
        first = json.loads(line)
        is_sealed = sealed(first)
        while line.endswith(b"\n"):
            if is_sealed and not chain.holds(line):
                look = f"clockfree check {quote(str(folder))} looks at all of it"
                raise InputError(f"{path}: not what was written: {look}")
            # What was resumed goes on with the taps of its checkpoint, whatever came after that.
            if line.startswith((b'{"record":"sample"', b'{"record":"resumed"')):
                last = line
            line = next(log, b"")
        was = Network(**first["job"]["network"])
        taps = np.array(json.loads(last or b"null")["taps"], dtype=np.int64).reshape(len(was.ends)).tolist()
    except OSError as error:
        text = f"expected a tap, a list of taps, {FROM_FILE!r}, or the folder of a run, got {given!r}"
        raise task.problem("start_taps", f"{text} ({path}: {error.strerror})") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InputError(f"{path}: file: expected the log of a run with at least one sample") from None
    of_edge: dict[Any, int] = dict(zip(_keys(was), taps))
    found = []
    for edge, key in enumerate(_keys(network)):
        tap = of_edge.get(key)
        if tap is None or tap < 0:
            what = "no such edge" if tap is None else "a tap that nobody knows"
            text = f"expected a run with a tap for every edge of {network.name}, got {what} at"
            raise task.problem("start_taps", f"{text} {network.edge_name(edge)} in {given}")
        found.append(tap)
    return found


def _keys(network: Network) -> list[tuple[frozenset[str], int]]:
    """Each edge by its nodes, in either order, and its place among those in parallel."""
    met: Counter[frozenset[str]] = Counter()
    keys = []
    for a, b in network.ends.tolist():
        pair = frozenset((network.nodes[a], network.nodes[b]))
        met[pair] += 1
        keys.append((pair, met[pair]))
    return keys
