"""Comparison of two checkouts of this project on this machine, byte by byte, by twenty short tasks.

    .venv/bin/python tests/twenty/compare_checkouts.py OLD_CHECKOUT NEW_CHECKOUT [--keep FOLDER]

Each checkout runs them through its own `.venv/bin/clockfree`, both at the same time, in a folder of its own: `run` with
its record, then `read`, and `show` or the same run again from its record; some also `independence` and `compare`; a
sweep; virtual boards. What is written, printed and returned must be the same. Exit status: 0 it is; 1 it is not, and
which byte of which file; 2 a command failed, so that nothing can be said. It takes three minutes; a checkout that has
never run compiles for a minute more.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import xarray as xr

HERE = Path(__file__).resolve().parent
PROGRAM = ".venv/bin/clockfree"
TASKS = {
    "allostery": "run read independence",
    "retraining": "run read again",
    "damage": "run read again",
    "drift": "run read show",
    "iris": "run read show",
    "regression": "run read",
    "sync": "run read show",
    "half": "run read again",
    "oscillators": "run read",
    "board": "run read again independence compare",
    "board_trimmed": "run read",
    "board_pico": "run read",
    "x9c": "run read show compare",
    "paper": "run read",
    "decades": "run read again independence",
    "delays": "run read",
    "planar": "run read",
    "boards_hold": "run read show",
    "boards_learn": "run",  # it ends with other taps each time
    "sweep": "sweep",
}
"""What is done with each task; `again` runs its record once more."""
VERDICTS = ("compare", "independence")
"""Commands whose exit status 1 is an answer, not a failure."""

LATE_US, MOST, FEWEST = 5_000, 0.6, 5
"""Two virtual boards have the same clock if most of their firings, and so many, are as far apart as all others but for
how late a board may be served, us; on a busy machine single ones are served later still."""

RULES = (
    # Files, what in them is not compared, what is put in its place, and why.
    ("*", rb"\bclockfree_(host|sim|model|board)\b", b"clockfree", "packages have other names"),
    ("*/run.toml", rb'(?m)^started_utc = ".*"$', b"", "time stamp"),
    ("*/run.toml", rb'(?m)^(python|clockfree|numpy|scipy|numba|xarray|h5netcdf|matplotlib) = ".*"$', b"", "versions"),
    ("*/checkpoint.json", rb'"wall_s": [0-9.]+', b"", "wall time"),
    ("*.out", rb", [0-9.e+-]+ s of wall time", b"", "wall time"),
    ("*.out", rb'"wall_s": [0-9.e-]+', b"", "wall time"),
    ("*.out", rb"(?m) +$", b"", "tables are padded to their longest line, which may be one with a wall time"),
    ("sweep/sweep/points.jsonl", rb'"versions":\{[^}]*\}', b"", "versions, of the sources too"),
    ("sweep/sweep/points.jsonl", rb'"wall_s":[0-9.e-]+', b"", "wall time"),
    ("sweep/sweep/results.nc", rb"(?m)^attribute version_\w+ .*$", b"", "versions, of the sources too"),
    ("sweep/sweep/results.nc", rb"(?m)^(wall_time .*) = .*$", rb"\1", "wall time"),
    ("*.err", rb"(?m)^it will take about .* of wall time in all\n", b"", "wall time, told where it is long"),
    ("boards_*/run/run.toml", rb"(?m)^(run_id|boot) = \d+$", b"", "numbers that are drawn anew for each run"),
    ("boards_*/run/run.toml", rb'(?m)^version = ".*"$', b"", "version of the firmware"),
    ("boards_*/run/bench.toml", rb'(?m)^by_id = ".*"$', b"", "temporary folder of the virtual boards' ports"),
    ("boards_*/run/results.nc", rb"(?m)^.* \(.*'sample'.*$", b"", "samples are taken at moments of wall time"),
    ("boards_*/run/results.nc", rb"(?m)^attribute run_id .*$", b"", "a number that is drawn anew for each run"),
    ("boards_*/run.err", rb"(?m)^[0-9,]+ updates per edge, .*\n", b"", "samples are taken at moments of wall time"),
    ("boards_*/*.out", rb"(?m)^(updates|time) .*$", b"", "boards learn on in wall time until the host says HOLD"),
    ("boards_*/*.out", rb"after [0-9.]+ updates per edge", b"", "the same"),
    ("boards_learn/*.out", rb"(?m)^(error .* at first,|best) .*$", rb"\1", "the same"),
)
LEFT_OUT = (
    # Files that are not compared, and why.
    ("boards_*/run/checkpoint.json", "taps at some moment of wall time; the last ones are in the log"),
    ("boards_*/run/figure.png", "drawn from samples, which are taken at moments of wall time"),
)
# Two more rules need code: `pixels` passes over a picture's name of the program that drew it, and its version;
# `boards_log` keeps of a log of virtual boards what does not hang on wall time, and says what that is.


def main() -> int:
    """Comparison as the command line asks for it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs=2, type=Path, metavar=("OLD_CHECKOUT", "NEW_CHECKOUT"))
    parser.add_argument("--keep", type=Path, help="new folder for all that is written, which is else deleted")
    options = parser.parse_args()
    for checkout in options.checkouts:
        if not (checkout / PROGRAM).exists():
            parser.error(f"{checkout}: expected a checkout that is set up (make setup), got one without {PROGRAM}")
    with tempfile.TemporaryDirectory(prefix="twenty-") as temporary:
        above = (options.keep or Path(temporary)).resolve()
        folders = [above / "old", above / "new"]
        with ThreadPoolExecutor(2) as both:
            failed = [line for lines in both.map(run_all, options.checkouts, folders) for line in lines]
        print(*failed, sep="\n", end="\n" * bool(failed))
        count, differences = compare(*folders)
    print(*differences, sep="\n", end="\n" * bool(differences))
    if not differences:
        print(f"{len(TASKS)} tasks, {count} files: " + ("nothing is proven" if failed else "no byte differs"))
    return 1 if differences else 2 if failed else 0


