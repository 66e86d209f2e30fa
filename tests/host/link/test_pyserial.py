"""Something else that is called `serial` is said in one line."""

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"serial.py": "print = None"},
            "serial: is another package than pyserial, .*: rename it if it is a file of yours",
        ),
        (
            {"serial/__init__.py": "", "serial/tools/__init__.py": "", "serial/tools/list_ports.py": ""},
            "serial/__init__.py: is another package than pyserial, .*: pip uninstall serial; pip install pyserial",
        ),
    ],
)
def test_another_package_of_that_name(tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from clockfree.commands.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "boards"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert re.search(f"^clockfree: .*{said}", done.stderr)
