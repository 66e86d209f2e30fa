"""`clockfree read --bench FILE`: what the boards of a bench say and measure now."""

import contextlib
import sys
import time
from dataclasses import asdict
from pathlib import Path

import typer
from rich.live import Live
from rich.text import Text

from clockfree.commands.output import FAILED, console, print_json, print_table
from clockfree.link.benchfile import read_bench
from clockfree.link.hosts import host_of
from clockfree.runs import live
from clockfree.runs.screen import lines
from clockfree.runs.served import Served
from clockfree_model.streams import unread

WATCH_S = 0.1


def read_bench_now(bench: Path, watch: bool, as_json: bool) -> None:
    """Print a look, or one after another until Ctrl-C, or as long as anybody reads it; JSON is an object a line."""
    asked = read_bench(bench)
    host = host_of(asked)
    with Served(host) if host else live.Watcher(asked) as watcher:
        look = watcher.look()
        if as_json:
            print_json(asdict(look))
        elif not watch:
            print_table(_whole(look) if sys.stdout.isatty() else live.table(look))
        if watch:
            with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
                drawn = Live(_fitted(look), console=console(), auto_refresh=False, vertical_overflow="crop")
                screen = None if as_json else stack.enter_context(drawn)
                while not unread():
                    time.sleep(WATCH_S)
                    look = watcher.look()
                    if screen is None:
                        print_json(asdict(look))
                    else:
                        screen.update(_fitted(look), refresh=True)
    if not look.whole:
        raise typer.Exit(FAILED)


def _whole(look: live.Look) -> Text:
    return Text("\n".join(lines(look, console().width)), no_wrap=True, overflow="ignore")


def _fitted(look: live.Look) -> Text:
    """What fits on the terminal as it is now; a line is left for the cursor."""
    size = console().size
    return Text("\n".join(lines(look, size.width, size.height - 1)), no_wrap=True, overflow="crop")
