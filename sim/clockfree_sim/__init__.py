"""The simulation: networks, the twin circuit and simulated chips around the boards' own code."""

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

import clockfree_board
import clockfree_model

NOT_COMPILED = ("paper", "sweep", "virtual")
"""Parts of the simulation in which nothing is compiled, nor anything that a run comes to."""


@cache
def sources_digest() -> str:
    """What tells these very sources of simulation, model and edge code from any others."""
    digest = hashlib.sha256()
    for package in (__file__, clockfree_model.__file__, clockfree_board.__file__):
        folder = Path(package).parent
        for source in sorted(folder.rglob("*.py")):
            if not {*NOT_COMPILED} & {*source.relative_to(folder).parts}:
                digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _compiled_code_of_these_sources() -> str:
    """Folder for compiled functions that belongs to exactly these sources.

    numba stores a compiled function beside a time stamp of its own file alone: after an edit, or an upgrade, of a
    function that it calls, it would go on using the old one, and give wrong numbers without a word.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(folder / "clockfree" / sources_digest())


if "numba" in sys.modules:
    sys.modules["numba"].config.CACHE_DIR = _compiled_code_of_these_sources()
else:  # numba is slow to import, and only running needs it
    os.environ["NUMBA_CACHE_DIR"] = _compiled_code_of_these_sources()
