"""The registry of benches: a name becomes one."""

from typing import TYPE_CHECKING

from clockfree.base.errors import InputError
from clockfree.base.files import meant
from clockfree.bench.protocol import Bench
from clockfree.bench.simulated import SimBench

if TYPE_CHECKING:
    from clockfree.bench.boards import BoardBench


def open_bench(name: str, schedule: str, anyway: bool = False) -> Bench:
    """The bench of this name: `sim`, `virtual`, or the path of a bench file.

    Parameters
    ----------
    name, schedule : str
    anyway : bool
        Take boards that run other code than the firmware here.

    Raises
    ------
    InputError
        A bench file that cannot be read or is not one; a clocked schedule on anything but the simulated bench.
    """
    if name == "sim":
        return SimBench()
    boards = open_boards(name, anyway)
    if schedule != "clockfree":
        raise InputError(
            f"{name}: --rule: expected clockfree on this bench, got {schedule}, which is for the sim bench only"
        )
    return boards


def open_boards(name: str, anyway: bool = False) -> "BoardBench":
    """The bench of boards of this name, as `open_bench`; nobody is called yet."""
    if name == "virtual":
        from clockfree.bench.virtual import VirtualBench  # brings the flash: slow to load, and sim does without

        return VirtualBench()
    from clockfree.bench.boards import BoardBench  # the same
    from clockfree.link.benchfile import read_bench  # models of pydantic: the same

    return BoardBench(read_bench(meant(name)), name, anyway)


def no_virtual_boards(edges: int) -> str:
    """Why there can be no virtual boards for so many edges on this machine, or not now; "" if there can."""
    from clockfree_sim.virtual import room  # only --or-sim asks
    from clockfree_sim.virtual.boards import HEAP_KIB, VirtualBoardsError, check

    try:
        check()
    except VirtualBoardsError as error:
        return str(error)
    return room.lacking(1 + edges, HEAP_KIB)
