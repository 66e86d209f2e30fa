"""Checkpoint of a bench: taps and calibration of every edge in a file, and from there back onto the same boards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clockfree.base import files
from clockfree.base.errors import BoardError, InputError
from clockfree.learning.rejoining import Rejoining
from clockfree.learning.tally import UNKNOWN
from clockfree.link.benchfile import BenchFile, board_config, config_hash
from clockfree.link.fleet import Fleet, call
from clockfree.link.session import Session
from clockfree_board.link import HOLD, VERSION
from clockfree_model.contents import contents

FORMAT = 1


def save(bench: BenchFile, name: str, file: Path) -> int:
    """Write a bench's taps, as its chips say them, and its calibration to a new file; returns how many edges.

    Raises
    ------
    InputError
        The file exists; a board that is not as the bench file says, or learns.
    BoardError
        A board, or a chip, that does not answer.
    """
    files.check(file, "file", "FILE")
    with _held(bench, name) as fleet:
        names = _names(bench, fleet)
        told = _each(name, fleet, lambda session: [_edge(session, i, edge) for i, edge in enumerate(names[session])])
    boards = [
        {"board": session.name, "config": config_hash(board_config(bench, session.board)), "edges": edges}
        for session, edges in told.items()
    ]
    for board in boards:
        for edge in board["edges"]:
            if edge["tap"] == UNKNOWN:
                raise BoardError(f"{name}: {board['board']}: {edge['edge']}: its chip says no tap that it can have")
    made = {"checkpoint": FORMAT, "made_utc": datetime.now(UTC).isoformat(timespec="seconds"), "version": VERSION}
    files.replace_text(file, json.dumps({**made, "boards": boards}, indent=1) + "\n")
    return sum(map(len, told.values()))


def restore(bench: BenchFile, name: str, file: Path) -> int:
    """Give the boards of a bench the taps and the calibration that a file has; returns how many edges.

    Raises
    ------
    InputError
        The file is no checkpoint, or of another bench; a board that is not as the bench file says, or learns.
    BoardError
        A board, or a chip, that does not do it.
    """
    kept = _read(file)
    with _held(bench, name) as fleet:
        names = _names(bench, fleet)
        for session, there in names.items():
            config, edges = kept.get(session.name, ("", []))
            got = [edge["edge"] for edge in edges]
            if got != there or config != config_hash(board_config(bench, session.board)):
                text = f"expected the checkpoint of this bench, with board {session.name} at {', '.join(there)}, got "
                other = f"{', '.join(got)}, configured otherwise" if got == there else ", ".join(got) or "none"
                raise InputError(f"{file}: {text}{other}")
        _each(name, fleet, lambda session: _put(session, kept[session.name][1]))
    return sum(map(len, names.values()))


def _names(bench: BenchFile, fleet: Fleet) -> dict[Session, list[str]]:
    """Names of the edges of each board."""
    return {session: [edge.edge for edge in board.edges] for session, board in zip(fleet.edge_boards, bench.boards)}


def _edge(session: Session, i: int, name: str) -> dict[str, Any]:
    return {"edge": name, "tap": Rejoining.adopted(session, i), "trims": session.ask("trim", i)[0]}


def _put(session: Session, edges: list[dict[str, Any]]) -> None:
    for i, edge in enumerate(edges):
        session.ask("tap", i, edge["tap"])
        if edge["trims"]:
            session.ask("trim", i, edge["trims"])


@contextmanager
def _held(bench: BenchFile, name: str) -> Iterator[Fleet]:
    """The boards of a bench, all of them there, and in HOLD."""
    fleet = Fleet(bench)
    try:
        call(fleet, name, anyway=False)
        for session in fleet.sessions:
            if session.hello["state"] != HOLD:
                text = f"{session.name}: expected HOLD, got a board that learns: clockfree hold --bench {name}"
                raise InputError(f"{name}: {text}")
        yield fleet
    finally:
        fleet.close()


def _each(name: str, fleet: Fleet, act: Any) -> dict[Session, Any]:
    done, failed = fleet.each(act, fleet.edge_boards)
    for session, why in failed.items():
        raise BoardError(f"{name}: {session.name}: {why}")
    return done


def _read(file: Path) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """What a file has, by unique id."""
    try:
        found = json.loads(contents(file))
        if found["checkpoint"] != FORMAT:
            raise ValueError("of another version")
        boards = {}
        for board in found["boards"]:
            for edge in board["edges"]:
                whole = [edge["tap"], *edge["trims"]]
                if not isinstance(edge["edge"], str) or any(type(value) is not int for value in whole):
                    raise ValueError("taps and trims are whole numbers")
            boards[str(board["board"])] = str(board["config"]), board["edges"]
        return boards
    except OSError as error:
        raise InputError(f"{file}: file: expected a checkpoint, got {error.strerror}") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError(f"{file}: expected what clockfree checkpoint writes, got another file") from None
