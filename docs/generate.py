"""Pages and files that are made from tables: `make generated` writes them, and a test holds them to the tables.

docs/reference/parts.md     from `clockfree_model.parts`
docs/reference/settings.md  from `clockfree.task.taskfile`, `clockfree_model.settings` and `clockfree_model.physics`
docs/reference/records.md   from `clockfree_model.counters` and `clockfree_model.events`
docs/reference/commands.md  from the command line's own help
firmware/package.json       from the files of the firmware
"""

import inspect
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from clockfree.commands import app as command_line
from clockfree.commands.app import app
from clockfree.task import taskfile
from clockfree.task.meanings import meaning
from clockfree_board.link import VERSION
from clockfree_model import defaults
from clockfree_model.counters import COUNTERS
from clockfree_model.events import EVENTS
from clockfree_model.parts import CONVERTERS, FRONT_ENDS, POTS
from clockfree_model.settings import settings_of

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
MADE = "<!-- made by docs/generate.py -->\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def parts() -> str:
    """Potentiometers, front ends and converters."""
    pots = table(
        (
            "name", "chip", "bus", "taps", "steps of R_AB", "track", "start", "wiper, ohm", "reads back",
            "second wiper later by",
        ),
        (
            (
                f"`{name}`", part.what, part.bus or "pins", f"0 .. {part.highest}", part.steps,
                f"R_AB {part.least:.5g}^(1 - tap / steps)" if part.least else "linear",
                part.start_tap if part.forgets else f"stored ({part.start_tap})", f"{part.wiper_ohm:g}",
                "yes" if part.reads_back else "no", f"{part.skew_us} us" if part.skew_us else "-",
            )
            for name, part in POTS.items()
        ),
    )  # fmt: skip
    ends = table(
        ("name", "what", "knows", "calibration finds", "in the kernel"),
        (
            (
                f"`{name}`", part.what,
                "drops" if part.measures else "two bits, beyond a threshold" if part.gates else "two bits",
                f"{part.trims} value{'s' * (part.trims > 1)}" if part.trims else "-", "yes" if part.compiled else "no",
            )
            for name, part in FRONT_ENDS.items()
        ),
    )  # fmt: skip
    converters = table(
        ("name", "what", "kind", "channels"),
        ((f"`{name}`", part.what, part.kind, part.channels) for name, part in CONVERTERS.items()),
    )
    pins = {
        pin.name: pin
        for part in (*FRONT_ENDS.values(), *POTS.values())
        for pin in (part.every_pin if hasattr(part, "every_pin") else part.pins)
    }
    lines = table(
        ("pin", "GP, where a bench file says nothing else", "role"),
        ((f"`{name}`", pin.gp, pin.role) for name, pin in pins.items()),
    )
    return (
        f"{MADE}# Parts\n\n## Potentiometers\n\n`edge.pot`; R = R_W + tap R_AB / steps on a linear track.\n\n{pots}\n"
        f"## Front ends\n\n`edge.front_end`\n\n{ends}\n## Converters\n\n{converters}\n## Pins of an edge\n\n{lines}"
    )


TABLES = {
    "": taskfile.Task,
    "placement": taskfile.Placement,
    "[lesson]": taskfile.LessonTable,
    "lesson.regression": taskfile.Regression,
    "lesson.classification": taskfile.Classification,
    "[damage]": taskfile.DamageTable,
}
"""Tables of a task file whose keys are no settings, by their heads."""


def keys() -> str:
    """Keys of a task file beside its settings."""
    text = ""
    for head, kind in TABLES.items():
        rows = []
        for key, field in kind.model_fields.items():
            none = field.default == [] or isinstance(field.default, taskfile.Table)
            default = "must be given" if field.is_required() else "-" if none else defaults.in_words(field.default)
            rows.append((f"`{key}`", default, _cell(meaning(kind, key))))
        title = f"`[{head}]`" if head else "At the top"
        text += f"\n## {title}\n\n{table(('key', 'default', 'meaning'), rows)}"
    return text


def settings() -> str:
    """Keys of task files: the tables of a task, then `[edge]`, `[clamp]` and `[physics]`."""
    first = "Keys of task files; `--set edge.f_V=0.001` gives one on the command line."
    pages = [f"{MADE}# Keys of a task file\n\n{first}\n", keys()]
    for name, presets in defaults.TABLES.items():
        rows = [
            (f"`{key}`", known.unit, defaults.range_of(known), defaults.default_of(name, key), _cell(known.what))
            for key, _, known in settings_of(type(presets["ideal"]))
        ]
        pages.append(f"\n## `[{name}]`\n\n{table(('key', 'unit', 'range', 'default', 'meaning'), rows)}")
    return "".join(pages)


def _cell(text: str) -> str:
    """What stands in a cell: a bar would end it."""
    return text.replace("|", "\\|")


def records() -> str:
    """Counters and events."""
    counters = table(
        ("counter", "unit", "what it counts"),
        ((f"`{name}`", counter.unit, counter.meaning) for name, counter in COUNTERS.items()),
    )
    events = table(
        ("event", "what it says", "a warning"),
        ((f"`{name}`", event.meaning, "yes" if event.warns else "") for name, event in EVENTS.items()),
    )
    return (
        f"{MADE}# Records\n\n## Counters of an edge\n\nIn a status, a sample and the results.\n\n{counters}\n"
        f"## Events of a run on boards\n\nIn `log.jsonl`.\n\n{events}"
    )


ENDS = "Exit status: " + inspect.getdoc(command_line).partition("Exit status: ")[2]
"""How a command ends, as the command line's module has it."""


def commands() -> str:
    """Every command: what it is for, its usage, its arguments and options."""
    group = typer.main.get_command(app)
    top = group.make_context("clockfree", ["show", "-"], resilient_parsing=True)
    text = f"{MADE}# Commands\n\nAs `clockfree COMMAND --help` has it. {ENDS}\n"
    for name in group.list_commands(top):
        command = group.get_command(top, name)
        with command.make_context(name, [], parent=top, resilient_parsing=True) as context:
            usage = " ".join(context.get_usage().split()).removeprefix("Usage: ")
            records = (each.get_help_record(context) for each in context.command.get_params(context))
            rows = [(f"`{what}`", _cell(" ".join(said.split()))) for what, said in filter(None, records)]
            text += f"\n## {name}\n\n{context.command.help}\n\n    {usage}\n\n{table(('what', 'meaning'), rows)}"
    return text


def package() -> str:
    """What `mip` installs: every file of the firmware where a flash puts it."""
    files = [FIRMWARE / "main.py", *sorted((FIRMWARE / "clockfree_board").glob("*.py"))]
    names = [path.relative_to(FIRMWARE).as_posix() for path in files]
    rows = ",\n".join(f"    {json.dumps([f'../{name}', name])}" for name in names)
    return f'{{\n  "urls": [\n{rows}\n  ],\n  "version": "{VERSION}"\n}}\n'


FILES = {
    "docs/reference/parts.md": parts,
    "docs/reference/settings.md": settings,
    "docs/reference/records.md": records,
    "docs/reference/commands.md": commands,
    "firmware/package.json": package,
}

if __name__ == "__main__":
    for name, made in FILES.items():
        (ROOT / name).write_text(made(), encoding="utf-8")
