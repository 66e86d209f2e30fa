"""`clockfree help`: every topic, and what a shell completes."""

import json
import os
import subprocess
import sys

import pytest

from clockfree.base import shipped
from clockfree.commands import app
from clockfree.commands.completion import completed
from clockfree.commands.printed import OBJECTS
from clockfree.task.topics import find, topics
from clockfree_model.counters import COUNTERS
from clockfree_model.events import EVENTS
from clockfree_model.parts import CONVERTERS, FRONT_ENDS, POTS
from clockfree_model.physics import BOARD, IDEAL, PAPER
from clockfree_model.presets import EDGES
from clockfree_model.settings import settings_of

COMMANDS = [*app.COMMANDS, "paper", "sweep"]


def said(capsys, *arguments):
    assert app.status_of(["help", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_a_setting_is_explained_as_its_table_has_it(capsys):
    text = said(capsys, "edge.theta_V")
    (meaning,) = [known.what for name, _, known in settings_of(type(EDGES["board"])) if name == "theta_V"]
    assert meaning in text and "unit V" in text and "range >= 0" in text
    assert "default 0 (ideal), 0 (paper), 0.04 (board)" in text and EDGES["board"].theta_V == 0.04
    assert text == said(capsys, "theta_V")


def test_presets_are_told_by_what_they_change():
    (found,) = find("presets")
    for preset, physics in (("ideal", IDEAL), ("paper", PAPER), ("board", BOARD)):
        named = {text.partition("=")[0] for text in found.listed[preset].split(", ") if text.startswith("physics.")}
        assert named == {
            f"physics.{key}" for key, *_ in settings_of(type(IDEAL)) if getattr(physics, key) != getattr(IDEAL, key)
        }


def test_everything_that_has_a_name_has_a_topic():
    every = topics()
    for group, names in (("pots", POTS), ("front_ends", FRONT_ENDS), ("converters", CONVERTERS), ("events", EVENTS)):
        assert {f"{group}.{name}" for name in names} <= {*every}
    assert {f"counters.{name}" for name in COUNTERS} <= {*every}
    assert all(topic.text or topic.listed for topic in every.values())
    assert {"updates", "placement.sources", "lesson.classification.test_share", "damage.kind"} <= {*every}


def test_a_word_of_two_meanings_has_both(capsys):
    text = said(capsys, "dropped")
    assert COUNTERS["dropped"].meaning in text and EVENTS["dropped"].meaning in text


def test_commands_and_topics_are_listed_and_each_says_how_it_is_used(capsys):
    text = said(capsys)
    assert all(f" {name} " in text for name in (*COMMANDS, "edge", "counters", "json", "output"))
    assert "Usage: clockfree hold" in said(capsys, "hold")
    assert json.loads(said(capsys, "clamp", "--json"))["topics"][0]["listed"].keys() >= {"eta", "dwell_s", "order"}


@pytest.mark.parametrize(
    ("word", "meant"), [("theta", "theta_V"), ("edge.teta_V", "edge.theta_V"), ("shw", "show"), ("jsn", "json")]
)
def test_what_is_no_topic_is_refused_with_the_nearest(word, meant, capsys):
    assert app.status_of(["help", word]) == 2
    assert capsys.readouterr().err.endswith(f"got neither (did you mean {meant}?)\n")


def test_the_object_of_every_command_that_prints_one_is_documented():
    by_help = {name for name in COMMANDS if "--json" in help_of(name)}
    assert by_help == {*OBJECTS}


def test_a_quiet_command_is_one_that_tells_of_more_than_its_result():
    assert {name for name in COMMANDS if "--quiet" in help_of(name)} == {*app.QUIETED}


def help_of(name):
    group = app.typer.main.get_command(app.app)
    context = group.get_command(None, name).make_context(name, [], resilient_parsing=True)
    return [option for parameter in context.command.params for option in parameter.opts]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["rum"], "got none (did you mean run?)"),
        (["run", "allostery", "--set", "edge.thta_V=1"], "got an unknown key (did you mean theta_V?)"),
        (["run", "allostery", "--set", "updates.x=1"], "allostery.toml: updates"),
        (["run", "allostery", "--sed", "1"], "--seed"),
    ],
)
def test_a_slip_is_answered_with_the_nearest(arguments, meant, capsys):
    assert app.status_of(arguments) == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("run al", {"allostery"}),
        ("run ", {*shipped.TASK.examples(), "mine.toml", "deep/"}),
        ("run deep/", {"deep/task.toml"}),
        ("sweep p", {"p_scan"}),
        ("run x --preset ", {"ideal", "paper", "board"}),
        ("run x --network l", {"lab16", "ladder"}),
        ("run x --bench v", {"virtual"}),
        ("run x --set edge.f", {"edge.front_end=", "edge.f_V="}),
        ("run x --set edge.clock=", {"edge.clock=exponential", "edge.clock=jittered", "edge.clock=periodic"}),
        ("help ed", {"edge"} | {f"edge.{name}" for name, *_ in settings_of(type(EDGES["board"]))}),
        ("help hol", {"hold"}),
        ("hol", {"hold"}),
        ("run x --task", {"--task-seed"}),
    ],
)
def test_what_a_shell_completes(typed, found, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").touch()
    (tmp_path / "note.txt").touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/task.toml").touch()
    words = ["clockfree", *typed.split()]
    monkeypatch.setenv("COMP_WORDS", f"clockfree {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(words) if typed.endswith(" ") else len(words) - 1))
    monkeypatch.setenv("_CLOCKFREE_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit):
        app.status_of([])
    assert {*capsys.readouterr().out.split()} == found


def test_completion_loads_nothing_slow():
    code = "import sys; from clockfree.commands.app import status_of\ntry: status_of([])\nexcept SystemExit: pass\n"
    words = {"COMP_WORDS": "clockfree run ", "COMP_CWORD": "2", "_CLOCKFREE_COMPLETE": "complete_bash"}
    code += "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | words, capture_output=True, text=True)
    assert "allostery" in done.stdout, done.stderr
    assert not {"numpy", "numba", "rich", "clockfree_sim"} & {*done.stdout.split()}


def test_a_list_is_of_what_begins_as_was_typed():
    assert completed("benches", "rules")("s") == ["sim", "sync"]
