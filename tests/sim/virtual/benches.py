"""Jobs and configurations of boards for them, as the host would write them."""

from clockfree_model.physics import BOARD
from tests.sim.jobs import a_job

SPI = {"miso": 16, "sck": 18, "mosi": 19, "baud": 1_000_000}
FRONT_ENDS = {
    "comparator": {"a": 4, "b": 5},
    "trimmed": {"a": 4, "b": 5, "trim": 14},
    "adc": {"adc_cs": 20},
    "pico_adc": {},
}
PULSES = {"clk": 10, "ud": 11, "pulse_cs": 12}
POTS = {"mcp42xx": {"pot_cs": 17}, "ad5220": PULSES, "x9c": PULSES, "ad5222": {**PULSES, "mode": 13, "dacsel": 9}}


def edge_job(front_end="comparator", pot="mcp42xx", physics=BOARD, **more):
    return a_job(edge={"front_end": front_end, "pot": pot}, physics=physics, **more)


def edge_config(job, *edges):
    """A board that serves some edges, by index; with more than one the chip selects are next to each other."""
    wirings = []
    for place, edge in enumerate(edges):
        pins = {**FRONT_ENDS[job.edge.front_end], **POTS[job.edge.pot]}
        if place:
            pins = {name: pin + 2 * place if name in "ab" else pin + 3 + place for name, pin in pins.items()}
        wirings.append({
            "edge": job.network.edge_name(edge), "front_end": job.edge.front_end, "pot": job.edge.pot,
            "rab_ohm": 100_000, "wiper_ohm": 75, "reverse": False, "pins": pins,
        })  # fmt: skip
    return {"format": 1, "role": "edge", "led": 25, "fire": 15, "supply_mv": 3300, "most_ua": 2500, "spi": SPI,
            "edges": wirings}  # fmt: skip


def supervisor_config():
    return {"format": 1, "role": "supervisor", "led": 25, "spi": SPI, "i2c": {"sda": 4, "scl": 5}, "ldac": 6,
            "clamp": 21, "dacs": [0x60], "mixers": [20, 22], "adcs": [[17, 8]]}  # fmt: skip
