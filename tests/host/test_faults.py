"""Faults of `make faults` in a short form: operations on files that fail, lines that nobody sends, files changed."""

import errno

import pytest

from tests.faults import files, links, mutations


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_line_of_a_board_ends_a_run_or_is_taken_where_it_cannot_be(seed):
    heard = links.host(seed, 1500)
    assert heard["heard"] > 200 and heard["text"] > 500 and heard["missed"] > 100


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_line_of_a_host_ends_a_board_or_moves_a_wiper_where_it_may_not_stand(seed):
    done = links.board(seed, 1500)
    assert done["ok"] > 150 and done["no"] > 300 and min(done["hold"], done["run"]) > 200


@pytest.mark.parametrize("kind", ["task", "bench"])
def test_a_file_in_other_words_means_the_same_and_one_that_is_changed_is_refused_or_means_what_it_says(tmp_path, kind):
    found = [mutations.toml(tmp_path, seed, kind) for seed in range(150)]
    assert found.count("kept") == 75 and min(found.count("refused"), found.count("taken")) > 10


def test_a_record_that_is_changed_is_refused_or_gives_the_same_numbers(recorded):
    folder = recorded(count=4)
    log = (folder / "log.jsonl").read_bytes()
    found = [mutations.record(folder, log, seed) for seed in range(100)]
    assert found.count("refused") > 70 and found.count("cut off") + found.count("kept") > 3


OPERATIONS = ["mkdir run", "open run.toml", "rename run.toml", "open log.jsonl", "write log.jsonl", "fsync",
              "rename checkpoint.json", "netCDF", "rename results.nc", "rename figure.png"]  # fmt: skip


def test_an_operation_on_files_that_fails_is_said_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.prepared(tmp_path)
    done, found = files.once(tmp_path, "run", None)
    assert not found
    for number, name in enumerate(OPERATIONS):
        at = len(done.names) - 1 - done.names[::-1].index(name)
        operations, found = files.once(tmp_path, "run", at, errno.ENOSPC, ever=number % 2 == 0)
        assert operations.failed and not found, name


def test_the_harness_finds_what_is_left_behind(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    for name, data in (("a.nc", b"half"), ("b.png", b"\x89PNG"), ("c.toml", b"a ="), ("d.json", b"{"), ("e.new", b"")):
        (made / name).write_bytes(data)
    done = files.Operations(made)
    assert len([*files._complaints(made, {}, done, 0, "")]) == 5
    done.failed = 1
    assert next(files._complaints(made, {}, done, 0, "")).startswith("end: status 0, and an operation failed")
