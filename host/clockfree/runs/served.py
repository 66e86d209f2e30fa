"""Look at a bench that a run has: the run says what its boards have told it."""

from clockfree.base.errors import BoardError
from clockfree.link.hosts import Host
from clockfree.runs.live import Look


class Served:
    """Asks the run that has the boards of a bench; a context manager, as `Watcher` is.

    Parameters
    ----------
    host : Host
        Whose run it is.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def look(self) -> Look:
        """What was told last.

        Raises
        ------
        BoardError
            It tells nothing.
        """
        seen = self._host.seen()
        if seen is None:
            text = "has its boards, and tells nothing: its run has not begun, or is over, or it hangs"
            raise BoardError(f"process {self._host.pid} {text}")
        return Look(**seen)
