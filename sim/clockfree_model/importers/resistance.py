"""Resistances that a network file says of its edges: columns whose name is that of a resistance or a conductance."""

import math
import re
from typing import Any

from clockfree_model.importers.reading import Graph

RESISTANCES = ("resistance", "resistor", "résistance", "resistencia", "widerstand", "r", "ohm", "ohms", "ω")
CONDUCTANCES = ("conductance", "conductancia", "leitwert", "g", "siemens", "s")
PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "k": 1e3, "K": 1e3, "M": 1e6}
_UNIT = re.compile(r"(kilo|mega|milli|micro)?([mnuµμkKM]?)(ohms?|Ohms?|OHMS?|Ω|Ω|S|siemens|Siemens|R)")
WORDS = {"kilo": 1e3, "mega": 1e6, "milli": 1e-3, "micro": 1e-6}


def ohms_in(graph: Graph) -> tuple[str, list[float | None]] | None:
    """The one column that is a resistance or a conductance, and the resistance of each edge, ohm.

    None where there is no such column, or more than one. A value that is none, or not above zero, is None.
    """
    found = {name: means for name in graph.columns if (means := scale_of(name)) is not None}
    if len(found) != 1:
        return None
    ((name, (scale, inverse)),) = found.items()
    return name, [_ohm(value, scale, inverse) for value in graph.columns[name]]


def _ohm(value: Any, scale: float, inverse: bool) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number) or number <= 0:
        return None
    return 1.0 / (number * scale) if inverse else number * scale


def scale_of(name: str) -> tuple[float, bool] | None:
    """What a column's values are to be multiplied by to be ohm or siemens, and whether they are siemens.

    `resistance`, `R_kohm`, `R (MΩ)`, `conductance_S`, `g_uS`; without a unit they are ohm or siemens. None for others.
    """
    words = [word for word in re.split(r"[\s_()\[\]/.,-]+", name) if word]
    if not words or len(words) > 2:
        return None
    unit = _UNIT.fullmatch(words[-1])
    quantity = words[0].lower()
    if len(words) == 1 and quantity not in RESISTANCES + CONDUCTANCES and unit is None:
        return None
    if len(words) == 2 and (unit is None or quantity not in RESISTANCES + CONDUCTANCES):
        return None
    inverse = unit[3].lower() in ("s", "siemens") if unit and quantity not in RESISTANCES else quantity in CONDUCTANCES
    if unit and len(words) == 2 and inverse != (unit[3].lower() in ("s", "siemens")):
        return None  # a resistance in siemens
    scale = (WORDS.get(unit[1] or "", 1.0) * PREFIXES[unit[2]]) if unit else 1.0
    return scale, inverse


def described(graph: Graph) -> str:
    """What was understood of a file, in one line: how it was read, what else it says of edges, how large it is."""
    parts = [", ".join(graph.said)]
    ohms = ohms_in(graph)
    if ohms is not None:
        parts.append(f'{ohms[0]} kept, for start_taps = "file"')
    unused = [name for name in graph.columns if ohms is None or name != ohms[0]]
    if unused:
        parts.append(f"{', '.join(unused)} not used")
    if graph.positions is not None:
        parts.append("with positions")
    edges, nodes = len(graph.pairs), len(graph.names)
    parts.append(f"{edges} edge{'' if edges == 1 else 's'}, {nodes} nodes")
    return "; ".join(part for part in parts if part)
