"""The table of parts: each name in it stands for something, its numbers are those of drivers and simulated chips."""

import inspect

import pytest

from clockfree_model.parts import CONVERTERS, FRONT_ENDS, POTS, resolve
from clockfree_sim.parts.bus import I2cBus, SpiBus

EVERY = {**POTS, **FRONT_ENDS, **CONVERTERS}


def driver(part):
    return resolve(f"clockfree_board.{part.driver}")


@pytest.mark.parametrize("name", EVERY)
def test_driver_and_chip_are_there(name):
    part = EVERY[name]
    assert inspect.isclass(driver(part)) and inspect.isclass(resolve(part.chip))
    assert part.bus in ("", "spi", "i2c") and bool(part.address) == (part.bus == "i2c")
    roles = {pin.role for pin in part.pins}
    assert roles <= {"select", "output", "input", "pwm", "adc"} and ("select" in roles) >= (part.bus == "spi")
    takes = [*inspect.signature(driver(part)).parameters]
    on = {"spi": 1, "i2c": 2}.get(part.bus, 0) + bool(getattr(part, "converter", ""))
    assert len(takes) >= on + len(part.pins)


@pytest.mark.parametrize("name", POTS)
def test_a_potentiometer_is_what_its_driver_and_its_chip_are(name):
    part = POTS[name]
    assert driver(part).reads_back is part.reads_back
    stored = {} if part.forgets else {"stored": (part.start_tap, part.start_tap)}
    moved = []
    chip = resolve(part.chip)(lambda *move: moved.append(move), **stored)
    assert list(chip.wipers) == [part.start_tap] * 2
    lines = {"spi": SpiBus(), "i2c": I2cBus()}
    at = [lines["spi"]] if part.bus == "spi" else [lines["i2c"], part.address] if part.bus == "i2c" else []
    if part.bus == "i2c":
        lines["i2c"].attach(part.address, chip)
    at += [getattr(chip, pin.at) if pin.at else lines["spi"].attach(chip) for pin in part.pins]
    pot = driver(part)(*at, highest=part.highest, steps=part.steps)
    pot.adopt()
    for tap in (part.highest, 0, part.highest):
        pot.set(tap)
        assert list(chip.wipers) == [tap, tap] and pot.check()
    assert part.highest <= part.top and part.highest <= part.steps
    pot.set(3)
    chip.power_cycle()
    if part.forgets:
        assert list(chip.wipers) == [part.start_tap] * 2
