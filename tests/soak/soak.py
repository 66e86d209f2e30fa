"""Soak: random sequences of faults on two racks of virtual boards while they learn; `make soak MINUTES=60 SEED=1`.

Each rack has a process of its own: five edge boards and a supervisor, which stay up from run to run. What is done to a
run is drawn from the seed, rack and number of the run (`cases`); a run that is killed is resumed, and both are looked
at. After each comes the oracle of `tests/host/oracle.py`. Of a board that was broken any event is taken; of one that
was not, none. A failure is printed with the line that does this one run again.

    .venv/bin/python tests/soak/soak.py --minutes 10 --seed 1
    .venv/bin/python tests/soak/soak.py --seed 1 --rack 0 --only 17

Ctrl-C ends it after the runs that are going on, with the sums.
"""

import argparse
import itertools
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from clockfree_model import events
from tests.host import oracle
from tests.host.racks import TASK, racked
from tests.soak.cases import INTERRUPT, KILL, POWER, RESET, TOGETHER_S, Case, Fault, drawn

RACKS = 2
BOARDS = 6
RATE_HZ = 50.0
LIMIT_S = 120.0
"""A run that takes longer hangs."""
START = """
import clockfree.runs.runlog
clockfree.runs.runlog.CHECKPOINT_S = 0.5
from clockfree.commands.app import main
main()
"""
"""A command with checkpoints so near that a short run has several."""
STOOD = f"faults: {events.STOOD} of board -: "
"""Not a fault of boards: the machine is busy."""
MORE = re.compile(r"faults: \w[\w ]* of board (\S+): \d+ times more")


