"""Lines of plain text about a run, or a flash, where there is no terminal."""

from typing import Self

from clockfree.api.observing import Told
from clockfree_model.quiet import quiet
from clockfree_model.saying import say as warn

__all__ = ["BoardLines", "Lines", "say", "warn"]


def say(text: str) -> None:
    """One line, unless the command is quiet; from any thread."""
    if not quiet():
        warn(text)


class _Plain:
    """Nothing but lines, where there is no terminal."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class Lines(_Plain, Told):
    """A few lines of plain text."""

    def __init__(self) -> None:
        super().__init__(say)


class BoardLines(_Plain):
    """A line for each board when it is done with."""

    def tell(self, board: str, share: float, doing: str) -> None:
        """One board is so far (0 .. 1), and does this; from any thread."""
        if share >= 1:
            say(f"{board}: {doing}")
