"""Where results are put."""

import os
from pathlib import Path

import pytest

from clockfree.base import files
from clockfree.base.errors import InputError


def test_a_folder_that_exists_is_never_taken(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "file", "link"):
        with pytest.raises(InputError, match=r"--out: expected a folder that does not exist, got one that does$"):
            files.create(tmp_path / name)
        with pytest.raises(InputError, match=r"--out: expected a file that does not exist, got one that does$"):
            files.check(tmp_path / name, "file")
    with pytest.raises(InputError, match=r"--out: expected a folder that can be made, got .*/file, which nothing can"):
        files.create(tmp_path / "file" / "below")
    with pytest.raises(InputError, match=r"--out: expected a folder that can be made, got File name too long$"):
        files.create(tmp_path / ("x" * 300))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_name_that_others_have_gets_a_number(tmp_path):
    wanted = tmp_path / "runs" / "a"
    made = [files.create_free(wanted) for _ in range(3)]
    assert [path.name for path in made] == ["a", "a-1", "a-2"]
    assert all(path.is_dir() and path.parent == tmp_path / "runs" for path in made)


def test_a_home_is_meant_as_a_shell_means_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.meant("~/x") == tmp_path / "x" and files.meant("./~/x") == Path("./~/x")
    assert files.meant("~none of a user") == Path("~none of a user")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # nobody has one
    with pytest.raises(InputError, match=r"^~/x: expected a path, got ~, and this user has no home"):
        files.meant("~/x")


def test_a_text_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.toml"
    files.replace_text(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace_text(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["a.toml"] and path.read_text() == "old"
