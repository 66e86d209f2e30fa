"""`clockfree new`: a task file with comments, asked for step by step, or from options."""

import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clockfree.base.errors import InputError
from clockfree.commands.completion import completed
from clockfree.commands.lines import say
from clockfree.commands.options import Json, NetworkSpec, Preset
from clockfree.commands.output import print_json, print_made
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.task.answers import Answer


def new(
    file: Annotated[Path, typer.Argument(help="Task file to write.", autocompletion=completed("toml"))] = Path(
        "task.toml"
    ),
    network: NetworkSpec = None,
    preset: Preset = None,
    teach: Annotated[
        str | None,
        typer.Option(
            help="What is taught: teacher, examples, regression or classification.", autocompletion=completed("lessons")
        ),
    ] = None,
    sources: Annotated[str | None, typer.Option(help="Nodes (A,C), or how many to draw.")] = None,
    targets: Annotated[str | None, typer.Option(help="Nodes (E), or how many to draw.")] = None,
    example: Annotated[
        list[str] | None,
        typer.Option(metavar="VOLTS:VOLTS", help="Of sources and of targets (0,3:1.2); may be repeated."),
    ] = None,
    coefficients: Annotated[
        str | None, typer.Option(help="Of a regression, a row an output: 0.2,0.3;0.1,0.5.", metavar="ROWS")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Of a classification: iris, or a CSV file.", autocompletion=completed("files")),
    ] = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    as_json: Json = False,
) -> None:
    from clockfree.base import files  # --help does without
    from clockfree.task import answers, writing

    files.check(file, "file", "FILE")
    if not file.absolute().parent.is_dir():
        raise InputError(f"{file}: FILE: expected a folder that exists, got {file.parent}, which does not")
    implied = {"examples": example, "regression": coefficients, "classification": data}
    given = {
        "network": network,
        "preset": preset,
        "teach": teach or next((name for name, value in implied.items() if value), None),
        "sources": sources,
        "targets": targets,
        "coefficients": coefficients,
        "data": data,
        "updates": updates,
    }
    options = {name: value for name, value in given.items() if value is not None}
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty() and not as_json
    who = _Asked() if on_terminal and not options else _Given(file, options, example or [])
    task = answers.task_of(who, file)
    plan = writing.write(file, writing.text_of(task, task["preset"]))
    if as_json:
        print_json({"file": str(file), "task": task})
    elif quiet():
        print_made(file)
    else:
        job = plan.job
        nodes = f"{len(job.sources)} sources, {len(job.targets)} targets"
        say(f"{file}: {job.network.name}, {nodes}: a task that can be run")
        say(f"    clockfree run {quote(str(file))}")


class _Given:
    """Answers from options; what is not given has its default."""

    def __init__(self, file: Path, options: dict[str, str], examples: list[str]) -> None:
        self._file, self._options, self._examples = file, options, examples

    def get(self, option: str, question: str, default: str, read: "Callable[[str], Answer]") -> "Answer":
        """The option, or its default."""
        return self._read(option, self._options.get(option, default), read)

    def rows(self, option: str, question: str, default: str, read: "Callable[[str], Answer]") -> "list[Answer]":
        """Every time that the option was given, or its default once."""
        return [self._read(option, text, read) for text in self._examples or [default]]

    def say(self, text: str) -> None:
        """Nothing: nobody is asked."""

    def _read(self, option: str, text: str, read: "Callable[[str], Answer]") -> "Answer":
        try:
            return read(text)
        except ValueError as error:
            raise InputError(f"{self._file}: --{option}: {error}") from None


class _Asked:
    """Answers of a person at a terminal, who is asked again where one is none."""

    def get(self, option: str, question: str, default: str, read: "Callable[[str], Answer]") -> "Answer":
        """The answer; Enter takes the default."""
        answer: Answer = typer.prompt(question, default=default, value_proc=self._reader(read), err=True)
        return answer

    def rows(self, option: str, question: str, default: str, read: "Callable[[str], Answer]") -> "list[Answer]":
        """One answer after another, until an empty one."""
        found = [self.get(option, f"{option.capitalize()} 1: {question}", default, read)]
        while True:
            more = self.get(
                option, f"{option.capitalize()} {len(found) + 1} (Enter: no more)", "", lambda text: text and read(text)
            )
            if not more:
                return found
            found.append(more)

    def say(self, text: str) -> None:
        """A line between two questions."""
        say(text)

    def _reader(self, read: "Callable[[str], Answer]") -> "Callable[[str], Any]":
        def checked(text: str) -> Any:
            try:
                return read(text)
            except ValueError as error:
                raise typer.BadParameter(str(error)) from None  # is said, and the question comes again

        return checked
