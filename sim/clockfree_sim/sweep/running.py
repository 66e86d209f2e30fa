"""A sweep from its file to its results: resolve all points, run those that are not done yet, keep what they come to."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clockfree_model.files import attempt
from clockfree_model.quiet import quiet
from clockfree_sim.sweep import results, workers
from clockfree_sim.sweep.grid import SweepError
from clockfree_sim.sweep.journal import Journal
from clockfree_sim.sweep.load import Host, Sweep, load
from clockfree_sim.sweep.point import Point
from clockfree_sim.sweep.processes import cores
from clockfree_sim.sweep.progress import Observer

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Swept:
    """What a sweep came to, and how it ended: `done`, `failed` (points, or what ran them), `interrupted`."""

    sweep: Sweep
    journal: Journal
    data: "xr.Dataset"
    ended: str

    def make_file(self) -> list[str]:
        """Make `results.nc`; returns a line if it could not: the same sweep makes it again, and runs nothing."""
        return attempt(self.journal.folder / results.FILE, lambda file: results.write(self.data, file))


def run_sweep(
    host: Host, file: Path, jobs: int | None, scheduler: str | None, folder: Path, observer: Observer
) -> Swept:
    """Run a sweep file, in processes or on the workers of a scheduler, and keep what it comes to in a folder.

    Raises
    ------
    host.InputError
        What cannot be run as it stands.
    """
    if jobs and scheduler:
        raise host.InputError("--jobs: expected it without --scheduler, which has workers of its own")
    with ExitStack() as stack:
        found = load(file, host, observer.resolved)
        for axis in found.axes:
            if axis.name in results.NAMES:
                raise host.InputError(
                    f"{file}: variants.{axis.name}: expected a name that no result has, got that of one"
                )
        try:
            crew = stack.enter_context(workers.cluster(scheduler)) if scheduler else workers.processes(jobs or cores())
            journal = Journal(folder, found, host.versions())
        except (SweepError, workers.WorkersError) as error:
            raise host.InputError(f"{file}: {error}") from None
        stack.callback(journal.close)
        ended = "failed"
        try:
            ended = _run(found, journal, crew, observer)
        except BaseException:
            Swept(found, journal, results.dataset(found, journal, ended), ended).make_file()
            raise
    return Swept(found, journal, results.dataset(found, journal, ended), ended)


def _firings(point: Point) -> int:
    return point.job.updates * len(point.job.network.ends)


def _others(sessions: list[dict[str, str]]) -> str:
    """What was another in an earlier session than it is in the last one, in words."""
    *before, now = sessions
    were = {(name, each[name]): None for each in before for name in now if name in each and each[name] != now[name]}
    return "; ".join(f"{name} {was}, now {now[name]}" for name, was in were)


def _run(found: Sweep, journal: Journal, crew: workers.Workers, observer: Observer) -> str:
    """Run what is left; returns how it ended: done, failed, interrupted."""
    points, folder = found.points, journal.folder
    left = [point for point in points if point.at not in journal.points]
    left.sort(key=lambda point: point.at in journal.failed)  # what fails again keeps nothing from its turn
    ahead = sum(map(_firings, left))
    total, count = sum(map(_firings, points)), len(points) - len(left)
    if others := _others(journal.sessions):
        observer.say(f"{folder}: its points were run with different versions; results.nc lists them: {others}")

    def finished(point: Point, result: object) -> None:
        nonlocal count, ahead
        if isinstance(result, dict):
            journal.done(point.at, result)
        else:
            journal.fail(point.at, str(result))
            observer.say(f"{point.where}: failed: {result}")
        count += 1
        ahead -= _firings(point)
        observer.ran(count, len(points), total - ahead, total)

    if not quiet():
        observer.say(f"{len(left)} of {len(points)} points to run on {crew.what}, in {folder}")
    try:
        workers.run(left, crew, finished)
    except KeyboardInterrupt:
        observer.say(f"{len(journal.points)} of {len(points)} points are done; the same command goes on with the rest")
        return "interrupted"
    except workers.WorkersError as error:
        observer.say(f"{error}: {len(journal.points)} of {len(points)} points are done; the same command goes on")
        return "failed"
    return "failed" if journal.failed else "done"
