"""docs/extend.md: its lists are those of the commits that it names, and what it names is there."""

import re
import subprocess

import pytest

from docs import extend

ROOT = extend.PAGE.parent.parent
LISTS = extend.lists(extend.PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("subject", LISTS)
def test_a_list_is_that_of_its_commit(subject):
    try:
        touched = extend.touched(subject)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no git, or no history")
    if touched is None:
        pytest.skip("the history of this copy does not reach so far")
    assert sorted(LISTS[subject]) == touched


def test_every_file_that_it_names_is_there():
    text = extend.PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:firmware|sim|host|docs|tests)/[\w/.]+\.(?:py|md|json))`", text))
    assert len(named) > 30 and not [path for path in named if not (ROOT / path).is_file()]


def test_lists_are_read_as_they_are_written():
    text = "Commit *One thing*, by hand:\n\n- `a/b.py` - what\n- `c.md` - generated\n\n## Next\n\n- `d` - not of it\n"
    assert extend.lists(text) == {"One thing": ["a/b.py", "c.md"]}
    assert set(LISTS) == {
        "MCP4251: 257 taps on SPI",
        "MCP4661: 257 taps on I2C",
        "MCP3304: two differential drops on SPI",
    }
