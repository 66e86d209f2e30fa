"""Files that nobody means: each is refused in one line, at once, whatever it is in the place of."""

import json
import os
import signal
import socket
import struct
import zipfile

import numpy as np
import pytest

from clockfree.commands import app
from clockfree.link.benchfile import bench_text
from tests.host.flashing import bench_of
from tests.host.logs import rewrite
from tests.sim.jobs import a_job

GIB = 1 << 30
TASK = '[placement]\nsources = ["A"]\ntargets = ["H"]\n[[lesson]]\nteacher = true\n'
LESSON = '[placement]\nsources = 5\ntargets = 3\n[[lesson]]\n[lesson.classification]\ndata = "{}"\ninput_V = [1, 4]\n'


def text(what):
    return lambda path: path.write_text(what, encoding="utf-8")


def raw(what):
    return lambda path: path.write_bytes(what)


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(2 * GIB)


def link(target):
    return lambda path: path.symlink_to(target)


def listening(path):
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(path.parent)  # such a path may have 108 letters
    try:
        server.bind(path.name)
    finally:
        os.chdir(here)
        server.close()


def packed(**arrays):
    def write(path):
        np.savez(path, **arrays)

    return write


def bomb(path):
    """100 MB of zeros, twice, in 200 kB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("X.npy", "y.npy"):
            with file.open(name, "w") as part:
                for _ in range(100):
                    part.write(bytes(1 << 20))


def boastful(path):
    """An array that says it has 10^12 numbers."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }\n"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(80))


def laughs(path):
    """Entities of entities: 10^9 letters when they are put in."""
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a0 "ha">{entities}]><graphml><key>&a9;</key></graphml>'
    )


def outside(path):
    path.write_text('<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a SYSTEM "file:///dev/zero">]><graphml>&a;</graphml>')


NODES = 1_000_000
MATRIX = "%%MatrixMarket matrix coordinate real general"
SPECIAL = [("pipe", os.mkfifo), ("zeros", link("/dev/zero")), ("socket", listening), ("folder", os.mkdir),
           ("loop", link("it")), ("gone", link("nowhere")), ("sparse", sparse)]  # fmt: skip
TOML = [
    *SPECIAL,
    ("large", text("x = [\n" + "1.25, " * 400_000 + "]\n")),
    ("parts", text("a" + ".a" * 20_000 + " = 1\n")),
    ("quoted parts", text('"a"' + ' . "a"' * 20_000 + " = 1\n")),
    ("table of parts", text("[a" + ".a" * 20_000 + "]\n")),
    ("brackets", text("a = " + "[" * 100_000)),
    ("tables in tables", text("a = " + "{a = " * 20_000)),
    ("digits", text("a = " + "1" * 100_000)),
    ("bytes", raw(bytes(range(256)) * 40)),
    ("controls", text("\x1b[2J = 1\n")),
]
TASKS = [
    ("nothing", text("")),
    ("nan", text(f"updates = nan\n{TASK}")),
    ("more than a number", text(f"updates = 1{'0' * 400}\n{TASK}")),
    ("a million nodes", text(f'network = "planar:1000000:2000000:0"\n{TASK}')),
    ("digits of a size", text(f'network = "square:{"9" * 5000}x2"\n{TASK}')),
    ("no such name", text(f'network = "a\\u0000b.csv"\n{TASK}')),
]
NETWORKS = [
    ("pipe", ".csv", os.mkfifo),
    ("zeros", ".json", link("/dev/zero")),
    ("folder", ".graphml", os.mkdir),
    ("sparse", ".csv", sparse),
    ("a million nodes", ".csv", text("".join(f"{i},{i + 1}\n" for i in range(NODES)))),
    ("a million nodes", ".json", text('{"nodes":[' + ",".join(['{"id":0}'] * NODES) + '],"links":[]}')),
    ("a million nodes", ".graphml", text("<graphml><graph>" + '<node id="a"/>' * NODES + "</graph></graphml>")),
    ("100,000 columns", ".csv", text("a" + ",b" * 100_000 + "\n")),
    ("a million vertices", ".net", text("*vertices 1000000000\n*edges\n1 2\n")),
    ("a matrix of its own", ".mtx", text(f"{MATRIX}\n1000000000 1000000000 1\n1 2 1\n")),
    ("brackets", ".json", text("[" * 100_000)),
    ("brackets", ".gml", text("graph [" + "a [" * 5_000)),
    ("laughs", ".graphml", laughs),
    ("outside", ".graphml", outside),
    ("a quote", ".csv", text('"a,b\n' + "b,c\n" * 50_000)),
    ("nan", ".json", text('{"nodes":[{"id":"a","x":NaN,"y":0},{"id":"b","x":1,"y":1}],"links":[]}')),
    ("bytes", ".txt", raw(bytes(range(256)) * 40)),
    ("nothing", ".csv", raw(b"")),
]  # fmt: skip
DATA = [
    ("pipe", ".csv", os.mkfifo),
    ("zeros", ".csv", link("/dev/zero")),
    ("zeros", ".npz", link("/dev/zero")),
    ("sparse", ".csv", sparse),
    ("folder", ".csv", os.mkdir),
    ("bomb", ".npz", bomb),
    ("boastful", ".npz", boastful),
    ("pickles", ".npz", packed(X=np.array([[{}]], dtype=object))),
    ("classes that are not there", ".npz", packed(X=np.zeros((3, 2)), y=np.array([0, 1, 9]), target_names=["a", "b"])),
    ("half", ".npz", raw(b"PK\x03\x04" + bytes(50))),
    ("a quote", ".csv", text('a,b,class\n"1,2,x\n' + "1,2,x\n" * 20_000)),
    ("nothing", ".csv", raw(b"")),
]
BENCHES = [
    ("a thousand boards of nothing", text("[supervisor]\n" + "[[boards]]\n" * 1000)),
    ("an id of escapes", text('[supervisor]\nid = "\\u001b[2J"\n')),
]
LINE = '{"record":"sample","updates":%s}\n'
LOGS = [
    *SPECIAL,
    ("a line of 40 MB", text('{"a":"' + "x" * 40_000_000)),
    ("infinity", LINE % "Infinity"),
    ("nan", LINE % "NaN"),
    ("too large a number", LINE % "1e999"),
    ("brackets", "[" * 100_000 + "\n"),
    ("digits", LINE % ("1" * 100_000)),
]


