"""Version, and packages of the wheel: rooms under three roots, and what lies elsewhere in a clone.

The rest is in pyproject.toml.
"""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOTS = ("firmware", "host", "sim")
ELSEWHERE = {
    "clockfree.examples": "examples",
    "clockfree.examples.networks": "examples/networks",
    "clockfree.examples.sweeps": "examples/sweeps",
    "clockfree.firmware": "firmware",
}
"""Folders that an installed clockfree has inside itself (clockfree/base/shipped.py)."""

rooms = {
    package: f"{root}/{package.replace('.', '/')}"
    for root in ROOTS
    for package in find_namespace_packages(root, include=["clockfree*"])
}
link = Path(__file__).parent.joinpath("firmware/clockfree_board/link.py").read_text(encoding="utf-8")
setup(
    version=re.search('^VERSION = "(.+)"$', link, re.M)[1],
    packages=[*rooms, *ELSEWHERE],
    package_dir=rooms | ELSEWHERE,
    package_data={"clockfree.task.data": ["*"], **{package: ["*.*"] for package in ELSEWHERE if "examples" in package}},
    include_package_data=False,
)
