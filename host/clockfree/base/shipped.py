"""What is shipped beside the code: examples, by name, and the firmware's `main.py`."""

from dataclasses import dataclass
from pathlib import Path

from clockfree.base import files
from clockfree.base.errors import InputError
from clockfree_model.nearest import nearest

PACKAGE = Path(__file__).resolve().parents[1]
CLONE = PACKAGE.parents[1]


def folder(name: str) -> Path:
    """`examples` or `firmware`: inside an installed clockfree (setup.py puts it there), at the top of a clone."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else CLONE / name


@dataclass(frozen=True)
class Kind:
    """One kind of example.

    Attributes
    ----------
    noun : str
    inside : str
        Its folder among the examples.
    endings : tuple of str
        Of its files.
    used : str
        A command that takes the name of one.
    """

    noun: str
    inside: str
    endings: tuple[str, ...]
    used: str

    def examples(self) -> dict[str, Path]:
        """Files of this kind by their names, which have no ending."""
        place = folder("examples") / self.inside
        return {path.stem: path for path in sorted(place.glob("*.*")) if path.suffix in self.endings}


TASK = Kind("task", "", (".toml",), "clockfree run {}")
SWEEP = Kind("sweep", "sweeps", (".toml",), "clockfree sweep {}")
NETWORK = Kind("network", "networks", (".graphml", ".json", ".csv", ".txt"), "clockfree run TASK --network {}")
KINDS = {kind.noun: kind for kind in (TASK, SWEEP, NETWORK)}


def example(kind: Kind, name: str) -> Path | None:
    """The example of this name, with its ending or without; None if there is none."""
    return next((path for stem, path in kind.examples().items() if name in (stem, path.name)), None)


def find(kind: Kind, name: str | Path) -> Path:
    """A file: the one of this name, or with its ending, in the current folder; else the example of this name.

    Raises
    ------
    InputError
        A bare name of neither, or one that is nearly that of an example. What else is not there is said by whoever
        reads it.
    """
    path, name = files.meant(name), str(name)
    for here in (path, *(path.with_name(path.name + ending) for ending in kind.endings if path.name)):
        if here.is_file():
            return here
    found = example(kind, name)
    if found is not None:
        return found
    other = next((each for each in KINDS.values() if example(each, name)), None)
    if other is not None:
        use = other.used.format(name)
        raise InputError(f"{name}: file: expected a {kind.noun}, got the name of a {other.noun}: {use}")
    meant = nearest(path.stem, kind.examples())
    if not path.exists() and (meant or (path.name == name and not path.suffix)):
        listed = "or the name of an example (clockfree examples lists them), got neither"
        raise InputError(f"{name}: file: expected a {kind.noun} file, {listed}{meant}")
    return path
