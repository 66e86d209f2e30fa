"""SPICE netlists: the resistors of a circuit."""

import re
from pathlib import Path

from clockfree_model.importers.reading import Graph, NetworkError, Reading

SCALES = {"": 1.0, "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
_OHM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|[tgkmunp])?(?:ohms?|r)?", re.IGNORECASE)
GROUND = ("0", "gnd")


def read(path: Path, text: str, reading: Reading) -> Graph:
    """Nodes and resistances of the R cards. The first line is the title; `*` and `;` begin comments."""
    cards = _cards(path, text)
    pairs, places, ohms, others = [], [], [], []
    spelt: dict[str, str] = {}
    for number, line in cards:
        words = line.split()
        if not re.match(r"r", words[0], re.IGNORECASE):
            others.append(words[0])
            if re.match(r"x|\.subckt|\.include|\.lib", words[0], re.IGNORECASE):
                raise NetworkError(path, f"line {number}", f"expected a flat netlist, got {words[0]}: write it out")
            continue
        values = [word.partition("=")[2] if word.lower().startswith("r=") else word for word in words[3:]]
        value = _OHM.fullmatch(values[0]) if values else None
        if value is None:
            expected = "expected R NODE NODE OHM, such as R1 A B 12.5k"
            raise NetworkError(path, f"line {number}", f"{expected}, got {line[:60]!r}")
        ends = [spelt.setdefault(word.lower(), word) for word in words[1:3]]  # SPICE knows no case
        pairs.append((ends[0], ends[1]))
        places.append(f"line {number}")
        ohms.append(float(value[1]) * SCALES[(value[2] or "").lower()])
    said = ["SPICE"]
    ground = next((spelt[name] for name in GROUND if name in spelt), None)
    if ground is not None:
        said.append(f"node {ground} is its ground: as a source at 0 V it is one here")
    used = [word for word in others if not word.startswith(".")]
    if used:
        said.append(f"{', '.join(used[:5])} not used")
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    return Graph(names, pairs, places, None, {"resistance_ohm": list(ohms)} if ohms else {}, said)


def _cards(path: Path, text: str) -> list[tuple[int, str]]:
    """Cards with the lines they begin on, whole and without comments."""
    cards: list[tuple[int, str]] = []
    lines = text.splitlines()
    titled = not re.match(r"\s*(\*|\.title)", lines[0], re.IGNORECASE) if lines else False
    if titled and re.match(r"\s*r\w*\s+\S+\s+\S+\s+[\d.]+\w*\s*(;.*)?$", lines[0], re.IGNORECASE):
        text = f"expected a title, which the first line of a netlist is, got {lines[0].strip()[:60]!r}: write one above"
        raise NetworkError(path, "line 1", text)
    for number, line in enumerate(lines, start=1):
        line = line.partition(";")[0].strip()
        if (number == 1 and titled) or not line or line.startswith("*"):
            continue
        if line.lower() == ".end":
            break
        if line.startswith("+") and cards:
            cards[-1] = cards[-1][0], f"{cards[-1][1]} {line[1:].strip()}"
        else:
            cards.append((number, line))
    return cards
