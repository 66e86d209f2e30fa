"""Whether only errors and warnings are said: by the environment, which processes that work for a command have too."""

import os

VARIABLE = "CLOCKFREE_QUIET"


def quiet() -> bool:
    """Nothing is to be said but errors, warnings, and what was made."""
    return bool(os.environ.get(VARIABLE))


def set_quiet(wanted: bool) -> None:
    """Be quiet, or no more."""
    os.environ[VARIABLE] = "1" if wanted else ""
