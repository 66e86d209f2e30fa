import numpy as np
from scipy import special, stats

from clockfree_sim.plant import noise


def draws(function, key, n=20_000):
    return np.array([function(key, i) for i in range(n)])


def test_gauss_is_the_inverse_normal_of_the_uniform():
    key = noise.key_of(3, 4, noise.DECISION)
    assert np.allclose(draws(noise.gauss, key), special.ndtri(draws(noise.uniform, key)), rtol=1e-13, atol=1e-15)


def test_distributions():
    key = noise.key_of(0, 0, noise.DECISION)
    assert stats.kstest(draws(noise.gauss, key), "norm").pvalue > 1e-3
    assert stats.kstest(draws(noise.uniform, key), "uniform").pvalue > 1e-3


def test_streams_differ_by_seed_edge_and_purpose():
    keys = {
        noise.key_of(seed, edge, purpose)
        for seed in (0, 1, 2**40)
        for edge in range(200)
        for purpose in (noise.FIXED, noise.DECISION, noise.BIAS, noise.LATENESS)
    }
    assert len(keys) == 3 * 200 * 4
    a = draws(noise.gauss, noise.key_of(0, 0, noise.DECISION))
    b = draws(noise.gauss, noise.key_of(0, 1, noise.DECISION))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a))


def test_blocks_and_single_draws_agree():
    key = noise.key_of(7, 2, noise.BIAS)
    stream = noise.stream(7, 2, noise.BIAS, normal=False, block=16)
    assert [stream() for _ in range(50)] == [noise.uniform(key, i) for i in range(50)]
