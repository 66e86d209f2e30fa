"""One data set written in 200 ways at random: the same lesson, or the right one, or a refusal; never another lesson."""

import itertools

import numpy as np
import pytest

from clockfree.base.errors import InputError
from clockfree.task import datatable
from clockfree.task.classification import classes_of

RNG = np.random.default_rng(17)
NAMES = ["width", "height", "depth"]
CLASSES = ["round", "oval", "long"]
CENTRES = np.array([[0.9, 4.1, 0.4], [2.3, 3.0, 1.2], [3.5, 2.1, 2.1]])
KINDS = RNG.permutation(np.repeat([0, 1, 2], 8))
VALUES = np.round(CENTRES[KINDS] + RNG.normal(0, 0.2, (24, 3)), 2)
ROWS = [[f"{value:.2f}" for value in row] + [CLASSES[kind]] for row, kind in zip(VALUES, KINDS)]


class Sheet:
    """A table, and how it is to be written."""

    def __init__(self, rng):
        self.rng = rng
        self.table = [[*NAMES, "shape"], *[list(row) for row in ROWS]]
        self.features = None
        self.sep, self.end, self.quote, self.encoding, self.pad, self.last = ",", "\n", False, "utf-8", "", "\n"

    def move(self, order):
        self.table = [[row[i] for i in order] for row in self.table]

    def text(self):
        def cell(text):
            return f'"{text}"' if self.quote or self.sep in text else text

        lines = [f"{self.sep}{self.pad}".join(map(cell, row)) if row else "" for row in self.table]
        return self.end.join(lines) + (self.end if self.last else "")

    def feature_at(self, row):
        return row, int(self.rng.integers(0, 3))


# Ways to write the same data. Each may go with any other.


def separator(sheet):
    sheet.sep = sheet.rng.choice([";", "\t", "|", ","])


def decimal_comma(sheet):
    sheet.sep = sheet.rng.choice([";", "\t", "|"])
    sheet.table = [sheet.table[0], *[[cell.replace(".", ",") for cell in row] for row in sheet.table[1:]]]


def line_ends(sheet):
    sheet.end = sheet.rng.choice(["\r\n", "\r"])
    sheet.last = bool(sheet.rng.integers(2))


def mark(sheet):
    sheet.encoding = sheet.rng.choice(["utf-8-sig", "utf-16", "utf-16-be"])


def quotes(sheet):
    sheet.quote = True


def blanks(sheet):
    sheet.pad = " "


def blank_lines(sheet):
    for _ in range(3):
        sheet.table.insert(int(sheet.rng.integers(0, len(sheet.table) + 1)), [])


def comments(sheet):
    sheet.table.insert(int(sheet.rng.integers(0, len(sheet.table))), ["# measured in May"])


def class_elsewhere(sheet):
    order = [0, 1, 2]
    order.insert(int(sheet.rng.integers(0, 3)), 3)
    sheet.move([*order, *range(4, len(sheet.table[0]))])


def columns_shuffled(sheet):
    sheet.move([*sheet.rng.permutation(4).tolist(), *range(4, len(sheet.table[0]))])
    sheet.features = NAMES


def no_header(sheet):
    del sheet.table[0]


def index(sheet):
    first = int(sheet.rng.integers(0, 2))
    sheet.table = [["", *sheet.table[0]], *[[str(first + i), *row] for i, row in enumerate(sheet.table[1:])]]


def samples(sheet):
    sheet.table = [["sample", *sheet.table[0]], *[[f"S-{i:03}", *row] for i, row in enumerate(sheet.table[1:])]]


def empty_column(sheet):
    sheet.table = [[*row, ""] for row in sheet.table]


KEPT = [separator, decimal_comma, line_ends, mark, quotes, blanks, blank_lines, comments, class_elsewhere,
        columns_shuffled, no_header, index, samples, empty_column]  # fmt: skip
LAST = (no_header, blank_lines, comments)
"""These come after whatever looks for the header."""

# What changes the data: returns the rows that are then right, None where there is none.


def row_gone(sheet):
    del sheet.table[int(sheet.rng.integers(1, 25))]
    return sheet.table[1:]


def row_twice(sheet):
    at = int(sheet.rng.integers(1, 25))
    sheet.table.insert(at, list(sheet.table[at]))
    return sheet.table[1:]


def rows_shuffled(sheet):
    sheet.table = [sheet.table[0], *[sheet.table[1 + i] for i in sheet.rng.permutation(24)]]
    return sheet.table[1:]


def value_changed(sheet):
    row, column = sheet.feature_at(int(sheet.rng.integers(1, 25)))
    sheet.table[row][column] = f"{sheet.rng.uniform(0, 5):.2f}"
    return sheet.table[1:]


def class_changed(sheet):
    sheet.table[int(sheet.rng.integers(1, 25))][3] = "oval"
    return sheet.table[1:]


def names_changed(sheet):
    sheet.table[0][:3] = ["a_mm", "b_mm", "c_mm"]
    return sheet.table[1:]


def exponents(sheet):
    sheet.table = [sheet.table[0], *[[f"{float(c):.2e}" for c in row[:3]] + row[3:] for row in sheet.table[1:]]]
    return sheet.table[1:]


def integers_as_classes(sheet):
    for row in sheet.table[1:]:
        row[3] = str(CLASSES.index(row[3]))
    sheet.table[0][3] = "class"
    return sheet.table[1:]


