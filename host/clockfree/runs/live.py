"""Live view of a bench: what its boards say now, and, where they are in HOLD, what they measure when they are asked."""

import time
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group
from rich.table import Table

from clockfree.link.benchfile import BenchFile, board_config
from clockfree.link.fleet import Fleet
from clockfree.link.handshake import NO_ANSWER, RefusedError, misfit
from clockfree.link.session import Session
from clockfree.link.units import ADC_STEPS, C16_STEPS
from clockfree.runs.shown import NOBODY, shown
from clockfree_board.link import EDGE_ROW, HOLD, VERSION
from clockfree_model.counters import COUNTERS, FIRINGS
from clockfree_model.events import AWAY
from clockfree_model.parts import FRONT_ENDS

SHOWN = ("tap", *COUNTERS, "age_us", "late_us")
READINGS_MS = 500
UNKNOWN = "unknown"
"""State of a board that did not answer, and was stopped."""


@dataclass
class Look:
    """What was seen at one moment.

    Attributes
    ----------
    boards, edges, nodes : list of dict
        One row each; None is what nobody knows, and `source` says who does.
    """

    boards: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """True where every board answered, and is as the bench file says."""
        return not any(board["problem"] for board in self.boards)


class Watcher:
    """Looks at the boards of a bench; what they do, they go on doing.

    A board that learns is only listened to. A context manager: it lets go of the boards at the end.

    Parameters
    ----------
    bench : BenchFile
    """

    def __init__(self, bench: BenchFile) -> None:
        self.bench = bench
        self._fleet = Fleet(bench)
        self._readings: dict[int, list[int]] = {}  # of each example, as the supervisor told last
        self._began_s = time.monotonic()

    def __enter__(self) -> "Watcher":
        self._missing = self._fleet.open()
        self._listen(READINGS_MS)
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._listen(0)
        finally:
            self._fleet.close()

    def _listen(self, period_ms: int) -> None:
        """Have the supervisor tell its readings, or no longer."""
        supervisor = self._fleet.supervisor
        if supervisor.up and supervisor.understood:
            self._fleet.each(lambda session: session.ask("report", period_ms, 0, within_s=1.0), [supervisor])

    def look(self) -> Look:
        """Ask every board that is there, all at once."""
        self._again()
        here = [session for session in self._fleet.sessions if session.up]
        told, failed = self._fleet.each(self._see, here)
        self._hear()
        found = Look()
        for session in self._fleet.sessions:
            status, _ = told.get(session, ({}, []))
            problem = "" if session in told else failed.get(session, self._missing.get(session, AWAY))
            if not problem:
                problem = self._misfit(session)
            found.boards.append({
                "board": session.name, "state": status.get("state"), "run": status.get("run") or None,
                "reason": status.get("reason"), "problem": problem,
            })  # fmt: skip
        nodes: dict[str, list[tuple[float | None, float | None, str]]] = {}
        for session, board in zip(self._fleet.edge_boards, self.bench.boards):
            status, measured = told.get(session, ({}, []))
            rows = status.get("edges") or [None] * len(board.edges)
            for i, (wiring, row) in enumerate(zip(board.edges, rows)):
                seen = measured[i] if measured else None
                found.edges.append(self._edge(session, wiring.edge, wiring.front_end, status, row, seen))
                for name, free_V, clamped_V in self._ends(wiring.edge, seen):
                    nodes.setdefault(name, []).append((free_V, clamped_V, session.name))
        found.nodes = self._nodes(told.get(self._fleet.supervisor), nodes)
        return found

    # -- asking --------------------------------------------------------------------------------------------------

    def _again(self) -> None:
        """Boards that were not there at first may be there now."""
        come, self._missing = self._fleet.each(Session.open, [*self._missing])
        if self._fleet.supervisor in come:
            self._listen(READINGS_MS)

    def _see(self, session: Session) -> tuple[dict[str, Any], list[Any]]:
        """Status of a board; in HOLD also what it measures."""
        if not session.understood or session.hello.get("version") != VERSION:  # nobody knows what it would say
            raise RefusedError(self._misfit(session))
        (status,) = session.ask("status", within_s=2.0)
        measured: list[Any] = []
        if status["state"] == HOLD and "edges" in status:
            measured = [session.ask("measure", i, within_s=2.0) for i in range(len(status["edges"]))]
        elif status["state"] == HOLD and "shown" in status:
            measured = session.ask("measure", within_s=2.0)
        return status, measured

    def _misfit(self, session: Session) -> str:
        return misfit(session.hello, session.board.id, board_config(self.bench, session.board))

    def _hear(self) -> None:
        while not self._fleet.events.empty():
            session, kind, message = self._fleet.events.get_nowait()
            if session is not self._fleet.supervisor:
                continue
            if kind == "heard" and message[0] == "readings":
                first, rows = message[3:5]
                self._readings.update(enumerate(rows, start=first))
            elif kind == "rebooted":  # it tells nothing, and what it told is of another start
                self._readings.clear()
                self._listen(READINGS_MS)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _edge(
        self, session: Session, edge: str, front_end: str, status: dict[str, Any], row: list[int] | None, seen: Any
    ) -> dict[str, Any]:
        told = dict(zip(EDGE_ROW, row)) if row else {}
        known = {name: told.get(name) for name in SHOWN}
        if known["tap"] is not None and known["tap"] < 0:
            known["tap"] = None
        # In HOLD the drops are measured now; in RUN they are those of the last firing.
        free, clamped = seen[:2] if seen else (told.get("a", 0), told.get("b", 0))
        drops: list[float | None] = [None, None]
        if FRONT_ENDS[front_end].measures and (seen or told.get(FIRINGS)):
            drops = [value / C16_STEPS * self.bench.supply_V for value in (free, clamped)]
        return {
            "edge": edge, "source": session.name, "state": status.get("state"), **known,
            "free_drop_V": drops[0], "clamped_drop_V": drops[1],
        }  # fmt: skip

    def _ends(self, edge: str, seen: Any) -> list[tuple[str, float | None, float | None]]:
        """Voltages of both nodes of an edge that measures them."""
        if not seen or len(seen[2]) != 4:
            return []
        volts = [self._volts(code) for code in seen[2]]
        tail, _, head = edge.partition("-")
        names = (tail, head) if edge.count("-") == 1 else (f"tail of {edge}", f"head of {edge}")
        return [(names[0], volts[0], volts[2]), (names[1], volts[1], volts[3])]

    def _nodes(
        self, supervisor: tuple[dict[str, Any], list[Any]] | None, nodes: dict[str, list[Any]]
    ) -> list[dict[str, Any]]:
        board = self.bench.supervisor
        rows = []
        for name, values in nodes.items():
            means = [_mean([value[twin] for value in values]) for twin in (0, 1)]
            by = ", ".join(sorted({value[2] for value in values}))
            rows.append({"node": name, "example": None, "free_V": means[0], "clamped_V": means[1], "source": by})
        if supervisor is not None:
            _, measured = supervisor
            codes = {None: measured[0]} if measured else self._readings
            for example, row in codes.items():
                for i, code in enumerate(row[: len(board.targets) or len(row)]):
                    name = board.targets[i] if board.targets else f"output {i}"
                    by = f"supervisor {self._fleet.supervisor.name}"
                    volts = {"free_V": self._volts(code), "clamped_V": None}
                    rows.append({"node": name, "example": example, **volts, "source": by})
        for name in board.sources:
            if name not in nodes:
                rows.append({"node": name, "example": None, "free_V": None, "clamped_V": None, "source": NOBODY})
        return rows

    def _volts(self, code: int) -> float | None:
        return code / ADC_STEPS * self.bench.supply_V if code >= 0 else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


