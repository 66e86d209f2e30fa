"""Resumed runs on virtual boards among undisturbed ones: 20 that were killed and resumed, 40 that were not.

Each has a seed of its own: clocks, noise, parts. A kill comes at a random moment of RUN, and takes the boards along;
checkpoints are half a second apart, so that a short run has several. Printed are the final errors, the rank of each
resumed run among the undisturbed ones (equal errors are put in order at random), how many of them lie within the middle
95%, and the Kolmogorov-Smirnov test of the ranks against a uniform distribution.

    .venv/bin/python tests/studies/resume.py [KILLS [UNDISTURBED]]
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.stats import ks_1samp, uniform

TASK = """
preset = "board"
network = "net.csv"
updates = 100
[edge]
rate_hz = 25
[placement]
sources = ["A", "C"]
targets = ["B"]
[[lesson]]
source_V = [[0.5, 2.5], [2.4, 0.4]]
desired_V = [[1.2], [1.5]]
"""
CHECKPOINT_S = 0.5
START = f"""
import clockfree.runs.runlog
clockfree.runs.runlog.CHECKPOINT_S = {CHECKPOINT_S}
from clockfree.commands.app import main
main()
"""
SHOWN_S = (0.7, 3.6)
"""A kill comes so long after RUN: after the first checkpoint, before the end."""
LIMIT_S = 120
AT_ONCE = 3
"""Runs at a time, of five boards each, which mostly wait."""


def command(here: Path, *arguments: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", START, *arguments], cwd=here, text=True, **pipes)


def final_V2(here: Path, *arguments: str) -> float:
    """The final error of a run or a resumed one."""
    process = command(here, *arguments, "--json")
    out, err = process.communicate(timeout=LIMIT_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit status {process.returncode}\n{err}")
    return float(json.loads(out)["final_error_V2"])


def killed(here: Path, name: str, seed: int, after_s: float) -> None:
    """A run that is killed so long after RUN."""
    process = command(here, "run", "task.toml", "--bench", "virtual", "--seed", str(seed), "--out", name)
    assert process.stderr
    for line in process.stderr:
        if re.match(r"\d+ updates", line):  # its first line of the kind is told in HOLD, and RUN follows at once
            time.sleep(after_s)
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=LIMIT_S)
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"{name}: ended by itself: {process.returncode}")


def main(kills: int = 20, undisturbed: int = 40) -> int:
    random = np.random.default_rng(22)
    with tempfile.TemporaryDirectory(prefix="clockfree-resume-") as name:
        here = Path(name)
        (here / "net.csv").write_text("A,B\nB,C\nC,D\nD,A\n", "utf-8")
        (here / "task.toml").write_text(TASK, "utf-8")
        with ThreadPoolExecutor(AT_ONCE) as pool:

            def undisturbed_V2(seed: int) -> float:
                error_V2 = final_V2(here, "run", "task.toml", "--bench", "virtual", "--seed", str(seed))
                print(f"undisturbed, seed {seed}: {error_V2:.2e} V^2", flush=True)
                return error_V2

            def resumed_V2(count: int) -> float:
                folder, at_s = f"killed{count}", random.uniform(*SHOWN_S)
                killed(here, folder, 1000 + count, at_s)
                at = json.loads((here / folder / "checkpoint.json").read_text("utf-8"))["updates"]
                error_V2 = final_V2(here, "resume", folder)
                print(f"resumed from {at:.1f} updates per edge, seed {1000 + count}: {error_V2:.2e} V^2", flush=True)
                return error_V2

            doing = [pool.submit(undisturbed_V2, seed) for seed in range(undisturbed // 2)]
            resumed = [*pool.map(resumed_V2, range(kills))]
            doing += [pool.submit(undisturbed_V2, seed) for seed in range(undisturbed // 2, undisturbed)]
            whole = np.array([each.result() for each in doing])
        ranks = []
        for error_V2 in resumed:
            below, same = (whole < error_V2).sum(), (whole == error_V2).sum()
            ranks.append((below + (same + 1) * random.random()) / (undisturbed + 1))
    within = sum(0.025 <= rank <= 0.975 for rank in ranks)
    p = ks_1samp(ranks, uniform.cdf).pvalue
    print(f"{within} of {kills} within 2.5..97.5% of the undisturbed runs; ranks against uniform: KS p = {p:.3f}")
    return int(within < 0.85 * kills or p <= 0.01)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
