"""Files and temporary folders: names of their own, nothing left behind, errors that say of what."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clockfree_model import files, scratch
from clockfree_model.files import naming, replace_bytes, replaced
from clockfree_model.places import is_clutter


def test_two_that_write_one_file_at_once_do_not_meet(tmp_path):
    path = tmp_path / "a.nc"
    with replaced(path) as first:
        first.write_text("first")
        script = f"from clockfree_model.files import *; replace_bytes(Path({str(path)!r}), b'other')"
        done = subprocess.run([sys.executable, "-c", script], timeout=60)  # another process, as two `show` are
        assert done.returncode == 0 and path.read_text() == "other" and first.read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["a.nc"] and path.read_text() == "first"


@pytest.fixture
def ended():
    """Number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_killed_processes_have_left_is_taken_away(tmp_path, ended):
    here = files._here()
    left = [f"a.nc.{here}-{ended}-1.new"]
    kept = [f"a.nc.{here}-{os.getpid()}-1.new", f"a.nc.0badc0de-{ended}-1.new", f"b.{here}-{ended}-1.new", "a.nc.new"]
    for name in left + kept:
        (tmp_path / name).touch()
    replace_bytes(tmp_path / "a.nc", b"")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([*kept, "a.nc"])


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "a.nc"
    link.symlink_to("there/a.nc")
    for text in (b"old", b"new"):
        replace_bytes(link, text)
        assert link.is_symlink() and (tmp_path / "there/a.nc").read_bytes() == text


def test_a_long_name_has_room_for_another(tmp_path):
    path = tmp_path / ("n" * 255)
    replace_bytes(path, b"1")
    assert path.read_bytes() == b"1"


def test_errors_say_of_which_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '/dev/full'"):
        with naming("/dev/full"), open("/dev/full", "wb", buffering=0) as file:
            file.write(b"1")
    with pytest.raises(OSError, match=r"No locks available: 'shared'"), naming("shared"):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    with pytest.raises(OSError, match=r"Is a directory: .*/made'$"), replaced(tmp_path / "made") as beside:
        (tmp_path / "made").mkdir()
        beside.touch()
    with pytest.raises(FileNotFoundError, match=r"directory: '[^']*/nowhere/a'$"):
        replace_bytes(tmp_path / "nowhere/a", b"")


def test_what_desktops_leave_is_clutter():
    assert all(is_clutter(Path(name)) for name in ("x/.DS_Store", "._a.nc", ".nfs0001", "Thumbs.db", "desktop.ini"))
    assert not is_clutter(Path(".hidden/points.jsonl"))


class TestScratch:
    @pytest.fixture(autouse=True)
    def own_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        scratch._tidy.cache_clear()

    def test_is_gone_at_the_end(self, tmp_path):
        with scratch.Scratch() as folder:
            assert folder.parent == tmp_path and folder.is_dir()
        assert not folder.exists()

    def test_what_killed_processes_have_left_is_taken_away(self, tmp_path, monkeypatch):
        monkeypatch.setattr("clockfree_model.scratch._YOUNG_S", -1.0)
        script = "import os; from clockfree_model.scratch import Scratch; made = Scratch(); (made.path / 'f').touch(); "
        kill = [sys.executable, "-c", script + "os.kill(os.getpid(), 9)"]
        subprocess.run(kill, env=os.environ | {"TMPDIR": str(tmp_path)}, timeout=60)
        (left,) = tmp_path.iterdir()
        (tmp_path / "clockfree-other").mkdir()
        with scratch.Scratch() as mine:
            assert not left.exists() and mine.exists() and (tmp_path / "clockfree-other").exists()
            scratch._tidy.cache_clear()
            scratch._tidy()
            assert mine.exists()  # it is locked

    def test_a_young_one_may_not_be_locked_yet(self, tmp_path):
        young = tmp_path / f"{scratch.PREFIX}x"
        young.mkdir()
        scratch._tidy()
        assert young.exists()
