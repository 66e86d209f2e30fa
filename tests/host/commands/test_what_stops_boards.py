"""What talks to boards loads neither the simulation nor anything heavy: what stops them should come at once."""

import subprocess
import sys

BENCH = """
[supervisor]
port = "/dev/no-such-port-0"
[[boards]]
port = "/dev/no-such-port-1"
edges = [{ edge = "A-B" }]
"""
CODE = """
import sys
from clockfree.commands import app
for arguments in (["hold"], ["stop"], ["boards"], ["read"], ["read", "--json"], ["flash"]):
    print(*arguments, app.status_of([*arguments, "--bench", "bench.toml"]), file=sys.stderr)
slow = {"clockfree_sim", "numba", "llvmlite", "numpy", "scipy", "networkx", "xarray", "pandas", "h5py", "matplotlib"}
print(*sorted({name.partition(".")[0] for name in sys.modules} & slow))
"""


def test_neither_the_simulation_nor_what_is_slow_is_imported(tmp_path):
    (tmp_path / "bench.toml").write_text(BENCH)
    done = subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    for command in ("hold", "stop", "boards", "read", "read --json", "flash"):
        assert f"{command} 1\n" in done.stderr  # it got as far as looking for the boards
