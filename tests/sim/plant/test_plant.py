"""The plant, one imperfection at a time: on its own it does what its docstring says, off it does nothing.

A divider is two edges in a row, from source L over target M to source R: its voltages are known by hand.
"""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.physics import BOARD, IDEAL, PAPER, PRESETS, Physics
from clockfree_model.settings import EdgeSettings
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.timeline import Timeline
from tests.sim.jobs import a_job, trace

L, M, R = 0, 1, 2
ETA = 0.5


def divider(pot="mcp42xx", **physics):
    """Plant of a divider with 5 V over it: taps 64 and 64."""
    lesson = Lesson("unused", 0.0, np.zeros((1, 2)), np.zeros((1, 1)))
    job = Job(load("square:1x3"), (L, R), (M,), (lesson,), edge=EdgeSettings(pot=pot), physics=Physics(**physics))
    time = Timeline(2)
    plant = Plant(job, time)
    plant.drive(np.array([5.0, 0.0]), np.array([1.0]), ETA, True)
    return plant, time


def step(plant, edge, tap):
    """Move both wipers of an edge, as a chip does inside one chip select."""
    move = plant.mover(edge)
    move(0, tap)
    move(1, tap)


def middle(plant):
    """Voltages of the target in both twins, as a front end would find them."""
    return plant.node(M, 0)(), plant.node(M, 1)()


def half_way(free_V, desired_V=1.0):
    return free_V + ETA * (desired_V - free_V)


# -- resistances -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wiper_ohm", "spare_taps", "rab_ohm"), [(0.0, 1, 100e3), (75.0, 0, 100e3), (160.0, 3, 10e3)])
def test_resistance_of_a_tap(wiper_ohm, spare_taps, rab_ohm):
    plant, _ = divider(wiper_ohm=wiper_ohm, spare_taps=spare_taps, rab_ohm=rab_ohm)
    for taps in ((64, 64), (0, 127), (1, 3), (100, 17)):
        step(plant, 0, taps[0])
        step(plant, 1, taps[1])
        one, two = (wiper_ohm + (tap + spare_taps) * rab_ohm / 128 for tap in taps)
        assert middle(plant)[0] == pytest.approx(5 * two / (one + two))
        assert middle(plant)[1] == pytest.approx(half_way(middle(plant)[0]))
        assert plant.circuit.power()[0] == pytest.approx(25 / (one + two))


def test_an_x9c_divides_its_track_into_99_steps():
    plant, _ = divider("x9c", wiper_ohm=40.0, spare_taps=0)
    step(plant, 0, 99)
    step(plant, 1, 33)
    assert plant.circuit.power()[0] == pytest.approx(25 / (2 * 40 + 100e3 + 100e3 / 3))


def test_the_track_of_an_x9c303_has_equal_relative_steps():
    """40 ohm to 32 kohm in 99 of them; what it may carry decides which tap is the lowest, as on a linear track."""
    physics = Physics(wiper_ohm=40.0, rab_ohm=32e3, spare_taps=0)
    plant, _ = divider("x9c303", **{name: getattr(physics, name) for name in ("wiper_ohm", "rab_ohm", "spare_taps")})
    track = np.geomspace(40, 32e3, 100)
    for one, two in ((0, 99), (7, 64)):
        step(plant, 0, one)
        step(plant, 1, two)
        assert plant.circuit.power()[0] == pytest.approx(25 / (80 + track[one] + track[two]))
    pot = POTS["x9c303"]
    for supply_V, ratio in ((3.3, 1.0), (5.0, 0.5), (5.0, 1e-6)):
        over = dataclasses.replace(physics, supply_V=supply_V, rab_ohm=ratio * 32e3, limit_lowest=True)
        lowest = over.lowest_tap(pot)
        assert lowest == np.searchsorted(40 + ratio * track, supply_V / 1e-3 - 1e-6) or lowest > pot.highest
        assert (lowest > pot.highest) == (40 + ratio * 32e3 < supply_V / 1e-3)
    assert pot.lowest_tap(3.3, 4000.0, 32e3) == 0


