"""Report of a run, for a person at a terminal: a table of what it came to."""

from typing import Any

import numpy as np
from rich.table import Table

from clockfree.link.units import ADC_STEPS
from clockfree.runs.netcdf import DataSet
from clockfree.runs.results import best_at, course
from clockfree_model.counters import DROPPED, ERRORS, FIRINGS, RAIL, SKIPPED
from clockfree_model.events import RESUMED
from clockfree_model.final import error_at

HOW = ("bench", "rule", "preset", "seed", "task_seed")


def table(found: dict[str, Any], data: DataSet) -> Table:
    """What a run came to, for a terminal."""
    rows = Table(show_header=False, box=None, pad_edge=False)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")

    def error(value_V2: float | None) -> str:
        return "-" if value_V2 is None or not np.isfinite(value_V2) else f"{value_V2:.3g} V²"

    said = data.attrs
    rows.add_row("run", f"{found['run']}  ({said['ended']})")
    rows.add_row("task", f"{found['task']} on {found['network']}: {found['nodes']} nodes, {found['edges']} edges")
    rows.add_row("how", ", ".join(f"{key.replace('_', ' ')} {found[key]}" for key in HOW))
    rows.add_row(
        "updates", f"{found['updates_per_edge']:.6g} per edge: {found[FIRINGS]} firings, {found['steps']} steps"
    )
    took = "" if found["wall_s"] is None else f", {found['wall_s']:.3g} s of wall time"
    if "boards" in found:
        rows.add_row("time", f"{found['wall_time_s']:.4g} s of wall time")
    else:
        rows.add_row("time", f"{found['virtual_s']:.4g} s of virtual time{took}")
    by = ", measured by the supervisor" if "boards" in found else ""
    rows.add_row("error", f"{error(found['initial_error_V2'])} at first, {error(found['final_error_V2'])} at last{by}")
    if "sampling_error_V2" in found:
        off_V2 = found["sampling_error_V2"]
        spread = "too few of them for its standard error" if off_V2 is None else f"standard error {error(off_V2)}"
        known = "" if "boards" in found else "; recorded before every state counted"
        rows.add_row("", f"mean of samples, {spread}{known}")
    rows.add_row("best", f"{error(found['best_error_V2'])} achievable on this network")
    if found["predicted_error_V2"] is not None:
        rows.add_row("law", f"{error(found['predicted_error_V2'])} predicted: where the overshoot of steps ends")
    if found["n_r_tau"]:
        rows.add_row("lag", said["lag"])
    if data.sizes["lesson"] > 1:
        for name, at_end, best in lesson_errors(data):
            rows.add_row(f"  {name}", f"{error(at_end)} at its end, best achievable {error(best)}")
    if "accuracy" in found:
        shares = {name.removesuffix("_accuracy"): share for name, share in found.items() if name.endswith("_accuracy")}
        beside = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        rows.add_row("accuracy", f"{found['accuracy']:.3f} on held-out examples ({beside})")
    for name in (RAIL, DROPPED, SKIPPED, ERRORS):
        count = int(data[name].values[-1].sum())
        if count:
            rows.add_row(name, f"{count}  ({data[name].attrs['long_name']})")
    if times := found.get(RESUMED):
        often = "once" if times == 1 else f"{times} times"
        rows.add_row(RESUMED, f"{often}, from its last checkpoint; what came after it does not count")
    for note in found.get("notes", ()):
        rows.add_row("note", note)
    if "boards" in found:
        rows.add_row("boards", f"{found['boards']}, {found['restarts']} restarts, {found['lost_lines']} lines lost")
        for what in ("warnings", "failures"):
            for text in found[what]:
                rows.add_row(what[:-1], text)
    if text := seen(found, data):
        rows.add_row("seen", text)
    return rows


FIRED = {
    "clockfree": "each fired by a clock of its own and by nothing else",
    "sync": "all fired by one common trigger",
    "p": "drawn by lot at each common trigger",
    "oscillators": "each let fire by its oscillator at a common trigger",
}
"""Who makes an edge fire, by the name of the rule."""


def seen(found: dict[str, Any], data: DataSet) -> str:
    """What was seen, in a sentence: how far off the outputs were when the last lesson began, and at the end.

    In V, root mean squares over outputs and examples: the roots of the first error of the lesson that is known, and of
    the final error. On boards nothing below a step of the supervisor's ADC is claimed. Empty where one of the two was
    not measured, or nothing was taught.
    """
    lesson, error_V2 = data["present_lesson"].values, data["error"].values
    during = np.flatnonzero((lesson == lesson[-1]) & np.isfinite(error_V2))
    if found["final_error_V2"] is None or not during.size or not data["updates"].values[-1]:
        return ""
    first_V, last_V = np.sqrt([error_V2[during[0]], found["final_error_V2"]])
    lead = f"lesson {data['lesson'].values[lesson[-1]]}: " if data.sizes["lesson"] > 1 else ""
    targets = [str(target) for target in data["target"].values]
    outputs = f"output {targets[0]}" if len(targets) == 1 else f"{len(targets)} outputs"
    turned = "brought" if last_V < first_V else "did not learn, and took"
    fired = FIRED[found["rule"].partition("=")[0]]
    last, step_V = f"{_volts(last_V)} off", data.attrs["supply_V"] / ADC_STEPS
    if "boards" in found:
        below = f"within {_volts(step_V)} of it, a step of the supervisor's ADC,"
        last = below if last_V < step_V else f"{last}, as the supervisor reads it,"
    updates = data["updates"].values[-1] - data["updates"].values[lesson == lesson[-1]][0]
    return (
        f"{lead}{found['edges']} edges, {fired}, {turned} {outputs} from {_volts(first_V)} off what was wanted to "
        f"{last} in {updates:.0f} firings each"
    )


def _volts(value_V: float) -> str:
    unit, size_V = ("V", 1.0) if value_V >= 1 else ("mV", 1e-3) if value_V >= 1e-5 else ("uV", 1e-6)
    return f"{value_V / size_V:.3g} {unit}"


def lesson_errors(data: DataSet) -> list[tuple[str, float, float]]:
    """Name, error at its end, best achievable error of each lesson that was begun, V^2."""
    found = []
    error_V2, stood_us = course(data)
    for index, name in enumerate(data["lesson"].values):
        during = data["present_lesson"].values == index
        if during.any():
            since = data["updates"].values[during] - float(data["lesson_from"].values[index])
            at_end = error_at(
                since, error_V2[during], since[-1], stood_us=None if stood_us is None else stood_us[during]
            )
            found.append((str(name), at_end, best_at(data, float(data["updates"].values[during][-1]))))
    return found
