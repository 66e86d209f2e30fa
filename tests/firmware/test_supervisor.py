"""The supervisor on simulated converters: what it shows, when, and what it reads."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clockfree_board import clock
from clockfree_board.converters import NO_ANSWER, Latch, Mcp320x, Mcp4131, Mcp4728
from clockfree_board.supervisor import FIXED, RANDOM, SHUFFLED, Supervisor
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.converters import Mcp3204Chip, Mcp3208Chip, Mcp4728Chip
from clockfree_sim.parts.potentiometers import Mcp4131Chip

DWELL_US = 100_000


class Rig:
    """A supervisor with real drivers and chips; `volts` (mV, equal to the code) are what its ADCs find."""

    def __init__(self, dacs=1, mixers=2, adcs=1, seed=1):
        self.i2c, self.spi = I2cBus(), SpiBus()
        self.dacs = [Mcp4728Chip(lambda volts, i=i: self.log.append(("dac", i)), 4.096) for i in range(dacs)]
        self.mixers = [Mcp4131Chip(lambda wiper, tap: None) for _ in range(mixers)]
        self.volts = [0] * 8 * adcs
        self.adcs = [Mcp3208Chip(lambda channel, i=i: self.input(8 * i + channel), [int] * 8) for i in range(adcs)]
        self.log = []
        self.switch = []
        for i, chip in enumerate(self.dacs):
            self.i2c.attach(0x60 + i, chip)
        self.state = [0] * clock.SIZE
        clock.seed(self.state, seed, 0, 99)
        self.supervisor = Supervisor(
            self.state,
            [Mcp4728(self.i2c, 0x60 + i) for i in range(dacs)],
            Latch(self.ldac),
            [Mcp4131(self.spi, self.spi.attach(chip)) for chip in self.mixers],
            self.switch.append,
            [Mcp320x(self.spi, self.spi.attach(chip)) for chip in self.adcs],
        )

    def input(self, channel):
        self.log.append(("adc", channel))
        return self.volts[channel]

    def ldac(self, level):
        for chip in self.dacs:
            chip.ldac(level)

    def shown(self):
        """mV of every DAC channel: code / 4096 of 4.096 V."""
        return [round(1000 * volts) for chip in self.dacs for volts in chip.outputs_V]

    def examples(self, count, channels=4):
        return [[100 * i + k for k in range(channels)] for i in range(count)]

    def order(self, ticks, now_us=0):
        """Which example each tick shows."""
        return [(now_us := self.supervisor.tick(now_us)) and self.supervisor.present for _ in range(ticks)]


# -- order -----------------------------------------------------------------------------------------------------------


def test_fixed_order():
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 1, FIXED, DWELL_US)
    assert rig.order(8) == [0, 1, 2, 0, 1, 2, 0, 1]
    assert rig.supervisor.shown == 8


def test_shuffled_order_is_a_new_permutation_each_time():
    rig = Rig()
    rig.supervisor.load(rig.examples(4), 1, SHUFFLED, DWELL_US)
    rounds = [tuple(rig.order(4)) for _ in range(2400)]
    count = Counter(rounds)
    assert set(count) == set(itertools.permutations(range(4)))
    assert stats.chisquare(list(count.values())).pvalue > 1e-3
    repeats = sum(one == other for one, other in itertools.pairwise(rounds))
    assert repeats == pytest.approx(100, abs=40)


def test_the_first_round_is_shuffled_too():
    rig, count = Rig(), Counter()
    for _ in range(3000):
        rig.supervisor.load(rig.examples(3), 1, SHUFFLED, DWELL_US)
        count[tuple(rig.order(3))] += 1
    assert len(count) == 6 and stats.chisquare(list(count.values())).pvalue > 1e-3


def test_random_order_forgets():
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 1, RANDOM, DWELL_US)
    order = rig.order(4501)
    pairs = Counter(itertools.pairwise(order))
    assert len(pairs) == 9 and stats.chisquare(list(pairs.values())).pvalue > 1e-3


@pytest.mark.parametrize("order", [SHUFFLED, RANDOM])
def test_same_seed_same_order(order):
    seen = []
    for seed in (1, 1, 2):
        rig = Rig(seed=seed)
        rig.supervisor.load(rig.examples(5), 1, order, DWELL_US)
        seen.append(rig.order(50))
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("order", [FIXED, SHUFFLED, RANDOM])
def test_a_single_example(order):
    rig = Rig()
    rig.supervisor.load([[7, 8]], 1, order, DWELL_US)
    assert rig.order(3) == [0, 0, 0]
    assert rig.shown() == [7, 8, 0, 0]


# -- schedule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start_us", [0, 12345, (1 << 30) - 150_000])
def test_the_schedule_runs_free_of_how_late_each_tick_is(start_us):
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 1, FIXED, DWELL_US)
    due_us = rig.supervisor.start(start_us)
    assert due_us == start_us
    for k, late_us in enumerate([0, 700, 0, 99_999, 12, 50_000], start=1):
        due_us = rig.supervisor.tick(clock.ticks_add(due_us, late_us))
        assert due_us == (start_us + k * DWELL_US) % (1 << 30)


@pytest.mark.parametrize("late_us", [DWELL_US, DWELL_US + 5, 50 * DWELL_US + 17])
def test_a_whole_dwell_late_it_starts_afresh_and_never_catches_up(late_us):
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 1, FIXED, DWELL_US)
    now_us = rig.supervisor.start(1000) + late_us
    assert rig.supervisor.tick(now_us) == now_us + DWELL_US
    assert rig.supervisor.shown == 1


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_every_channel_switches_at_once():
    """Nine channels on three chips: nothing moves while they are written, and LDAC moves all."""
    rig = Rig(dacs=3)
    rig.supervisor.load([[11 * k for k in range(9)], [4095 - k for k in range(9)]], 1, FIXED, DWELL_US)
    latch = rig.supervisor.latch

    def watched():
        assert rig.log == [] and rig.shown() == [0] * 12
        latch()

    rig.supervisor.latch = watched
    rig.supervisor.tick(0)
    assert rig.log == [("dac", 0), ("dac", 1), ("dac", 2)]
    assert rig.shown() == [11 * k for k in range(9)] + [0, 0, 0]
    rig.supervisor.latch = latch
    rig.supervisor.tick(DWELL_US)
    assert rig.shown() == [4095 - k for k in range(9)] + [0, 0, 0]


def test_calibration_may_put_codes_on_the_sources_alone():
    rig = Rig()
    rig.supervisor.load([[1000, 2000, 3000]], 1, FIXED, DWELL_US)
    rig.supervisor.tick(0)
    rig.supervisor.show([500, 500])
    assert rig.shown() == [500, 500, 3000, 0]


@given(st.integers(0, 128))
def test_nudge_and_clamp(tap):
    rig = Rig(mixers=3)
    rig.supervisor.nudge(tap)
    assert [chip.eta for chip in rig.mixers] == [tap / 128] * 3
    rig.supervisor.clamp(True)
    rig.supervisor.clamp(False)
    assert rig.switch == [1, 0]


# -- what is read ----------------------------------------------------------------------------------------------------


def test_outputs_are_read_at_the_end_of_the_dwell_and_belong_to_its_example():
    rig = Rig(dacs=4, mixers=10, adcs=2)
    rig.supervisor.load(rig.examples(3, channels=12), 10, FIXED, DWELL_US)
    assert rig.supervisor.readings == [[-1] * 10] * 3
    rig.supervisor.tick(0)
    assert ("adc", 0) not in rig.log  # nothing has been shown that could be read
    del rig.log[:]
    for k in range(5):
        rig.volts = [1000 * k + channel for channel in range(16)]
        rig.supervisor.tick((k + 1) * DWELL_US)
        assert rig.supervisor.readings[k % 3] == [1000 * k + channel for channel in range(10)]
    assert [channel for what, channel in rig.log if what == "adc"] == list(range(10)) * 5
    # read before the next example is shown
    first_shown = rig.log.index(("dac", 0))
    assert rig.log[:first_shown] == [("adc", channel) for channel in range(10)]


def test_the_channels_of_small_adcs_add_up():
    rig = Rig(mixers=7)
    codes = [[10 * chip + channel for channel in range(4)] for chip in range(2)]
    chips = [Mcp3204Chip(lambda channel, own=own: own[channel], [int] * 4) for own in codes]
    adcs = [Mcp320x(rig.spi, rig.spi.attach(chip), channels=4) for chip in chips]
    own = rig.supervisor
    supervisor = Supervisor(rig.state, own.dacs, own.latch, own.mixers, own.clamp_switch, adcs)
    supervisor.load(rig.examples(1), 7, FIXED, DWELL_US)
    supervisor.tick(0)
    supervisor.tick(DWELL_US)
    assert supervisor.readings == [[0, 1, 2, 3, 10, 11, 12]]
    supervisor = Supervisor(rig.state, own.dacs, own.latch, own.mixers, own.clamp_switch, adcs[:1])
    with pytest.raises(ValueError, match="5 outputs need as many ADC channels"):
        supervisor.load(rig.examples(1), 5, FIXED, DWELL_US)


def test_an_adc_that_does_not_answer_leaves_no_reading():
    rig = Rig()
    rig.supervisor.load(rig.examples(1), 2, FIXED, DWELL_US)
    rig.volts = [5] * 8
    rig.supervisor.tick(0)
    rig.supervisor.tick(DWELL_US)
    assert rig.supervisor.readings == [[5, 5]]
    rig.adcs[0].present = False
    rig.supervisor.tick(2 * DWELL_US)
    assert rig.supervisor.readings == [[NO_ANSWER] * 2]


def test_a_new_lesson_starts_with_no_readings_and_its_own_order():
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 1, FIXED, DWELL_US)
    rig.order(2)
    rig.volts = [77] * 8
    rig.supervisor.load([[1, 2], [3, 4]], 2, FIXED, 2 * DWELL_US)
    assert rig.shown()[:2] == [100, 101]  # until the dwell is over
    now_us = rig.supervisor.due_us
    assert rig.supervisor.tick(now_us) == now_us + 2 * DWELL_US
    assert rig.supervisor.readings == [[-1, -1]] * 2  # the old example is not read into the new lesson
    assert (rig.supervisor.present, rig.shown()[:2]) == (0, [1, 2])
    assert rig.order(3) == [1, 0, 1]


# -- what does not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("examples", "outputs", "dwell_us", "chips"),
    [
        ([], 1, DWELL_US, {}),
        ([[0] * 4, [0] * 5], 1, DWELL_US, {}),
        ([[0] * 9], 1, DWELL_US, {"dacs": 2}),
        ([[0] * 4], 3, DWELL_US, {}),  # two mixers
        ([[0] * 12], 9, DWELL_US, {"dacs": 3, "mixers": 9}),  # eight inputs
        ([[0, 4096]], 1, DWELL_US, {}),
        ([[0, 1], [-1, 1]], 1, DWELL_US, {}),
        ([[], []], 1, DWELL_US, {}),
        ([[0, 1], [0]], 1, DWELL_US, {}),  # the second channel would stay where it was
        ([[0, 1]], 1, 0, {}),
        ([[0, 1]], 1, 1 << 29, {}),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(examples, outputs, dwell_us, chips):
    rig = Rig(**chips)
    rig.supervisor.load([[5, 6, 7], [8, 9, 10]], 1, FIXED, DWELL_US)
    rig.supervisor.tick(0)
    with pytest.raises(ValueError):
        rig.supervisor.load(examples, outputs, SHUFFLED, dwell_us)
    assert rig.supervisor.tick(DWELL_US) == 2 * DWELL_US
    assert (rig.supervisor.present, rig.shown()[:3]) == (1, [8, 9, 10])
    assert rig.supervisor.readings == [[0], [-1]]


@pytest.mark.parametrize(
    ("examples", "outputs", "dwell_us", "chips"),
    [
        ([[4095] * 4], 2, 1, {}),
        ([[0] * 8] * 50, 2, (1 << 29) - 1, {"dacs": 2}),
        ([[0] * 12], 8, DWELL_US, {"dacs": 3, "mixers": 8}),
        ([[0] * 12], 9, DWELL_US, {"dacs": 3, "mixers": 9, "adcs": 2}),
    ],
)
def test_what_just_fits_is_shown(examples, outputs, dwell_us, chips):
    rig = Rig(**chips)
    rig.supervisor.load(examples, outputs, FIXED, dwell_us)
    assert rig.supervisor.tick(0) == dwell_us
    assert rig.shown()[: len(examples[0])] == examples[0]


def test_it_has_nothing_to_reach_an_edge_with():
    """A lesson's ticks use the converters' buses and LDAC, and nothing else there is."""
    rig = Rig()
    rig.supervisor.load(rig.examples(3), 2, SHUFFLED, DWELL_US)
    rig.order(10)
    reach = {name for name, value in vars(rig.supervisor).items() if not isinstance(value, int | list)}
    assert reach == {"latch", "clamp_switch"}
    chips = rig.supervisor.dacs + rig.supervisor.mixers + [adc for adc, _ in rig.supervisor.inputs]
    assert {type(each) for each in chips} == {Mcp4728, Mcp4131, Mcp320x}
    assert rig.switch == []
