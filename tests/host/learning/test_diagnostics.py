"""What is said of comparators that never change, against drops that the test sets."""

from types import SimpleNamespace

import numpy as np
import pytest

from clockfree.learning.diagnostics import Diagnostics
from tests.sim.jobs import a_job

# Free and clamped drop of edge 0 at two examples, V; what B says at both of them where it sees the sum.
TURNED_OVER = np.array([1.0, 0.8]), np.array([-2.0, -1.9])


def said(order, drops_V, b):
    """Texts of a run in which edge 0 has these drops and its B always says the same."""
    job = a_job(edge={"order": order})
    edges = len(job.network.ends)
    tiled = tuple(np.tile(each[:, np.newaxis], edges) for each in drops_V)
    asked = Diagnostics(job, lambda *given: tiled, np.tile([0, 127], (edges, 1)), False)
    tally = SimpleNamespace(bits=np.tile([0, b], (edges, 1)), taps=np.full(edges, 64))
    found = []
    for looks in range(60):
        tally.count = lambda name, fired=100 * looks: np.full(edges, fired)
        found += [text for _, text, _, _ in asked._stuck(tally, None, 0, 0, None)]
    return found


@pytest.mark.parametrize(
    ("order", "b", "why"),
    [
        (2, 0, None),
        (1, 1, None),
        (1, 0, "stuck, or wired for edge.order = 2, by which it would?"),
        (2, 1, "stuck, or wired for edge.order = 1, by which it would?"),
    ],
)
def test_a_b_that_is_wired_for_the_other_order(order, b, why):
    texts = said(order, TURNED_OVER, b)
    assert len(texts) == (why is not None)
    assert not texts or texts[0].endswith(f"firings, and should not at these taps: {why}")


def test_a_b_that_no_order_explains():
    text = said(1, (np.array([1.0, 0.8]), np.array([0.9, 0.7])), 0)[0]
    assert text.endswith("stuck, or wired to other nodes?")