# -- running ---------------------------------------------------------------------------------------------------------


def arguments(name: str, command: str) -> list[str]:
    """Arguments of `clockfree` for a command on a task, whose record is in NAME/run."""
    record, does = f"{name}/run", TASKS[name].split()
    json_or_table = [] if "show" in does else ["--json"]  # which has every digit
    bench = ["--bench", "virtual"] if name.startswith("boards_") else []
    trace = ["--trace"] if bench or "independence" in does else []
    return {
        "run": ["run", f"tasks/{name}.toml", *bench, *trace, "--out", record],
        "again": ["run", f"{record}/run.toml", "--out", f"{name}/again", "--json"],
        "show": ["show", record, *([] if bench else ["--json"])],
        "compare": ["compare", record, "--runs", "3", *json_or_table],
        "sweep": ["sweep", f"{name}.toml", "--jobs", "1", "--out", f"{name}/sweep"],
    }.get(command, [command, record, *json_or_table])


def run_all(checkout: Path, folder: Path) -> list[str]:
    """Run every task of a checkout in a folder, which is made; returns a line for each command that failed."""
    # One thread: two checkouts share the machine, and threads could add in another order.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    failed = []
    for number, name in enumerate(TASKS, start=1):
        print(f"{folder.name}: {number} of {len(TASKS)}: {name}", file=sys.stderr, flush=True)
        (folder / name).mkdir()
        for command in TASKS[name].split():
            output = folder / name / command
            with open(f"{output}.out", "wb") as out, open(f"{output}.err", "wb") as err:
                line = [checkout.resolve() / PROGRAM, *arguments(name, command)]
                status = subprocess.run(line, cwd=folder, env=environment, stdout=out, stderr=err).returncode
            Path(f"{output}.status").write_text(f"{status}\n")
            if status not in (0, int(command in VERDICTS)):
                said = Path(f"{output}.err").read_text(encoding="utf-8", errors="replace").strip()
                failed.append(f"{checkout}: {name}: {command}: status {status}: {said[-300:]}")
        log, again = (folder / name / part / "log.jsonl" for part in ("run", "again"))
        if again.exists() and again.read_bytes() != log.read_bytes():
            failed.append(f"{checkout}: {name}: the same run again gave another log")
    return failed


# -- comparing -------------------------------------------------------------------------------------------------------


def compare(old: Path, new: Path) -> tuple[int, list[str]]:
    """Number of files that were compared, and a line for each that is not the same in both folders."""
    names, others = (
        {path.relative_to(folder).as_posix() for name in TASKS for path in (folder / name).rglob("*.*")}
        for folder in (old, new)
    )
    found = [f"{name}: only in the {'old' if name in names else 'new'} one" for name in sorted(names ^ others)]
    both = [name for name in sorted(names & others) if not any(fnmatchcase(name, files) for files, _ in LEFT_OUT)]
    for name in both:
        ours, theirs = (plain(folder / name, name, other / name) for folder, other in ((old, new), (new, old)))
        if ours != theirs:
            found.append(f"{name}: {first_difference(ours, theirs)}")
    return len(both), found


