"""The nearest thing that is allowed, for errors."""

from collections.abc import Iterable


def nearest(got: object, allowed: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing where nothing is near."""
    import difflib  # only an error asks

    near = difflib.get_close_matches(str(got), list(allowed), 1)
    return f" (did you mean {near[0]}?)" if near else ""
