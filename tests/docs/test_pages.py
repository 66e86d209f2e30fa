"""README and docs: their length, their words, what they refer to; and the reading of their blocks."""

import re

import pytest

from tests.docs.pages import ROOT, Block, blocks, commands, matches, pages

TREE = ("docs/", "examples/", "firmware/", "host/", "sim/", "tests/")
BEYOND = re.compile(r"\.\./shared|\bthe issue\b|\bthe demand\b|\bdesk\b", re.IGNORECASE)
MAY_LOOK_BESIDE = {"Makefile", ".ci/run"}
"""They do there what can be done without; tests may, too."""
SOURCES = ("firmware", "host", "sim", "docs", "examples")


def sources():
    own = [path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.is_file()]
    top = [path for path in ROOT.iterdir() if path.is_file()]
    return [path for path in (*own, *top) if path.suffix in (".md", ".py", ".toml", ".cff", ".css", ".txt", "")]


def test_readme_is_read_to_its_end():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_nothing_speaks_of_what_is_not_in_the_tree():
    found = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        said = {word.lower() for word in BEYOND.findall(path.read_text(encoding="utf-8"))}
        found[name] = said - ({"../shared"} if name in MAY_LOOK_BESIDE else set())
    assert len(found) > 200
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("text", ["see ../shared/X.md", "The issue asks", "as the demand has it", "a desk run"])
def test_what_is_not_in_the_tree_is_found(text):
    assert BEYOND.search(text)
    assert not BEYOND.search("on a desktop, this issues a line; the demands of desks")


def named(text):
    """Files of the tree that a page names in `...`, and what its links lead to, beside the page or in the tree."""
    for name in re.findall(r"`([\w./-]+)`", text):
        if name.startswith(TREE) and not re.search(r"NAME|\*", name):
            yield name, True
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in link and not link.startswith("mailto:"):
            yield link, False


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(path):
    neighbours = "neighbours" in path.name  # which names files of other trees
    for name, in_tree in named(path.read_text(encoding="utf-8")):
        if not (in_tree and neighbours):
            assert ((ROOT if in_tree else path.parent) / name).exists(), name


def test_a_file_that_is_not_there_is_found():
    text = "`docs/no.md`, [a](no.md#x), ![b](no.png), `sim/clockfree_sim`, [c](https://no.org), `clockfree run docs/no`"
    assert [*named(text)] == [("docs/no.md", True), ("sim/clockfree_sim", True), ("no.md", False), ("no.png", False)]


INDENTED = re.compile(r"^(?: {4,}|\t)(?:\$ |>>> )?((?:clockfree|make|python3?|pip|\.venv/bin/\w+) .*)$", re.MULTILINE)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_command_is_in_a_block_that_is_run(path):
    """One in an indented block would be run by nobody; docs/reference has usages, which are none."""
    if "reference" not in path.parts:
        assert INDENTED.findall(path.read_text(encoding="utf-8")) == []


def test_a_command_that_nobody_runs_is_found():
    assert INDENTED.findall("a\n\n    $ clockfree run x\n    make run\n\nclockfree run y") == [
        "clockfree run x",
        "make run",
    ]


# -- what is run ---------------------------------------------------------------------------------------------------

PAGE = """
```{include} ../CHANGELOG.md
```
```console
$ clockfree run a.toml   # exit status 2
clockfree: no
$ clockfree show b
$ clockfree hold  # exit status 0 or 1
```

- in a list

  ```toml
  # file: a.toml
  network = "lab16"
  ```
"""


def test_blocks_and_commands_of_a_page():
    directive, console, file = blocks(PAGE)
    assert (directive.language, directive.lines) == ("{include}", [])
    assert (console.language, console.line, file.file, file.lines[1]) == ("console", 4, "a.toml", 'network = "lab16"')
    assert [(c.text, c.line, c.statuses, c.printed) for c in commands(console)] == [
        ("clockfree run a.toml", 5, (2,), ["clockfree: no"]),
        ("clockfree show b", 7, (0,), []),
        ("clockfree hold", 8, (0, 1), []),
    ]


def test_a_fence_with_a_language_closes_nothing():
    (block,) = blocks("```console\n$ a\n```text\n```\n")
    assert block.lines == ["$ a", "```text"]


@pytest.mark.parametrize("text", ["```console\n$ a\n", "```\n````\n"])
def test_a_block_that_is_not_closed(text):
    with pytest.raises(ValueError, match="closed"):
        [*blocks(text)]


def test_what_is_printed_before_any_command():
    with pytest.raises(ValueError, match=r"line 8: .* begins with \$"):
        commands(Block("console", ["clockfree run a.toml"], 7))


@pytest.mark.parametrize(
    ("expected", "same"),
    [
        (["one  two", "three", "four"], True),
        (["...", "three", "four"], True),
        (["one ...", "...", "four"], True),
        (["...", "one two", "...", "three", "four", "..."], True),
        (["one two", "three"], False),
        (["...", "thre", "four"], False),
        (["four", "..."], False),
    ],
)
def test_what_is_printed_is_what_the_page_says(expected, same):
    assert matches("one two   \n\nthree\nfour\n", expected) is same
