import struct
import threading

import pytest

from clockfree.base.errors import BoardError, InputError
from clockfree.flash import uf2

RP2040, RP2350, RISCV, ABSOLUTE = 0xE48BFF56, 0xE48BFF59, 0xE48BFF5A, 0xE48BFF57
INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {}\r\n"


def block(family, number=0, count=1):
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, count, family)
    return head.ljust(508, bytes([number])) + struct.pack("<I", 0x0AB16F30)


@pytest.fixture
def file(tmp_path):
    def write(*families, data=None):
        path = tmp_path / "micropython.uf2"
        made = [block(family, families[:i].count(family), families.count(family)) for i, family in enumerate(families)]
        path.write_bytes(b"".join(made) if data is None else data)
        return path

    return write


@pytest.fixture
def drive(tmp_path):
    def plug(name, board="RPI-RP2"):
        path = tmp_path / name
        path.mkdir()
        (path / uf2.INFO).write_text(INFO.format(board))
        return path

    return plug


def test_drives_are_known_by_their_info(tmp_path, drive):
    places = [drive("one"), tmp_path, drive("two", "RP2350"), tmp_path / "nothing"]
    assert [(found.path, found.board) for found in uf2.drives(places)] == [
        (places[0], "RPI-RP2"),
        (places[2], "RP2350"),
    ]


def test_the_file_goes_to_every_blank_board_and_their_ports_are_waited_for(file, drive):
    path, places = file(RP2040, RP2040), [drive("one"), drive("two")]
    asked = threading.Event()

    def count_ports():
        if not asked.is_set():
            asked.set()
            return 5  # these were there before
        return 5 + sum((place / path.name).exists() for place in places)

    blank = uf2.blank_boards(path, places)
    uf2.install(path, blank, count_ports)
    assert [(place / path.name).read_bytes() for place in places] == [path.read_bytes()] * 2


def test_a_file_for_both_chips_may_begin_with_a_block_for_neither(file, drive):
    path = file(data=block(ABSOLUTE, 0, 2) + block(RP2350))
    assert len(uf2.blank_boards(path, [drive("one", "RP2350")])) == 1


def test_the_file_of_another_chip_is_refused_before_anything_is_copied(file, drive):
    path, places = file(RP2040), [drive("one"), drive("two", "RP2350")]
    with pytest.raises(InputError, match=rf"expected family e48bff59 for the RP2350 at {places[1]}, got e48bff56"):
        uf2.blank_boards(path, places)
    assert not any((place / path.name).exists() for place in places)


def test_a_boot_loader_of_another_chip_is_left_alone_and_named(file, drive):
    """Not all of them look at what a file is for."""
    path, places = file(RP2040), [drive("one"), drive("two", "SAMD21G18A-Feather-v0")]
    with pytest.raises(
        InputError, match=rf"loaders of RPI-RP2 and RP2350 alone, got SAMD21G18A-Feather-v0 at {places[1]}"
    ):
        uf2.blank_boards(path, places)
    assert not any((place / path.name).exists() for place in places)


def test_a_file_that_was_not_loaded_to_its_end(file, drive):
    path = file(data=b"".join(block(RP2040, i, 3) for i in range(2)))
    with pytest.raises(
        InputError, match="expected 3 blocks, as each of them says, got 2: it was not loaded to its end"
    ):
        uf2.blank_boards(path, [drive("one")])


def test_both_kinds_of_code_for_an_rp2350(file, drive):
    for family in (RP2350, RISCV):
        assert len(uf2.blank_boards(file(family), [drive(f"d{family}", "RP2350")])) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"M\x06" * 300,
        block(RP2040)[:-1],
        block(RP2040) + b"x",
        b"X" + block(RP2040)[1:],
        block(RP2040)[:-1] + b"X",
        block(RP2040) + bytes(512),
    ],
)
def test_what_is_no_uf2_is_refused_and_who_has_one_is_named(file, drive, data):
    path = file(data=data)
    with pytest.raises(InputError, match=r"micropython\.uf2: --uf2: expected a UF2 file, .*mpflash.*micropython\.org"):
        uf2.blank_boards(path, [drive("one")])


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.uf2: --uf2: expected a UF2 file, got No such file .*mpflash"):
        uf2.blank_boards(tmp_path / "none.uf2", [])


def test_no_board_in_its_boot_loader(file, tmp_path):
    with pytest.raises(InputError, match="expected a board in its boot loader, got none: hold BOOTSEL"):
        uf2.blank_boards(file(RP2040), [tmp_path])


def test_boards_that_do_not_come_back(file, drive, monkeypatch):
    monkeypatch.setattr(uf2, "BACK_S", 0.01)
    path, places = file(RP2040), [drive("one")]
    with pytest.raises(BoardError, match=r"micropython\.uf2: --uf2: expected 1 boards back .* within 0 s, got 0: plug"):
        uf2.install(path, uf2.blank_boards(path, places), lambda: 3)


def test_a_drive_that_does_not_take_the_file(file, drive):
    path, places = file(RP2040), [drive("one"), drive("two")]
    blank = uf2.blank_boards(path, places)
    (places[1] / path.name).symlink_to("/dev/full")
    said = rf"two/micropython\.uf2: No space left on device after 0 of {path.stat().st_size} bytes: hold BOOTSEL"
    with pytest.raises(BoardError, match=said):
        uf2.install(path, blank, lambda: 3)
