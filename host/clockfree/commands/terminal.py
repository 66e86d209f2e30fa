"""A terminal of rich, or whatever stands for it, on which nothing but rich itself sends control characters."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from clockfree_model.saying import printable


class Terminal(Console):
    """Shows text as it is, as far as it is printable: names may hold brackets and colons."""

    def __init__(self, **more: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **more)

    def render(self, *what: Any, **more: Any) -> Iterable[Segment]:
        """What is drawn, piece by piece."""
        for segment in super().render(*what, **more):
            known = segment.control or segment.text.isprintable()
            yield segment if known else Segment(printable(segment.text), segment.style)
