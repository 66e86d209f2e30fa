import numpy as np
import pytest

from clockfree_model.linear import reduced


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_smallest_errors_keep_their_digits(outputs):
    """A lesson that a network meets but for 0.2 mV: 4e-8 V^2, of which second moments would lose all but six digits."""
    rng = np.random.default_rng(3)
    source_V, weights = rng.uniform(0, 5, (3000, 6)), rng.dirichlet(np.ones(6), outputs)
    off_V = rng.normal(0, 2e-4, (3000, outputs))
    rows = reduced(source_V, source_V @ weights.T + off_V)
    assert rows.source_V.shape == (6, 6) and rows.desired_V.shape == (6, outputs)
    error_V2 = (np.sum((rows.source_V @ weights.T - rows.desired_V) ** 2) + rows.rest_V2) / rows.values
    assert error_V2 == pytest.approx(np.mean(off_V**2), rel=1e-11, abs=0)  # off_V itself is known to 1e-12 of it


@pytest.mark.parametrize("examples", [1, 5, 6])
def test_up_to_as_many_examples_as_sources_stay_as_they_are(examples):
    rng = np.random.default_rng(examples)
    source_V, desired_V = rng.uniform(0, 5, (examples, 6)), rng.uniform(0, 5, (examples, 2))
    rows = reduced(source_V, desired_V)
    assert rows.source_V is source_V and rows.desired_V is desired_V
    assert (rows.rest_V2, rows.values) == (0.0, 2 * examples)
