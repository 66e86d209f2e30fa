"""The smallest heap in which a board boots and learns, found by bisection on real MicroPython, for 64 bits.

A Pico has some 190 KiB, and its objects are half as large. What the bench itself takes on a virtual board, `machine`
and the file system, is measured there and subtracted in the open.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clockfree.flash.deploy import deploy
from clockfree.flash.firmware import compiled_files
from clockfree.learning.arming import Member, arm_edges, arm_supervisor
from clockfree.link.benchfile import BenchFile, board_config
from clockfree.link.handshake import NoAnswerError, RefusedError
from clockfree.link.session import Session
from clockfree_model.physics import BOARD
from clockfree_sim.virtual import VirtualBoards
from tests.sim.jobs import a_job
from tests.sim.virtual.repl import wait

LEAST_KIB = 32
"""In which nothing boots: less than the firmware itself takes."""
STEP_KIB = 4
LIMIT_KIB = {"mpy": 96, "source": 160}
FIRINGS = 1000
SHOWN = 100
EDGE, SUPERVISOR = "e6614103e7450001", "e6614103e7450000"
ROLES = {EDGE: "edge", SUPERVISOR: "supervisor"}
RP2040, X64 = 4 << 10 | 3 << 8 | 6, 2 << 10 | 3 << 8 | 6


@pytest.fixture(scope="module")
def job():
    """The most expensive edge, ADC and threshold with a floor, and supervisor; pauses leave time for telemetry."""
    edge = {"front_end": "adc", "rate_hz": 500.0, "late_us": 500_000, "f_V": 0.002, "theta_V": 0.01, "summed": True}
    clamp = {"kind": "overclamp", "dwell_s": 0.02}
    return a_job(physics=BOARD, examples=4, edge=edge, clamp=clamp, updates=10_000)


def bench_of(job, by_id):
    edges = [{"edge": job.network.edge_name(0), "front_end": "adc"}]
    boards = [{"id": EDGE, "edges": edges}]
    return BenchFile.model_validate({"supervisor": {"id": SUPERVISOR}, "boards": boards, "by_id": str(by_id)})


def learns(session, arm, ready):
    """Whether a board boots, is armed, and runs until it is ready, telling about itself all the time."""
    try:
        with session:
            if session.open()["role"] is None:
                return False
            arm()
            session.ask("report", 100, 1)
            session.ask("run", 1)
            late_s = time.monotonic() + 30
            while True:
                (status,) = session.ask("status", within_s=2.0)
                if status["state"] != "run" or status["boot"] != session.hello["boot"]:
                    return False
                if ready(status):
                    return True
                assert time.monotonic() < late_s, status
                time.sleep(0.05)
    except (NoAnswerError, RefusedError):
        return False


def smallest(boards, bench, job, id_, most_kib):
    """The smallest heap in which a board learns, KiB, and the bytes of it that are the bench's."""

    def learns_in(heap_kib):
        before = boards.told(id_)["process"]
        boards.resize(id_, heap_kib)
        wait(lambda: boards.told(id_)["process"] not in (0, before) and boards.is_up(id_), 30)
        if id_ == EDGE:
            member = Member(Session(bench.boards[0], boards.by_id), [0])
            return learns(
                member.session, lambda: arm_edges(member, job, 1, [64]), lambda status: status["edges"][0][1] >= FIRINGS
            )
        member = Member(Session(bench.supervisor, boards.by_id), [])
        return learns(
            member.session, lambda: arm_supervisor(member, job, 1, 0), lambda status: status["shown"] >= SHOWN
        )

    assert learns_in(most_kib), f"does not learn in {most_kib} KiB"
    low, high = LEAST_KIB // STEP_KIB, most_kib // STEP_KIB
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if learns_in(middle * STEP_KIB) else (middle, high)
    return high * STEP_KIB, boards.told(id_)["injected_bytes"]


def of_form(form, job, folder):
    """Flash an edge's board and a supervisor's, and find the smallest heap of each."""
    bench = bench_of(job, "/dev")
    configs = {board.name: board_config(bench, board) for board in bench.every_board}
    with VirtualBoards(job, configs, folder) as boards:
        bench = bench_of(job, boards.by_id)
        reports = deploy(bench, bench.every_board, lambda *what: None, threading.Event(), source=form == "source")
        assert [report.error for report in reports] == ["", ""]
        with ThreadPoolExecutor() as pool:
            found = {
                role: pool.submit(smallest, boards, bench, job, id_, LIMIT_KIB[form]) for id_, role in ROLES.items()
            }
        return {role: each.result() for role, each in found.items()}


@pytest.fixture(scope="module")
def found(micropython, job, tmp_path_factory):
    """Smallest heap by form and role, and the bench's bytes in it."""
    with ThreadPoolExecutor() as pool:
        jobs = {form: pool.submit(of_form, form, job, tmp_path_factory.mktemp(form)) for form in LIMIT_KIB}
    return {form: each.result() for form, each in jobs.items()}


def test_boards_boot_and_learn_in_a_small_heap(found, capsys):
    sizes = {name: [len(file.data) for file in compiled_files(mpy, "") if file.path.endswith(".mpy")]
             for name, mpy in (("RP2040", RP2040), ("x64", X64))}  # fmt: skip
    with capsys.disabled():
        for form, roles in found.items():
            for role, (heap_kib, injected) in roles.items():
                own = heap_kib - injected / 1024
                print(f"\n{role} from {form}: {heap_kib} KiB, less {injected} B of the bench: {own:.1f} KiB", end="")
        for name, bytes_ in sizes.items():
            print(f"\n.mpy on a board, {name}: {sum(bytes_)} B in {len(bytes_)} files", end="")
        print()
    for form, roles in found.items():
        for heap_kib, injected in roles.values():
            assert heap_kib <= LIMIT_KIB[form]  # even with what is the bench's own
            assert 10_000 < injected < 25_000
            assert heap_kib > LEAST_KIB + STEP_KIB  # else the heap was not as small as asked for
