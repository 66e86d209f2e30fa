"""Figure of a run, `figure.png`: error against updates, and the network with its taps."""

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from clockfree.runs.netcdf import DataSet
from clockfree.runs.results import course
from clockfree_model.files import replace_bytes
from clockfree_model.final import error_at
from clockfree_model.saying import printable

ERROR, SAMPLES, MEASURED = "#17406d", "#7fb0dc", "#e08214"
BEST, MARK, SOURCE, TARGET = "#2a8c4a", "#b03a2e", "#d1495b", "#edae49"
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "legend.frameon": False,
    "savefig.dpi": 200,
}
LEFT = {"left": 0.145, "right": 0.97, "bottom": 0.1, "top": 0.86, "hspace": 0.08}
RIGHT = {"left": 0.02, "right": 0.97, "bottom": 0.1, "top": 0.88}
"""Where a half of the figure has its axes: to have matplotlib find out takes as long as to draw it all."""
COLOURS = LinearSegmentedColormap.from_list("taps", matplotlib.colormaps["viridis"](np.linspace(0, 0.93, 256)))
"""Dark where an edge conducts; without the palest end, which nobody sees on white."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SIZE = (11, 4.8)
"""Inches of the figure."""
FEW_DECADES = 3
"""Up to this many decades have ticks between them; each of those takes a millisecond to draw."""
NAMED_NODES = 30
"""Up to this many nodes every node is named, beyond it only sources and targets."""
DRAWN_NODES = 500
"""Up to this many nodes hidden nodes are drawn at all."""


def draw(data: DataSet, path: Path, highest: int) -> None:
    """Draw the results of a run into a PNG file, in one go; `highest` is the tap where its potentiometers end."""
    image = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        draw_on(Figure(figsize=SIZE), data, highest).savefig(image, format="png")
    replace_bytes(path, image.getbuffer())


def draw_on(drawn: Figure, data: DataSet, highest: int) -> Figure:
    """Draw the results of a run on an empty figure of `SIZE`, which is returned."""
    with matplotlib.rc_context(STYLE):
        halves: Any = drawn.subfigures(1, 2, width_ratios=(1.12, 1))
        left, right = halves
        accuracies = [name for name in data.variables if name.endswith("_accuracy")]
        if accuracies:
            upper, lower = left.subplots(2, 1, sharex=True, height_ratios=(2, 1), gridspec_kw=LEFT)
            _accuracy(lower, data, accuracies)
        else:
            upper = lower = left.subplots(gridspec_kw=LEFT)
        _error(upper, data)
        lower.set_xlabel("updates per edge")
        _network(right, data, highest)
        drawn.suptitle(_title(data), fontsize=10)
    return drawn


def _title(data: DataSet) -> str:
    said = data.attrs
    parts = [said.get("task"), said.get("network"), f"{data.sizes['edge']} edges", f"rule {said.get('rule')}"]
    parts += [f"preset {said.get('preset')}", f"seed {said.get('seed')}", f"bench {said.get('bench')}"]
    if said.get("ended") != "done":
        parts.append(str(said.get("ended")))
    return _literal("  ·  ".join(str(part) for part in parts if part))


def _literal(text: str) -> str:
    """A text as matplotlib shows it: between two dollars it would look for a formula."""
    return printable(text).replace("$", r"\$")


def _error(axes: Axes, data: DataSet) -> None:
    updates, (error_V2, stood_us) = data["updates"].values, course(data)
    measured_V2, best_V2 = data["measured_error"].values, data["best_error"].values
    on_boards = "measured_by" in data.attrs
    label = "error, measured by the supervisor" if on_boards else "error"
    label += "" if stood_us is None else ", mean since the sample before"
    axes.plot(updates, error_V2, color=SAMPLES, lw=0.6, marker="o" if len(updates) < 3 else None, ms=3, label=label)
    axes.plot(updates, _running(data, error_V2, stood_us), color=ERROR, lw=1.6, label="mean over the last fifth")
    if np.isfinite(measured_V2).any() and not on_boards:
        # Single readings are often exactly 0, below one code of the ADC: only their mean can be drawn.
        readings_V2 = _running(data, measured_V2, None)
        axes.plot(updates, readings_V2, color=MEASURED, lw=1.3, ls=":", label="the same, by the supervisor")
    lowest = _lowest_shown(error_V2, measured_V2, best_V2)
    last = max(float(updates[-1]), 1.0)
    starts = data["best_from"].values
    ends = np.minimum([*starts[1:], np.inf], last)
    known = [part for part in zip(starts, ends, best_V2, strict=True) if part[0] < last]
    style: dict[str, Any] = {"color": BEST, "lw": 1.2, "ls": "--", "ms": 4}
    for start, end, best in known:
        axes.plot([start, end], [max(best, 1.25 * lowest)] * 2, marker="v" if best < lowest else None, **style)
    if known:
        below = ": below" if min(best for *_, best in known) < lowest else ""
        values = ", ".join(f"{best:.1e}" for *_, best in known[:2]) + (", ..." if len(known) > 2 else "")
        axes.plot([], label=f"best achievable, {values}{below}", **style)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(_Powers())
    axes.yaxis.set_minor_formatter(_Powers())
    highest = 3 * max(np.nan_to_num(error_V2).max(), np.nan_to_num(measured_V2).max(), lowest)
    axes.set_ylim(lowest, highest)
    if highest > 10**FEW_DECADES * lowest:
        axes.minorticks_off()
    axes.set_xlim(0, last)
    for start, name in zip(data["lesson_from"].values[1:], data["lesson"].values[1:], strict=True):
        _mark(axes, start, f"lesson {name}", "0.45")
    _damage_marks(axes, data)
    axes.set_ylabel("error  (V²)")
    axes.grid(True, which="major", color="0.9", lw=0.6)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=2, fontsize=7.5, columnspacing=1.2)


class _Powers(LogFormatter):
    """Ticks of a logarithmic axis as text; as formulas, which is matplotlib's habit, they take a tenth of a second."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):  # too many to have a number each
            return ""
        mantissa, _, power = f"{x:.0e}".partition("e")
        return ("" if mantissa == "1" else f"{mantissa}×") + "10" + str(int(power)).translate(RAISED)


