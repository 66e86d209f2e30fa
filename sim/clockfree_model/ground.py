"""Virtual ground: where a task's own voltages lie between the rails. A resistor network knows no common voltage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clockfree_model.physics import DAC_STEPS, Physics


@dataclass(frozen=True)
class Ground:
    """What lies between a task's own voltages and those on the circuit.

    On the circuit a voltage is `scale` times the task's own, and `lift_steps` steps of the supervisor's DAC higher.
    Lessons, outputs and errors are in the task's own; so is what is recorded and read out.
    """

    lift_steps: int = 0
    scale: float = 1.0

    def lift_V(self, physics: Physics) -> float:
        """How much higher everything is on the circuit, V."""
        return self.lift_steps * (physics.supply_V / DAC_STEPS)

    def on_circuit(self, own_V: ArrayLike, physics: Physics) -> np.ndarray:
        """A task's own voltages as they are on the circuit, V."""
        found: np.ndarray = np.asarray(own_V) * self.scale + self.lift_V(physics)
        return found

    def codes(self, own_V: ArrayLike, physics: Physics) -> np.ndarray:
        """Codes of the supervisor's DAC for a task's own voltages."""
        return physics.dac_codes(self.on_circuit(own_V, physics))

    def own(self, circuit_V: ArrayLike, physics: Physics) -> np.ndarray:
        """Voltages on the circuit as the task's own, V."""
        found: np.ndarray = (np.asarray(circuit_V) - self.lift_V(physics)) / self.scale
        return found


def rounded(own_V: ArrayLike, scale: float, physics: Physics) -> np.ndarray:
    """A task's own voltages, V, as the supervisor's DAC can give them; half a step off at most.

    Where all lie between the rails as they are, the DAC's top, a step below the supply, stands for the supply.
    """
    steps = _steps(own_V, scale, physics)
    if steps.min() >= 0 and steps.max() == DAC_STEPS:
        steps = np.minimum(steps, DAC_STEPS - 1)
    found: np.ndarray = steps * (physics.supply_V / DAC_STEPS) / scale
    return found


def ground(own_V: np.ndarray, scale: float, physics: Physics, held_V: np.ndarray | None = None) -> Ground:
    """The least lift, up or down, that keeps these voltages of a task the margin away from both rails.

    And those at which its outputs may be held, `held_V`, too; where they span too much for that, as nearly as both
    rails alike allow.

    Raises
    ------
    ValueError
        No lift does, since they span too much: says the scale that would.
    """
    steps = _steps(own_V, scale, physics)
    lowest, highest = int(steps.min()), int(steps.max())
    least = round(physics.margin_V / physics.supply_V * DAC_STEPS)
    most = min(DAC_STEPS - least, DAC_STEPS - 1)
    if highest - lowest > most - least:
        fits = (most - least - 1) / (highest - lowest) * scale
        digit = 10.0 ** (np.floor(np.log10(fits)) - 1)
        room_V = (most - least) * physics.supply_V / DAC_STEPS
        raise ValueError(
            f"expected voltages that span at most {room_V:.4g} V on the circuit, got {own_V.min():.4g} .. "
            f"{own_V.max():.4g} V: write scale = {np.floor(fits / digit) * digit:.2g}"
        )
    low, high = least - lowest, most - highest
    if held_V is not None:
        held = _steps(held_V, scale, physics)
        room_low, room_high = max(low, least - int(held.min())), min(high, most - int(held.max()))
        if room_low > room_high:
            middle = (least - int(held.min()) + most - int(held.max())) // 2
            room_low = room_high = min(max(middle, low), high)
        low, high = room_low, room_high
    return Ground(max(0, low) or min(0, high), scale)


def _steps(own_V: ArrayLike, scale: float, physics: Physics) -> np.ndarray:
    return np.rint(np.asarray(own_V) * scale / physics.supply_V * DAC_STEPS).astype(int)
