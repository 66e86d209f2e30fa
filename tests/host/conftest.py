"""What several tests need: a recorded run made up in a moment, a session with a board that plays a
script, virtual boards to be flashed."""

import math

import numpy as np
import pytest

from clockfree.base.files import create
from clockfree.link.benchfile import EdgeBoard, board_config
from clockfree.link.session import Session
from clockfree.runs.runlog import RunLog
from clockfree_model.final import Best
from clockfree_model.job import Job, Lesson, Sample
from clockfree_model.network import load
from clockfree_sim.virtual import VirtualBoards
from tests.host.flashing import bench_of, on, wait_for_port
from tests.host.peers import HELLO, ID, Heard, Peer
from tests.sim.jobs import a_job


def made_up_job(spec="lab16", lessons=1, examples=2, damage=(), **more):
    network = load(spec)
    rng = np.random.default_rng(1)
    taught = tuple(
        Lesson(f"part{i}", 50.0 * i, rng.uniform(0, 5, (examples + i, 2)), rng.uniform(0, 5, (examples + i, 1)))
        for i in range(lessons)
    )
    count = len(network.nodes)
    return Job(network, (0, count // 3), (count - 2,), taught, damage=damage, updates=100, seed=7, **more)


def made_up_samples(job, count=21, trace=False):
    """A run in which the error falls tenfold every 50 updates and every edge steps down at each firing."""
    rng = np.random.default_rng(2)
    edges = len(job.network.ends)
    for k in range(count):
        updates = 100.0 * k / max(count - 1, 1)
        lesson = sum(updates >= part.from_updates for part in job.lessons) - 1
        error = 2.0 * 10 ** (-(updates - job.lessons[lesson].from_updates) / 50)
        off = rng.choice([-1.0, 1.0], job.lessons[lesson].desired_V.shape) * math.sqrt(error)
        firings = [round(updates)] * edges
        rows = [(e, 1000 * k + e, 0, 1, -1, 64 - k) for e in range(edges)] if trace and k else []
        yield Sample(
            time_us=round(updates * 100_000),
            updates=updates,
            lesson=lesson,
            error_V2=error,
            measured_error_V2=math.nan if k < 2 else error * 1.1 + 1e-6,
            outputs_V=job.lessons[lesson].desired_V + off,
            taps=np.clip(64 - k * (1 + np.arange(edges) % 7) + 3 * (np.arange(edges) % 30), 0, 127),
            counters={"firings": firings, "up": [0] * edges, "down": firings, "rail": [0] * edges},
            trace=rows,
            mean_error_V2=1.5 * error,
            stood_us=500_000 + 1000 * k if k else 0,
        )


ABOUT = {"task": "made-up", "bench": "sim", "preset": "ideal", "task_seed": 3}


@pytest.fixture
def recorded(tmp_path):
    """Writes a made-up run; returns its folder."""

    def write(job=None, name="run", reason="done", accuracy=False, **more):
        job = job or made_up_job()
        folder = tmp_path / name
        create(folder)
        lessons = len(job.lessons)
        best = [Best(i, 50.0 * i, 1e-6 * (i + 1)) for i in range(lessons)]
        baselines = [{"majority": 0.25, "logistic": 0.75} if accuracy else None] * lessons
        log = RunLog(folder, job, {**ABOUT, "best": best, "baselines": baselines})
        for sample in made_up_samples(job, **more):
            share = {"training": 1 - 0.5 / (1 + sample.updates / 10), "test": 0.9 - 0.4 / (1 + sample.updates / 10)}
            log.sample(sample, share if accuracy else None)
        log.checkpoint()
        if reason:
            log.end(reason)
        return folder

    return write


@pytest.fixture
def made_up():
    """`made_up_job` and `made_up_samples`, for tests that write the log themselves."""
    return made_up_job, made_up_samples


@pytest.fixture
def meet(tmp_path):
    """Plays a script and opens a session with it: (peer, session, what is heard)."""
    at_work = []

    def start(*script, board=None, greet=True, tcp=False, **more):
        peer = Peer([HELLO, *script] if greet else script, by_id=tmp_path, tcp=tcp)
        heard = Heard()
        found = EdgeBoard(**({"port": peer.port} if tcp else {"id": ID}), edges=[{"edge": "A-B"}])
        session = Session(board or found, tmp_path, heard, **more)
        at_work.append((peer, session))
        session.open()
        return peer, session, heard

    yield start
    for peer, session in at_work:
        session.close()
        peer.finish()


@pytest.fixture(scope="module")
def boards(micropython, tmp_path_factory):
    job = a_job()
    bench = bench_of(job)
    configs = {board.name: board_config(bench, board) for board in bench.every_board}
    with VirtualBoards(job, configs, tmp_path_factory.mktemp("flash")) as boards:
        yield boards


@pytest.fixture
def bench(boards):
    """The bench, all of its boards there and blank."""
    made = bench_of(a_job(), boards.by_id)
    for board in made.every_board:
        boards.plug(board.name)
        on(
            boards,
            board.name,
            "import os\n"
            "for d in '/clockfree_board/', '/':\n"
            "  try:\n"
            "    for e in os.ilistdir(d):\n"
            "      if e[1] == 0x8000: os.remove(d + e[0])\n"
            "  except OSError: pass",
        )
        boards.reset(board.name)
        wait_for_port(boards, board.name)
    return made
