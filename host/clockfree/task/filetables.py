"""Tables of a task file about other files: how a network's is read, and lessons from data."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from clockfree.task.datatable import Form

MOST_EXAMPLES = 10_000  # results.nc keeps the outputs of all of them at each sample


def _volts_range(value: object) -> object:
    ends = value if isinstance(value, list) else []
    if len(ends) == 2 and all(isinstance(end, int | float) for end in ends) and ends[0] < ends[1]:
        return value
    raise ValueError("expected [lowest, highest] in V")


VoltsRange = Annotated[list[float], BeforeValidator(_volts_range)]
Rows = Annotated[list[Annotated[list[float], Field(min_length=1)]], Field(min_length=1)]
Sign = Literal["\t", ";", "|", ",", " "]
Decimal = Literal[".", ","]


class Table(BaseModel):
    """A TOML table: no key it does not know, no number written as a string, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class NetworkFile(Table):
    """How the network's file is read where that could be done in two ways; see the model's Reading."""

    parallel: Literal["refuse", "keep", "merge"] = "refuse"
    """Two edges between the same nodes: refused, kept apart, or merged into one."""
    self_loops: Literal["refuse", "drop"] = "refuse"
    """An edge from a node to itself: refused, or left out."""
    header: bool | None = None
    """Whether the first row of a table names its columns; left out, the file has to tell."""
    separator: Sign | None = None
    """Sign between columns; left out, the file has to tell."""
    decimal: Decimal | None = None
    """Sign of decimals, a dot or a comma; left out, the file has to tell."""


class DataFile(Table):
    """How a data set's file is read where that could be done in two ways: keys of a lesson from data.

    Left out, `header`, `separator` and `decimal` are for the file to tell, and what it does not tell is refused. Rows
    without a value are refused, or left out with `missing = "drop"`.
    """

    header: bool | None = None
    """Whether the first row of a table names its columns; left out, the file has to tell."""
    separator: Sign | None = None
    """Sign between columns; left out, the file has to tell."""
    decimal: Decimal | None = None
    """Sign of decimals, a dot or a comma; left out, the file has to tell."""
    missing: Literal["refuse", "drop"] = "refuse"
    """A row without a value: refused, or left out."""


class Regression(DataFile):
    """Outputs that follow the inputs: by coefficients, or as the rows of a data set have them.

    With `coefficients` (outputs, inputs), desired = coefficients @ inputs, `examples` of them drawn uniformly from
    `input_V`, [0, 1] unless it is given. With `data`, the columns `inputs` and `outputs` of a file are voltages, by
    the unit in their names or V; where `input_V` or `output_V` is given, the range of each column becomes that. The
    sources are the inputs, then one for each of `reference_V`, which stays at that voltage: without a source at 0 V
    only rows that sum to 1 could be reached.
    """

    coefficients: Rows | None = None
    """A row an output, a column an input."""
    examples: int | None = Field(default=None, ge=1, le=MOST_EXAMPLES)
    """With coefficients: how many examples are drawn from the task seed."""
    data: str | None = None
    """In place of coefficients: the file of a data set."""
    inputs: list[str] = []
    """Its columns that are put on the sources."""
    outputs: list[str] = []
    """Its columns that are taught to the targets."""
    input_V: VoltsRange | None = None
    """Range of the inputs, V."""
    output_V: VoltsRange | None = None
    """Range of the outputs, V."""
    reference_V: list[float] = [0.0]
    """Voltages of further sources, which stay, V."""

    @model_validator(mode="after")
    def _one_way(self) -> "Regression":
        if (self.coefficients is None) == (self.data is None):
            raise ValueError(f"expected coefficients, or data, got {'neither' if self.data is None else 'both'}")
        if self.coefficients is not None and self.examples is None:
            raise ValueError("expected examples beside coefficients, got none")
        mixed = ["examples"] if self.data is not None else ["inputs", "outputs", "output_V"]
        for key in mixed:
            if getattr(self, key):
                raise ValueError(f"expected no {key} beside {'data' if self.data else 'coefficients'}, got one")
        return self


class Classification(DataFile):
    """Classes of a data set, told apart by the outputs.

    The sources are the features, scaled from the range that the training part has to `input_V` and clipped to it, then
    one for each of `reference_V`. `class_V` gives each class its desired outputs; left out, there is one output per
    class, highest for its own class and lowest for the others. An example is taken to be of the class whose desired
    outputs are nearest to what the network puts out. `test_share` of each class is held out, drawn from the task seed;
    or `test_data` is a second file. `data` is a file, or iris, or with scikit-learn wine or digits. `class_column` is
    the name or place, from 1, of the class; left out, it is the column called so, or the only one of text.
    """

    data: str
    """The data: `iris`, which is shipped, with scikit-learn `wine` or `digits`, or a file."""
    test_data: str | None = None
    """A second file, of held-out examples, in place of a share."""
    class_column: str | int | None = None
    """Name or place, from 1, of the column of the class."""
    features: Annotated[list[str], Field(min_length=1)] | None = None
    """Columns that are the features; left out, all others."""
    test_share: float = Field(default=0.3, gt=0, lt=1)
    """Share of each class that is held out."""
    input_V: VoltsRange
    """Range into which each feature is scaled, V."""
    reference_V: list[float] = [0.0]
    """Voltages of further sources, which stay, V."""
    class_V: dict[str, Annotated[list[float], Field(min_length=1)]] | None = None
    """Desired outputs of each class, V."""


def form_of(table: DataFile) -> Form:
    """How a lesson's data file is read."""
    return Form(table.header, table.separator, table.decimal, table.missing)
