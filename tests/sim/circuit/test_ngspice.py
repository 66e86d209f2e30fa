"""The circuit against ngspice's operating point: both twins in one netlist, the clamp made of controlled sources."""

import re
import subprocess

import numpy as np
import pytest

from clockfree_sim.circuit.twins import Circuit


def netlist(ends, sources, targets, ohm, source_V, desired_V, eta, clamp_error_V):
    lines = ["twin networks"]
    for twin in "fc":
        for i, ((a, b), r) in enumerate(zip(ends, ohm[twin])):
            lines.append(f"R{twin}{i} {twin}{a} {twin}{b} {r:.17g}")
        for i, (node, volt) in enumerate(zip(sources, source_V)):
            lines.append(f"V{twin}{i} {twin}{node} 0 {volt:.17g}")
    for i, node in enumerate(targets):
        # eq. 1: (1 - eta) V_F from a controlled source, on top of the rest from a fixed one
        lines.append(f"Vd{i} d{i} 0 {eta * desired_V[i] + clamp_error_V[i]:.17g}")
        lines.append(f"Ec{i} c{node} d{i} f{node} 0 {1 - eta:.17g}")
    return "\n".join([*lines, ".control", "set numdgt=14", "op", "print all", ".endc", ".end", ""])


@pytest.mark.parametrize("seed", range(20))
def test_operating_point(ngspice, tmp_path, seed):
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(3, 30))
    ends = [(int(rng.integers(node)), node) for node in range(1, nodes)]
    ends += [(a, b) for a, b in rng.integers(0, nodes, (2 * nodes, 2)).tolist() if a != b]
    ports = rng.permutation(nodes)
    sources, targets = ports[:2], ports[2 : 2 + rng.integers(1, min(4, nodes - 1))]
    ohm = {"f": rng.uniform(160, 200e3, len(ends))}
    ohm["c"] = ohm["f"] * rng.uniform(0.99, 1.01, len(ends))
    shown = rng.uniform(0, 5, 2), rng.uniform(0, 5, len(targets)), 0.5, rng.normal(0, 0.01, len(targets))

    circuit = Circuit(nodes, ends, sources, targets, twins=True)
    circuit.load(rng.uniform(1e-5, 1e-4, len(ends)), rng.uniform(1e-5, 1e-4, len(ends)))
    circuit.example(*shown)
    for edge in rng.permutation(len(ends)).tolist():  # arrive there step by step
        circuit.step(edge, 1 / ohm["f"][edge], 1 / ohm["c"][edge])

    deck = tmp_path / "twins.cir"
    deck.write_text(netlist(ends, sources, targets, ohm, *shown))
    done = subprocess.run([ngspice, "-b", deck], capture_output=True, text=True, timeout=60)
    found = {name: float(volt) for name, volt in re.findall(r"^([fc]\d+) = (\S+)", done.stdout, re.MULTILINE)}
    assert len(found) == 2 * nodes, done.stdout + done.stderr
    np.testing.assert_allclose(circuit.v_free, [found[f"f{node}"] for node in range(nodes)], rtol=0, atol=1e-6)
    np.testing.assert_allclose(circuit.v_clamped, [found[f"c{node}"] for node in range(nodes)], rtol=0, atol=1e-6)
