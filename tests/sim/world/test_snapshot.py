"""A world that goes on from what another one saved, against that one undisturbed: the same samples to the last bit."""

import dataclasses
import json

import numpy as np
import pytest

from clockfree_model.job import Damage
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.plant import noise
from clockfree_sim.world.snapshot import Snapshot, SnapshotError
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, retimed, same

AGED = dataclasses.replace(IDEAL, mismatch=0.1, age_us=300, settle_us=50.0, lateness_us=200.0)
CLAMPED = dataclasses.replace(IDEAL, clamp_period_us=5000, clamp_delay_us=12_000, clamp_error_V=1e-3)
NOISY = dataclasses.replace(IDEAL, offset_V=2e-3, noise_V=1e-3)
HARMED = (Damage(3, "dead", 12.0), Damage(5, "stuck_a1", 20.0), Damage(7, "cut", 21.0))
JOBS = {
    "plain": {},
    "trimmed": {"physics": NOISY, "edge": {"front_end": "trimmed", "calibrate": True, "f_V": 1e-3}},
    "board": {"physics": BOARD, "edge": {"front_end": "adc", "calibrate": True, "theta_V": 5e-3, "summed": True}},
    "aged": {"physics": AGED, "edge": {"clock": "jittered"}, "examples": 3},
    "clamped": {"physics": CLAMPED, "examples": 2, "clamp": {"order": "random"}},
    "overclamped": {"physics": NOISY, "examples": 2, "clamp": {"kind": "overclamp", "dwell_s": 0.023}},
    "pulses": {"edge": {"pot": "x9c"}},
    "up and down": {"edge": {"pot": "ad5220", "front_end": "pico_adc"}},
    "bus": {"physics": NOISY, "edge": {"pot": "mcp4661", "front_end": "mcp3304"}},
    "sync": {"schedule": "p=0.5", "physics": dataclasses.replace(IDEAL, sigma_V=0.01, sigma_kind="redrawn")},
    "oscillators": {"schedule": "oscillators=0.3"},
    "harmed": {"damage": HARMED, "lessons": 2},
}


def job_of(name):
    made = a_job(updates=36, samples=6, trace=True, **JOBS[name])
    return retimed(made, 0.0, 15.0) if name == "harmed" else made


@pytest.mark.parametrize("name", JOBS)
def test_a_world_goes_on_to_the_last_bit(name, monkeypatch):
    monkeypatch.setattr("clockfree_sim.plant.setup.STRETCH", 37)  # so that pauses lie anywhere between two samples
    # What is drawn ahead is soon used up, so that it matters where each stream was.
    monkeypatch.setitem(noise.stream.__kwdefaults__, "block", 8)
    for module in ("plant", "world"):
        monkeypatch.setattr(f"clockfree_sim.{module}.rounds.BLOCK", 8)
    job = job_of(name)
    first, taken, saved = World(job), [], []

    def pause():
        if len(taken) in (2, 4):
            saved.append((len(taken), json.dumps(first.saved())))

    for sample in first.run(pause):
        if not taken:
            first.saved()
        taken.append(sample)
    for count, text in (saved[0], saved[-1]):
        rest = list(World(job).run_from(json.loads(text)))
        assert len(rest) == len(taken) - count
        assert all(same(one, other) for one, other in zip(rest, taken[count:], strict=True))


def test_another_world_is_refused():
    job = job_of("plain")
    first = World(job)
    next(first.run())
    first.saved()
    other = World(dataclasses.replace(job, seed=1))
    with pytest.raises(SnapshotError, match="another than it was"):
        other.run_from(first.saved())


def test_what_nobody_knows_is_refused():
    with pytest.raises(SnapshotError, match="list_iterator: nobody said how it changes"):
        Snapshot([iter([1])])
    held = []
    snapshot = Snapshot(held)
    held.append(lambda: None)
    with pytest.raises(SnapshotError, match="function: made since the world began"):
        snapshot.changes()


def test_what_is_shared_stays_shared():
    row, block = [1, 2.5, float("nan")], np.arange(3.0)
    before, after = [{"a": row, "view": block[1:]}, [], block], [{"a": [1, 2.5, float("nan")]}, [], np.arange(3.0)]
    after[0]["view"] = after[2][1:]
    snapshot, other = Snapshot(before), Snapshot(after)
    fresh = [7, (8, b"9"), {3, 1}, np.float32(0.1)]
    row[1] = 4
    block[2] = -1.0
    before[1].extend([fresh, fresh, row])
    other.put(json.loads(json.dumps(snapshot.changes())))
    assert after[0]["a"][:2] == [1, 4]
    assert after[0]["view"].tolist() == [1.0, -1.0] and after[0]["view"].base is after[2]
    assert after[1] == [fresh, fresh, after[0]["a"]] and after[1][0] is after[1][1] and after[1][2] is after[0]["a"]
