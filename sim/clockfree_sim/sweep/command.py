"""`clockfree sweep SWEEP.toml`: resolve all points, run those that are not done yet, keep what they come to.

What is slow to import is imported where it is used: every `clockfree` command loads this module.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clockfree_sim.sweep.journal import Journal
    from clockfree_sim.sweep.load import Sweep
    from clockfree_sim.sweep.point import Point
    from clockfree_sim.sweep.progress import Observer
    from clockfree_sim.sweep.workers import Workers

FAILED, INTERRUPTED = 1, 130


def sweep(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Sweep file (TOML).")],
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler to use (tcp://HOST:PORT), not processes."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make, or to go on in.", show_default="runs/, by the file's name")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")] = False,
) -> None:
    """Run a task on a grid of settings and seeds. What was interrupted goes on by the same command."""
    from clockfree_sim import sources_digest
    from clockfree_sim.sweep import results
    from clockfree_sim.sweep.grid import SweepError
    from clockfree_sim.sweep.journal import Journal
    from clockfree_sim.sweep.load import load
    from clockfree_sim.sweep.processes import cores
    from clockfree_sim.sweep.progress import progress
    from clockfree_sim.sweep.workers import WorkersError, cluster, processes

    host = context.obj
    if jobs and scheduler:
        raise host.InputError("--jobs: expected it without --scheduler, which has workers of its own")
    folder = out or Path("runs") / file.stem
    with ExitStack() as stack:
        teller = stack.enter_context(progress())
        found = load(file, host, teller.resolved)
        for axis in found.axes:
            if axis.name in results.NAMES:
                raise host.InputError(
                    f"{file}: variants.{axis.name}: expected a name that no result has, got that of one"
                )
        try:
            workers = stack.enter_context(cluster(scheduler)) if scheduler else processes(jobs or cores())
            journal = Journal(folder, found, host.versions() | {"sources": sources_digest()})
        except (SweepError, WorkersError) as error:
            raise host.InputError(f"{file}: {error}") from None
        stack.callback(journal.close)
        ended = "failed"
        try:
            ended = _run(found, journal, workers, teller)
        finally:
            data = results.write(found, journal, ended)
    host.print(results.summary(found, journal), results.table(found, data), as_json)
    if ended != "done":
        raise typer.Exit(INTERRUPTED if ended == "interrupted" else FAILED)


def _firings(point: "Point") -> int:
    return point.job.updates * len(point.job.network.ends)


def _run(found: "Sweep", journal: "Journal", workers: "Workers", teller: "Observer") -> str:
    """Run what is left; returns how it ended: done, failed, interrupted."""
    from clockfree_sim.sweep.workers import WorkersError, run

    points, folder = found.points, journal.folder
    left = [point for point in points if point.at not in journal.points]
    ahead = sum(map(_firings, left))
    total, count = sum(map(_firings, points)), len(points) - len(left)
    if any(versions != journal.sessions[-1] for versions in journal.sessions):
        teller.say(f"{folder}: its points were run with different versions; results.nc lists them")

    def finished(point: "Point", result: object) -> None:
        nonlocal count, ahead
        if isinstance(result, dict):
            journal.done(point.at, result)
        else:
            journal.fail(point.at, str(result))
            teller.say(f"{point.where}: failed: {result}")
        count += 1
        ahead -= _firings(point)
        teller.ran(count, len(points), total - ahead, total)

    teller.say(f"{len(left)} of {len(points)} points to run on {workers.what}, in {folder}")
    try:
        run(left, workers, finished)
    except KeyboardInterrupt:
        teller.say(f"{len(journal.points)} of {len(points)} points are done; the same command goes on with the rest")
        return "interrupted"
    except WorkersError as error:
        teller.say(f"{error}: {len(journal.points)} of {len(points)} points are done; the same command goes on")
        return "failed"
    return "failed" if journal.failed else "done"