def plain(path: Path, name: str, other: Path) -> bytes:
    """Contents of a file as they are compared: by its kind, and with what the rules say put in its place."""
    if name.endswith(".nc"):
        contents = netcdf(path)
    elif name.endswith(".png"):
        contents = pixels(path.read_bytes())
    elif name.endswith("log.jsonl") and name.startswith("boards_"):
        contents = boards_log(path, other)
    else:
        contents = path.read_bytes()
    for files, what, instead, _ in RULES:
        if fnmatchcase(name, files):
            contents = re.sub(what, instead, contents)
    return contents


def first_difference(ours: bytes, theirs: bytes) -> str:
    """Place of the first byte that differs, and what stands around it in both."""
    at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
    around = [text[max(0, at - 30) : at + 30] for text in (ours, theirs)]
    line = 1 + ours[:at].count(b"\n")
    return f"byte {at}, line {line}: {around[0]!r} is now {around[1]!r}"


def netcdf(path: Path) -> bytes:
    """Everything in a netCDF file as text, a line for each variable and attribute; numbers to the last bit.

    How a variable is compressed belongs to it; versions of the libraries that wrote the file are not read.
    """
    lines = []
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as data:
        for name, variable in data.variables.items():
            stored = {key: variable.encoding.get(key) for key in ("zlib", "complevel", "shuffle", "chunksizes")}
            about = f"{variable.dims} {variable.dtype} {variable.attrs} {stored}"
            lines.append(f"{name} {about} = {variable.values.tolist()!r}\n")
        lines += [f"attribute {key} = {value!r}\n" for key, value in data.attrs.items()]
    return "".join(lines).encode()


def pixels(contents: bytes) -> bytes:
    """Picture without its text, which names matplotlib and its version."""
    kept, at = [contents[:8]], 8
    while at < len(contents):
        length, kind = struct.unpack(">I4s", contents[at : at + 8])
        if kind != b"tEXt":
            kept.append(contents[at : at + length + 12])
        at += length + 12
    return b"".join(kept)


def boards_log(path: Path, other: Path) -> bytes:
    """What of a log of virtual boards a seed makes exact.

    That is: what was run, how each board was configured, armed and calibrated; what was measured before RUN; where
    no edge steps, what was measured in HOLD at the end; why it ended; and the clock of every edge: its firings come
    as those in the other log do, but for one amount that all of them share and for how late its board was served.
    """
    first, *records = map(json.loads, path.read_bytes().splitlines())
    for board in (first, first["supervisor"], *first["boards"]):
        for drawn_or_version in ("run_id", "boot", "version"):
            board.pop(drawn_or_version, None)
    samples = [record for record in records if record["record"] == "sample"]
    kept = [first, *samples[:1]]
    if path.parent.parent.name == "boards_hold":
        kept += [record for record in records if record.get("event") == "measured"] + samples[-1:]
    for record in kept[1:]:
        for by_wall_time in ("time_us", "updates"):
            record.pop(by_wall_time, None)
        record.get("counters", {}).pop("firings", None)
    kept += [clocks(path, other), {"ended": records[-1].get("reason")}]
    return b"".join(json.dumps(record).encode() + b"\n" for record in kept)


def clocks(path: Path, other: Path) -> dict[str, list]:
    """Clock of each edge: nothing where the other log has the same one, else when it fired, us."""
    ours, theirs = firings(path), firings(other)
    found = {}
    for edge, times_us in sorted(ours.items()):
        apart_us = [there - here for here, there in zip(times_us, theirs[edge])] or [0]
        usual_us = statistics.median(apart_us)
        late_us = [abs(apart - usual_us) for apart in apart_us]
        same = len(late_us) >= FEWEST and sum(late <= LATE_US for late in late_us) >= MOST * len(late_us)
        found[f"clock of edge {edge}"] = [] if same else times_us
    return found


def firings(path: Path) -> dict[int, list[int]]:
    """Times of the firings of each edge in a log, us."""
    times = defaultdict(list)
    for record in map(json.loads, path.read_bytes().splitlines()):
        for edge, t_us, *_ in record.get("rows", ()):
            times[edge].append(t_us)
    return times


if __name__ == "__main__":
    sys.exit(main())
