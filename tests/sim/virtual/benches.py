"""Jobs and configurations of boards for them, as the host would write them."""

from clockfree_model.parts import ADC, CONVERTERS, DAC, FRONT_ENDS, MIXER, POTS
from clockfree_model.physics import BOARD
from tests.sim.jobs import a_job

SPI = {"miso": 16, "sck": 18, "mosi": 19, "baud": 1_000_000}
I2C = {"sda": 4, "scl": 5, "baud": 400_000}
EDGE_I2C = {"sda": 6, "scl": 7, "baud": 400_000}


def edge_job(front_end="comparator", pot="mcp42xx", physics=BOARD, **more):
    return a_job(edge={"front_end": front_end, "pot": pot}, physics=physics, **more)


def edge_config(job, *edges):
    """A board that serves some edges, by index; with more than one the pins are next to each other."""
    front_end, pot = FRONT_ENDS[job.edge.front_end], POTS[job.edge.pot]
    trim = {"duty_per_c16": 8, "settle_us": 1000} if front_end.trimmed else {}
    given = {"lowest": 2, "highest": pot.highest, "steps": pot.steps, "reverse": False}
    wirings = []
    for place, edge in enumerate(edges):
        pins = {pin.name: pin.gp for pin in (*front_end.every_pin, *pot.pins)}
        if place:
            pins = {name: pin + 2 * place if name in "ab" else pin + 3 + place for name, pin in pins.items()}
        wirings.append({
            "edge": job.network.edge_name(edge), "front_end": job.edge.front_end, "pot": job.edge.pot,
            "sense": front_end.spec(pins, **trim), "pots": pot.spec(pins, **given),
        })  # fmt: skip
    bus = {"i2c": EDGE_I2C} if pot.bus == "i2c" else {}
    return {"format": 2, "role": "edge", "led": 25, "fire": 15, "spi": SPI, **bus, "edges": wirings}


def supervisor_config():
    dac, mixer, adc = (CONVERTERS[name] for name in (DAC, MIXER, ADC))
    return {"format": 2, "role": "supervisor", "led": 25, "spi": SPI, "i2c": I2C, "ldac": 6, "clamp": 21,
            "dacs": [{"chip": DAC, **dac.spec({})}],
            "mixers": [{"chip": MIXER, **mixer.spec({"cs": pin})} for pin in (20, 22)],
            "adcs": [{"chip": ADC, **adc.spec({"cs": 17})}]}  # fmt: skip
