"""What is made from tables is as the tables have it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", generate.FILES)
def test_it_is_as_the_tables_have_it(name):
    assert (ROOT / name).read_text(encoding="utf-8") == generate.FILES[name](), "make generated"