def test_a_shorted_track_is_no_division_by_zero():
    plant, _ = divider(spare_taps=0)
    step(plant, 0, 0)
    assert middle(plant)[0] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("supply_V", "wiper_ohm", "rab_ohm", "lowest"),
    [(3.3, 75.0, 100e3, 2), (5.0, 75.0, 100e3, 3), (3.3, 75.0, 10e3, 16), (5.0, 75.0, 10e3, 25), (3.3, 2000.0, 1e4, 0)],
)
def test_lowest_tap(supply_V, wiper_ohm, rab_ohm, lowest):
    """The current stays below 2.5 mA."""
    pot = POTS["mcp42xx"]
    physics = Physics(supply_V=supply_V, wiper_ohm=wiper_ohm, rab_ohm=rab_ohm, spare_taps=0, limit_lowest=True)
    assert physics.lowest_tap(pot) == lowest
    assert supply_V / physics.resistance(lowest, pot) <= 2.5e-3
    if lowest:
        assert supply_V / physics.resistance(lowest - 1, pot) > 2.5e-3
    assert dataclasses.replace(physics, limit_lowest=False).lowest_tap(pot) == 0


def test_wipers_of_pulse_pots_may_part():
    """Each twin follows its own wiper, and a move of one alone is seen at once."""
    plant, _ = divider("ad5220")
    move = plant.mover(0)
    move(0, 64)
    move(0, 0)
    assert middle(plant)[0] == pytest.approx(5 * 65 / 66)
    currents = _currents(plant)
    assert currents[0] == pytest.approx((5 - middle(plant)[0]) / (100e3 / 128))
    assert currents[1] == pytest.approx((5 - middle(plant)[1]) / (65 * 100e3 / 128))
    move(1, 30)
    assert _currents(plant)[1] == pytest.approx((5 - middle(plant)[1]) / (31 * 100e3 / 128))
    assert middle(plant)[0] == pytest.approx(5 * 65 / 66)


def _currents(plant):
    """Through edge 0 in both twins, A: the power of the whole less that of edge 1, at its known 65 steps."""
    found = []
    for twin, power in enumerate(plant.circuit.power()):
        over = 5 - middle(plant)[twin]
        found.append((power - middle(plant)[twin] ** 2 / (65 * 100e3 / 128)) / over)
    return found


# -- mismatch --------------------------------------------------------------------------------------------------------


def test_mismatch_is_the_spread_of_the_ratio_of_the_two_tracks():
    job = a_job("square:30x30", physics=dataclasses.replace(IDEAL, mismatch=0.01))
    ratio = np.array(Plant(job, Timeline(1740)).ratio)
    assert len(ratio) == 1740
    assert stats.kstest((ratio - 1) / 0.01, "norm").pvalue > 1e-3
    assert ratio.std() == pytest.approx(0.01, rel=4 / math.sqrt(2 * 1740))
    again = Plant(dataclasses.replace(job, seed=1), Timeline(1740)).ratio
    assert abs(np.corrcoef(ratio, again)[0, 1]) < 4 / math.sqrt(1740)


def test_mismatch_scales_the_clamped_track_and_not_the_wiper():
    plant, _ = divider(mismatch=0.2, wiper_ohm=5e3, spare_taps=0)
    step(plant, 0, 100)
    step(plant, 1, 30)
    free, clamped = middle(plant)
    ohm = [5e3 + tap * 100e3 / 128 for tap in (100, 30)]
    ohm_clamped = [5e3 + tap * ratio * 100e3 / 128 for tap, ratio in zip((100, 30), plant.ratio, strict=True)]
    assert abs(plant.ratio[0] - 1) > 0.01
    assert free == pytest.approx(5 * ohm[1] / sum(ohm))
    assert clamped == pytest.approx(half_way(free))
    power = (5 - clamped) ** 2 / ohm_clamped[0] + clamped**2 / ohm_clamped[1]
    assert plant.circuit.power()[1] == pytest.approx(power)


# -- clamp -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.25, 1.0])
def test_clamp_error_is_a_fixed_error_of_each_output_whatever_eta(eta):
    errors = []
    for seed in range(25):
        job = a_job("square:8x8", targets=40, physics=dataclasses.replace(IDEAL, clamp_error_V=0.01), seed=seed)
        plant = Plant(job, Timeline(112))
        for desired_V in (np.zeros(40), np.full(40, 2.0)):
            plant.drive(np.array([0.0, 5.0]), desired_V, eta, True)
            targets = list(job.targets)
            free, clamped = plant.circuit.v_free[targets], plant.circuit.v_clamped[targets]
            errors.append(clamped - free - eta * (desired_V - free))
        np.testing.assert_allclose(errors[-1], errors[-2], atol=1e-12)
    errors = np.ravel(errors[::2])
    assert stats.kstest(errors / 0.01, "norm").pvalue > 1e-3