def _running(data: DataSet, error_V2: np.ndarray, stood_us: np.ndarray | None) -> np.ndarray:
    """The error at each sample as results give it, counted from the start of the lesson then taught."""
    updates, taught = data["updates"].values, data["present_lesson"].values
    since = updates - data["lesson_from"].values[taught]
    running = np.empty(len(updates))
    for lesson in np.unique(taught):
        during = taught == lesson
        stood = None if stood_us is None else stood_us[during]
        running[during] = [error_at(since[during], error_V2[during], n, stood_us=stood) for n in since[during]]
    return running


def _lowest_shown(error_V2: np.ndarray, *others_V2: np.ndarray) -> float:
    """Lower end of the error axis: under the run but for its deepest dips, and under the rest if that is near."""
    positive = error_V2[error_V2 > 0]
    if not len(positive):
        return 1e-16
    run_V2 = np.quantile(positive, 0.02)
    others = np.concatenate([part[np.isfinite(part) & (part > 0)] for part in others_V2] + [[run_V2]])
    return float(min(run_V2, max(others.min(), run_V2 * 1e-3)) / 2)


def _damage_marks(axes: Axes, data: DataSet) -> None:
    """One line for everything that fails at the same time."""
    when = data["damage_at"].values
    for at in np.unique(when):
        here = np.flatnonzero(when == at)
        edges = [str(data["edge"].values[data["damaged_edge"].values[i]]) for i in here]
        kinds = ", ".join(dict.fromkeys(str(data["damage_kind"].values[i]) for i in here))
        what = ", ".join(edges) if len(edges) <= 3 else f"{len(edges)} edges"
        _mark(axes, at, f"{what} {kinds}", MARK)


def _mark(axes: Axes, at: float, text: str, color: str) -> None:
    if at > axes.get_xlim()[1]:
        return  # an interrupted run never came so far
    axes.axvline(at, color=color, lw=0.9, ls=":")
    axes.annotate(
        _literal(text), (at, 0.03), xycoords=("data", "axes fraction"), xytext=(3, 0), textcoords="offset points",
        rotation=90, va="bottom", fontsize=7.5, color=color,
    )  # fmt: skip


def _accuracy(axes: Axes, data: DataSet, names: list[str]) -> None:
    for name, color in zip(sorted(names), (ERROR, SAMPLES), strict=False):
        axes.plot(data["updates"].values, data[name].values, color=color, lw=1.2, label=name.removesuffix("_accuracy"))
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("accuracy")
    axes.grid(True, color="0.9", lw=0.6)
    axes.legend(loc="lower right", fontsize=8)


