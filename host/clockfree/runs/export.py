"""A run's network with the taps it ended with, in a file that other programs read."""

from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base import files
from clockfree.base.errors import InputError
from clockfree_model import exporters
from clockfree_model.job import Job
from clockfree_model.network import NetworkError
from clockfree_model.parts import POTS


def edge_columns(job: Job, taps: np.ndarray) -> dict[str, list[Any]]:
    """`tap` and `resistance_ohm` of each edge (E,), None where nobody knows; ohm are those of both twins, nominally."""
    ohms = job.physics.resistance(taps.astype(float), POTS[job.edge.pot])
    known = (taps >= 0).tolist()
    return {
        "tap": [tap if is_known else None for tap, is_known in zip(taps.tolist(), known, strict=True)],
        exporters.OHM: [ohm if is_known else None for ohm, is_known in zip(ohms.tolist(), known, strict=True)],
    }


def write(job: Job, taps: np.ndarray, path: Path) -> None:
    """Write the network, with the tap and the resistance of each edge; the ending of the file says the format.

    Raises
    ------
    InputError
        The file exists or cannot be made, an ending that is not known, something that the format cannot hold.
    """
    files.check(path, "file")
    try:
        exporters.write(path, job.network, edge_columns(job, taps))
    except NetworkError as error:
        raise InputError(str(error)) from None
