"""The chips of one edge on an emulated Pico, in a process of their own.

Emulating takes all of a core, so the process that tests would get no turn if it were the same. It reaches the board by
its port, as any host does, and asks the chips what they saw through a pipe.
"""

import asyncio
from collections.abc import Iterable
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Mcp4xxxChip
from tests.emulator.emulated_pico import EmulatedPico


class Move(NamedTuple):
    """A wiper that moved: when, us; 0 (free twin) or 1 (clamped); its tap from then on."""

    at_us: float
    wiper: int
    tap: int


class Firing(NamedTuple):
    """A firing as the chips saw it: when the first comparator was read, us, and the moves since the firing before."""

    look_us: float
    moves: list[Move]


class Chips:
    """Comparators, and both kinds of twin potentiometers; the FIRE pin tells when a firing is over."""

    def __init__(self, pico: EmulatedPico):
        self._pico = pico
        self._firings: list[Firing] = []
        self._moves: list[Move] = []
        self._bits = cycle([(0, 0)])
        bus = SpiBus()
        spi_pot = Mcp4xxxChip(self._moved)
        pulse_pots = Ad5220PairChip(self._moved)
        self._wipers = {"spi": spi_pot.wipers, "pulses": pulse_pots.wipers}
        pico.spi0(bus)
        pico.output(17, bus.attach(spi_pot), resting=1)
        pico.output(10, pulse_pots.clk, resting=0)
        pico.output(11, pulse_pots.up_down, resting=0)
        pico.output(12, pulse_pots.cs, resting=1)
        pico.output(15, self._fire, resting=0)

    def begin(self, bits: Iterable[tuple[int, int]]) -> None:
        """Begin a record of firings, with the comparators' bits for each to come; after the last the first again."""
        self._bits = cycle(bits)
        self._firings.clear()
        self._next()

    def firings(self) -> list[Firing]:
        """The record."""
        return self._firings

    def fired(self) -> int:
        """How many firings are in the record."""
        return len(self._firings)

    def wipers(self, pot: str) -> list[int]:
        """Taps of both wipers of a potentiometer, "spi" or "pulses"."""
        return self._wipers[pot]

    def _next(self) -> None:
        self._moves = []
        a, b = next(self._bits)
        self._pico.drive(4, a)
        self._pico.drive(5, b)

    def _moved(self, wiper: int, tap: int) -> None:
        self._moves.append(Move(self._pico.now_us(), wiper, tap))

    def _fire(self, level: int | None = None) -> None:
        if level:
            self._firings.append(Firing(self._pico.reads_us[0][0], self._moves))
        else:
            self._next()


def serve(uf2: Path, files: bytes, pipe: Connection) -> None:
    """The process: say the name of the port, then call the methods asked for, until the pipe's other end is closed."""
    asyncio.run(_serve(uf2, files, pipe))


async def _serve(uf2: Path, files: bytes, pipe: Connection) -> None:
    pico = EmulatedPico(uf2, files)
    chips = Chips(pico)
    closed = asyncio.Event()

    def asked() -> None:
        try:
            method, arguments = pipe.recv()
        except (EOFError, ConnectionResetError):
            closed.set()
        else:
            pipe.send(getattr(chips, method)(*arguments))

    async with pico.powered() as port:
        pipe.send(port)
        asyncio.get_running_loop().add_reader(pipe.fileno(), asked)
        await pico.run_until(closed)
