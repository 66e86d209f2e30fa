import dataclasses
import json
import tomllib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clockfree.base import toml
from clockfree.base.errors import InputError
from clockfree.runs import runlog
from clockfree_model import record
from clockfree_model.job import Damage, Job, Lesson
from clockfree_model.network import square
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve
from clockfree_sim.world.world import World
from tests.host.logs import rewrite


def same(a, b):
    """Equal as data, arrays included."""
    return record.plain(a) == record.plain(b)


def test_what_is_written_is_read_back(recorded, made_up):
    make_job, make_samples = made_up
    job = make_job(lessons=2, damage=(Damage(3, "dead", 30.0),), start_taps=np.arange(16))
    found = runlog.read(recorded(job))
    assert same(found.job, job)
    assert dataclasses.fields(found.job) == dataclasses.fields(job)
    assert isinstance(found.job.start_taps, np.ndarray)
    assert found.end["reason"] == "done"
    for read, sample in zip(found.samples, make_samples(job), strict=True):
        assert read["time_us"] == sample.time_us
        assert read["updates"] == sample.updates
        assert read["lesson"] == sample.lesson
        assert (read["error_V2"], read["mean_error_V2"]) == (sample.error_V2, sample.mean_error_V2)
        assert read["stood_us"] == sample.stood_us
        assert np.isnan(read["measured_error_V2"]) == np.isnan(sample.measured_error_V2)
        np.testing.assert_array_equal(read["outputs_V"], sample.outputs_V)
        np.testing.assert_array_equal(read["taps"], sample.taps)
        counts = {name: counts for name, counts in sample.counters.items() if any(counts)}
        assert {name: values.tolist() for name, values in read["counters"].items()} == counts


def read_again(tmp_path, job, samples, **about):
    """Samples as a log gives them back, and the lines that it has of them."""
    about = {"task": "x", "bench": "x", "preset": "x", "task_seed": 0, "best": [], "baselines": [None, None], **about}
    log = runlog.RunLog(tmp_path, job, about)
    for sample in samples:
        log.sample(sample)
    log.end("done")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    return runlog.read(tmp_path).samples, lines[1:-1]


@pytest.mark.parametrize("examples", [2, 3, 400, 3001])
@pytest.mark.parametrize("targets", [(3,), (3, 16, 20)])
def test_outputs_of_many_examples_are_read_back_to_the_last_bit(tmp_path, examples, targets):
    rng = np.random.default_rng(examples)
    lesson = Lesson("many", 0.0, rng.uniform(0, 5, (examples, 2)), rng.uniform(0, 5, (examples, len(targets))))
    job = Job(square(5, 5), (0, 24), targets, (lesson,), updates=2, samples=4)
    samples = list(World(job).run())
    found, lines = read_again(tmp_path, job, samples)
    for read, line, sample in zip(found, lines, samples, strict=True):
        assert {"gain", "outputs_V"} & {*line} == ({"gain"} if examples > 2 else {"outputs_V"})
        np.testing.assert_array_equal(read["outputs_V"], sample.outputs_V)
        conductance = 1 / job.physics.resistance(read["taps"], POTS[job.edge.pot])
        volts = solve(25, job.network.ends, conductance, job.sources, lesson.source_V)
        np.testing.assert_allclose(read["outputs_V"], volts[:, list(targets)], rtol=0, atol=1e-9)


def test_on_boards_only_what_was_read_anew_is_told(tmp_path, made_up):
    job = made_up[0](lessons=2, examples=3)
    sample = next(made_up[1](job))
    nothing = np.full((3, 1), np.nan)
    first, second, both = (np.where(known, 2.0, np.nan)[:, None] for known in ([1, 0, 0], [0, 0, 1], [1, 1, 1]))
    steps = [(0, nothing), (0, first), (0, first), (0, both), (0, both + 1), (1, np.full((4, 1), np.nan)), (0, second)]
    samples = [dataclasses.replace(sample, lesson=lesson, outputs_V=volts) for lesson, volts in steps]
    boards = {"values": {}, "run_id": 1, "supervisor": {}, "boards": []}
    found, lines = read_again(tmp_path, job, samples, **boards)
    for read, (_, volts) in zip(found, steps, strict=True):
        np.testing.assert_array_equal(read["outputs_V"], volts)
    assert [line.get("outputs_V") for line in lines] == (
        [[[None]] * 3, None, None, None, [[3.0]] * 3, [[None]] * 4, [[None], [None], [2.0]]]
    )
    assert [line.get("changed_V") for line in lines[1:4]] == [{"0": [2.0]}, {}, {"1": [2.0], "2": [2.0]}]


