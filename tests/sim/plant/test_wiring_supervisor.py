"""The supervisor's board in a world: what its chips give the circuit and read from it, and that it reaches no edge."""

import dataclasses

import numpy as np
import pytest

from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, run, solve, twins


def started(job):
    """A world with its first lesson taken, before anything is shown."""
    world = World(job)
    next(world.run())
    return world


@pytest.mark.parametrize("targets", [1, 2, 3, 8, 9, 31, 40])
def test_as_many_chips_as_the_task_needs(targets):
    """40 targets and 2 sources are 42 DAC channels: 11 chips on two I2C buses, 40 mixers, 5 ADCs."""
    job = a_job("planar:64:143:0", targets=targets, examples=3, clamp={"order": "fixed", "eta": 0.75})
    world = started(job)
    supervisor = world.supervisor.supervisor
    assert len(supervisor.dacs) == -(-(targets + 2) // 4)
    assert (len(supervisor.mixers), len(supervisor.inputs)) == (targets, 8 * -(-targets // 8))
    lesson, ohm = job.lessons[0], resistance([64] * 143)
    for k in range(7):
        world.supervisor.tick(k * 100_000)
        free, clamped = twins(job, ohm, lesson.source_V[k % 3], lesson.desired_V[k % 3])
        np.testing.assert_allclose(world.plant.circuit.v_free, free, atol=1e-9)
        np.testing.assert_allclose(world.plant.circuit.v_clamped, clamped, atol=1e-9)
    for i, row in enumerate(supervisor.readings):
        free = solve(job.network, ohm, job.sources, lesson.source_V[i])[list(job.targets)]
        np.testing.assert_array_equal(row, np.rint(free * 4096 / 5))
    codes = np.array(supervisor.readings)
    error = world.supervisor.measured_error_V2(lesson)
    assert error == pytest.approx(np.mean((codes * 5 / 4096 - lesson.desired_V) ** 2))


def test_voltages_are_those_of_the_dac():
    """A task's voltages go to the nearest code; the top one is a step below the supply."""
    job = a_job()
    lesson = dataclasses.replace(job.lessons[0], source_V=np.array([[5.0, 0.0006]]), desired_V=np.array([[1.2342]]))
    world = started(dataclasses.replace(job, lessons=(lesson,), clamp=dataclasses.replace(job.clamp, eta=1.0)))
    world.supervisor.tick(0)
    shown = world.plant.circuit.v_free[list(job.sources)]
    np.testing.assert_allclose(shown, [5 * 4095 / 4096, 0.0])
    assert world.plant.circuit.v_clamped[job.targets[0]] == pytest.approx(5 * 1011 / 4096)


@pytest.mark.parametrize(("eta", "given"), [(0.5, 0.5), (1.0, 1.0), (0.3, 38 / 128), (0.001, 1 / 128)])
def test_the_nudge_is_that_of_the_mixers(eta, given):
    job = a_job(targets=2, clamp={"eta": eta})
    world = started(job)
    world.supervisor.tick(0)
    targets = list(job.targets)
    free, clamped = world.plant.circuit.v_free[targets], world.plant.circuit.v_clamped[targets]
    np.testing.assert_allclose(clamped, free + given * (job.lessons[0].desired_V[0] - free))
    assert [chip.eta for chip in world.supervisor.chips.mixers] == [given] * 2


@pytest.mark.parametrize("physics", [IDEAL, BOARD])
def test_it_sends_nothing_to_the_edges(physics):
    """Any number of its ticks leaves every edge's clock, counters, senses and wipers as they were."""
    job = a_job(targets=2, examples=4, physics=physics, edge={"front_end": "adc"}, updates=10)
    world, _ = run(job)

    def state(board):
        edge = board.edge
        numbers = {name: value for name, value in vars(edge).items() if isinstance(value, int)}
        return list(edge.clock), numbers, vars(board.sense).copy(), board.pots.tap, board.chips.pot.wipers[:]

    before, due = [state(board) for board in world.boards], sorted(world.time._heap)[:16]
    voltages = set()
    for k in range(50):
        world.supervisor.tick(world.time.now_us + k * 100_000)
        voltages.add(world.plant.circuit.v_free.tobytes())
    assert [state(board) for board in world.boards] == before
    assert sorted(world.time._heap)[:16] == due
    assert len(voltages) == 4


def test_it_walks_on_by_its_own_dwell_whatever_the_edges_do():
    for rate_hz in (1.0, 50.0):
        job = a_job(examples=3, edge={"rate_hz": rate_hz}, clamp={"dwell_s": 0.07}, updates=40, samples=40)
        world = World(job)
        for sample in world.run():
            assert world.supervisor.supervisor.shown == -(-sample.time_us // 70_000)


@pytest.mark.parametrize("before_us", [0, 30_000, 600_000_000])
def test_the_first_dwell_is_as_long_as_the_others_whenever_it_begins(before_us):
    """After a calibration, say, of any length."""
    world = World(a_job(examples=3, edge={"rate_hz": 0.06}, clamp={"order": "fixed"}))
    world.time.advance(before_us)
    next(world.run())
    for k in range(5):
        world.time.advance(before_us + k * 100_000 + 1)
        assert world.supervisor.supervisor.shown == k + 1


def test_the_order_is_that_of_the_task():
    orders = {}
    for order in ("fixed", "shuffled", "random"):
        world = started(a_job(examples=4, clamp={"order": order}))
        shown = []
        for k in range(200):
            world.supervisor.tick(k * 100_000)
            shown.append(world.supervisor.supervisor.present)
        orders[order] = shown
    rounds = {name: [shown[i : i + 4] for i in range(0, 200, 4)] for name, shown in orders.items()}
    assert all(each == [0, 1, 2, 3] for each in rounds["fixed"])
    assert all(sorted(each) == [0, 1, 2, 3] for each in rounds["shuffled"]) and orders["shuffled"] != orders["fixed"]
    assert any(len(set(each)) < 4 for each in rounds["random"])


@pytest.mark.parametrize("now_us", [(1 << 30) - 50_000, (1 << 30) - 100_000, 5 * (1 << 30) + 7])
def test_its_schedule_passes_the_wrap_of_the_boards_clock(now_us):
    world = started(a_job(examples=3))
    world.supervisor.start(now_us)
    for _ in range(3):
        assert world.supervisor.tick(now_us) == now_us + 100_000
        now_us += 100_000


def test_outputs_are_read_when_they_have_settled():
    """At the end of the dwell, not just after the switch."""
    physics = dataclasses.replace(IDEAL, settle_us=2000.0)
    job = a_job("lab16", 1, 3, 3, physics, edge={"rate_hz": 0.06}, clamp={"order": "fixed"})
    world = started(job)
    world.time.advance(300_001)  # no edge has fired yet
    assert not any(board.edge.firings for board in world.boards)
    free = np.array([solve(job.network, resistance([64] * 16), job.sources, row) for row in job.lessons[0].source_V])
    readings = world.supervisor.supervisor.readings
    np.testing.assert_array_equal(readings, np.rint(free[:, list(job.targets)] * 4096 / 5))
