"""Data sets by name: iris is shipped, wine and digits come with scikit-learn."""

from clockfree.base.errors import InputError
from clockfree.task import datatable
from clockfree.task.classification import IRIS
from clockfree.task.datatable import DataTable

OTHERS = ("wine", "digits")


def shipped(name: str) -> DataTable | None:
    """The data set of this name, None where there is none.

    Raises
    ------
    InputError
        It comes with scikit-learn, and that is not here.
    """
    if name == "iris":
        return datatable.read(IRIS)
    if name not in OTHERS:
        return None
    try:
        from sklearn import datasets  # an extra, and slow to load
    except ImportError:
        text = "expected scikit-learn beside clockfree for this data set (pip install clockfree[data]), or a file"
        raise InputError(f"{name}: data: {text}") from None
    found = getattr(datasets, f"load_{name}")()
    columns = dict(zip(map(str, found.feature_names), found.data.T, strict=True))
    columns["class"] = [str(found.target_names[label]) for label in found.target]
    return datatable.from_columns(name, columns, ["scikit-learn"])
