"""Errors in one line: what a person got wrong, and what boards did."""

from typing import Any


class Error(Exception):
    """Whatever clockfree says itself: `InputError` and `BoardError`. Its text is one line."""


class InputError(Error):
    """Bad input, said in one line: `FILE: key: expected ..., got ...`. The command line prints it and exits 2."""


class BoardError(Error):
    """Boards that could not do what was asked, said in one line. The command line prints it and exits 1."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a run, after its next sample.

    Attributes
    ----------
    run : clockfree.api.result.Run
        What had been learnt by then.
    """

    def __init__(self, run: Any):
        super().__init__("interrupted")
        self.run = run
