"""What every figure must have, as the command makes it."""

import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import xarray as xr

from clockfree.commands import app
from clockfree_sim.sweep import processes

PARTS = ("measure", "draw", "table", "caption", "must_show")


def whole(name, folder):
    """Make a figure in a folder, the quick way, and look at all of it; returns its data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "pool", ThreadPoolExecutor)  # no processes, so that a warning fails the test
        assert app.status_of(["paper", name, "--quick", "--jobs", "1", "--out", str(folder)]) == 0
    figure = importlib.import_module(f"clockfree_sim.paper.figures.{name}")
    assert all(callable(getattr(figure, part)) and getattr(figure, part).__doc__ for part in PARTS[:4])
    data = xr.load_dataset(folder / f"{name}.nc")
    assert data.attrs["title"] == f"clockfree paper {name}" and data.attrs["seed"] == 0 and data.attrs["quick"] == 1
    assert any("seed" in str(data[each].attrs.get("long_name")) for each in data.coords)
    for each in data.data_vars:
        assert {"units", "long_name"} <= set(data[each].attrs), each
        assert not any(str(dim).startswith("dim_") for dim in data[each].dims), each
    text = (folder / f"{name}.txt").read_text()
    assert text.startswith(figure.caption(data).split()[0]) and "--quick" in text
    for expected, seen in figure.must_show(data).items():
        assert ("seen: " if seen else "NOT SEEN: ") + expected in " ".join(text.split())
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in folder.iterdir()} == {f"{name}.{suffix}" for suffix in ("nc", "png", "txt")}
    return data
