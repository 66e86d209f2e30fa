"""Virtual boards; where there is no MicroPython for this machine, all of this is skipped."""

import pytest


@pytest.fixture(autouse=True)
def _micropython(micropython):
    pass