@pytest.mark.parametrize(
    "told",
    [
        {"gain": [[1.0, 2.0, 3.0]]},
        {"gain": [[1.0]]},
        {"gain": None},
        {"changed_V": {"2": [1.0]}},
        {"changed_V": {"x": [1.0]}},
        {"changed_V": {"0": [1.0, 2.0]}},
        {"changed_V": [[1.0]]},
    ],
)
def test_outputs_that_are_none_of_this_run_are_named(recorded, told):
    folder = recorded(count=4)
    lines = (folder / "log.jsonl").read_text().splitlines()
    fields = json.loads(lines[2])
    del fields["outputs_V"]
    lines[2] = json.dumps(fields | told)
    rewrite(folder, lines)
    with pytest.raises(InputError, match="line 3: expected a sample"):
        runlog.read(folder)


@pytest.mark.parametrize("line", [2, 12])
def test_what_changed_needs_a_sample_of_the_same_lesson_before(recorded, made_up, line):
    folder = recorded(made_up[0](lessons=2))
    lines = (folder / "log.jsonl").read_text().splitlines()
    fields = json.loads(lines[line - 1])
    assert fields["lesson"] == (line == 12) and json.loads(lines[10])["lesson"] == 0
    del fields["outputs_V"]
    lines[line - 1] = json.dumps(fields | {"changed_V": {}})
    rewrite(folder, lines)
    with pytest.raises(InputError, match=f"line {line}: expected a sample"):
        runlog.read(folder)


def test_every_line_is_strict_json_and_the_first_explains_itself(recorded):
    def refuse(name):
        raise AssertionError(name)

    lines = (recorded() / "log.jsonl").read_text("ascii").splitlines()
    fields = [json.loads(line, parse_constant=refuse) for line in lines]
    assert fields[0]["record"] == "run" and "sample" in fields[0]["log"]
    assert [f["record"] for f in fields[1:]] == ["sample"] * 21 + ["end"]


def test_same_job_gives_the_same_bytes(recorded, tmp_path):
    first, second = recorded(name="first"), recorded(name="second")
    assert (first / "log.jsonl").read_bytes() == (second / "log.jsonl").read_bytes()
    assert str(tmp_path).encode() not in (first / "log.jsonl").read_bytes()


