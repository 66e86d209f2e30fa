"""`clockfree help`: a command's options, or what a key, a chip, a counter or an event is."""

import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from clockfree.commands.completion import completed
from clockfree.commands.options import Json
from clockfree.commands.output import print_json
from clockfree.commands.printed import OBJECTS, OUTPUT
from clockfree_model.saying import put

if TYPE_CHECKING:
    from clockfree.task.topics import Topic

GROUPS = (
    "task", "placement", "lesson", "damage", "edge", "clamp", "physics", "presets", "networks", "pots", "front_ends",
    "converters", "counters", "events",
)  # fmt: skip
"""Topics that lead to all others."""


def _commands(context: typer.Context) -> dict[str, str]:
    """Every command, and what it does."""
    root = context.find_root()
    group = root.command
    assert isinstance(group, typer.core.TyperGroup)
    names = group.list_commands(root)
    return {name: command.help or "" for name in names if (command := group.get_command(root, name))}


def _complete(context: typer.Context, incomplete: str) -> list[str]:
    names = [name for name in _commands(context) if name.startswith(incomplete)]
    return names + completed("topics")(incomplete)


def help(  # what it is called on the command line
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="A command, a key of the task file (edge.theta_V), a chip, ... Default: a list of them.",
            autocompletion=_complete,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    commands = _commands(context)
    if topic in commands:
        root = context.find_root()
        root.command.get_command(root, topic).make_context(topic, ["--help"], parent=root)  # type: ignore[attr-defined]
    from clockfree.task import topics  # pydantic: slow to load, and the help of a command does without

    own = {
        "output": topics.Topic("output", "what commands print, and their exit status", "", listed=OUTPUT),
        "json": topics.Topic("json", "the object that --json prints, null where nothing is known", "", listed=OBJECTS),
    }
    if topic in own:
        found = [own[topic]]
    elif topic is not None:
        found = topics.find(topic, [*own, *commands])
    else:
        every = topics.topics() | own
        listed = {name: every[name].what for name in (*GROUPS, *own)}
        found = [
            topics.Topic("commands", "clockfree help COMMAND", "", listed=commands),
            topics.Topic("topics", "clockfree help TOPIC", "", listed=listed),
        ]
    if as_json:
        print_json({"topics": [asdict(each) for each in found]})
    else:
        put("\n\n".join(map(_page, found)))


def _page(topic: "Topic") -> str:
    """A topic as lines of text, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, 100)
    paragraphs = [" ".join(text.split()) for text in topic.text.split("\n\n") if text.strip()]
    lines = [f"{topic.name}: {topic.what}"]
    for text in paragraphs:
        lines += ["", textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ")]
    for rows in (topic.facts, topic.listed):
        if rows:
            column = max(map(len, rows)) + 4
            lines.append("")
            for name, text in rows.items():
                beside = textwrap.wrap(" ".join(text.split()), width - column) or [""]
                lines.append(f"  {name}".ljust(column) + f"\n{' ' * column}".join(beside))
    return "\n".join(lines)
