"""Firmware onto boards, many at once.

What is on a board is asked first, and only what differs is sent: to a name of its own beside the old file, read back by
its hash, and renamed when all of it is there. So whatever ends a flash early, each file is the old one or the new one,
and what was sent already need not be sent again.
"""

import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from clockfree.base.firmware import FirmwareError
from clockfree.flash import prompt
from clockfree.flash.firmware import BoardFile, compiled_files, source_files
from clockfree.flash.repl import LOST, FlashError, Repl, StoppedError, TransportExecError
from clockfree.link import handshake
from clockfree.link.benchfile import BenchFile, Board, board_config, config_text
from clockfree.link.descriptors import room_for
from clockfree.link.identity import is_board
from clockfree.link.ports import AT_ONCE, PortError, lost
from clockfree.link.users import others, shared
from clockfree_board.link import RUN

WAKE_S = 0.2
"""So often whoever waits for the boards looks for Ctrl-C, which on Windows ends no wait."""

Tell = Callable[[str, float, str], None]
"""Is told of a board's name, how far it is (0 .. 1), and what it does now."""


@dataclass
class Report:
    """What happened to one board.

    Attributes
    ----------
    board : str
        Its name in the bench file.
    error : str
        Why it failed, and what to do; "" if it did not.
    copied, removed : list of str
        Files, by their path on the board.
    unchanged : int
        Files that were there already.
    sent : int
        Bytes that went over the port for them.
    seconds : float
    hello : dict
        What the board says of itself after all; {} if it does not.
    """

    board: str
    error: str = ""
    copied: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    sent: int = 0
    seconds: float = 0.0
    hello: dict[str, Any] = field(default_factory=dict)


def deploy(
    bench: BenchFile, boards: Sequence[Board], tell: Tell, stop: threading.Event, *, source: bool = False
) -> list[Report]:
    """Bring the firmware and each board's own configuration onto boards, up to `AT_ONCE` at the same time.

    Parameters
    ----------
    bench : BenchFile
    boards : list of Board
        Those of the bench to flash.
    tell : callable
        Called from the boards' own threads.
    stop : Event
        Set it to break off, as Ctrl-C does: every board ends between two steps, and the reports say how far it was.
    source : bool
        Files as they were written, not compiled.

    Returns
    -------
    list of Report
        In the order of `boards`; a failure of one board does not stop the others.
    """
    at_once = min(AT_ONCE, max(1, len(boards)))
    room_for(at_once)
    workers = [_Worker(bench, board, source, tell, stop) for board in boards]
    with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not expect
        with ThreadPoolExecutor(at_once, "flash") as pool:
            jobs = [pool.submit(worker.run) for worker in workers]
            try:
                while wait(jobs, WAKE_S).not_done:
                    pass
            except KeyboardInterrupt:
                stop.set()
            return [job.result() for job in jobs]