def test_a_floated_clamp_leaves_both_twins_alike():
    plant, _ = divider(clamp_error_V=0.1)
    plant.drive(np.array([5.0, 0.0]), np.array([1.0]), ETA, False)
    assert middle(plant) == pytest.approx((2.5, 2.5))
    plant.drive(np.array([5.0, 0.0]), np.array([1.0]), ETA, True)
    assert middle(plant)[1] != pytest.approx(half_way(2.5), abs=1e-3)


@pytest.mark.parametrize(
    ("settle_us", "clamp_us", "tau_us"),
    [(20.0, 0.0, (20.0, 20.0)), (0.0, 10.0, (0.0, 10.0)), (20.0, 10.0, (20.0, 30.0))],
)
def test_nodes_settle_exponentially_after_a_drive_and_after_a_step(settle_us, clamp_us, tau_us):
    plant, time = divider(settle_us=settle_us, clamp_us=clamp_us)
    sensed = [0.0, 0.0]  # everything is at 0 V before the supplies come up
    now_us = 0

    def check(targets):
        """Both twins on their way from what was sensed to where they settle, at some times; then they stay there."""
        nonlocal now_us, sensed
        start_us = now_us
        for wait_us in (0, 1, 7, 30, 45):
            now_us = start_us + wait_us
            time.advance(now_us)
            left = [math.exp(-wait_us / tau) if tau else 0.0 for tau in tau_us]
            expected = [to + (was - to) * x for to, was, x in zip(targets, sensed, left, strict=True)]
            assert middle(plant) == pytest.approx(expected)
            drops = plant.drops(1)()  # edge 1 ends at R, which is held at 0 V
            assert drops == pytest.approx(expected)
        sensed = expected

    check((2.5, half_way(2.5)))
    step(plant, 0, 128)
    check((5 * 65 / 194, half_way(5 * 65 / 194)))
    plant.drive(np.array([5.0, 0.0]), np.array([4.0]), ETA, True)
    check((5 * 65 / 194, half_way(5 * 65 / 194, 4.0)))
    plant.drive(np.array([5.0, 0.0]), np.array([4.0]), ETA, False)
    check((5 * 65 / 194, 5 * 65 / 194))


def test_a_digital_clamp_holds_what_it_sampled():
    """Sampled every 100 us from the drive on, applied 30 us later."""
    plant, time = divider(clamp_period_us=100, clamp_delay_us=30)
    held = [(0, 0.0), (30, half_way(2.5))]
    moves = [(40, 128), (270, 64), (295, 20)]
    free_at = lambda t: 5 * 65 / (66 + [tap for when, tap in [(0, 64), *moves] if when < t][-1])  # noqa: E731
    for k in range(1, 6):
        held.append((100 * k + 30, half_way(free_at(100 * k))))
    for now_us in range(1, 500):
        for when, tap in moves:
            if when == now_us - 1:
                time.advance(when)
                step(plant, 0, tap)
        time.advance(now_us)
        free, clamped = middle(plant)
        assert free == pytest.approx(free_at(now_us))
        assert clamped == pytest.approx([volts for when, volts in held if when < now_us][-1])


def test_a_digital_clamp_starts_anew_with_each_drive():
    plant, time = divider(clamp_period_us=100, clamp_delay_us=30)
    time.advance(150)
    assert middle(plant)[1] == pytest.approx(half_way(2.5))
    step(plant, 0, 128)
    time.advance(210)
    plant.drive(np.array([4.0, 0.0]), np.array([3.0]), ETA, True)  # what was sampled at 200 never arrives
    free = 4 * 65 / 194
    time.advance(240)
    assert middle(plant) == pytest.approx((free, half_way(2.5)))
    time.advance(241)
    assert middle(plant) == pytest.approx((free, half_way(free, 3.0)))
    plant.drive(np.array([4.0, 0.0]), np.array([1.0]), ETA, False)
    time.advance(1000)
    assert middle(plant) == pytest.approx((free, free))