def test_a_log_cut_off_anywhere_keeps_every_whole_sample(recorded):
    folder = recorded(count=4)
    whole = (folder / "log.jsonl").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in sorted({*range(ends[1], len(whole), 97), *ends[1:], *(end - 1 for end in ends[2:]), len(whole)}):
        (folder / "log.jsonl").write_bytes(whole[:length])
        found = runlog.read(folder)
        lines = sum(end <= length for end in ends)
        assert len(found.samples) == min(lines - 1, 4)
        assert found.end["reason"] == ("done" if lines == 6 else "cut off")
    for length in (*range(0, ends[1] - 1, 211), ends[1] - 1):
        (folder / "log.jsonl").write_bytes(whole[:length])
        with pytest.raises(InputError):
            runlog.read(folder)


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        (1, b"{}\n", "line 1: expected the first record"),
        (1, b'{"record":"run","format":99}\n', "line 1: expected the first record"),
        (1, b'{"record":"run","format":1}\n', "line 1: expected a recorded job"),
        (1, b'{"record":"run","format":1,"job":{"network":3}}\n', "line 1: expected a recorded job"),
        (3, b"not json\n", "line 3: expected a JSON object"),
        (3, b"[1, 2]\n", "line 3: expected a JSON object"),
        (3, b"[" * 100_000 + b"\n", "line 3: expected a JSON object"),
        (3, b'{"record":"sample","updates":Infinity}\n', "line 3: expected a JSON object"),
        (3, b'{"record":"sample","updates":NaN}\n', "line 3: expected a JSON object"),
        (3, b'{"record":"sample","updates":1e999}\n', "line 3: expected a JSON object"),
        (3, b'{"record":"event","event":"gap","text":"x","lost":"2"}\n', "line 3: expected lost as"),
        (3, b"\xff\xfe\x00\n", "line 3: expected a JSON object"),
        (3, b'{"record":"sample"}\n', "line 3: expected a sample"),
        (3, b'{"record":"sample","lesson":9}\n', "line 3: expected a sample"),
        (3, b'{"record":"event","event":"gap"}\n', "line 3: expected an event"),
        (3, b'{"record":"firings"}\n', "line 3: expected firings"),
        (3, b'{"record":"resumed","after":3}\n', "line 3: after: expected the number of a line before, got 3"),
        (3, b'{"record":"resumed"}\n', "line 3: after: expected the number of a line before, got None"),
        (3, b'{"record":"firings","rows":[[1,2],[3]]}\n', "line 3: expected firings"),
        (3, b'{"record":"firings","rows":[[0,0,0,0,0,1e99]]}\n', "line 3: expected firings"),
    ],
)
def test_a_corrupted_log_is_named_in_one_line(recorded, line, text, said):
    folder = recorded(count=4)
    lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    lines[line - 1] = text
    rewrite(folder, lines)
    with pytest.raises(InputError, match=r"log\.jsonl: " + said) as raised:
        runlog.read_firings(folder) if "firings" in said else runlog.read(folder)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "field", ["taps", "outputs_V", "gain", "changed_V", "counters", "error_V2", "updates", "accuracy"]
)
@pytest.mark.parametrize("value", ["x", [1], {"firings": "x"}, None, [[1], [2, 3]], 1e400, 10**30])
def test_a_sample_with_a_wrong_field_raises_nothing_but_input_error(recorded, field, value):
    folder = recorded(count=3)
    lines = (folder / "log.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), field: value})
    rewrite(folder, lines)
    try:
        runlog.read(folder)
    except InputError:
        pass


def test_no_folder_and_no_log(tmp_path):
    with pytest.raises(InputError, match=r"log\.jsonl: file: expected the log of a run"):
        runlog.read(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"log\.jsonl: file: expected the log of a run"):
        runlog.read(tmp_path)


def test_checkpoint_is_replaced_in_one_go(recorded, made_up):
    folder = recorded()
    state = json.loads((folder / "checkpoint.json").read_text())
    *_, last = made_up[1](made_up[0]())
    assert state["taps"] == last.taps.tolist()
    assert state["updates"] == last.updates
    assert runlog.read_wall_s(folder, state["updates"]) == state["wall_s"]
    assert not list(folder.glob("*.new"))
    (folder / "checkpoint.json").write_text("{")
    assert runlog.read_wall_s(folder, 0.0) is None


def test_what_is_not_a_number_never_gets_into_a_log(tmp_path, made_up):
    job = made_up[0]()
    (sample,) = made_up[1](job, count=1)
    log = runlog.RunLog(tmp_path, job, {})
    before = (tmp_path / "log.jsonl").read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        log.sample(dataclasses.replace(sample, outputs_V=np.full((2, 1), np.nan)))
    assert (tmp_path / "log.jsonl").read_bytes() == before
    log.end("failed")


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room
        self.close = file.close

    def write(self, data):
        if not self.room:
            raise OSError("No space left on device")
        written = self.file.write(data[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 300])
def test_nothing_follows_half_a_line(tmp_path, made_up, room):
    job = made_up[0]()
    first, second, *_ = made_up[1](job)
    log = runlog.RunLog(
        tmp_path, job, {"task": "x", "bench": "sim", "preset": "x", "task_seed": 0, "best": [], "baselines": [None]}
    )
    log.sample(first)
    log.file._file = FullDisk(log.file._file, room)
    with pytest.raises(OSError, match="No space"):
        log.sample(second)
    log.file._file.room = 10**6
    log.end("failed")
    found = runlog.read(tmp_path)
    assert len(found.samples) == 1
    assert found.end["reason"] == "cut off"


def test_firings_in_order_whatever_the_batch(recorded, monkeypatch):
    monkeypatch.setattr(runlog, "TRACE_ROWS", 7)
    rows = runlog.read_firings(recorded(trace=True, count=5))
    assert rows.shape == (4 * 16, 6)
    assert rows[:, 0].tolist() == list(range(16)) * 4
    assert rows[:, 1].tolist() == [1000 * k + e for k in range(1, 5) for e in range(16)]
    assert runlog.read_firings(recorded(name="without")).shape == (0, 6)


# -- TOML ----------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=("Cs",)))
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans()
scalars = numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(texts, inner, max_size=4), max_leaves=40
)


def writable(value):
    """Dicts only as values of a dict, or alone in a list that holds nothing else: all that a record needs."""
    if isinstance(value, dict):
        return all(map(writable, value.values()))
    if isinstance(value, list):
        if any(isinstance(part, dict) for part in value):
            return all(isinstance(part, dict) and writable(part) for part in value)
        return all(map(writable, value)) and not any(map(holds_dict, value))
    return True


def holds_dict(value):
    return isinstance(value, dict) or (isinstance(value, list) and any(map(holds_dict, value)))


@given(st.dictionaries(texts, values, max_size=5).filter(writable))
@example({"odd \x7f\n": '\x00\x1f\x7f"\\\U0001f600', "": [[]], "numbers": [-0.0, 1e300, float("inf")]})
def test_toml_reads_back_as_it_was(table):
    assert tomllib.loads(toml.dumps(table)) == table


def test_toml_of_a_job_reads_back(made_up):
    job = made_up[0]("square:6x6", lessons=2, damage=(Damage(1, "cut", 5.0),))
    text = toml.dumps({"job": record.plain(job)})
    assert same(record.job_from(tomllib.loads(text)["job"]), job)
    assert max(map(len, text.splitlines())) <= 120


def test_unreadable_toml(tmp_path):
    (tmp_path / "bad.toml").write_text("a = [1,\nb = 2")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    (tmp_path / "long.toml").write_text("a = " + "1" * 5000)
    for name in ("bad.toml", "binary.toml", "deep.toml", "long.toml", "none.toml", "."):
        with pytest.raises(InputError, match=r": file: expected ") as raised:
            toml.read_toml(tmp_path / name)
        assert "\n" not in str(raised.value)