class _Worker:
    """Flashes one board."""

    def __init__(self, bench: BenchFile, board: Board, source: bool, tell: Tell, stop: threading.Event) -> None:
        self._board = board
        self._config = board_config(bench, board)
        self._source = source
        self._tell = tell
        self._repl = Repl(board, bench.links, stop)
        self._doing = ""
        self._unsent: list[str] = []
        self.report = Report(board.name)

    def run(self) -> Report:
        """All of it; what goes wrong is in the report."""
        begun_s = time.monotonic()
        try:
            self._flash()
        except StoppedError:
            self.report.error = "interrupted: each file on it is the old one or the new one; flash again"
        except (FlashError, FirmwareError, PortError, handshake.RefusedError) as error:
            self.report.error = str(error)
        except TransportExecError as error:
            self.report.error = self._board_said(error.error_output)
        except (*LOST, ValueError, handshake.NoAnswerError) as error:
            other = others([self._repl.device]).get(self._repl.device)
            why = shared(self._repl.device, other) if other else lost(error)
            self.report.error = (
                f"lost while {self._doing} ({why}): each file on it is the old one or the new one; "
                "plug it in and flash again (--retry-failed)"
            )
        finally:
            self._repl.leave()
        self.report.seconds = time.monotonic() - begun_s
        self._say(1.0, self.report.error or "done")
        return self.report

    def _say(self, share: float, doing: str) -> None:
        self._doing = doing
        self._tell(self._board.name, share, doing)

    # -- the steps -----------------------------------------------------------------------------------------------

    def _flash(self) -> None:
        self._repl.go_on()
        self._say(0.0, "looking for it")
        self._repl.open()
        self._say(0.05, "stopping its program")
        self._stop_program()
        self._say(0.1, "asking what is on it")
        id_, mpy, micropython, packs, there = json.loads(self._repl.exec(prompt.SURVEY))
        self._expect(id_)
        config = BoardFile("/clockfree.json", config_text(self._config).encode())
        firmware = source_files() if self._source else compiled_files(mpy, micropython)
        self._update([*firmware, config], there, packs)
        self._say(0.9, "restarting")
        self._repl.hard_reset()
        self.report.hello = self._repl.wait_for_hello(None)
        wrong = handshake.misfit(self.report.hello, self._board.id, self._config)
        if wrong:
            raise FlashError(f"flashed, but it is not as it should be: {wrong}")

    def _stop_program(self) -> None:
        """Bring the board to its raw prompt, with no watchdog armed, nothing running, and room in its heap.

        The firmware in RUN has an armed watchdog that only a reset disarms: HOLD, and a reset over the link. Stopped by
        Ctrl-C it feeds it from a timer, which a soft reset would end: reset it as well. Any other program ends with a
        soft reset, its timers too.
        """
        try:
            before = handshake.hello(self._repl.port)
        except handshake.NoAnswerError as error:
            self._repl.enter(soft_reset=False)
            loaded, free = json.loads(self._repl.exec(prompt.MEMORY))
            if not loaded:
                if error.busy or free < prompt.ROOM:
                    self._repl.enter(soft_reset=True)
                return
            self._repl.hard_reset()
            self._repl.wait_for_hello(None)
        else:
            self._expect(before.get("id"))
            if before.get("state") == RUN:
                handshake.ask(self._repl.port, "hold")
            with contextlib.suppress(handshake.NoAnswerError, OSError):  # its port may be gone before it has answered
                handshake.ask(self._repl.port, "reset")
            self._repl.wait_for_hello(before.get("boot"))
        self._repl.enter(soft_reset=False)

    def _expect(self, id_: Any) -> None:
        """Nothing is written to a board that is at the port of another: names of ports lag behind when many reset."""
        if not is_board(self._board.id, id_):
            raise FlashError(f"another board, {id_}, is at its port: nothing was written to it; flash again")

    def _update(self, files: list[BoardFile], there: dict[str, str], packs: bool) -> None:
        """Make the board hold these files, and none of the firmware's beside them."""
        changed = [file for file in files if there.get(file.path) != file.digest]
        unsent = [file for file in changed if there.get(file.path + prompt.NEW) != file.digest]
        wanted = {file.path for file in files} | {file.path + prompt.NEW for file in changed}
        stale = sorted(path for path in there if path not in wanted)
        total = sum(len(file.data) for file in unsent) or 1
        done = 0
        self._unsent = [file.path + prompt.NEW for file in unsent]
        if unsent:
            self._repl.exec(prompt.WRITER)
        for program, whole in prompt.write(unsent, packs):
            self._say(0.1 + 0.8 * done / total, f"writing {len(whole)} files")
            hashes = self._repl.exec(program).decode().split()
            if hashes != [file.digest for file in whole]:
                raise FlashError(
                    "wrote files and read back other bytes: flash again; if it stays so, the board's flash is worn"
                )
            self.report.sent += len(program)
            done += sum(len(file.data) for file in whole)
        if changed or stale:
            self._repl.go_on()
            self._say(0.9, "putting the new files in place")
            self._repl.exec(prompt.put_in_place([file.path for file in changed], stale))
        self.report.copied = [file.path for file in changed]
        self.report.removed = [path for path in stale if not path.endswith(prompt.NEW)]
        self.report.unchanged = len(files) - len(changed)

    def _board_said(self, text: str) -> str:
        last = (text.strip().splitlines() or [""])[-1]
        if "ENOSPC" in last or last.endswith(" 28"):
            with contextlib.suppress(*LOST, StoppedError):
                self._repl.exec(prompt.remove(self._unsent))
            return (
                "its flash is full: the new files need room beside the old ones, which are as they were; remove what "
                "is not needed (mpremote fs rm) and flash again"
            )
        return f"MicroPython: {last} while {self._doing}; the old files are as they were"


def table(reports: Sequence[Report]) -> Table:
    """What became of each board, for a terminal."""
    drawn = Table(box=None, pad_edge=False)
    for column in ("board", "result", "copied", "unchanged", "removed", "kB sent", "s"):
        right = column not in ("board", "result")
        drawn.add_column(column, justify="right" if right else "left", overflow="fold")
    for report in reports:
        counts = (len(report.copied), report.unchanged, len(report.removed))
        result = report.error or f"{report.hello['role']}, version {report.hello['version']}"
        sent = f"{report.sent / 1000:.1f}"
        drawn.add_row(report.board, result, *map(str, counts), sent, f"{report.seconds:.1f}")
    return drawn
