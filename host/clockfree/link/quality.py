"""Quality of a cable: how many of the lines that come over it are broken on the way."""

LOSSY = 0.02
"""Of a cable that breaks more of its lines somebody has to know; a good one breaks none."""
FEWEST = 3
"""Broken lines, before anything is said of a cable: a board that is reset leaves half a line."""
_TAIL = 9  # the star and the CRC


def looks_broken(line: bytes) -> bool:
    """Whether a line that is no message was meant as one: it begins or ends as one, or has bytes that no text has."""
    sealed = line[-_TAIL : 1 - _TAIL] == b"*" and all(each in b"0123456789abcdef" for each in line[1 - _TAIL :])
    return (
        line.startswith(b"[")
        or sealed
        or not line.replace(b"\t", b"").replace(b"\r", b"").decode("ascii", "replace").isprintable()
    )


class Quality:
    """What has come over one cable.

    Attributes
    ----------
    whole, broken : int
        Lines.
    """

    def __init__(self) -> None:
        self.whole = self.broken = 0

    @property
    def loss(self) -> float:
        """Share of the lines that came broken."""
        return self.broken / max(1, self.whole + self.broken)

    @property
    def lossy(self) -> bool:
        """Too many of them."""
        return self.broken >= FEWEST and self.loss > LOSSY
