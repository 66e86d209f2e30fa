"""Virtual boards; where there is no MicroPython for this machine, all of this is skipped."""

import pytest

from clockfree_sim.virtual import VirtualBoards
from tests.sim.virtual.repl import Repl

ONE, OTHER = "e6614103e7452d2f", "e6614103e7452d30"


@pytest.fixture(autouse=True)
def _micropython(micropython):
    pass


@pytest.fixture(scope="module")
def boards(micropython, tmp_path_factory):
    """Two boards with nothing on their pins."""
    with VirtualBoards(None, {ONE: {}, OTHER: {}}, tmp_path_factory.mktemp("flash")) as boards:
        yield boards


@pytest.fixture
def repl(boards):
    """The raw REPL of the first board, as blank as at first."""
    with Repl(boards.port(ONE)) as repl:
        repl.enter()
        repl.run(
            "import os\nfor entry in os.ilistdir():\n"
            " if entry[1] == 0x8000: os.remove(entry[0])\n"
            "for name in list(globals()):\n if name[0] != '_': del globals()[name]"
        )
        yield repl
