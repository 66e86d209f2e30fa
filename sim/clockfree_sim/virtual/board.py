"""A virtual board: MicroPython, its port, its flash, what is on its pins, and the ways it can be reset."""

import os
import struct
import traceback
from pathlib import Path

from clockfree_model.saying import say
from clockfree_sim.virtual.flow import Flow
from clockfree_sim.virtual.loop import Loop
from clockfree_sim.virtual.machine import Machine, refusal
from clockfree_sim.virtual.ports import BY_ID, Port, Watch
from clockfree_sim.virtual.vm import Input, Vm
from clockfree_sim.virtual.wired import Wired
from clockfree_sim.virtual.zygote import RESET, Zygote

FLASH_BYTES = 352 * 4096
POWER, WATCHDOG = 1, 3
"""Reset causes, as `machine` numbers them on an RP2040; `machine.reset` uses the watchdog there."""

_MESSAGE_BYTES = 4096
_MOST_MESSAGES = 400  # that can wait in a socket
_CTRL_C = 3
_DOUBT_US = 1000
_MOST_DOUBTS = 250


class VirtualBoard:
    """One virtual board; it begins with `power_on`.

    Parameters
    ----------
    loop, zygote, watch : of the bench
    unique_id : str
        16 hex digits.
    folder, by_id : Path
        Where its flash is kept, and where the link to its port is.
    pace : bool
    heap_kib : int

    Attributes
    ----------
    up : bool
        MicroPython has started.
    injected_bytes : int
        Heap that the bench itself takes on the board: `machine`, the file system, the restrictions.
    crashes : int
        How often MicroPython itself has crashed.
    wired : Wired
    machine : Machine
    """

    def __init__(self, loop: Loop, zygote: Zygote, watch: Watch, unique_id: str, folder: Path, by_id: Path, *,
                 pace: bool, heap_kib: int):  # fmt: skip
        self.unique_id = unique_id
        self.up = False
        self.injected_bytes = 0
        self.crashes = 0
        self.wired = Wired()
        self.machine = Machine(
            loop.time,
            self.wired,
            lambda: self.reset(WATCHDOG),
            {"U": self._is_up, "E": self._has_ended, "e": self._has_ended, "R": self._asks_for_reset},
        )
        self._loop, self._zygote, self._watch = loop, zygote, watch
        self._link = by_id / BY_ID.format(unique_id)
        self._pace, self._heap_kib = pace, heap_kib
        self._flash = os.open(folder / f"{unique_id}.flash", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._flash, FLASH_BYTES)
        self._vm: Vm | None = None
        self._port: Port | None = None
        self._stdin = Input()
        self._plugged = True
        self._cause = POWER
        self._resetting = False
        self._ended_as = 0
        self._doubts = 0
        self._in = Flow(loop.time, pace, self._pump_in)
        self._out = Flow(loop.time, pace, self._pump_out)

    @property
    def process(self) -> int:
        """Of its MicroPython; 0 while there is none."""
        return self._vm.process if self._vm else 0

    # -- life ----------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start; it is up some milliseconds later."""
        self._start(raw=False)

    def reset(self, cause: int = POWER) -> None:
        """RAM is lost and the pins let go; the port vanishes, and is back when the board is up again."""
        self._cause = cause
        self._resetting = True
        self.up = False
        self._drop_port()
        if self._vm:
            self._vm.kill()

    def power_cycle(self) -> None:
        """Power goes away and comes back, that of the chips on the pins too."""
        self.reset()
        self.machine.reset()
        self.wired.power_cycle()

    def resize(self, heap_kib: int) -> None:
        """A board with so much heap instead, and the same flash."""
        self._heap_kib = heap_kib
        self.reset()

    def ended(self, status: int) -> None:
        """Its process has ended: with a soft reset, in a reset, or in a crash."""
        assert self._vm is not None
        vm, self.up = self._vm, False
        status, self._ended_as = self._ended_as or status, 0
        soft = status in (RESET, RESET + 1) and not self._resetting
        if soft:
            self._hear_all()
            self._out.held += vm.rest() + b"MPY: soft reboot\r\n"
        self._loop.reads(vm.socket, None)
        self._loop.reads(vm.stdout, None)
        vm.close()
        self._vm = None
        if soft and not self._resetting:  # a reset may have been among the last it sent
            self.machine.soft_reset()
        else:
            if not self._resetting:
                self.crashes += 1
                self._drop_port()
            self._resetting = False
            self.machine.reset()
            self._in.held.clear()
            self._out.held.clear()
            self._stdin.clear()
        self._start(raw=soft and status == RESET + 1)

    def close(self) -> None:
        """The bench ends."""
        self._drop_port()
        if self._vm:  # which ends with its zygote
            self._vm.close()
        self._stdin.close()
        os.close(self._flash)

    def _start(self, raw: bool) -> None:
        code = (
            "import gc;n=gc.mem_alloc();import _board;"
            f"_board.boot(n,{self.unique_id!r},{self._cause},{self._pace},{not raw})"
        )
        self._vm = vm = Vm(self._zygote, code, self._heap_kib, raw, self._stdin, self._flash)
        self._loop.reads(vm.socket, self._hear)
        self._pump_out()

    def _is_up(self, message: bytes) -> None:
        (self.injected_bytes,) = struct.unpack_from("<I", message, 1)
        self.up = True
        if self._plugged and not self._port:
            self._make_port()
        self._pump_in()

    def _has_ended(self, message: bytes) -> None:
        """A program has asked for a soft reset, before the REPL began."""
        assert self._vm is not None
        self._ended_as = RESET + (message == b"e")
        self._vm.kill()

    def _asks_for_reset(self, message: bytes) -> None:
        self.reset(WATCHDOG)

    def _hear(self) -> bool:
        """Take one message of `machine`; False if there is none."""
        assert self._vm is not None
        try:
            message = self._vm.socket.recv(_MESSAGE_BYTES)
        except BlockingIOError:
            return False
        except ConnectionResetError:  # it has ended with an answer unread
            message = b""
        if not message:
            self._loop.reads(self._vm.socket, None)
            return False
        try:
            answer = self.machine.hear(message)
        except Exception:  # a chip that cannot do what was asked of it, in the simulation at least
            say(f"virtual board {self.unique_id}: message {message!r}:")
            traceback.print_exc()
            answer = refusal(message)
        if answer:
            try:
                self._vm.socket.send(answer)
            except OSError:  # it has just ended
                return False
        return True

    def _hear_all(self) -> None:
        """Take the messages that are there."""
        for _ in range(_MOST_MESSAGES):
            if not self._hear():
                break

    # -- port ----------------------------------------------------------------------------------------------------

    def plug(self) -> None:
        """Plug the board in."""
        self._plugged = True
        if self.up and not self._port:
            self._make_port()

    def unplug(self) -> None:
        """Unplug the board; it has power of its own, and goes on."""
        self._plugged = False
        self._drop_port()

    def _make_port(self) -> None:
        self._port = Port(self._watch, self._link)
        self._pump_in()
        self._pump_out()

    def _drop_port(self) -> None:
        if self._port:
            self._loop.reads(self._port, None)
            self._loop.writes(self._port, None)
            self._port.close()
            self._port = None
        self._in.held.clear()
        if self._vm:
            self._pump_out()

    def _pump_in(self) -> None:
        """From the host to the board."""
        flow, port, vm = self._in, self._port, self._vm
        if not port:
            return
        blocked = False
        if vm and self.up:
            if flow.room:
                flow.held += port.read(flow.room)
                self._interrupt_at_once(vm)
            while flow.ready() and not blocked:
                end = flow.held.find(_CTRL_C)
                if end == 0:
                    byte = self._settle_ctrl_c(vm)
                    if byte is None:
                        break
                    if not byte:
                        continue
                    end = 1
                count = self._stdin.write(flow.held[: end if end > 0 else None])
                flow.went(count)
                blocked = not count
        self._loop.reads(port, self._pump_in if self.up and flow.room else None)
        self._loop.writes(self._stdin, self._pump_in if blocked else None)

    def _interrupt_at_once(self, vm: Vm) -> None:
        """Ctrl-C ends a program that runs, whatever it has not read before."""
        held = self._in.held
        while (at := held.find(_CTRL_C)) >= 0 and vm.interrupt(self._stdin):
            del held[: at + 1]

    def _settle_ctrl_c(self, vm: Vm) -> bool | None:
        """Whether a Ctrl-C that comes next is one more byte; else it has done its work. None: look again soon.

        That is while the board is busy with what came before it, which may be a program's start. A real board is so
        quick there that no host notices.
        """
        held, time = self._in.held, self._loop.time
        caught = vm.interrupt(self._stdin)
        if caught is None and self._doubts < _MOST_DOUBTS:
            self._doubts += 1
            time.later(time.now_us + _DOUBT_US, self._pump_in)
            return None
        self._doubts = 0
        if caught:
            del held[:1]
        return not caught

    def _pump_out(self) -> None:
        """From the board to the host; while nobody has the port open, to nobody, as from a board."""
        flow, vm = self._out, self._vm
        if vm and flow.room:
            data = vm.read(flow.room)
            if data:
                flow.held += data
                self._hear_all()  # what it did before it said so
            elif data is not None:
                self._loop.reads(vm.stdout, None)
                vm = None
        port = self._port
        if not (port and port.connected):
            flow.held.clear()
        ready = flow.ready()
        if port and ready:
            flow.went(port.write(flow.held))
            ready = flow.ready()
        if vm:
            self._loop.reads(vm.stdout, self._pump_out if flow.room else None)
        if port:
            self._loop.writes(port, self._pump_out if ready else None)
