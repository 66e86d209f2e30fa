"""The version: the firmware's, which the wheel takes, in whatever else names it."""

import re
from pathlib import Path

from clockfree_board.link import VERSION

ROOT = Path(__file__).resolve().parent.parent


def test_the_version_to_cite_and_the_newest_of_the_changelog_are_the_firmwares():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    newest = re.search(r"^## ([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert cited and newest and cited[1] == newest[1] == VERSION
