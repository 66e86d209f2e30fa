"""What the examples say of themselves ("What to expect"), measured: `python tests/studies/examples.py NAME ...`.

Each as its header says: so many seeds of clocks and parts, of one task or of as many. Geometric means; in brackets the
least and the most. Final errors are those of `run`, others are of the state at that moment.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import clockfree as cf
from clockfree_model.final import error_at
from clockfree_model.settings import OVERCLAMP
from clockfree_sim.theory.statistics import interval

EXAMPLES = Path(__file__).parents[2] / "examples"
REMEDY = {"front_end": "adc", "order": 2, "summed": True, "f_V": 0.001, "theta_V": 0.04}


def same_task(name: str, count: int, **sets: Any) -> xr.Dataset:
    """The example by so many seeds of clocks and parts."""
    return cf.run(EXAMPLES / f"{name}.toml", seeds=range(count), **sets)


def own_task(name: str, count: int, **sets: Any) -> xr.Dataset:
    """So many tasks, seed and task seed the same."""
    runs = [cf.run(EXAMPLES / f"{name}.toml", seeds=[k], task_seed=k, **sets) for k in range(count)]
    return xr.concat(runs, "seed", data_vars="minimal", coords="minimal", compat="override", join="override")


def at(runs: xr.Dataset, updates: float) -> np.ndarray:
    """Error at so many updates per edge (seeds,), V^2: the mean over the last fifth, of the lesson taught then."""
    lesson = runs["present_lesson"].values
    each = zip(runs["mean_error"].values, runs["mean_time"].values, strict=True)
    return np.array([error_at(runs["updates"].values, error, updates, lesson, stood) for error, stood in each])


def begin(runs: xr.Dataset, lesson: int = 0) -> np.ndarray:
    """Error when a lesson begins (seeds,), V^2: of the state that it finds."""
    return runs["error"].values[:, int(np.argmax(runs["present_lesson"].values == lesson))]


def shown(values: np.ndarray) -> str:
    return f"{np.exp(np.log(values).mean()):.2g} ({values.min():.2g} .. {values.max():.2g})"


def allostery() -> Iterator[str]:
    """One task by 20 seeds, and 40 tasks."""
    for name, runs in (("one task, 20 seeds", same_task("allostery", 20)), ("40 tasks", own_task("allostery", 40))):
        falls = begin(runs) / runs["final_error"].values
        yield f"{name}: {shown(begin(runs))} V^2 at first, {shown(runs['final_error'].values)} at last"
        yield f"  {np.sum(falls >= 20)} of {len(falls)} end at least 20 times lower"


def damage() -> Iterator[str]:
    """What the cut does, and how soon it is mended."""
    runs = same_task("damage", 20)
    updates, error_V2 = runs["updates"].values, runs["error"].values
    after = (updates >= 750) & (updates <= 780)
    most = error_V2[:, after].max(axis=1)
    mended = np.array([updates[(updates > 750) & (each < 3e-3)][0] - 750 for each in runs["mean_error"].values])
    yield f"{shown(begin(runs))} V^2 at first, {shown(runs['final_error'].values)} at last"
    yield f"  before the cut {shown(at(runs, 750))}, most after it {shown(most)}"
    yield f"  below 3e-3 {shown(mended)} updates later"
    yield f"  at 1,500 {shown(at(runs, 1500))}, at 2,250 {shown(at(runs, 2250))}"


def drift() -> Iterator[str]:
    """Ten tasks at 1,500 and at 20,000 updates, the plain rule and drops summed over firings."""
    for name, edge in (("plain", {}), ("summed", REMEDY)):
        runs = own_task("drift", 10, edge=edge)
        yield f"{name}: {shown(at(runs, 1500))} V^2 at 1,500, {shown(at(runs, 20_000))} at 20,000"


def first() -> Iterator[str]:
    """Volts off, rms, at the beginning and the end of both lessons."""
    runs = same_task("first", 20)
    change = runs["updates"].values[runs["present_lesson"].values == 0][-1]
    for lesson, end in ((0, change), (1, runs["updates"].values[-1])):
        yield f"lesson {lesson + 1}: {shown(1e3 * begin(runs, lesson) ** 0.5)} mV at first"
        yield f"  {shown(1e3 * at(runs, end) ** 0.5)} mV at last"


def iris() -> Iterator[str]:
    """Ten splits, at the default dwell and at five times as long."""
    for dwell_s in (0.02, 0.1):
        clamp = {"dwell_s": dwell_s}
        runs = [cf.run(EXAMPLES / "iris.toml", seed=k, task_seed=k, clamp=clamp).summary for k in range(10)]
        for key in ("accuracy", "logistic_accuracy", "majority_accuracy"):
            values = np.array([each[key] for each in runs])
            yield f"dwell {dwell_s:g} s, {key}: mean {values.mean():.3f} ({values.min():.3f} .. {values.max():.3f})"
        errors = (np.array([each[f"{when}_error_V2"] for each in runs]) for when in ("initial", "final"))
        yield "  from {} to {} V^2".format(*map(shown, errors))


def regression() -> Iterator[str]:
    """Both presets at the nudge shipped, and at half of it or under an overclamp."""
    others = {"ideal": {"eta": 0.5}, "board": {"kind": OVERCLAMP}}
    for preset in ("ideal", "board"):
        for name, clamp in (("as shipped", {}), ("otherwise", others[preset])):
            runs = same_task("regression", 24, preset=preset, clamp=clamp)
            yield f"{preset}, {name}: {shown(begin(runs))} V^2 at first"
            yield f"  {shown(runs['final_error'].values)} at last"


def retraining() -> Iterator[str]:
    """Both lessons, at the beginning and the end."""
    runs = same_task("retraining", 20)
    yield f"first: {shown(begin(runs))} V^2 at first, {shown(at(runs, 1499))} at last"
    yield f"second: {shown(begin(runs, 1))} V^2 at first, {shown(runs['final_error'].values)} at last"


def p_scan() -> Iterator[str]:
    """The sweep over p, with 95% intervals."""
    found = cf.sweep(EXAMPLES / "sweeps/p_scan.toml", jobs=1)["final_error"]
    for p in found["p"].values:
        yield "p = {:g}: {:.2g} ({:.2g} .. {:.2g}) V^2".format(p, *interval(found.sel(p=p).values))


def outputs() -> Iterator[str]:
    """The sweep over outputs, with 95% intervals: the clock over none."""
    found = cf.sweep(EXAMPLES / "sweeps/outputs.toml", jobs=1)["final_error"]
    ratio = found.sel(rule="sync") / found.sel(rule="clockfree")
    for count, each in ratio.groupby("placement.targets"):
        yield "{} outputs: {:.3g} ({:.3g} .. {:.3g}) times".format(count, *interval(each.values.ravel()))


STUDIES: dict[str, Callable[[], Iterator[str]]] = {
    each.__name__: each for each in (allostery, damage, drift, first, iris, regression, retraining, p_scan, outputs)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="*", help=f"of {', '.join(STUDIES)}; all if none is named")
    for name in parser.parse_args().study or STUDIES:
        for line in STUDIES[name]():
            print(f"{name}: {line}", flush=True)


if __name__ == "__main__":
    main()