def _network(panel: Figure, data: DataSet, highest: int) -> None:
    """The network: an edge's colour and width are its tap; a failed edge is dashed, a cut one dotted."""
    axes = panel.subplots(gridspec_kw=RIGHT)
    place = np.column_stack([data["x"].values, data["y"].values])
    ends, taps = data["edge_ends"].values, data["taps"].values[-1].astype(float)
    nodes, updates = len(place), float(data["updates"].values[-1])
    crowd = min(1.0, (40 / nodes) ** 0.3)  # everything shrinks as the picture fills
    norm = Normalize(0, highest)
    failed, cut = (_damaged(data, updates, kinds) for kinds in (None, {"cut"}))
    periodic = str(data.attrs.get("network")).endswith(":periodic")
    for chosen, style in ((~failed, "solid"), (failed & ~cut, (0, (2, 1.5))), (cut, (0, (1, 4)))):
        lines, owner = _lines(place, ends, np.flatnonzero(chosen), periodic)
        drawn = LineCollection(list(lines), array=taps[owner], cmap=COLOURS, norm=norm, linestyles=style)
        drawn.set(linewidths=crowd * (5.0 - 3.8 * taps[owner] / highest), capstyle="butt", rasterized=True)
        axes.add_collection(drawn)
    _nodes(axes, data, place, crowd)
    axes.set_aspect("equal")
    axes.margins(0.08)
    axes.autoscale_view()
    axes.axis("off")
    bar = panel.colorbar(
        ScalarMappable(norm, COLOURS),
        ax=axes,
        shrink=0.75,
        pad=0.02,
        ticks=[*range(0, highest, -(-highest // 4)), highest],
    )
    bar.set_label("tap  (0 conducts best)")
    bar.outline.set_visible(False)
    axes.set_title(f"taps after {updates:.0f} updates per edge", fontsize=9)


def _damaged(data: DataSet, updates: float, kinds: set[str] | None) -> np.ndarray:
    """Which edges (E,) have failed by now, in one of these ways if any are named."""
    when, edge, how = (data[name].values for name in ("damage_at", "damaged_edge", "damage_kind"))
    chosen = (when <= updates) & (np.isin(how.astype(str), list(kinds)) if kinds else True)
    return np.isin(np.arange(data.sizes["edge"]), edge[chosen])


def _lines(place: np.ndarray, ends: np.ndarray, edges: np.ndarray, periodic: bool) -> tuple[np.ndarray, np.ndarray]:
    """Line segments of some edges, and which edge each belongs to.

    An edge that wraps around a periodic lattice is drawn as a stub out of its two nodes, not across everything.
    """
    lines = place[ends]
    span = lines[:, 1] - lines[:, 0]
    length = np.hypot(*span.T)
    usual = length.min()
    wraps = periodic & (length > 1.5 * usual)
    straight, around = edges[~wraps[edges]], edges[wraps[edges]]
    stub = 0.5 * usual * span[around] / length[around, None]
    tails = np.stack([lines[around, 0], lines[around, 0] - stub], axis=1)
    heads = np.stack([lines[around, 1], lines[around, 1] + stub], axis=1)
    return np.concatenate([lines[straight], tails, heads]), np.concatenate([straight, around, around])


def _nodes(axes: Axes, data: DataSet, place: np.ndarray, crowd: float) -> None:
    names = [str(name) for name in data["node"].values]
    roles = {str(name): "source" for name in data["source"].values} | {
        str(name): "target" for name in data["target"].values
    }
    hidden = [i for i, name in enumerate(names) if name not in roles and len(names) <= DRAWN_NODES]
    x, y = place.T
    edging: dict[str, Any] = {"edgecolors": "0.25", "linewidths": 0.8 * crowd}
    axes.scatter(x[hidden], y[hidden], s=26 * crowd**2, color="white", zorder=3, **edging)
    for role, marker, color in (("source", "s", SOURCE), ("target", "D", TARGET)):
        chosen = [i for i, name in enumerate(names) if roles.get(name) == role]
        size = 75 * max(crowd, 0.55)
        axes.scatter(x[chosen], y[chosen], s=size, marker=marker, color=color, zorder=4, label=role, **edging)
    for i, name in enumerate(names):
        if name in roles or len(names) <= NAMED_NODES:
            axes.annotate(
                _literal(name), place[i], xytext=(7, 7), textcoords="offset points", fontsize=8, zorder=5,
                bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
            )  # fmt: skip
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, fontsize=8)
