"""The simulation: networks, the twin circuit and simulated chips around the boards' own code."""

import hashlib
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
