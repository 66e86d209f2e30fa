"""Every fault in a long form, judged: `make faults`; docs/design/faults.md has what it printed last.

    .venv/bin/python tests/faults/faults.py              all of it
    .venv/bin/python tests/faults/faults.py files links  some of it

Boards and hosts that fail (240 runs on two racks of virtual boards, one after the other in each of two processes),
operations on files that fail, lines on the link that nobody sends (a million to each end), and tasks, benches and
records that were changed (20,000 of each).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from tests.faults import boards, files, links, mutations

Judged = Iterator[tuple[str, list[str]]]
LINES, SEEDS, MUTATIONS = 10_000, range(100), 20_000
SHOWN = 20


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _files() -> Judged:
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="clockfree-faults-") as name:
        os.chdir(name)
        try:
            yield from files.cases(Path(name), _tell)
        finally:
            os.chdir(here)


def _links() -> Judged:
    for end in (links.host, links.board):
        for seed in SEEDS:
            yield f"{end.__name__}, seed {seed}: {LINES:,} lines", _raised(partial(end, seed, LINES))


def _mutations() -> Judged:
    with tempfile.TemporaryDirectory(prefix="clockfree-faults-") as name:
        here = Path(name)
        files.prepared(here)
        os.chdir(here)
        _, found = files.once(here, "run", None)
        folder = here / "made/run"
        log = (folder / "log.jsonl").read_bytes()
        kept = b"".join(log.splitlines(keepends=True)[:6])
        yield "a run to change", found
        for seed in range(MUTATIONS):
            yield f"task {seed}", _raised(partial(mutations.toml, here, seed, "task"))
            yield f"bench {seed}", _raised(partial(mutations.toml, here, seed, "bench"))
            yield f"record {seed}", _raised(partial(mutations.record, folder, kept, seed))


def _raised(act: Callable[[], object]) -> list[str]:
    try:
        act()
    except AssertionError as error:
        return [f"oracle: {str(error)[:200]}"]
    except Exception as error:
        return [f"end: a traceback: {type(error).__name__}: {error}", traceback.format_exc(limit=-3)]
    return []


PARTS: dict[str, Callable[[], Judged]] = {
    "boards-0": lambda: boards.judged(slice(0, None, 2), _tell),
    "boards-1": lambda: boards.judged(slice(1, None, 2), _tell),
    "files": _files,
    "links": _links,
    "mutations": _mutations,
}
QUEUES = (("boards-0", "files"), ("boards-1", "links", "mutations"))
"""What each of two processes does, one after the other."""


def done(names: list[str]) -> None:
    """Do parts one after the other; prints an object a line for each."""
    for name in names:
        began_s, told, count = time.monotonic(), Counter[str](), 0
        bad: list[str] = []
        for what, found in PARTS[name]():
            count += 1
            told["tracebacks"] += any("traceback" in line for line in found)
            told["signals"] += any("signal" in line for line in found)
            told["failures"] += bool(found)
            bad += [f"{what}: {line}" for line in found]
        sums = {"part": name, "done": count, "failures": 0, "tracebacks": 0, "signals": 0, **told}
        sums |= {"minutes": round((time.monotonic() - began_s) / 60, 1), "bad": bad[:SHOWN]}
        print(json.dumps(sums), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    parser.add_argument("--here", action="store_true", help="in this process, one after the other")
    given = parser.parse_args()
    wanted = given.parts or [*PARTS]
    if given.here:
        done(wanted)
        return 0
    queues = [[name for name in queue if name in wanted] for queue in QUEUES]
    pipes = {"stdout": subprocess.PIPE, "text": True}
    begun = [subprocess.Popen([sys.executable, __file__, "--here", *queue], **pipes) for queue in queues if queue]
    told = [json.loads(line) for process in begun for line in process.communicate()[0].splitlines()]
    ended = all(process.returncode == 0 for process in begun)
    for each in told:
        for line in each["bad"]:
            print(line)
    for each in told:
        sums = f"{each['failures']} oracle failures, {each['tracebacks']} tracebacks, {each['signals']} signals"
        print(f"{each['part']:<10} {each['done']:>7,} done in {each['minutes']:g} min: {sums}")
    return int(not ended or any(each["failures"] for each in told))


if __name__ == "__main__":
    sys.exit(main())
