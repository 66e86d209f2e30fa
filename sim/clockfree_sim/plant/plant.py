"""The plant: the twin circuit with its supplies, its clamp and its imperfections, below the driver line."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_model.physics import LEAST_OHM
from clockfree_sim.circuit.twins import Circuit
from clockfree_sim.plant.clamp import DigitalClamp
from clockfree_sim.plant.noise import FIXED, streams
from clockfree_sim.plant.timeline import Time


class Plant:
    """The twin circuit of one job, as chips meet it.

    Wipers report their moves to the callback of ``mover``, front ends look through ``drops`` and ``node``, and the
    supervisor's chips call ``drive``.

    Parameters
    ----------
    job : Job
    time : Time
        A timeline, or wall time.
    like : Plant or None
        That of the same job with another seed.

    Attributes
    ----------
    change : callable
        ``change(edge, g_free_S, g_clamped_S, now_us)``: how a conductance changes; at once, in every clock-free run.
    in_hold : bool
        True while nothing learns yet: then conductances are what `place` says, whatever chips report on the way there.
    clamp : DigitalClamp or None
        None is the analog one.
    pot : Pot
        The entry of its potentiometers.
    skew_us : int
        How much later the clamped twin's wipers move, by physics and chip, us.
    fixed : list of callable
        Part-to-part constants of each edge: standard normal draws.
    clamp_error_V : (O,) float
        The clamp's own fixed error at each output, V.
    """

    def __init__(self, job: Job, time: Time, like: "Plant | None" = None):
        network, physics = job.network, job.physics
        self.job, self.physics, self.time = job, physics, time
        # Tracks that differ, wipers that move one after the other, and pulse pots that may part: two circuits.
        self.pot = pot = POTS[job.edge.pot]
        self.skew_us = physics.skew_us + pot.skew_us
        self.twins = bool(physics.mismatch or self.skew_us or not pot.in_step)
        self.circuit: Circuit = Circuit(
            len(network.nodes),
            network.ends,
            job.sources,
            job.targets,
            twins=self.twins,
            settle_free_us=physics.settle_us,
            # Clamp and nodes are two first-order lags in a row: one with the sum of their time constants.
            settle_clamped_us=physics.settle_us + physics.clamp_us,
            like=like.circuit if like else None,
        )
        self._settles = bool(physics.settle_us or physics.clamp_us)
        self.change: Callable[[int, float, float, int], None] = self.circuit.step
        self.in_hold = False
        self._ladders: tuple[np.ndarray, np.ndarray] | None = None
        *self.fixed, own = streams(job.seed, len(network.ends) + 1, FIXED, normal=True)
        self.ratio = [1.0 + physics.mismatch * draw() for draw in self.fixed]
        # Conductance at each tap, of each edge and twin; those that are alike share a ladder.
        nominal = self._ladder(1.0)
        self._g_free = [nominal] * len(network.ends)
        self._g_clamped = self._ladder(np.array(self.ratio)[:, None]) if physics.mismatch else list(self._g_free)
        self.clamp_error_V = np.array([physics.clamp_error_V * own() for _ in job.targets])
        self.place([pot.start_tap] * len(network.ends) if job.start_taps is None else job.start_taps.tolist())
        self._free = memoryview(self.circuit.v_free)
        self._clamped = memoryview(self.circuit.v_clamped)
        self.clamp: DigitalClamp | None = None
        if physics.clamp_period_us:
            times_us = physics.clamp_period_us, physics.clamp_delay_us
            self.clamp = DigitalClamp(self.circuit, time, *times_us, self.clamp_error_V)

    def _ladder(self, ratio: Any) -> list[Any]:
        ohm = self.physics.resistance(np.arange(self.pot.top + 1), self.pot, ratio)
        return (1.0 / np.maximum(ohm, LEAST_OHM)).tolist()

    def ladders(self) -> tuple[np.ndarray, np.ndarray]:
        """Ladders of conductances, S (L, taps), and which one each edge has in the free and the clamped twin (2, E)."""
        if self._ladders is None:
            both = (self._g_free, self._g_clamped)
            ladders = {id(ladder): ladder for twin in both for ladder in twin}
            place = {which: i for i, which in enumerate(ladders)}
            found = np.array([[place[id(ladder)] for ladder in twin] for twin in both])
            self._ladders = np.array([*ladders.values()]), found
        return self._ladders

    # -- wipers --------------------------------------------------------------------------------------------------

    def place(self, taps: Sequence[int]) -> None:
        """All wipers are at these taps (E,), in both twins and at once, and everything has settled: in HOLD."""
        ladders, which = self.ladders()
        g_free, g_clamped = ladders[which, taps]
        self.circuit.load(g_free, g_clamped if self.twins else None)

    def mover(self, edge: int) -> Callable[[int, int], None]:
        """Callback of an edge's potentiometer: ``on_wiper(wiper, tap)``, wiper 0 in the free twin."""
        free, clamped = self._g_free, self._g_clamped
        age_us, skew_us = self.physics.age_us, self.skew_us
        change, time = self._move, self.time
        if not self.twins:

            def move(wiper: int, tap: int) -> None:
                if wiper:  # both move within one chip select: the step is complete with the second
                    change(edge, free[edge][tap], free[edge][tap], time.now_us)
        else:
            at = [self.pot.start_tap, self.pot.start_tap]
            together = self.pot.in_step and not skew_us

            def move(wiper: int, tap: int) -> None:
                at[wiper] = tap
                if wiper or not together:
                    change(edge, free[edge][at[0]], clamped[edge][at[1]], time.now_us)

        if not age_us and not skew_us:
            return move
        delays = (age_us, age_us + skew_us)
        return lambda wiper, tap: time.later(time.now_us + delays[wiper], move, wiper, tap)

    def _move(self, edge: int, g_free_S: float, g_clamped_S: float, now_us: int) -> None:
        if not self.in_hold:
            self.change(edge, g_free_S, g_clamped_S, now_us)

    def cut(self, edge: int) -> None:
        """Both resistors of an edge open, for good."""
        self._ladders = None
        self._g_free[edge] = self._g_clamped[edge] = [0.0] * len(self._g_free[edge])
        self.change(edge, 0.0, 0.0, self.time.now_us)

    # -- what a front end sees -----------------------------------------------------------------------------------

    def drops(self, edge: int) -> Callable[[], tuple[float, float]]:
        """Callable that gives the free and the clamped drop of an edge now, V."""
        if self._settles:
            sensed, time = self.circuit.drops, self.time
            return lambda: sensed(edge, time.now_us)
        tail, head = self.job.network.ends[edge].tolist()
        free, clamped = self._free, self._clamped
        return lambda: (free[tail] - free[head], clamped[tail] - clamped[head])

    def node(self, node: int, twin: int) -> Callable[[], float]:
        """Callable that gives the voltage of a node in the free (0) or clamped (1) twin now, V."""
        if self._settles:
            sensed, time = self.circuit.node, self.time
            return lambda: sensed(node, time.now_us)[twin]
        volts = self._clamped if twin else self._free
        return lambda: volts[node]

    # -- supplies and clamp --------------------------------------------------------------------------------------

    def drive(self, source_V: np.ndarray, desired_V: np.ndarray, eta: float, clamped: bool) -> None:
        """The supervisor's outputs have changed: sources, desired voltages, nudge, and whether the clamp is on."""
        now_us = self.time.now_us
        if clamped and self.clamp:
            self.clamp.drive(source_V, desired_V, eta)
            return
        self.circuit.example(source_V, desired_V, eta, self.clamp_error_V, now_us)
        if not clamped:
            self.circuit.float_clamp(now_us)
            if self.clamp:
                self.clamp.rest()

    def settled(
        self, source_V: np.ndarray, desired_V: np.ndarray, eta: float, clamped: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Node voltages of the free and the clamped twin, V (N,), once everything has settled; disturbs nothing."""
        circuit = self.circuit
        state = circuit.state.copy()
        circuit.example(source_V, desired_V, eta, self.clamp_error_V, self.time.now_us)
        if not clamped:
            circuit.float_clamp(self.time.now_us)
        found = circuit.v_free.copy(), circuit.v_clamped.copy()
        circuit.state[:] = state
        return found
