"""Tasks, benches and records with something changed: what keeps the meaning is taken, the rest refused or as it says.

The truth of a TOML file is what Python's own reader finds in it: what is taken has these values and defaults.
"""

import random
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.base.toml import dumps
from clockfree.link.benchfile import BenchFile, read_bench
from clockfree.runs import runlog
from clockfree.task.taskfile import Task, load_task
from clockfree_model.record import plain

TASK = """name = "it"
network = "lab16"
preset = "board"
updates = 200
seed = 7

[placement]
sources = ["A", "D"]
targets = ["H", "E"]

[edge]
rate_hz = 20.0
theta_V = 0.01

[[lesson]]
source_V = [[1.0, 2.0], [0.5, 1.5]]
desired_V = [[1.25, 1.75], [0.75, 1.0]]

[[lesson]]
from_updates = 100
teacher = true

[[damage]]
edges = ["A-B"]
kind = "dead"
at_updates = 50
"""
BENCH = """supply_V = 5.0
loss_s = 20.0

[supervisor]
id = "e6614c311b7f5a2b"
targets = ["H"]

[[boards]]
id = "e6614c311b7f5a2c"

[[boards.edges]]
edge = "A-B"
rab_ohm = 10000.0
reverse = true

[[boards]]
port = "rfc2217://lab:4001"

[[boards.edges]]
edge = "B-C"
"""


def kept(rng: random.Random, text: str) -> str:
    """The same in other words: blanks, comments, order of keys within a table, ends of lines."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("["):
            blocks.append([])
        blocks[-1].append(line)
    lines = []
    for block in blocks:
        head, keys = (block[:1], block[1:]) if block and block[0].startswith("[") else ([], block)
        keys = [key for key in keys if key]
        rng.shuffle(keys)
        for line in (*head, *keys):
            key, equals, value = line.partition(" = ")
            if equals and rng.random() < 0.5:
                line = f"{' ' * rng.randrange(3)}{key}{' ' * rng.randrange(4)}={' ' * rng.randrange(4)}{value}"
            if rng.random() < 0.3:
                line += rng.choice(("  ", "\t", "  # a comment = 5"))
            lines.append(line)
            if rng.random() < 0.2:
                lines.append(rng.choice(("", "# [lesson]", "   ")))
    return rng.choice(("\n", "\r\n")).join([*lines, ""])


def changed(rng: random.Random, data: bytes) -> bytes:
    """Other bytes: one changed, gone or added, a digit that is another, a line that is gone, twice or elsewhere."""
    how, at = rng.randrange(7), rng.randrange(len(data))
    lines = data.splitlines(keepends=True)
    here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
    if how == 0:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if how == 1:
        return data[:at] + data[at + 1 :]
    if how == 2:
        return data[:at] + bytes([rng.randrange(32, 127)]) + data[at:]
    if how == 3:
        digits = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
        place = rng.choice(digits)
        return data[:place] + b"%d" % rng.randrange(10) + data[place + 1 :]
    if how == 4:
        return b"".join(lines[:here] + lines[here + 1 :])
    if how == 5:
        return b"".join([*lines[: here + 1], *lines[here:]])
    lines[here], lines[there] = lines[there], lines[here]
    return b"".join(lines)


def _told(found: Any, said: Any, where: str = "") -> list[str]:
    """Values of a TOML file that a model does not have."""
    if isinstance(said, dict) and isinstance(found, dict):
        return [bad for key, value in said.items() for bad in _told(found.get(key), value, f"{where}.{key}")]
    if isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        return [bad for one, other in zip(found, said) for bad in _told(one, other, where)]
    if isinstance(said, str) and isinstance(found, str):
        return [] if found.lower() == said.lower() else [where]  # ids have small letters
    return [] if found == said and isinstance(found, bool) == isinstance(said, bool) else [where]


def toml(folder: Path, seed: int, kind: str) -> str:
    """One task or bench with something changed: `kept`, `refused` or `taken`; AssertionError where it is not right."""
    rng = random.Random(f"{kind} {seed}")
    text, model, read = {"task": (TASK, Task, load_task), "bench": (BENCH, BenchFile, read_bench)}[kind]
    path = folder / f"{kind}.toml"
    keeps = seed % 2 == 0
    data = kept(rng, text).encode() if keeps else changed(rng, text.encode())
    path.write_bytes(data)
    try:
        found = read(path).model_dump(mode="json")
    except InputError as error:
        assert not keeps, f"{kind} {seed}: refused: {error}"
        assert "\n" not in str(error) and str(error).startswith(f"{path}: "), f"{kind} {seed}: {error}"
        return "refused"
    if keeps:
        assert found == model.model_validate(tomllib.loads(text)).model_dump(mode="json"), f"{kind} {seed}"
        return "kept"
    said = tomllib.loads(data.decode())
    assert not (bad := _told(found, said)), f"{kind} {seed}: {bad}"
    again = model.model_validate(tomllib.loads(dumps(said))).model_dump(mode="json")
    assert found == again, f"{kind} {seed}"
    return "taken"


def record(folder: Path, original: bytes, seed: int) -> str:
    """A log with something changed: `refused`, `cut off` or `kept`; AssertionError where another number is read."""
    log = folder / "log.jsonl"
    rng = random.Random(f"record {seed}")
    log.write_bytes(original)
    whole = runlog.read(folder)
    log.write_bytes(changed(rng, original) if rng.random() < 0.8 else original[: rng.randrange(len(original))])
    try:
        found = runlog.read(folder)
    except InputError as error:
        assert "\n" not in str(error), f"record {seed}: {error}"
        return "refused"
    finally:
        log.write_bytes(original)
    count = len(found.samples)
    assert plain(found.job) == plain(whole.job), f"record {seed}: another job"
    same = [str(sample) for sample in found.samples] == [str(sample) for sample in whole.samples[:count]]
    assert same, f"record {seed}: other samples"
    assert found.end == whole.end or found.end["reason"] == "cut off", f"record {seed}: {found.end}"
    return "kept" if found.end == whole.end and count == len(whole.samples) else "cut off"


def many(folder: Path, log: bytes, count: int) -> Counter[str]:
    """So many of each kind: what became of them."""
    found: Counter[str] = Counter()
    for seed in range(count):
        found[f"task {toml(folder, seed, 'task')}"] += 1
        found[f"bench {toml(folder, seed, 'bench')}"] += 1
        found[f"record {record(folder, log, seed)}"] += 1
    return found
