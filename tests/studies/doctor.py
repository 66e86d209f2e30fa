"""What `clockfree doctor` says of benches that are well, and of some in which eight things are broken.

Each has sixteen edges, a board for each, a supervisor with three outputs, and chips whose R_AB are up to 15% off.
`python tests/studies/doctor.py [WELL [BROKEN]]`: a line for each fleet, half of them of ADCs and half of comparators,
then how many faults were named, and what was said besides.
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from clockfree.commands import app
from clockfree_model.network import load
from tests.host import broken

TASK = """
preset = "board"
network = "lab16"
[placement]
sources = ["A", "C", "H"]
targets = ["D", "G", "I"]
[[lesson]]
source_V = [[0.5, 2.5, 1.0]]
teacher = true
"""
FRONT_ENDS = {
    "adc": (),
    "comparator": ("edge.front_end=comparator", "edge.calibrate=false", "edge.f_V=0", "edge.theta_V=0"),
}
SUMS = "edge.summed=false"
NAMES = [load("lab16").edge_name(edge) for edge in range(16)]
SERIES = [{"A-B", "B-E"}, {"C-D", "D-F"}]
"""Nothing tells two edges in series apart."""
SAID = {
    "swapped": "wiring", "dead wiper": "wiper", "wrong R_AB": "resistance", "equal seeds": "entropy",
    "lossy cable": "link", "slow board": "rate", "noisy ADC": "noise", "stuck comparator": "comparator",
}  # fmt: skip


def examined(bench: broken.Bench) -> dict[str, set[str]]:
    """Kinds of what is said to be wrong, by edge."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        app.status_of(["doctor", str(bench.file), "--json"])
    found = json.loads(out.getvalue())
    if found["circuit_unknown"]:
        return {"circuit": {found["circuit_unknown"]}}
    said = {",".join(each["edges"]): {one["kind"] for one in each["findings"]} for each in found["boards"]}
    return {edge: kinds for edge, kinds in said.items() if kinds}


def fleet(
    front_end: str, seed: int, faults: bool, here: Path
) -> tuple[dict[str, tuple[str, ...]], dict[str, set[str]]]:
    """What was planted, and what was said."""
    random = np.random.default_rng([22, seed])
    ratios = broken.drawn_ratios(NAMES, seed)
    options = (*FRONT_ENDS[front_end], *((SUMS,) if front_end != "adc" else ()))
    if not faults:
        with broken.broken(here / "task.toml", here / "bench.toml", *options, ratios=ratios, seed=seed) as bench:
            return {}, examined(bench)
    while True:
        first, second, dead, wrong, alike, also, lossy, slow, last = map(str, random.permutation(NAMES)[:9])
        if {first, second} not in SERIES:
            break
    ratios[wrong] = float(random.choice([0.1, 0.5, 5.0]))
    planted = {
        "swapped": (first, second), "dead wiper": (dead,), "wrong R_AB": (wrong,), "equal seeds": (alike, also),
        "lossy cable": (lossy,), "slow board": (slow,),
        "noisy ADC" if front_end == "adc" else "stuck comparator": (last,),
    }  # fmt: skip
    with broken.broken(
        here / "task.toml", here / "bench.toml", *options, ratios=ratios, dead={dead: (0, 1)},
        swapped=((first, second),), seed=seed,
    ) as bench:  # fmt: skip
        for edge in (alike, also):
            bench.before(edge, broken.NO_ENTROPY)
        us = "1000" if front_end == "adc" else "5000"  # beside readings of four channels, or one step of two wipers
        bench.before(slow, broken.SLOW_BUS.replace("1000", us))
        if front_end == "adc":
            bench.before(last, broken.NOISY_ADC)
        else:
            bench.stick(last, str(random.choice(["a", "b"])), int(random.integers(2)))
        with bench.lossy(lossy):
            return planted, examined(bench)


def main(well: int = 20, ill: int = 4) -> int:
    """Print what was found."""
    named, missed, besides = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="clockfree-doctor-") as name:
        here = Path(name)
        (here / "task.toml").write_text(TASK, "utf-8")
        for number in range(well + ill):
            front_end = ["adc", "comparator"][number % 2]
            planted, said = fleet(front_end, number, number >= well, here)
            lines = []
            for fault, edges in planted.items():
                found = all(SAID[fault] in said.get(edge, ()) for edge in edges)
                named, missed = named + found, missed + (not found)
                lines.append(f"{fault} of {' and '.join(edges)} {'named' if found else 'MISSED'}")
                for edge in edges:
                    said.get(edge, set()).discard(SAID[fault])
            more = {edge: sorted(kinds) for edge, kinds in said.items() if kinds}
            besides += len(more)
            print(f"{number} {front_end}: {'; '.join(lines) or 'well'}; besides: {more or 'nothing'}", flush=True)
    print(f"{named} of {named + missed} faults named in {ill} fleets; {besides} boards said to be ill that are not")
    return int(missed > 0 or besides > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