class Rack:
    """One rack, and the runs on it.

    Parameters
    ----------
    rack : VirtualRack
    task, file, folder : Path
        Task and bench file; where runs go.
    """

    def __init__(self, rack, task: Path, file: Path, folder: Path) -> None:
        self.rack, self.task, self.file, self.folder = rack, task, file, folder
        self.ids = [board.name for board in rack.bench.every_board]
        self.done: Counter[str] = Counter()
        self.printed = b""

    def run(self, case: Case) -> list[str]:
        """Do a case; what is not as it has to be."""
        folder = self.folder / f"run{case.number}"
        command = ["run", self.task, "--bench", self.file, "--seed", case.seed, "--updates", case.updates]
        pulses = oracle.Pulses(self.rack)
        ran = self._watched([*command, "--out", folder], folder, case.faults)
        self.done["runs"] += 1
        broken = {self.ids[fault.board] for fault in case.faults if fault.board >= 0}
        found = self._judged(ran, case, broken, None if ran.killed else pulses)
        if ran.killed and folder.exists() and (folder / "checkpoint.json").exists():
            resumed = self._watched(["resume", folder], folder, ())
            self.done["resumed"] += 1
            found += [f"resumed: {line}" for line in self._judged(resumed, case, broken, None)]
        shutil.rmtree(folder, ignore_errors=True)
        return found

    def _watched(self, arguments: list, folder: Path, faults: tuple[Fault, ...]) -> oracle.Ran:
        """A command, with what is done to it from RUN on."""
        words = [sys.executable, "-c", START, *map(str, arguments)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        printed: list[bytes] = []
        begun = threading.Event()

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                printed.append(line)
                if re.match(rb"\d[\d,]* updates", line):
                    begun.set()
            begun.set()

        reader = threading.Thread(target=read)
        reader.start()
        timers: list[threading.Timer] = []
        killed = False
        if faults and begun.wait(LIMIT_S) and process.poll() is None:
            began_s = time.monotonic()
            for fault in faults:
                time.sleep(max(0.0, began_s + fault.at_s - time.monotonic()))
                if process.poll() is not None:
                    break
                killed |= self._do(fault, process, timers)
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            printed.append(b"Traceback: it hung\n")
        for timer in timers:
            timer.join()
        reader.join()
        self._settle()
        self.printed = b"".join(printed)
        return oracle.Ran(process.wait(), b"".join(printed), folder if folder.exists() else None, killed)

    def _do(self, fault: Fault, process: subprocess.Popen, timers: list[threading.Timer]) -> bool:
        """Do a fault; True where it killed the host."""
        self.done[fault.kind] += 1
        boards = self.rack.boards
        if fault.kind == KILL:
            process.kill()
        elif fault.kind == INTERRUPT:
            process.send_signal(signal.SIGINT)
        elif fault.kind == RESET:
            boards.reset(self.ids[fault.board])
        elif fault.kind == POWER:
            boards.power_cycle(self.ids[fault.board])
        else:
            boards.unplug(self.ids[fault.board])
            timers.append(threading.Timer(fault.for_s, boards.plug, [self.ids[fault.board]]))
            timers[-1].start()
        return fault.kind == KILL

    def _settle(self) -> None:
        """Every board is plugged in, and up."""
        for board in self.ids:
            self.rack.boards.plug(board)
        until_s = time.monotonic() + 10.0
        while not all(self.rack.boards.is_up(board) for board in self.ids) and time.monotonic() < until_s:
            time.sleep(0.05)

    def _judged(self, ran: oracle.Ran, case: Case, broken: set[str], pulses: oracle.Pulses | None) -> list[str]:
        truth = oracle.truth(self.rack, pulses)
        told = oracle.complaints(ran, truth)
        found = [
            line for line in told if (MORE.match(line) or [None, ""])[1] not in broken and not line.startswith(STOOD)
        ]
        self.done["machine busy"] += any(line.startswith(STOOD) for line in told)
        if ran.folder is None:
            return [*found, f"no record: {ran.printed.decode(errors='backslashreplace')[-300:]}"]
        return found


def soak(seed: int, rack: int, minutes: float, only: int | None) -> int:
    """One rack; prints an object a line, the last one with the sums; returns the number of failures."""
    failures, until_s = 0, time.monotonic() + 60 * minutes
    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda number, frame: stopped.set())
    with tempfile.TemporaryDirectory(prefix="clockfree-soak-") as name:
        here = Path(name)
        (here / "task.toml").write_text(TASK.replace("rate_hz = 50.0", f"rate_hz = {RATE_HZ}"), "utf-8")
        with racked(here / "task.toml", here / "bench.toml") as (made, file):
            of = Rack(made, here / "task.toml", file, here)
            number, used = only or 0, []
            while (time.monotonic() < until_s or number == only) and not stopped.is_set():
                case = drawn(seed, rack, number, BOARDS, RATE_HZ)
                found = of.run(case)
                failures += bool(found)
                times = [fault.at_s for fault in case.faults]
                of.done["within a second"] += sum(b - a < TOGETHER_S for a, b in itertools.pairwise(times))
                used.append((len(os.listdir("/proc/self/fd")), _resident_kib()))
                if found:
                    again = f"tests/soak/soak.py --seed {seed} --rack {rack} --only {number}"
                    print(json.dumps({"failed": number, "again": again, "found": found}), flush=True)
                    if only is not None:
                        print(of.printed.decode(errors="backslashreplace"), case, sep="\n", file=sys.stderr)
                number += 1
                if only is not None:
                    break
            sums = {"rack": rack, "failures": failures, **of.done}
            sums |= {
                "descriptors": [used[len(used) // 10][0], used[-1][0]],
                "kib": [used[len(used) // 10][1], used[-1][1]],
            }
            print(json.dumps(sums), flush=True)
    return failures


def _resident_kib() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rack", type=int, help="only this one")
    parser.add_argument("--only", type=int, help="only the run of this number")
    given = parser.parse_args()
    if given.rack is not None:
        return int(bool(soak(given.seed, given.rack, given.minutes, given.only)))
    common = [sys.executable, __file__, "--minutes", str(given.minutes), "--seed", str(given.seed)]
    racks = [subprocess.Popen([*common, "--rack", str(rack)]) for rack in range(RACKS)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # each rack ends with the run that it is at, and its sums
    return int(sum(process.wait() for process in racks) > 0)


if __name__ == "__main__":
    sys.exit(main())
