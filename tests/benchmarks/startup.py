"""Seconds of a core that a command takes, in a process of its own; and how much is compiled the first time.

The best of three counts, as the kernel of the system has it for a process and all that it waited for. Beside it, bare:
numpy and pydantic imported, which whatever reads a task file needs. For compilation the cache is an empty folder, and
beside it stand the same with all compiled, and a function of a fixed size compiled by numba.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _record import record, row

REPEATS = 3
EXAMPLE = Path(__file__).parents[2] / "examples/allostery.toml"
BARE = "import numpy, pydantic"
NOBODY = 'supervisor = {id = "e6614103e745ffff"}\n[[boards]]\nid = "e6614103e7450000"\nedges = [{edge = "A-B"}]\n'
"""A bench of boards that are not there."""
RESOLVED = f"""
from pathlib import Path
import clockfree
from clockfree.task.plan import make_plan
make_plan(Path({str(EXAMPLE)!r}), {{}}, [], False)
"""
KERNEL = f"""{RESOLVED.replace("make_plan(Path", "plan = make_plan(Path")}
from dataclasses import replace
from clockfree_sim.compiled.kernel import Kernel
for sample in Kernel(replace(plan.job, updates=10, samples=1)).run():
    pass
"""
LINES = 200
FIXED = f"""
from numba import njit
lines = [f"    x = x * {{i}}.5 + {{i}} if x < {{i}} else x / {{i + 1}}.5" for i in range({LINES})]
exec("\\n".join(["def fixed(x):", *lines, "    return x"]))
njit(fixed)(1.0)
"""


def cpu_s(arguments: list[str], cache: Path | None = None, status: int = 0) -> float:
    """Seconds of a core of one process; it has to end with this status."""
    environment = dict(os.environ, **({"XDG_CACHE_HOME": str(cache)} if cache else {}))
    null = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stdin=null, stdout=null, stderr=null)
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode != status:
        sys.exit(f"{arguments}: expected status {status}, got {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def best(arguments: list[str], status: int = 0) -> float:
    return min(cpu_s(arguments, status=status) for _ in range(REPEATS))


def started(folder: Path) -> list[dict]:
    """Commands with everything compiled, beside bare imports."""
    bench, refused = folder / "bench.toml", folder / "refused.toml"
    bench.write_text(NOBODY)
    refused.write_text(EXAMPLE.read_text("utf-8") + "\nx = 1\n", "utf-8")
    command = ["-m", "clockfree"]
    run = [*command, "run", str(EXAMPLE)]
    cpu_s([*run, "--out", str(folder / "warm")])
    bare = best(["-c", BARE])
    found = {
        "`--help`": best([*command, "--help"]),
        "`hold`, no board there": best([*command, "hold", "--bench", str(bench)], status=1),
        "a refused task file": best([*command, "run", str(refused)], status=2),
        "`import clockfree` and a task resolved": best(["-c", RESOLVED]),
        "`run examples/allostery.toml`, all compiled": min(
            cpu_s([*run, "--out", str(folder / f"run-{repeat}")]) for repeat in range(REPEATS)
        ),
    }
    return [row(name, each, "s", bare, f"bare `{BARE}`") for name, each in found.items()]


def compiled(folder: Path) -> list[dict]:
    """The first of its kind, from an empty cache, beside the second and a function of a fixed size."""
    fixed = best(["-c", FIXED])
    rows = []
    for name, arguments in {
        "first run of the allostery example": ["-m", "clockfree", "run", str(EXAMPLE), "--out"],
        "first kernel, 16 edges": ["-c", KERNEL],
    }.items():
        cache = folder / name
        cache.mkdir()
        first, second = (cpu_s([*arguments, str(cache / f"record-{n}")], cache) for n in range(2))
        rows.append(row(f"{name}, nothing compiled", first, "s", second, "the same, all compiled"))
        rows.append(row(f"{name}, nothing compiled", first, "s", fixed, f"numba, a function of {LINES} lines"))
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = started(Path(name)) + compiled(Path(name))
    for each in rows:
        print(f"{each['name']}: {each['value']:.2f} s; {each['against']}: {each['baseline']:.2f} s", flush=True)
    record(rows)


if __name__ == "__main__":
    main()
