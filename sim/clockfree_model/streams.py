"""Standard streams that outlast whoever reads them.

A reader that goes away silences what was said to it, and nothing else: what was begun goes on to its end, and the exit
status is that of what was done. A stream that was closed before the start is one that nobody reads; left closed, the
first file that is opened, a record for one, would take its number, and what is printed go into it.
"""

import errno
import io
import os
import sys
from typing import Any

_GONE = {errno.EPIPE, errno.EIO, errno.ECONNRESET} | ({errno.EINVAL} if os.name == "nt" else set())
"""What writing says where nobody reads: of a pipe, a terminal, a socket, and of a pipe of Windows."""


class Lasting(io.TextIOWrapper):
    """A standard stream; a letter that it lacks is shown by its number.

    Parameters
    ----------
    stream : TextIOWrapper
        What it stands for.
    messages : bool
        Nothing that can go wrong with it matters to anybody: only messages go there, and no result.

    Attributes
    ----------
    gone : bool
        Nobody reads it any more.
    """

    def __init__(self, stream: io.TextIOWrapper, messages: bool):
        how = None, stream.line_buffering, stream.write_through
        super().__init__(stream.buffer, stream.encoding, "backslashreplace", *how)
        self.gone = False
        self._stands_for, self._messages = stream, messages  # which would close what both write to, if nobody held it

    def write(self, text: str) -> int:
        """As any stream, but for a reader that has gone."""
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """The same."""
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if error.errno not in _GONE and not self._messages:
            raise error
        self.gone = True
        _open_nothing(self.fileno())
        super().flush()  # what is held back goes there too, or Python would try again at its end


def settle() -> None:
    """Have the standard streams of this process last."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _open_nothing(number)
        stream: Any = getattr(sys, name)
        if stream is None:
            stream = open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
        if name != "stdin" and isinstance(stream, io.TextIOWrapper) and not isinstance(stream, Lasting):
            setattr(sys, name, Lasting(stream, name == "stderr"))


def unread() -> bool:
    """Whether nobody reads what is printed: who prints for ever may end."""
    return getattr(sys.stdout, "gone", False)


def _open_nothing(number: int) -> None:
    """Have a descriptor lead nowhere; processes that are started have it too."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(nowhere, number)
        os.close(nowhere)
