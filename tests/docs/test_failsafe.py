"""The table of what is lost, and what stops what: each of its rows names a test that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_row_names_a_test_that_there_is():
    page = (ROOT / "docs/failsafe.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    rows = [row for row in page.splitlines() if row.startswith("| ") and not row.startswith(("| lost", "| you do"))]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row.rpartition(" | ")[2])
        assert named and {*named} <= there, row