ON_CIRCUIT = "volts are those on the circuit"
"""Said beside what a bench measures now: a task that is lifted, or scaled, has others in its record."""


def table(look: Look) -> Group:
    """What was seen, for a terminal."""
    boards, edges, nodes = (Table(box=None, pad_edge=False) for _ in range(3))
    for name in ("board", "state", "run", "reason", "problem"):
        boards.add_column(name, overflow="fold")
    for row in look.boards:
        boards.add_row(*("" if value is None else str(value) for value in row.values()))
    for name in ("edge", *SHOWN, "free drop V", "clamped drop V", "source"):
        edges.add_column(name, justify="left" if name in ("edge", "source") else "right")
    for row in look.edges:
        counted = (NOBODY if row[name] is None else str(row[name]) for name in SHOWN)
        drops = (shown(row["free_drop_V"]), shown(row["clamped_drop_V"]))
        edges.add_row(row["edge"], *counted, *drops, f"{row['source']} ({row['state'] or AWAY})")
    for name in ("node", "example", "free V", "clamped V", "source"):
        nodes.add_column(name, justify="left" if name in ("node", "source") else "right")
    for row in look.nodes:
        example = NOBODY if row["example"] is None else str(row["example"])
        nodes.add_row(row["node"], example, shown(row["free_V"]), shown(row["clamped_V"]), row["source"])
    return Group(boards, "", edges, "", nodes, "", f"{ON_CIRCUIT}; clockfree read RUN has a task's own")


def hold(bench: BenchFile) -> list[dict[str, Any]]:
    """HOLD to every board: what became of each."""
    fleet = Fleet(bench)
    try:
        missing = fleet.open()

        def stop(session: Session) -> dict[str, Any]:
            (before,) = session.ask("status")
            session.ask("hold")
            session.ask("report", 0, 0)
            return {"board": session.name, "was": before["state"], "run": before["run"] or None, "error": ""}

        done, failed = fleet.each(stop, [session for session in fleet.sessions if session not in missing])
        failed |= missing
        silent = [session for session, why in failed.items() if NO_ANSWER in why]
        stopped, _ = fleet.each(lambda session: session.interrupt(), silent)
        for session in silent:
            if stopped.get(session):
                del failed[session]
                done[session] = {"board": session.name, "was": UNKNOWN, "run": None, "error": ""}
        failed |= fleet.read_by_others([*failed])
        lost = {
            session: {"board": session.name, "was": None, "run": None, "error": why} for session, why in failed.items()
        }
        return [{**done, **lost}[session] for session in fleet.sessions]
    finally:
        fleet.close()


def held(found: list[dict[str, Any]]) -> Table:
    """What became of each board in `hold`, for a terminal."""
    drawn = Table(box=None, pad_edge=False)
    for column in ("board", "result"):
        drawn.add_column(column, overflow="fold")
    for row in found:
        was = f"HOLD; it was in {str(row['was']).upper()}" + (f", run {row['run']}" if row["run"] else "")
        if row["was"] == UNKNOWN:
            was = "stopped by Ctrl-C, as it answered nothing: at its prompt; a reset starts it again"
        drawn.add_row(row["board"], row["error"] or was)
    return drawn
