"""A run: what came out of it, as arrays with units, and what can be done with it then."""

import html
import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clockfree.api.observing import observer
from clockfree.api.repeating import check_repeated
from clockfree.api.tasks import Task
from clockfree.base.errors import InputError, Interrupted
from clockfree.base.files import meant
from clockfree.bench.registry import open_bench, open_boards
from clockfree.runs import experiment, runlog
from clockfree.runs.runlog import Record
from clockfree_model.job import Lesson
from clockfree_model.parts import POTS
from clockfree_model.physics import DAC_STEPS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from rich.table import Table

    from clockfree.api.datasets import Called
    from clockfree.runs.netcdf import DataSet

TRACE = ("edge", "t_us", "a", "b", "step", "tap_after")


class Run:
    """What a run came to. `clockfree.run` and `clockfree.open` give one; it is not made by hand.

    Attributes
    ----------
    folder : Path or None
        The folder of its record: run.toml, log.jsonl, results.nc, figure.png. None where it was not kept.
    ended : str
        `done`; `interrupted`; of a record also `failed` or `cut off`.
    failures : list of str
        What makes a run that came to its end a failed one: on boards.
    record : clockfree.runs.runlog.Record
        What its log holds, sample by sample.
    summary : dict
        The numbers that sum it up: the object of `clockfree run --json`.

    Examples
    --------
    >>> import clockfree as cf
    >>> run = cf.run(cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]]), updates=200)
    >>> run.taps.sel(edge="A-B").item() in range(128)
    True
    >>> run.final_error_V2 < 0.1
    True
    """

    def __init__(
        self,
        record: Record,
        data: "DataSet",
        summary: dict[str, Any],
        *,
        called: "Called" = None,
        task: Task | None = None,
        failures: tuple[str, ...] = (),
        firings: np.ndarray | None = None,
    ) -> None:
        self.folder = None if summary["run"] is None else record.folder
        self.ended: str = record.end["reason"]
        self.failures = list(failures)
        self.summary = summary
        self.record, self._data, self._called, self._task, self._rows = record, data, called, task, firings

    @classmethod
    def of(cls, task: Task, outcome: experiment.Outcome) -> "Run":
        """The run of a task that came to this outcome."""
        return cls(
            outcome.record,
            outcome.data,
            outcome.summary,
            called=task.called,
            task=task,
            failures=tuple(outcome.failures),
            firings=outcome.firings,
        )

    @cached_property
    def data(self) -> "xr.Dataset":
        """All of it, with units: errors, outputs, taps and counters on the way, what was taught, and the network.

        Along `edge`, `node`, `source` and `target` stand the nodes as the task has them. Tuples, which netCDF does not
        know, cannot be written by `to_netcdf`; the `results.nc` of a folder that was kept has them as text.
        """
        from clockfree.api.datasets import dataset  # xarray: slow to load, and a command line needs none

        return dataset(self._data, self._called, self.record.job.network)

    @property
    def final_error_V2(self) -> float:
        """Error at the end, V^2: (V_F - V_D)^2, its mean over examples and targets and over the last fifth of the run.

        Every state between two steps counts, by the time it stood. On boards it is the mean of what the supervisor
        measured; nan where nothing was.
        """
        found = self.summary["final_error_V2"]
        return math.nan if found is None else float(found)

    @property
    def taps(self) -> "xr.DataArray":
        """Tap of each edge at the end, the same in both twins; nan where no board knew it."""
        last = self.record.samples[-1]["taps"]
        taps = np.where(last >= 0, last, np.nan) if (last < 0).any() else last.astype(np.int64)
        return self._by_edge("taps", taps, "1", "wiper position at the end, both twins")

    @property
    def resistance_ohm(self) -> "xr.DataArray":
        """Resistance of each edge at its tap, ohm: nominal, without the mismatch of its twins; inf where it is cut."""
        job = self.record.job
        ohm = job.physics.resistance(self.taps.values.astype(float), POTS[job.edge.pot])
        ohm[self._cut] = np.inf
        return self._by_edge("resistance", ohm, "ohm", "resistance at the end, nominal, both twins")

    def _by_edge(self, name: str, values: np.ndarray, unit: str, text: str) -> "xr.DataArray":
        import xarray as xr  # slow to load, and a command line needs none

        from clockfree.api.datasets import edges, objects  # the same

        along = objects(edges(self._called, self.record.job.network))
        return xr.DataArray(values, {"edge": along}, "edge", name, {"units": unit, "long_name": text})

    @property
    def firings(self) -> "xr.Dataset":
        """Every firing, of a run with `trace=True`: index of the edge, time, both bits, step and tap after it.

        Where an edge measures its drops, a and b are those of the free and of the clamped twin, in 1/16 ADC code.

        Raises
        ------
        InputError
            They were not recorded.
        """
        import xarray as xr  # slow to load, and a command line needs none

        rows = self._rows
        if rows is None and self.record.job.trace and self.folder is not None:
            rows = runlog.read_firings(self.folder)
        if rows is None:
            text = "expected a run with every firing recorded, got one without: run it with trace=True"
            raise InputError(f"{self._where}: {text}")
        units = {"t_us": "us"}
        columns = {name: ("firing", rows[:, i], {"units": units.get(name, "1")}) for i, name in enumerate(TRACE)}
        return xr.Dataset(columns)

    @property
    def task(self) -> Task:
        """The task that it ran; of a record the one that its `run.toml` runs again."""
        if self._task is None:
            assert self.folder is not None
            self._task = Task(self.folder / "run.toml")
        return self._task

    def outputs(
        self, source_V: Any, bench: str | Path = "sim", *, move: bool = False, progress: Any = None
    ) -> "xr.DataArray":
        """Free outputs of the network as it is now, for any voltages on its sources: nothing is taught.

        Of the simulated free twin, with the taps of the end, its mismatch, and whatever was cut; or of boards in HOLD,
        measured by their supervisor, whose ADC has steps of supply / 4096 on the circuit. The sources get what the
        supervisor's DAC gives, which is within half a step, supply / 8192 on the circuit, of what is asked.

        Parameters
        ----------
        source_V : array (examples, sources)
            V, that lie between the rails on the circuit, in the order of the task's sources.
        bench : str or path
            `"sim"`; `"virtual"`, boards made up for it, with the run's taps; or a bench file of boards.
        move : bool
            Move wipers of boards that stand elsewhere to the run's taps: what they had learnt is lost.
        progress : see `clockfree.run`

        Returns
        -------
        xarray.DataArray
            (example, target), V.

        Raises
        ------
        InputError
            Another shape, a voltage beyond a rail; a run on boards asked in simulation, one with damage asked on
            boards; boards that stand at other taps.
        BoardError
            Boards that do not answer.
        """
        import xarray as xr  # slow to load, and a command line needs none

        from clockfree.api.datasets import objects  # the same

        job = self.record.job
        if str(bench) == "sim":
            why = 'whose supervisor measures them: bench="virtual", or its bench file (--bench)'
            self._only_simulated("outputs", why)
        volts = self._source_V(source_V)
        free_V = self._simulated(volts) if str(bench) == "sim" else self._measured(volts, str(bench), move, progress)
        nodes = list(job.network.nodes if self._called is None else self._called.values())
        along = {
            "example": np.arange(len(volts)),
            "target": objects([nodes[node] for node in job.targets]),
        }
        about = {"units": "V", "long_name": "voltage of the targets on the free twin"}
        return xr.DataArray(free_V, along, ("example", "target"), "outputs", about)

    def _simulated(self, source_V: np.ndarray) -> np.ndarray:
        """Free outputs (B, O) of the simulated twin, V."""
        from clockfree_sim.world.world import recall  # compiled code: slow to load

        job, last = self.record.job, self.record.samples[-1]
        asked = Lesson("asked", 0.0, source_V, np.zeros((len(source_V), len(job.targets))))
        lessons = (*job.lessons[: last["lesson"]], asked)
        free_V, _ = recall(replace(job, lessons=lessons), last["lesson"], last["updates"], last["taps"])
        found: np.ndarray = free_V[:, list(job.targets)]
        return found

    def _measured(self, source_V: np.ndarray, bench: str, move: bool, progress: Any) -> np.ndarray:
        """Free outputs (B, O) of boards with the run's taps, V."""
        job, last = self.record.job, self.record.samples[-1]
        if broken := [damage for damage in job.damage if damage.at_updates <= last["updates"]]:
            name = job.network.edge_name(broken[0].edge)
            text = (
                f"expected a run whose edges are whole, got one with {name} {broken[0].kind}, which no board is told of"
            )
            raise InputError(f"{self._where}: outputs: {text}")
        if (last["taps"] < 0).any():
            raise InputError(f"{self._where}: outputs: expected a run whose taps are known, got one that lost some")
        boards = open_boards(bench)
        try:
            return boards.recall(job, observer(progress), last["taps"], source_V, move)
        finally:
            boards.close()

    def learn(self, more: int, *, progress: Any = None) -> "Run":
        """A run that goes on where this one ended, for so many updates per edge more.

        It is to the last bit the run that would have been asked for with all these updates from the start: taps, sums,
        clocks, noise and lessons go on, and so does damage that was still to come. For that it is simulated again from
        its beginning, and takes as long as both together. Its data begin where this run's did. No folder is kept.

        To go on with another task, begin one at these taps, with clocks and noise anew:
        `Task(start_taps=run.taps, ...)`.

        Parameters
        ----------
        more : int
            Updates (firings) per edge.
        progress : see `clockfree.run`

        Raises
        ------
        InputError
            A run on boards; a record that this version of clockfree does not repeat.
        """
        self._only_simulated("learn", "which keep their taps: run the task on them with start_taps=run.taps")
        if isinstance(more, bool) or not hasattr(more, "__index__") or more < 1:
            raise InputError(f"learn: expected a number of updates per edge >= 1, got {more!r}")
        if self.folder is not None:
            check_repeated(self.record, self.folder)
        task = self.task.replace(updates=round(self.summary["updates_per_edge"]) + int(more))
        plan = task.plan(self.record.job.trace)
        bench = open_bench("sim", plan.job.schedule)
        outcome = experiment.run(plan, task.where, "sim", bench, None, observer(progress), kept=False)
        found = Run.of(task, outcome)
        if outcome.interrupted:
            raise Interrupted(found)
        return found

    def export(self, path: str | Path) -> Path:
        """Write the network with the tap and the resistance of each edge at the end; returns the file's path.

        Parameters
        ----------
        path : str or path
            Its ending says the format: .csv .tsv .json .graphml .gexf .gml .net .paj .edgelist .edges .mtx .cir .sp
            .spice. It may not exist.

        Raises
        ------
        InputError
            It exists; another ending; what the format cannot hold.
        """
        from clockfree.runs import export  # only here

        export.write(self.record.job, self.record.samples[-1]["taps"], meant(path))
        return meant(path)

    def table(self) -> "Table":
        """What `clockfree run` prints of it: a table of rich's."""
        from clockfree.runs.report import table  # rich: slow to load

        return table(self.summary, self._data)

    def plot(self, path: str | Path | None = None) -> "Figure":
        """The figure of the run: error against updates, and the network with its taps.

        Parameters
        ----------
        path : str or path, optional
            A file to write it to, as matplotlib does by its ending. Without one a notebook shows it, and
            `matplotlib.pyplot.show()` does elsewhere.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from clockfree.api.drawing import drawn  # matplotlib: slow to load

        return drawn(self._data, POTS[self.record.job.edge.pot].highest, None if path is None else meant(path))

    @property
    def _cut(self) -> list[int]:
        """Edges that had been cut by the end."""
        ended = self.record.samples[-1]["updates"]
        return [each.edge for each in self.record.job.damage if each.kind == "cut" and each.at_updates <= ended]

    def _source_V(self, asked: Any) -> np.ndarray:
        """Voltages of the sources (examples, sources), as the supervisor gives them, V."""
        job, where = self.record.job, f"{self._where}: source_V"
        try:
            volts = np.asarray(asked, dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"{where}: expected an array of voltages (examples, sources), got others") from None
        if volts.ndim != 2 or volts.shape[1] != len(job.sources) or not len(volts):
            text = f"expected rows of {len(job.sources)} voltages, one for each source, got shape {volts.shape}"
            raise InputError(f"{where}: {text}" + (": write [[...]] for one example" if volts.ndim == 1 else ""))
        ground, physics = job.ground, job.physics
        circuit_V, half_V = ground.on_circuit(volts, physics), physics.supply_V / DAC_STEPS / 2
        # Within half a step of a rail it is the rail: so near a task's own voltages may be rounded to it.
        outside = volts[~((circuit_V >= -half_V) & (circuit_V <= physics.supply_V + half_V))]
        if outside.size:
            lowest_V, highest_V = ground.own([0.0, physics.supply_V], physics).tolist()
            text = f"expected voltages between the rails, {lowest_V:.4g}..{highest_V:.4g} V for this task"
            raise InputError(f"{where}: {text}, got {outside[0]:g}")
        return ground.own(physics.dac_volts(circuit_V), physics)

    def _only_simulated(self, what: str, why: str) -> None:
        if self.record.on_boards:
            raise InputError(f"{self._where}: {what}: expected a simulated run, got one on boards, {why}")

    @property
    def _where(self) -> str:
        return "run" if self.folder is None else str(self.folder)

    def __repr__(self) -> str:
        said = self.summary
        kept = "" if self.folder is None else f"; {self.folder}"

        def error(value_V2: float | None) -> str:
            return "-" if value_V2 is None else f"{value_V2:.3g} V^2"

        return (
            f"clockfree.Run of {said['task']} on {said['network']}: {self.ended} after {said['updates_per_edge']:.6g} "
            f"updates per edge, seed {said['seed']}, bench {said['bench']}; error {error(said['initial_error_V2'])} at "
            f"first, {error(said['final_error_V2'])} at last{kept}"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"
