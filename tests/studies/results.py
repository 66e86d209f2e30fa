"""Results of the simulation, measured: the table of docs/measured.md. `make results` runs it (about ten minutes).

Every number comes from complete runs of the real Edge objects on the simulated bench, through the same plan that
`clockfree run` makes; nothing is left out. Intervals are 95%, from Student's t on the logarithms.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from clockfree.bench.simulated import SimBench
from clockfree.task.plan import make_plan
from clockfree_model.final import error_at
from clockfree_model.physics import PRESETS
from clockfree_sim.theory.statistics import interval

EXAMPLES = Path(__file__).parents[2] / "examples"
# Named outright: whatever the preset's own are, these two are compared.
PAPERS = ["edge.front_end=adc", "edge.order=2", 'clamp.kind="nudge"', "clamp.eta=1.0"]
PLAIN = ["edge.calibrate=false", "edge.summed=false", "edge.f_V=0.0", "edge.theta_V=0.0"]
REMEDY = ["edge.calibrate=true", "edge.summed=true", "edge.f_V=0.001", "edge.theta_V=0.04"]


def run(case: dict) -> dict:
    """One run; the case gives the task file, options, --set values."""
    plan = make_plan(Path(case["file"]), case.get("options", {}), case.get("sets", []), False)
    bench = SimBench()
    bench.start(plan.job)
    samples = list(bench.run())
    updates = np.array([sample.updates for sample in samples])
    error, stood_us = np.array([(sample.mean_error_V2, sample.stood_us) for sample in samples]).T
    lesson = np.array([sample.lesson for sample in samples])
    found = {at: error_at(updates, error, at, lesson, stood_us) for at in case.get("at", [plan.job.updates])}
    last, exam = samples[-1], plan.held_out[-1]
    return {
        **case,
        "initial": samples[0].error_V2,
        "error": found,
        "steps": sum(last.counters["up"] + last.counters["down"]) / sum(last.counters["firings"]),
        "accuracy": exam and exam.accuracy(bench.outputs(exam.source_V)),
        "majority": exam and exam.majority,
        "logistic": exam and exam.logistic,
    }


def shown(values) -> str:
    mean, low, high = interval(values)
    return f"{mean:.2e} ({low:.1e} .. {high:.1e})"


def forty(pool, _folder: Path) -> dict:
    """40 allostery tasks, ideal, clock-free, plain rule, seed and task seed both 0..39."""
    file = str(EXAMPLES / "allostery.toml")
    runs = list(pool.map(run, [{"file": file, "options": {"seed": k, "task_seed": k}} for k in range(40)]))
    final = np.array([r["error"][1500] for r in runs])
    ratio = np.array([r["initial"] for r in runs]) / final
    print(f"40 tasks, ideal, 1,500 updates per edge: final error {shown(final)} V^2")
    print(f"  {np.sum(ratio >= 20)} of 40 end at least 20 times below their initial error")
    for k in np.flatnonzero(ratio < 20):
        print(f"  not so seed {k}: {runs[k]['initial']:.2e} -> {final[k]:.2e} V^2 ({ratio[k]:.1f} times)")
    return {"final": interval(final), "twenty_times": int(np.sum(ratio >= 20))}


def remedy(pool, folder: Path) -> dict:
    """Board preset, MCP3204: the plain rule un-nulled, calibration and a summed threshold, and the preset's own."""
    file = folder / "board.toml"
    text = (EXAMPLES / "allostery.toml").read_text().replace('preset = "ideal"', 'preset = "board"')
    file.write_text(text)
    seeds, at = range(24), [1500, 20_000]
    found = {}
    for name, sets in {"plain": PAPERS + PLAIN, "remedy": PAPERS + REMEDY, "shipped": []}.items():
        cases = [
            {"file": str(file), "options": {"seed": k, "task_seed": k, "updates": at[-1]}, "sets": sets, "at": at}
            for k in seeds
        ]
        found[name] = list(pool.map(run, cases))
    errors = {name: {n: np.array([r["error"][n] for r in runs]) for n in at} for name, runs in found.items()}
    volts = {key.removeprefix("edge."): float(V) for key, V in (each.split("=") for each in REMEDY[2:])}
    widths = (
        f"{name} {1e3 * volts[key]:g} mV = {PRESETS['board'].c16(volts[key]) / 16:.1f} codes"
        for name, key in (("f", "f_V"), ("bar", "theta_V"))
    )
    print(f"board preset, MCP3204, eta 1, {len(seeds)} seeds; {', '.join(widths)}")
    for n in at:
        plain, cured = errors["plain"][n], errors["remedy"][n]
        print(f"  {n:6d} updates per edge: plain {shown(plain)}, remedy {shown(cured)}, gain {shown(plain / cured)}")
    for name in ("remedy", "shipped"):
        print(f"  {name}, 20,000 over 1,500 updates: {shown(errors[name][20_000] / errors[name][1500])}")
    worst = (f"{shown(errors['shipped'][n])}, worst {errors['shipped'][n].max():.1e}" for n in at)
    print(f"  shipped: {'; '.join(worst)}")
    steps = [np.mean([r["steps"] for r in found[name]]) for name in ("plain", "remedy")]
    print(f"  share of firings that step: plain {steps[0]:.0%}, remedy {steps[1]:.1%}")
    return {name: {n: interval(e) for n, e in by.items()} for name, by in errors.items()}


def iris(pool, _folder: Path) -> dict:
    """Iris: ten splits and runs."""
    file = str(EXAMPLES / "iris.toml")
    runs = list(pool.map(run, [{"file": file, "options": {"seed": k, "task_seed": k}} for k in range(10)]))
    for key in ("accuracy", "majority", "logistic"):
        values = np.array([r[key] for r in runs])
        print(f"iris, test {key}: {values.mean():.3f} (min {values.min():.3f}, max {values.max():.3f}; 10 splits)")
    return {key: [r[key] for r in runs] for key in ("accuracy", "majority", "logistic")}


def regression(pool, _folder: Path) -> dict:
    """Regression as it is shipped, on both presets: 24 seeds of clocks and parts."""
    file, found = str(EXAMPLES / "regression.toml"), {}
    for preset in ("ideal", "board"):
        cases = [{"file": file, "options": {"seed": k, "preset": preset}} for k in range(24)]
        errors = np.array([each["error"][1500] for each in pool.map(run, cases)])
        print(f"regression, {preset}: final error {shown(errors)} V^2, {errors.min():.1e} .. {errors.max():.1e} V^2")
        found[preset] = [*interval(errors), errors.max()]
    return found


STUDIES = {"forty": forty, "remedy": remedy, "iris": iris, "regression": regression}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="*", help=f"of {', '.join(STUDIES)}; all if none is named")
    parser.add_argument("--jobs", type=int, help="processes; all cores if left out")
    asked = parser.parse_args()
    out = Path("build/results.json")
    out.parent.mkdir(exist_ok=True)
    found = {}
    with ProcessPoolExecutor(asked.jobs) as pool, tempfile.TemporaryDirectory() as folder:
        for name in asked.study or STUDIES:
            found[name] = STUDIES[name](pool, Path(folder))
    out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
