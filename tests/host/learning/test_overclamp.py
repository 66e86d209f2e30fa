"""An overclamp on boards: nulled in HOLD, told again after a reset, measured as it holds, and what edges should see."""

import dataclasses

import numpy as np
import pytest

from clockfree.bench.expected import drops
from clockfree.learning import measuring
from clockfree.learning.arming import arm_supervisor
from clockfree.link.shapes import is_answer
from clockfree_model import events
from clockfree_model.physics import IDEAL
from clockfree_model.settings import ClampSettings
from tests.firmware.rig import Rig
from tests.host.rigs import RUN_ID, Run
from tests.sim.jobs import a_job, resistance, solve

CLAMP = ClampSettings(kind="overclamp", amplitude_V=0.5, tolerance_V=0.01)
CODE_V = 5 / 4096


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(measuring, "SETTLE_S", 0.0)
    return Run(clamp=CLAMP)


def shown(run):
    """Codes of sources and of the desired voltage, and whether the clamp is on."""
    return [round(1000 * volts) for volts in run.supervisor.rig.dac.outputs_V[:3]], run.supervisor.rig.clamped[-1]


def nulled(run, off=3):
    """The probe of a bench whose supervisor reads `off` codes too much, once it has nulled that."""
    probe, rig = run.board_bench()._probe, run.supervisor.rig
    ask = rig.ask

    def asked(kind, *arguments):
        if kind == "show":  # every node follows the sources, which are alike
            rig.codes[:] = [arguments[0][0] + off] * 2
        return ask(kind, *arguments)

    rig.ask = asked
    probe.null_supervisor()
    rig.ask = ask
    return probe


def test_readings_are_nulled_in_hold_and_after_a_reset(run):
    nulled(run)
    member = run.members[0]
    assert member.trims == [[48, 48]] * 16 and all(is_answer("null", [row]) for row in member.trims)
    fresh = Rig("supervisor")
    run.supervisor.put(fresh)
    arm_supervisor(member, run.job, RUN_ID, 0)
    supervisor = fresh.role.supervisor
    assert supervisor.nulls == [48] * 32 and supervisor.overclamps
    assert supervisor._asked == [409, 0, 131, 131, -1] and supervisor._refresh_us == 10_000
    fresh.codes[:] = 1003, 1003
    assert fresh.ok("measure") == [[1000, 1000]]


def test_an_example_is_measured_as_it_is_held(run):
    probe = nulled(run)
    codes = [2458, 164, 1229]  # of 1.5 V, which is desired
    for read, held in ((2003, 2000 - 409), (1226, None), (700, 697 + 409)):
        run.supervisor.rig.codes[:] = read, read
        found = probe.example(codes)
        assert found.outputs_V == pytest.approx([(read - 3) * CODE_V])
        assert shown(run) == ([2458, 164, 1229 if held is None else held], 0 if held is None else 1)


def test_the_record_says_how_it_was_aimed(run):
    run.learning.start()
    run.supervisor.rig.turns(0.5)
    run.learning.finish()
    (event,) = (each for each in run.learning.sample().events if each["event"] == events.AIMED)
    assert 40 <= event["looks"] == event["holds"] <= 52 and event["aim_us"] >= 0


def test_edges_are_expected_to_see_what_is_held_and_nothing_where_it_is_let_go():
    job = a_job(targets=2, examples=3, clamp=dataclasses.asdict(CLAMP), physics=IDEAL)
    taps, out = np.arange(4, 128, 8), list(job.targets)
    found = drops(job, taps, 0, np.full((3, 2), np.nan))
    tail, head = job.network.ends.T
    for k, (source_V, desired_V) in enumerate(zip(job.lessons[0].source_V, job.lessons[0].desired_V)):
        free = solve(job.network, resistance(taps), job.sources, source_V)
        off_V = desired_V - free[out]
        held_V = free[out] + 0.5 * off_V / np.abs(off_V).max()
        clamped = solve(job.network, resistance(taps), [*job.sources, *out], [*source_V, *held_V])
        for twin, volts in zip(found, (free, clamped)):
            np.testing.assert_allclose(twin[k], volts[tail] - volts[head], atol=2 * CODE_V)
    still = dataclasses.replace(job, clamp=dataclasses.replace(CLAMP, tolerance_V=1.0, amplitude_V=2.0))
    free_V, clamped_V = drops(still, taps, 0, np.full((3, 2), np.nan))
    assert np.abs(free_V - clamped_V).max() < 1e-9 or np.abs(off_V).max() > 1.0
