"""The desk: networks, the twin circuit and simulated chips around the boards' own code."""

import hashlib
import os
import sys
from pathlib import Path

import clockfree


def _compiled_code_of_these_sources() -> str:
    """Folder for compiled functions that belongs to exactly these sources.

    numba stores a compiled function beside a time stamp of its own file alone: after an edit, or an upgrade, of a
    function that it calls, it would go on using the old one, and give wrong numbers without a word.
    """
    digest = hashlib.sha256()
    for package in (Path(__file__).parent, Path(clockfree.__file__).parent):
        for source in sorted(package.rglob("*.py")):
            if "virtual" in source.relative_to(package).parts:  # nothing is compiled there
                continue
            digest.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(cache / "clockfree" / digest.hexdigest()[:16])


if "numba" in sys.modules:
    sys.modules["numba"].config.CACHE_DIR = _compiled_code_of_these_sources()
else:  # numba is slow to import, and only running needs it
    os.environ["NUMBA_CACHE_DIR"] = _compiled_code_of_these_sources()
