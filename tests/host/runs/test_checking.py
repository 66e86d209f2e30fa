"""A record that was changed, cut, put together otherwise or cut off is found, whatever was done to it."""

import json
import random
from zlib import crc32

import pytest

from clockfree.base.errors import InputError
from clockfree.commands import app
from clockfree.runs import checking, runlog
from tests.host.logs import rewrite


@pytest.fixture
def log(recorded):
    """A whole record: its folder, and its lines."""
    folder = recorded(count=12, trace=True)
    return folder, (folder / "log.jsonl").read_bytes().splitlines(keepends=True)


def found(folder, lines):
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    return checking.check(folder)


def test_a_record_as_it_was_written_is_sound(log, capsys):
    folder, lines = log
    assert app.status_of(["check", str(folder)]) == 0
    assert "what was written, and all of it" in capsys.readouterr().out
    before = 0
    for line in lines:  # by the words of its first line, with another library
        text, told = line[: line.rindex(b",")], json.loads(line)["crc"]
        before = crc32(text, before)
        assert told == f"{before:08x}"
    assert "crc: the CRC-32" in json.loads(lines[0])["log"]


def test_whatever_is_done_to_whole_lines_is_found(log, capsys):
    folder, lines = log
    for at in range(1, len(lines) - 1):
        assert found(folder, lines[:at] + lines[at + 1 :]).broken == [at + 1], "cut out"
        assert found(folder, [*lines[: at + 1], lines[at], *lines[at + 1 :]]).broken[0] == at + 2, "twice"
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        assert found(folder, swapped).broken[0] == at + 1, "exchanged"
    assert app.status_of(["check", str(folder)]) == 1
    assert "changed, or lines before missing" in capsys.readouterr().out
    for command in (["show"], ["read"], ["compare"]):
        assert app.status_of([*command, str(folder)]) == 2
        assert "by its checksum: clockfree check" in capsys.readouterr().err


def test_every_changed_byte_and_every_tap_moved_is_found(log):
    folder, lines = log
    chance = random.Random(1)
    for at, line in enumerate(lines):
        for _ in range(8):
            i = chance.randrange(len(line) - 1)
            other = bytes([chance.choice([byte for byte in range(32, 127) if byte != line[i]])])
            kept = [*lines[:at], line[:i] + other + line[i + 1 :], *lines[at + 1 :]]
            try:
                assert found(folder, kept).broken[0] in (at + 1, at + 2)
            except InputError as error:  # the first line is none of a run any more
                assert at == 0 and "line 1: expected the first record" in str(error)
    moved = [json.loads(line) for line in lines]
    for record in moved:
        if record["record"] == "sample":
            record["taps"] = [tap + 1 for tap in record["taps"]]
    kept = [json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in moved]
    samples = [i + 1 for i, record in enumerate(moved) if record["record"] == "sample"]
    assert found(folder, kept).broken == samples


def test_what_is_cut_off_at_the_end_is_found(log, capsys):
    folder, lines = log
    for kept in (lines[:-1], lines[:-3], [*lines[:-1], lines[-1][:-1]]):
        cut = found(folder, kept)
        assert not cut.broken and "cut off" in cut.problem
        assert runlog.read(folder).end["reason"] == "cut off"
    assert app.status_of(["check", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["sound"] is False
    without = [json.loads(line) for line in lines[:-2]] + [json.loads(lines[-1])]  # by somebody who seals it anew
    rewrite(folder, without)
    assert "samples, as its last line says" in checking.check(folder).problem


def test_a_record_of_before_is_said_to_be_unchecked(log, capsys):
    folder, lines = log
    records = [json.loads(line) for line in lines]
    records[0]["format"] = 2
    (folder / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert app.status_of(["check", str(folder)]) == 0
    assert "nobody knows" in capsys.readouterr().out


def test_what_is_no_log_is_refused(tmp_path):
    for text in (None, b"", b"\xff\n", b"{}\n", b"[]\n"):
        if text is not None:
            (tmp_path / "log.jsonl").write_bytes(text)
        with pytest.raises(InputError, match=r"log\.jsonl: "):
            checking.check(tmp_path)
