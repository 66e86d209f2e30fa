"""Verdicts on boards that were examined: what is wrong with each, in words, and what to do about it."""

from dataclasses import dataclass, field
from typing import Any

PORT, FIRMWARE, ID, ENTROPY, LINK, POWER = "port", "firmware", "id", "entropy", "link", "power"
CHIPS, RATE, CLAMP, NOISE, OFFSET = "chips", "rate", "clamp", "noise", "offset"
COMPARATOR, WIPER, RESISTANCE = "comparator", "wiper", "resistance"
"""Kinds of what can be wrong, beside `events.WIRING`."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a board.

    Attributes
    ----------
    kind, what, advice : str
    """

    kind: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.advice}" if self.advice else self.what


@dataclass
class Verdict:
    """What was found out about one board.

    Attributes
    ----------
    board : str
        What the bench file calls it.
    edges : list of str
        Those that it serves; none for the supervisor.
    findings : list of Finding
    facts : dict
        What was measured; what is not known is not there.
    """

    board: str
    edges: list[str]
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def find(self, kind: str, what: str, advice: str = "") -> None:
        """Something is wrong."""
        self.findings.append(Finding(kind, what, advice))

    def has(self, *kinds: str) -> bool:
        """Whether something of these kinds is wrong."""
        return any(found.kind in kinds for found in self.findings)

    def __str__(self) -> str:
        return "; ".join(map(str, self.findings)) or "ok"
