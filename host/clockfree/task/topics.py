"""Topics of `clockfree help`, each from where it is said: keys of a task file, presets, chips, counters, events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clockfree.base.errors import InputError
from clockfree.base.overrides import limits_of, shown, table_in
from clockfree.task.meanings import meaning
from clockfree.task.taskfile import Task
from clockfree_model import importers, network, parts
from clockfree_model.counters import COUNTERS
from clockfree_model.defaults import TABLES, default_of, in_words, range_of
from clockfree_model.docs import doc
from clockfree_model.events import EVENTS
from clockfree_model.nearest import nearest
from clockfree_model.physics import PRESETS
from clockfree_model.presets import CLAMPS, EDGES
from clockfree_model.settings import settings_of


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes
    ----------
    name : str
        Dotted; its last part finds it too.
    what : str
        The kind of thing that it is.
    text : str
        Its meaning.
    facts : dict
        Of a setting its unit, range and default, of a chip what is known of it.
    listed : dict
        Names of what it holds, and a line about each.
    """

    name: str
    what: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)


def topics() -> dict[str, Topic]:
    """All of them, by their names."""
    return {topic.name: topic for topic in (*_task(), *_settings(), _presets(), _networks(), *_parts(), *_records())}


def find(word: str, others: Iterable[str] = ()) -> list[Topic]:
    """The topic of this name, or those whose names end in it; InputError, which knows others too, if there is none."""
    every = topics()
    word = word.strip("[]")
    if word in every:
        return [every[word]]
    found = [topic for name, topic in every.items() if name.rpartition(".")[2] == word]
    if not found:
        ends = {name.rpartition(".")[2] for name in every}
        meant = nearest(word, [*every, *sorted(ends), *others])
        raise InputError(f"{word}: expected a command or a topic (clockfree help lists them), got neither{meant}")
    return found


def _task() -> Iterator[Topic]:
    yield from _table("task", "a task file, TOML", Task, "")


def _table(name: str, what: str, model: type[BaseModel], prefix: str) -> Iterator[Topic]:
    """Topics of a table of the task file, of its keys, and of the tables in it; those of settings have their own."""
    keys = model.model_fields
    inner = {key: found for key, known in keys.items() if (found := table_in(known.annotation))}
    listed = {f"[{prefix}{key}]" if key in inner else key: meaning(model, key) for key in keys}
    yield Topic(name, what, _said(model), listed=listed)
    for key, known in keys.items():
        if key in inner and key not in TABLES:
            yield from _table(prefix + key, "a table of a task file", inner[key], f"{prefix}{key}.")
        elif key not in TABLES and f"{prefix}{key}" != name:
            yield Topic(f"{prefix}{key}", f"a key of {name}", meaning(model, key), _key(known))


def _key(known: FieldInfo) -> dict[str, str]:
    """What a key may be, and its default, in words."""
    kinds = get_args(known.annotation) if get_origin(known.annotation) is Literal else ()
    facts = {"range": ", ".join(map(str, kinds)) or limits_of(known)}
    if known.is_required():
        facts["default"] = "none: it has to be there"
    elif known.default is not None:
        facts["default"] = str(shown(known.default)).strip("'")
    return {name: fact for name, fact in facts.items() if fact}


def _said(kind: Any) -> str:
    return doc(kind)


def _settings() -> Iterator[Topic]:
    for table, presets in TABLES.items():
        kind = type(presets["ideal"])
        known = {key: setting for key, _, setting in settings_of(kind)}
        yield Topic(
            table, "a table of a task file", _said(kind), listed={key: each.what for key, each in known.items()}
        )
        for key, each in known.items():
            facts = {"unit": each.unit, "range": range_of(each), "default": default_of(table, key)}
            use = {"in a task file": f"[{table}] {key} = ...", "on the command line": f"--set {table}.{key}=..."}
            yield Topic(f"{table}.{key}", "a setting", each.what, {k: v for k, v in facts.items() if v} | use)


def _presets() -> Topic:
    text = "What physics, edges and clamp begin from: ideal has no flaw, paper the published bias, board real parts."
    differ = {}
    for preset in PRESETS:
        found = [
            f"{table}.{key}={in_words(getattr(presets[preset], key))}"
            for table, presets in (("edge", EDGES), ("clamp", CLAMPS), ("physics", PRESETS))
            for key, *_ in settings_of(type(presets["ideal"]))
            if getattr(presets[preset], key) != getattr(presets["ideal"], key)
        ]
        differ[preset] = ", ".join(found) or "the defaults"
    return Topic("presets", "values of preset", text, listed=differ)


def _networks() -> Topic:
    files = ", ".join(importers.READERS)
    return Topic("networks", "values of network", f"{network.FORMS}, or the name of an example", {"files": files})


def _parts() -> Iterator[Topic]:
    groups: dict[str, tuple[str, dict[str, Any]]] = {
        "pots": ("values of edge.pot", parts.POTS),
        "front_ends": ("values of edge.front_end", parts.FRONT_ENDS),
        "converters": ("chips of boards", parts.CONVERTERS),
    }
    for name, (what, group) in groups.items():
        yield Topic(name, what, "", listed={chip: part.what for chip, part in group.items()})
        for chip, part in group.items():
            facts = {"bus": part.bus or "pins", "pins": ", ".join(f"{pin.name} (GP{pin.gp})" for pin in part.pins)}
            if isinstance(part, parts.Pot):
                starts = str(part.start_tap) if part.forgets else f"stored, a new one's {part.start_tap}"
                facts |= {"taps": f"0 .. {part.highest}", "starts at": starts, "wiper": f"{part.wiper_ohm:g} ohm"}
            elif isinstance(part, parts.FrontEnd):
                facts["knows"] = "drops" if part.measures else "two bits" + ", beyond a threshold" * part.gates
                facts["in sweeps"] = "yes" if part.compiled else "no"
            yield Topic(f"{name}.{chip}", f"one of {name}", part.what, {k: v for k, v in facts.items() if v})


def _records() -> Iterator[Topic]:
    counted = {name: counter.meaning for name, counter in COUNTERS.items()}
    yield Topic("counters", "what an edge counts", "In a status, a sample and the results.", listed=counted)
    for name, counter in COUNTERS.items():
        yield Topic(f"counters.{name}", "a counter of an edge", counter.meaning)
    logged = {name: event.meaning for name, event in EVENTS.items()}
    yield Topic("events", "what happens in a run on boards", "In log.jsonl.", listed=logged)
    for name, event in EVENTS.items():
        yield Topic(f"events.{name}", "an event of a run", event.meaning, {"a warning": "yes" if event.warns else "no"})
