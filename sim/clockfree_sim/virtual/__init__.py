"""Virtual boards: real MicroPython behind pseudo-terminals, on the pins of the simulated circuit."""

from clockfree_sim.virtual.boards import VirtualBoards, VirtualBoardsError

__all__ = ["VirtualBoards", "VirtualBoardsError"]
