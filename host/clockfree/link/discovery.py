"""Discovery of boards: every one that has a port, or every one of a bench, and what each says of itself."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from rich.table import Table

from clockfree.link import handshake
from clockfree.link.benchfile import BenchFile, Board, board_config
from clockfree.link.descriptors import room_for
from clockfree.link.ports import AT_ONCE, PortError, locate, lost, open_port, scan
from clockfree.link.users import others, shared

COLUMNS = ("board", "port", "role", "edges", "version", "config", "state", "problem")


@dataclass(frozen=True)
class Present:
    """One board.

    Attributes
    ----------
    board : str
        Unique id, or the port by which the bench file names it.
    port : str
        Device or URL; "" where it has none.
    hello : dict
        Its HELLO; {} where it said none.
    problem : str
        What keeps it from being used; "" if nothing does.
    """

    board: str
    port: str
    hello: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def of_ports() -> list[Present]:
    """Every board at a port of this machine."""
    found = scan()
    times = Counter(board.id for board in found)

    def look(board: Any) -> Present:
        if times[board.id] > 1:
            return Present(board.id, board.device, *_hello(board.device, "another board has the same id"))
        if not board.micropython:
            text = f"not asked: {board.what or 'its USB'} does not say that it is MicroPython"
            return Present(board.id, board.device, problem=f"{text}; a bench file can name it")
        hello, problem = _hello(board.device)
        return Present(board.id, board.device, hello, problem or handshake.other_code(hello))

    return _all(look, found)


def of_bench(bench: BenchFile) -> list[Present]:
    """Every board of a bench, held against what the bench file says."""

    def look(board: Board) -> Present:
        try:
            device = locate(board.id, board.port, bench.links)
        except PortError as error:
            return Present(board.name, "", problem=str(error))
        hello, problem = _hello(device)
        if hello:
            problem = handshake.misfit(hello, board.id, board_config(bench, board))
        return Present(board.name, device, hello, problem)

    return _all(look, bench.every_board)


def _all(look: Callable[[Any], Present], boards: Iterable[Any]) -> list[Present]:
    boards = [*boards]
    at_once = min(AT_ONCE, max(1, len(boards)))
    room_for(at_once)
    with ThreadPoolExecutor(at_once, "roll") as pool:
        rows = list(pool.map(look, boards))
    readers = others(row.port for row in rows)
    return [replace(row, problem=shared(row.port, readers[row.port])) if row.port in readers else row for row in rows]


def _hello(device: str, problem: str = "") -> tuple[dict[str, Any], str]:
    """HELLO of the board at a port, or why there is none."""
    try:
        port = open_port(device, handshake.READ_S)
        try:
            return handshake.hello(port), problem
        finally:
            port.close()
    except (PortError, handshake.NoAnswerError, handshake.RefusedError) as error:
        return {}, str(error)
    except OSError as error:
        return {}, f"lost: {lost(error)}"


def table(rows: list[Present]) -> Table:
    """The boards for a person to read."""
    drawn = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        said = row.hello
        edges = " ".join(str(edge[0]) for edge in said.get("can", {}).get("edges", ()))
        state = ": ".join(str(part) for part in (said.get("state", ""), said.get("reason", "")) if part)
        told = [said.get("role") or "", edges, said.get("version", ""), said.get("config") or "", state]
        drawn.add_row(row.board, row.port, *map(str, told), row.problem)
    return drawn
