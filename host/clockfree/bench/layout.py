"""Layout of a bench for a job: which board serves which edge, and where a supervisor's chips are."""

from collections.abc import Sequence

from clockfree.base.errors import InputError
from clockfree.base.overrides import checked
from clockfree.link.benchfile import BenchFile
from clockfree_model.job import Job
from clockfree_model.parts import ADC, CONVERTERS, DAC

CHIP_SELECTS = (17, 20, 22, 0, 1, 2, *range(7, 15), 26, 27, 28, 23, 24, 29, *range(30, 48))
"""Free pins of a supervisor's board: those of the pin map first, then what a Pico has, then what larger chips have."""


def boards_needed(job: Job) -> int:
    """A supervisor, and one board an edge."""
    return 1 + len(job.network.ends)


def lay_out(job: Job, ids: Sequence[str], wiper_ohm: float, name: str) -> BenchFile:
    """A bench for a job: one board an edge, and a supervisor with as many chips as the task needs.

    Parameters
    ----------
    job : Job
    ids : sequence of str
        Unique ids: the supervisor's, then of one board an edge.
    wiper_ohm : float
        Of the potentiometers, ohm: the lowest tap follows from it.
    name : str
        Where the bench is from, for what is said.

    Raises
    ------
    InputError
        No supervisor has so many pins or channels.
    """
    network, physics = job.network, job.physics
    sources, targets = ([network.nodes[i] for i in chosen] for chosen in (job.sources, job.targets))
    dac, adc = CONVERTERS[DAC], CONVERTERS[ADC]
    dacs, adcs = -(-(len(sources) + len(targets)) // dac.channels), -(-len(targets) // adc.channels)
    if dacs > dac.addresses or len(targets) + adcs > len(CHIP_SELECTS):
        text = f"{len(sources)} sources and {len(targets)} targets are more than one supervisor's board has pins for"
        raise InputError(f"{name}: placement: {text}: only --bench sim can run it")
    selects = iter(CHIP_SELECTS)
    adc_selects = [next(selects) for _ in range(adcs)]
    wiring = {
        "front_end": job.edge.front_end,
        "pot": job.edge.pot,
        "rab_ohm": physics.rab_ohm,
        "wiper_ohm": wiper_ohm,
    }
    contents = {
        "supply_V": physics.supply_V,
        "supervisor": {
            "id": ids[0],
            "sources": sources,
            "targets": targets,
            "dacs": [{"address": dac.address + i} for i in range(dacs)],
            "mixers": [{"cs": next(selects)} for _ in targets],
            "adcs": [{"cs": cs} for cs in adc_selects],
        },
        "boards": [
            {"id": id_, "edges": [{"edge": network.edge_name(edge), **wiring}]} for edge, id_ in enumerate(ids[1:])
        ],
    }
    return checked(BenchFile, contents, name)