def cell_gone(sheet):
    del sheet.table[int(sheet.rng.integers(1, 25))][int(sheet.rng.integers(0, 4))]


def cell_more(sheet):
    sheet.table[int(sheet.rng.integers(1, 25))].insert(int(sheet.rng.integers(0, 4)), "1.5")


def cell_emptied(sheet):
    sheet.table[int(sheet.rng.integers(1, 25))][int(sheet.rng.integers(0, 4))] = sheet.rng.choice(
        ["", "NA", "?", "nan"]
    )


def text_in_a_number(sheet):
    row, column = sheet.feature_at(int(sheet.rng.integers(1, 25)))
    sheet.table[row][column] = sheet.rng.choice(["two", "1.2.3", "1,5", "#REF!", "inf", "0x1F"])


def name_twice(sheet):
    sheet.table[0][1] = "width"


def class_unnamed(sheet):
    """Classes as numbers in a column that nothing tells from a feature."""
    for row in sheet.table[1:]:
        row[3] = str(CLASSES.index(row[3]))


def second_text(sheet):
    sheet.table = [[*sheet.table[0], "by"], *[[*row, "AB"[i % 2]] for i, row in enumerate(sheet.table[1:])]]


CHANGED = [row_gone, row_twice, rows_shuffled, value_changed, class_changed, names_changed, exponents,
           integers_as_classes]  # fmt: skip
BROKEN = [cell_gone, cell_more, cell_emptied, text_in_a_number, name_twice, class_unnamed, second_text]
TRIALS = 200


def lesson_of(path, features=None):
    data = classes_of(datatable.read(path), features=features)
    return data.features.tolist(), [data.classes[label] for label in data.labels]


def right(rows):
    return [[float(cell) for cell in row[:3]] for row in rows], [row[3] for row in rows]


def written(trial, tmp_path):
    """The file of a trial, the features that its task names, and the lesson that is right, None where none is."""
    rng = np.random.default_rng([5, trial])
    sheet = Sheet(rng)
    kind = ["kept", "kept", "changed", "broken"][trial % 4]
    expected = right(sheet.table[1:])
    if kind == "changed":
        expected = right(CHANGED[int(rng.integers(len(CHANGED)))](sheet))
    if kind == "broken":
        BROKEN[int(rng.integers(len(BROKEN)))](sheet)
        expected = None
        separator(sheet) if rng.integers(2) else None
    else:
        ways = rng.choice(len(KEPT), int(rng.integers(1, 5)), replace=False).tolist()
        chosen = sorted((KEPT[i] for i in ways), key=lambda way: LAST.index(way) if way in LAST else -1)
        if no_header in chosen:
            # Without names only places are left: no features by name, no column beside them.
            chosen = [way for way in chosen if way not in (columns_shuffled, index, samples, empty_column)]
        if sheet.table[0][0] == "a_mm":
            chosen = [way for way in chosen if way is not columns_shuffled]
        if sheet.table[0][3] == "class":
            chosen = [way for way in chosen if way is not no_header]
        # Whole columns are moved before others are put beside them.
        chosen.sort(key=lambda way: way not in (class_elsewhere, columns_shuffled))
        if class_elsewhere in chosen and columns_shuffled in chosen:
            chosen.remove(class_elsewhere)
        chosen.sort(key=lambda way: LAST.index(way) + 2 if way in LAST else 0)
        for way in chosen:
            way(sheet)
    path = tmp_path / "set.csv"
    path.write_bytes((("\ufeff" if sheet.encoding == "utf-16-be" else "") + sheet.text()).encode(sheet.encoding))
    return path, sheet.features, expected, kind


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Of each trial: its kind, the right lesson, and what it gave, a lesson or a refusal."""
    found = []
    for trial in range(TRIALS):
        path, features, expected, kind = written(trial, tmp_path_factory.mktemp("trial"))
        try:
            gave = lesson_of(path, features)
        except InputError as error:
            gave = str(error)
        found.append((trial, kind, expected, gave))
    return found


def test_what_keeps_the_meaning_gives_the_same_lesson_every_time(outcomes):
    kept = [outcome for outcome in outcomes if outcome[1] == "kept"]
    assert len(kept) == TRIALS // 2
    assert [(trial, gave) for trial, _, expected, gave in kept if gave != expected] == []


def test_never_another_lesson_without_a_word(outcomes):
    for trial, _, expected, gave in outcomes:
        assert isinstance(gave, str) or gave == expected, trial


def test_at_most_a_third_is_refused(outcomes):
    assert sum(isinstance(gave, str) for *_, gave in outcomes) <= TRIALS // 3


def test_what_is_broken_is_refused_in_one_line(outcomes):
    for trial, kind, _, gave in outcomes:
        if kind == "broken":
            assert isinstance(gave, str) and "\n" not in gave and "expected" in gave, trial


def test_every_way_alone(tmp_path):
    for way, seed in itertools.product(KEPT, range(3)):
        sheet = Sheet(np.random.default_rng(seed))
        way(sheet)
        path = tmp_path / "set.csv"
        path.write_bytes((("\ufeff" if sheet.encoding == "utf-16-be" else "") + sheet.text()).encode(sheet.encoding))
        assert lesson_of(path, sheet.features) == right(ROWS), way.__name__