@pytest.fixture
def refused(capfd):
    """Runs a command line that has to be refused; returns what it says."""

    def held_up(number, frame):
        raise TimeoutError("nobody writes to this pipe")

    signal.signal(signal.SIGALRM, held_up)

    def run(*arguments):
        signal.alarm(20)
        status = app.status_of([*map(str, arguments)])
        signal.alarm(0)
        out, err = capfd.readouterr()
        assert status == 2 and not out, err[-2000:]
        assert err.startswith("clockfree: ") and err.count("\n") == 1 and err.endswith("\n"), err[-2000:]
        assert len(err) < 1000 and err[:-1].isprintable()
        return err

    return run


@pytest.mark.parametrize("made", [each[1] for each in TOML + TASKS], ids=[each[0] for each in TOML + TASKS])
def test_as_a_task(tmp_path, refused, made):
    made(tmp_path / "it")
    assert "it: " in (said := refused("run", tmp_path / "it")) or "File name too long" in said


@pytest.mark.parametrize("made", [each[1] for each in TOML + BENCHES], ids=[each[0] for each in TOML + BENCHES])
def test_as_a_bench(tmp_path, refused, made):
    made(tmp_path / "it")
    assert "it: " in refused("boards", "--bench", tmp_path / "it")


@pytest.mark.parametrize(("ending", "made"), [each[1:] for each in NETWORKS], ids=[" ".join(e[:2]) for e in NETWORKS])
def test_as_a_network(tmp_path, refused, ending, made):
    made(tmp_path / f"it{ending}")
    said = refused("run", "first", "--network", tmp_path / f"it{ending}")
    assert f"it{ending}: " in said or "network (from --network): " in said


@pytest.mark.parametrize(("ending", "made"), [each[1:] for each in DATA], ids=[" ".join(e[:2]) for e in DATA])
def test_as_data(tmp_path, refused, ending, made):
    made(tmp_path / f"it{ending}")
    (tmp_path / "task.toml").write_text(LESSON.format(f"it{ending}"))
    assert f"it{ending}: " in refused("run", tmp_path / "task.toml")


@pytest.mark.parametrize("made", [each[1] for each in LOGS], ids=[each[0] for each in LOGS])
@pytest.mark.parametrize("command", ["show", "check"])
def test_as_a_log(recorded, refused, made, command):
    folder = recorded(count=3)
    log = folder / "log.jsonl"
    if isinstance(made, str):
        rewrite(folder, [*log.read_bytes().splitlines(keepends=True)[:3], made.encode()])
        if command == "check":
            return  # which says so, and that is what it was asked
    else:
        log.unlink()
        made(log)
    refused(command, folder)


@pytest.mark.parametrize("command", ["show", "read", "check", "compare", "independence"])
def test_a_run_that_is_none(tmp_path, refused, command):
    (tmp_path / "file").write_text("no folder")
    for name in ("file", "nowhere", "."):
        refused(command, tmp_path / name)


def test_a_key_of_20_000_parts_on_the_command_line(refused):
    assert "at most 16 parts" in refused("run", "first", "--set", "a" + ".a" * 20_000 + "=1")


def test_a_pipe_as_firmware(tmp_path, refused):
    os.mkfifo(tmp_path / "it.uf2")
    (tmp_path / "bench.toml").write_text(bench_text(bench_of(a_job())))
    refused("flash", "--bench", tmp_path / "bench.toml", "--uf2", tmp_path / "it.uf2")


def test_a_pipe_as_the_last_checkpoint_is_no_wall_time(recorded, capfd):
    folder = recorded(count=3)
    (folder / "checkpoint.json").unlink()
    os.mkfifo(folder / "checkpoint.json")
    assert app.status_of(["show", str(folder), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["wall_s"] is None
