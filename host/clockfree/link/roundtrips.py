"""Round trips of a link, and how long to wait for a reply because of them, as TCP does it (RFC 6298)."""

FIRST_S = 0.5
LEAST_S = 0.1
"""A board that collects its garbage, or fires, answers that much later now and then."""
MOST_S = 2.0


class RoundTrips:
    """The timeout of one board.

    Attributes
    ----------
    timeout_s : float
        Smoothed round trip plus four deviations, within `LEAST_S` and `MOST_S`. It doubles with every reply that is
        late, and comes back with the next round trip that was measured.
    smoothed_s : float
        Smoothed round trip; nan before the first.
    """

    def __init__(self) -> None:
        self.timeout_s = FIRST_S
        self.smoothed_s = float("nan")
        self._deviation_s = 0.0

    def took(self, seconds: float) -> None:
        """A reply came after so long. Only of commands that were sent once: else nobody knows which one it answers."""
        if self.smoothed_s != self.smoothed_s:
            self.smoothed_s, self._deviation_s = seconds, seconds / 2
        else:
            self._deviation_s += (abs(seconds - self.smoothed_s) - self._deviation_s) / 4
            self.smoothed_s += (seconds - self.smoothed_s) / 8
        self.timeout_s = min(MOST_S, max(LEAST_S, self.smoothed_s + 4 * self._deviation_s))

    def late(self) -> None:
        """No reply came in time."""
        self.timeout_s = min(MOST_S, 2 * self.timeout_s)
