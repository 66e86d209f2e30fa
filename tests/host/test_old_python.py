"""A Python that is too old is told so in words."""

import subprocess
import sys

CODE = "import sys; sys.version_info = (3, 10, 13); import clockfree"


def test_an_old_python_is_refused_in_words():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert done.stderr.endswith("ImportError: clockfree needs Python 3.11 or newer, and this is 3.10\n")
