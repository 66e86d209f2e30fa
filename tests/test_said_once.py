"""Names of counters and events are spelled in one place; all else takes the constant."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from clockfree_model.counters import COUNTERS
from clockfree_model.events import EVENTS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    *(ROOT / "firmware/clockfree_board").glob("*.py"),
    *(path for folder in ("sim", "host") for path in (ROOT / folder).rglob("*.py")),
]
OTHER_THINGS = {
    "reset": "a command to a board, and its answer's cause",
    "lesson": "a command to a supervisor, and a field of a sample",
    "text": "a field of an event",
    "measured": "what stands beside what was predicted",
    "clock": "a field of compiled edges, of a task, of the arming message",
}
"""Names of events that are names of something else, too: of these an event's use alone is looked for."""


def literals(tree):
    """Every string literal but docstrings, with its line."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value, node.lineno


def spelled_as_events(tree):
    """String literals in the place of an event: told, or compared with that of a record."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr in ("note", "fail", "_once") and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
                yield node.lineno
        if isinstance(node, ast.Compare) and '"event"' in ast.unparse(node.left).replace("'", '"'):
            if any(isinstance(inner, ast.Constant) for inner in node.comparators):
                yield node.lineno


@pytest.fixture(scope="module")
def places():
    """Where each string literal stands."""
    found = defaultdict(list)
    for path in SOURCES:
        for text, line in literals(ast.parse(path.read_text("utf-8"))):
            found[text].append(f"{path.relative_to(ROOT)}:{line}")
    return found


@pytest.mark.parametrize("name", sorted({*COUNTERS, *EVENTS} - set(OTHER_THINGS)))
def test_a_name_is_a_literal_once(name, places):
    assert len(places[name]) == 1, places[name]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_event_is_told_by_a_literal(path):
    assert not [*spelled_as_events(ast.parse(path.read_text("utf-8")))]


@pytest.mark.parametrize(
    "source", ["journal.note('away', text)", "self._once(f'stuck {a}', 1)", "x = event.get('event') == 'gap'"]
)
def test_a_literal_would_be_found(source):
    assert [*spelled_as_events(ast.parse(source))]


def test_every_event_that_is_told_is_in_the_table():
    """The names that the code tells events by are those of the table: a constant that is in no table would be."""
    from clockfree_model import events

    told = {
        value
        for name, value in vars(events).items()
        if name.isupper() and name != "EVENTS"
        for value in (value if isinstance(value, tuple) else (value,))
    }
    assert told == set(EVENTS)
