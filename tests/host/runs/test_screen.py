"""A look at a bench on terminals of several sizes: every number whole, measured values first."""

import re

import pytest
from rich.cells import cell_len

from clockfree.runs.live import SHOWN, Look
from clockfree.runs.screen import lines


def a_look(edges=16, wrong=(), told=True):
    """Boards in HOLD with an edge each, and what they measured."""
    names = [f"{i:016x}" for i in range(edges + 1)]
    boards = [
        {"board": name, "state": "hold", "run": None, "reason": "", "problem": "lost: plug it in" * (i in wrong)}
        for i, name in enumerate(names)
    ]
    counted = {name: 100_000 + i for i, name in enumerate(SHOWN)}
    rows = [
        {"edge": f"r{i}c0-r{i}c1", "source": names[i + 1], "state": "hold", **counted, "tap": i,
         "free_drop_V": 0.1 + i / 1000, "clamped_drop_V": -1.2345}
        for i in range(edges)
    ]  # fmt: skip
    nodes = [
        {"node": f"r{i}c0", "example": None, "free_V": 1.5 + i / 100, "clamped_V": None, "source": "x"} for i in (0, 1)
    ]
    return Look(boards, rows, nodes if told else [])


def numbers(found):
    return re.findall(r"-?\d+\.\d+", "\n".join(found))


def test_sixteen_edges_and_the_nodes_are_on_a_screen_of_24_by_80():
    look = a_look()
    found = lines(look, 80, 23)
    assert len(found) <= 23 and max(map(len, found)) <= 80 and "…" not in "".join(found)
    assert (
        found[0].split()[:3] == ["node", "free", "V"] and found[-1] == "boards: 17 hold; volts are those on the circuit"
    )
    assert all(f"{row['edge']} " in "\n".join(found) for row in look.edges)
    assert {"1.5100", "-1.2345", "0.1150"} <= {*numbers(found)}


@pytest.mark.parametrize("width", [30, 40, 80, 132, 250])
def test_a_number_is_whole_or_not_there(width):
    look = a_look()
    whole = {*numbers(lines(look, 1000))}
    found = lines(look, width)
    assert max(map(len, found)) <= width and {*numbers(found)} <= whole
    assert "".join(found).count("100009") in (0, 16)  # all counters of all edges, or none
    assert ("100009" in "".join(found)) == (width >= 132)


def test_what_is_wrong_with_boards_is_said_and_what_has_no_room_counted():
    found = lines(a_look(300, wrong=(3,)), 80, 24)
    assert len(found) <= 24 and "more lines: a larger window" in "\n".join(found)
    assert f"{3:016x}: lost: plug it in" in found and "301 hold" in "\n".join(found)


def test_a_letter_that_takes_two_places_leaves_columns_in_line():
    look = a_look(4)
    look.edges[0]["edge"] = "節点-r1c0"
    found = lines(look, 60)
    assert max(map(cell_len, found)) <= 60 and len({cell_len(line) for line in found[4:8]}) == 1


def test_of_boards_that_tell_nothing_no_value_is_shown():
    found = lines(Look([{"board": "x", "state": None, "problem": "lost"}], [], []), 80, 24)
    assert found[-2:] == ["boards: 1 away; volts are those on the circuit", "x: lost"] and not numbers(found)