# -- when wipers move ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age_us", "skew_us"), [(0, 0), (50, 0), (0, 20), (50, 20)])
@pytest.mark.parametrize("pot", ["mcp42xx", "ad5220"])
def test_when_the_wipers_move(pot, age_us, skew_us):
    plant, time = divider(pot, age_us=age_us, skew_us=skew_us)
    time.advance(1000)
    step(plant, 0, 0)
    for now_us in (1000, 1001, 1020, 1021, 1050, 1051, 1070, 1071, 2000):
        time.advance(now_us)
        at_once = not age_us and not skew_us
        steps = [1 if at_once or now_us > 1000 + delay else 65 for delay in (age_us, age_us + skew_us)]
        assert middle(plant)[0] == pytest.approx(5 * 65 / (65 + steps[0]))
        assert _currents(plant) == pytest.approx(
            [(5 - volts) / (n * 100e3 / 128) for volts, n in zip(middle(plant), steps, strict=True)]
        )


@pytest.mark.parametrize("physics", [{}, {"mismatch": 0.01}, {"age_us": 50}, {"skew_us": 20}])
def test_a_cut_edge_stays_cut(physics):
    plant, time = divider(**physics)
    step(plant, 0, 20)
    plant.cut(0)
    time.advance(100)
    assert middle(plant) == pytest.approx((0.0, half_way(0.0)))
    step(plant, 0, 21)
    time.advance(200)
    assert middle(plant) == pytest.approx((0.0, half_way(0.0)))


# -- presets and switches --------------------------------------------------------------------------------------------


def test_presets():
    assert PRESETS == {"ideal": IDEAL, "paper": PAPER, "board": BOARD}
    numbers = dataclasses.asdict(IDEAL)
    assert (numbers.pop("supply_V"), numbers.pop("rab_ohm"), numbers.pop("spare_taps")) == (5.0, 100e3, 1)
    assert numbers.pop("sigma_kind") == "redrawn"
    assert not any(numbers.values())
    assert dataclasses.replace(IDEAL, sigma_V=0.05) == PAPER
    assert (BOARD.supply_V, BOARD.offset_V, BOARD.noise_V, BOARD.mismatch, BOARD.wiper_ohm, BOARD.spare_taps) == (
        3.3, 5e-3, 0.5e-3, 2e-3, 75.0, 0
    )  # fmt: skip
    assert (BOARD.adc_inl_lsb, BOARD.clamp_error_V, BOARD.clamp_us) == (1.0, 0.5e-3, 10.0)
    assert 9 <= BOARD.settle_us <= 40 and BOARD.limit_lowest and BOARD.lowest_tap(POTS["mcp42xx"]) == 2
    assert BOARD.clamp_delay_us == 3000  # of an overclamp
    assert not (BOARD.age_us or BOARD.skew_us or BOARD.lateness_us or BOARD.clamp_period_us or BOARD.sigma_V)


SWITCHES = {
    "mismatch": 0.02, "wiper_ohm": 75.0, "spare_taps": 5, "offset_V": 0.02, "noise_V": 0.02, "sigma_V": 0.05,
    "clamp_error_V": 0.02, "clamp_us": 2000.0, "clamp_period_us": 300_000, "settle_us": 2000.0, "age_us": 20_000,
    "skew_us": 20_000, "lateness_us": 3000.0,
}  # fmt: skip


def ideal_trace(**physics):
    """On a task with no shielded edge, where a hair would tip the balance."""
    return trace(a_job(task_seed=2, targets=2, examples=3, physics=dataclasses.replace(IDEAL, **physics), updates=25))


@pytest.mark.parametrize("name", SWITCHES)
def test_each_imperfection_alone_shows_in_the_trace(name):
    assert ideal_trace(**{name: SWITCHES[name]}).tobytes() != ideal_trace().tobytes()


@pytest.mark.parametrize(
    "physics",
    [
        {"sigma_kind": "fixed"},
        {"sigma_kind": "signed"},
        {"clamp_delay_us": 500},
        {"adc_inl_lsb": 1.0},  # comparators have no ADC
        {"mismatch": 1e-15},
        {"offset_V": 1e-15},
        {"noise_V": 1e-15},
        {"clamp_error_V": 1e-15},
        {"settle_us": 1e-3},
        {"clamp_us": 1e-3},
        {"lateness_us": 1e-3},
    ],
)
def test_what_is_off_or_as_good_as_off_leaves_the_ideal_trace(physics):
    np.testing.assert_array_equal(ideal_trace(**physics), ideal_trace())
