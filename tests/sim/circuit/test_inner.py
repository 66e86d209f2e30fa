"""Inner functions: part of what is kept, changed with it, and nothing to call from Python."""

import pytest

from tests.sim.probe import probe

PROBE = """
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.inner import inner

FACTOR = 2

@inner()
def scaled(x):
    return x * FACTOR

@inner()
def counted(n):
    for i in range(n):
        yield scaled(i)

@inner()
def refused(x):
    if x < 0:
        raise ValueError("expected a number from 0 on")
    return scaled(x)

@kept()
def f(x):
    found = refused(x)
    for each in counted(3):
        found += each
    return found
"""


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """An empty folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_caller_is_kept_with_what_is_inner_and_compiled_anew_when_that_changes():
    for text, of_3, hits in ((PROBE, 12, 0), (PROBE, 12, 1), (PROBE.replace("FACTOR = 2", "FACTOR = 5"), 30, 0)):
        f = probe(text).f
        assert f(3) == of_3
        assert f.stats.cache_hits.total() == hits
        with pytest.raises(ValueError, match="from 0 on"):
            f(-1)


def test_it_cannot_be_called_from_python():
    made = probe(PROBE)
    for when in ("before it is part of anything", "and after"):
        with pytest.raises(TypeError, match="not callable"):
            made.scaled(3)
        assert made.f(3) == 12, when
