"""`clockfree read --bench FILE`: what the boards of a bench say and measure now."""

import contextlib
import time
from dataclasses import asdict
from pathlib import Path

import typer
from rich.live import Live

from clockfree.commands.output import FAILED, console, print_json, print_table
from clockfree.link.benchfile import read_bench
from clockfree.link.hosts import host_of
from clockfree.runs import live
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
            print_table(live.table(look))
        if watch:
            with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
                drawn = Live(live.table(look), console=console(), auto_refresh=False)
                screen = None if as_json else stack.enter_context(drawn)
                while not unread():
                    time.sleep(WATCH_S)
                    look = watcher.look()
                    if screen is None:
                        print_json(asdict(look))
                    else:
                        screen.update(live.table(look), refresh=True)
    if not look.whole:
        raise typer.Exit(FAILED)
