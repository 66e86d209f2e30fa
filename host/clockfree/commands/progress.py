"""Progress of a run, or a flash, on stderr: a bar on a terminal, a few lines anywhere else."""

import sys
from typing import TYPE_CHECKING

from clockfree.commands.lines import BoardLines, Lines
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.commands.bars import Bar, BoardBar


def progress() -> "Bar | Lines":
    """What suits stderr; a quiet command's lines are not said."""
    if quiet() or not sys.stderr.isatty():
        return Lines()
    from clockfree.commands.bars import Bar  # rich: slow to load, and lines do without

    return Bar()


def board_progress(boards: int) -> "BoardBar | BoardLines":
    """The same."""
    if quiet() or not sys.stderr.isatty():
        return BoardLines()
    from clockfree.commands.bars import BoardBar  # the same

    return BoardBar(boards)
