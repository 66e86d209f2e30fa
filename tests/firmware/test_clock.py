import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clockfree_board import clock
from tests.firmware.smallint import Small

PERIOD = 1 << 30
instants = st.integers(0, PERIOD - 1)
deltas = st.integers(-(1 << 29) + 1, (1 << 29) - 1)


def running(kind=clock.EXPONENTIAL, mean_us=100_000, seed=1, edge=0, make=int):
    state = [make(0)] * clock.SIZE
    clock.seed(state, make(seed), make(seed >> 30), make(edge))
    clock.configure(state, make(kind), make(mean_us))
    return state


@given(instants, deltas)
def test_ticks_are_arithmetic_modulo_2_to_the_30(t, delta):
    later = clock.ticks_add(t, delta)
    assert later == (t + delta) % PERIOD
    assert clock.ticks_diff(later, t) == delta


def test_ticks_at_the_ends():
    assert clock.ticks_add(PERIOD - 1, 1) == 0
    assert clock.ticks_diff(0, PERIOD - 1) == 1
    assert clock.ticks_diff(0, 1 << 29) == -(1 << 29)


def test_xorshift_has_full_period():
    """The map is linear over GF(2): its order is 2**30 - 1, and not one of its divisors."""

    def image(x):
        state = [x, 0, 0, 0, 0, 0]  # Weyl word and increment 0: only the xorshift is left
        clock.draw(state)
        return state[0]

    def apply(columns, x):
        total = 0
        for i, column in enumerate(columns):
            if x >> i & 1:
                total ^= column
        return total

    def power(columns, n):
        result = [1 << i for i in range(30)]
        while n:
            if n & 1:
                result = [apply(columns, c) for c in result]
            columns = [apply(columns, c) for c in columns]
            n >>= 1
        return result

    one = [1 << i for i in range(30)]
    step = [image(x) for x in one]
    order = PERIOD - 1
    assert power(step, order) == one
    for prime in (3, 7, 11, 31, 151, 331):  # 2**30 - 1 = 3**2 7 11 31 151 331
        assert order % prime == 0
        assert power(step, order // prime) != one


def test_weyl_increment_is_odd_and_every_edges_own():
    strides = set()
    for edge in range(1 << 15):
        state = [0] * clock.SIZE
        clock.seed(state, 5, 0, edge)
        assert state[clock.STRIDE] % 2 == 1
        assert state[clock.X] != 0
        strides.add(state[clock.STRIDE])
    assert len(strides) == 1 << 15


@pytest.mark.parametrize("other", [{"seed": 2}, {"edge": 1}, {"seed": 1 + (1 << 30)}])
def test_seeds_and_edges_give_unrelated_sequences(other):
    one, two = running(), running(**other)
    a = np.array([clock.draw(one) for _ in range(4000)])
    b = np.array([clock.draw(two) for _ in range(4000)])
    flips = [bin(x ^ y).count("1") for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert abs(np.mean(flips) - 15) < 5 * np.sqrt(30 / 4 / 4000)
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(4000)


def test_exponential_waits():
    # HARDWARE, Clock: KS distance 0.0034, mean 1.0009, variance 1.005 of the table method, for any number of draws.
    state = running()
    waits = np.array([clock.wait_us(state) for _ in range(200_000)]) / 100_000
    assert stats.kstest(waits, "expon").statistic < 0.0034 + 1.95 / np.sqrt(len(waits))
    assert waits.mean() == pytest.approx(1.0009, abs=4 / np.sqrt(len(waits)))
    assert waits.var() == pytest.approx(1.005, abs=4 * np.sqrt(8 / len(waits)))
    assert abs(np.corrcoef(waits[1:], waits[:-1])[0, 1]) < 4 / np.sqrt(len(waits))


def test_jittered_waits_are_uniform_within_ten_percent():
    state = running(clock.JITTERED)
    waits = np.array([clock.wait_us(state) for _ in range(50_000)]) / 100_000
    assert waits.min() >= 0.9 - 1e-3 and waits.max() <= 1.1 + 1e-3
    assert stats.kstest(waits, stats.uniform(0.9, 0.2).cdf).statistic < 0.002 + 1.95 / np.sqrt(len(waits))


def test_periodic_clocks_have_a_period_and_a_phase_of_their_own():
    means, phases = [], []
    for edge in range(400):
        state = running(clock.PERIODIC, edge=edge)
        phases.append(clock.first_us(state))
        waits = [clock.wait_us(state) for _ in range(20)]
        assert max(waits) - min(waits) <= 1 << state[clock.SHIFT]
        means.append(np.mean(waits))
    assert stats.kstest(np.array(means) / 1e5, stats.uniform(0.9, 0.2).cdf).pvalue > 1e-3
    assert stats.kstest(np.array(phases) / np.array(means), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("mean_us", [1, 40, 8191, 8192, 40_000, 100_000, 16_775_168])
@pytest.mark.parametrize("kind", [clock.EXPONENTIAL, clock.JITTERED, clock.PERIODIC])
def test_any_mean_within_range(kind, mean_us):
    waits = []
    for edge in range(20):
        state = running(kind, mean_us, edge=edge)
        assert 0 <= clock.first_us(state) < 1 << 29
        waits += [clock.wait_us(state) for _ in range(500)]
    assert 0 <= min(waits) and max(waits) < 1 << 29
    assert np.mean(waits) == pytest.approx(mean_us, rel=0.05, abs=0.6)


@pytest.mark.parametrize("mean_us", [0, -1, 16_775_169])
def test_mean_out_of_range(mean_us):
    with pytest.raises(ValueError, match="mean wait"):
        running(mean_us=mean_us)


@given(st.integers(0, (1 << 60) - 1), st.integers(0, (1 << 15) - 1), st.integers(1, 16_775_168), st.integers(0, 2))
def test_every_intermediate_is_a_small_int(seed, edge, mean_us, kind):
    state = [Small(0)] * clock.SIZE
    clock.seed(state, Small(seed & (PERIOD - 1)), Small(seed >> 30), Small(edge))
    clock.configure(state, Small(kind), Small(mean_us))
    now = Small(PERIOD - 5)
    clock.below(state, Small(1 << 15))
    clock.first_us(state)
    for _ in range(20):
        later = clock.ticks_add(now, clock.wait_us(state))
        clock.ticks_diff(later, now)
        now = later
    assert all(isinstance(word, Small) for word in state[:3])


def test_extreme_draws_are_small_ints():
    """The longest possible wait: a draw whose top 22 bits are all zero, at the largest mean."""
    longest = []
    for low in (0, 255):
        state = running(mean_us=16_775_168, make=Small)

        class Fixed(list):
            pass

        fixed = Fixed(state)
        # Choose the Weyl word so that the next draw is exactly ``low``.
        x = fixed[clock.X]
        x ^= (x & ((1 << 28) - 1)) << 2
        x ^= x >> 9
        x ^= (x & ((1 << 15) - 1)) << 15
        fixed[clock.WEYL] = Small((low - int(x) - int(fixed[clock.STRIDE])) % (1 << 29))
        probe = list(fixed)
        u = clock.draw(probe)
        assert u & ((1 << 29) - 1) == low
        longest.append(clock.wait_us(fixed))
    assert max(longest) < 1 << 29
