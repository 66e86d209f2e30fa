"""The examples in the docstrings of the Python face do what they say."""

import doctest
from concurrent.futures import ThreadPoolExecutor

import pytest

from clockfree.api import opening, result, running, sweeping, tasks
from clockfree.runs import figure
from clockfree_sim.sweep import workers


@pytest.mark.parametrize("module", [opening, result, running, sweeping, tasks], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(figure, "draw", lambda data, path, highest: path.touch())
    monkeypatch.setattr(workers, "pool", lambda jobs: ThreadPoolExecutor(1))
    found = doctest.testmod(module)
    assert found.attempted >= 3 and not found.failed
