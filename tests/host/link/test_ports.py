import errno
import os
import pty
import subprocess
import sys
import termios
import types
from itertools import zip_longest
from pathlib import Path

import pytest
import serial

from clockfree.link import discovery, ports
from clockfree.link.identity import is_board, numbers
from clockfree.link.ports import Found, PortError, locate, open_port, scan
from clockfree.link.users import others

ONE, TWO, THREE = "e6614c311b7f5a2b", "e6614c311b7f5a2c", "e6614c311b7f5a2d"


@pytest.fixture
def folder(tmp_path):
    """A folder of links to ports: `folder(name=device, ...)`."""

    def make(**links):
        for name, device in links.items():
            (tmp_path / name.replace("_if", "-if").replace("usb_", "usb-")).symlink_to(device)
        return tmp_path

    return make


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def usb(id_, maker="MicroPython_Board_in_FS_mode", interface="00"):
    return f"usb_{maker}_{id_}_if{interface}"


@pytest.fixture
def system(monkeypatch, tmp_path):
    """What the system tells of its ports: `system((device, serial number), ...)`."""

    def tell(*told):
        names = "device", "serial_number", "vid", "pid", "manufacturer", "product"
        found = [types.SimpleNamespace(**dict(zip_longest(names, each))) for each in told]
        monkeypatch.setattr(ports.list_ports, "comports", lambda: found)
        monkeypatch.setattr(ports, "BY_ID", tmp_path)

    return tell


def test_a_folder_of_links_tells_boards_from_all_else(folder):
    links = {
        usb(ONE.upper()): "/dev/ttyACM0",
        usb(TWO): "/dev/ttyACM1",
        usb(TWO, interface="02"): "/dev/ttyACM2",  # another interface of the same board
        usb("0123"): "/dev/ttyACM3",
        "notes": "/dev/ttyACM4",
    }
    assert scan(folder(**links)) == [Found(ONE, "/dev/ttyACM0"), Found(TWO, "/dev/ttyACM1")]


def test_the_system_tells_boards_too_and_nobody_is_counted_twice(folder, system):
    folder(**{usb(ONE): "/dev/ttyACM0"})
    system(("/dev/ttyACM0", ONE.upper()), ("COM3", TWO), ("/dev/ttyUSB0", "A50285BI"), ("/dev/ttyS0", None))
    assert scan() == [Found(ONE, "/dev/ttyACM0"), Found(TWO, "COM3")]


def test_what_does_not_say_that_it_is_micropython_is_found_and_known_as_such(folder, system):
    """A debug probe is an RP2040 too, and whatever is written to it goes on to somebody else's board."""
    probe = "Raspberry_Pi_Debug_Probe__CMSIS-DAP_"
    folder(**{usb(ONE, probe): "/dev/ttyACM0"})
    system(
        ("/dev/ttyACM0", ONE.upper(), 0x2E8A, 0x000C, "Raspberry Pi", "Debug Probe (CMSIS-DAP)"),
        ("COM4", TWO, 0x2E8A, 0x0005, "Microsoft", None),
        ("/dev/ttyACM2", THREE, 0x2341, 0x025E, "MicroPython", "Board in FS mode"),
        ("/dev/ttyACM3", "34:85:18:9C:7E:E0", 0x303A, 0x1001, "Espressif", "USB JTAG/serial debug unit"),
        ("/dev/ttyACM4", "3254335D3037", 0xF055, 0x9800, "MicroPython", "Pyboard Virtual Comm Port in FS Mode"),
        ("/dev/ttyACM5", "000760123456", 0x1366, 0x0105, "SEGGER", "J-Link"),
    )
    assert [(board.id, board.micropython) for board in scan()] == [
        ("000760123456", False),
        ("3254335d3037", True),
        ("3485189c7ee0", False),
        (ONE, False),
        (TWO, True),
        (THREE, True),
    ]
    assert locate(ONE, None) == "/dev/ttyACM0"  # a bench file names it
    rows = {row.board: row for row in discovery.of_ports()}
    said = (
        "not asked: Raspberry Pi Debug Probe (CMSIS-DAP) does not say that it is MicroPython; a bench file can name it"
    )
    assert rows[ONE].problem in (said, said.replace("Probe (CMSIS-DAP)", "Probe  CMSIS-DAP "))
    assert rows[TWO].problem != rows[ONE].problem and not any(row.hello for row in rows.values())


STM32 = "200032000d47373138343634"
"""Its unique id, and what ST's own USB makes of it, worked out by hand: id[11], id[10] + id[2], ... ."""
USB = "346834583137"


def test_a_board_is_known_by_its_unique_id_and_by_the_number_that_its_usb_has(folder):
    assert numbers(STM32) == {STM32, USB} and numbers(ONE) == {ONE}
    assert is_board(STM32, STM32) and is_board(USB, STM32) and is_board(None, "anything")
    assert not is_board(USB, ONE) and not is_board(ONE, None) and not is_board(USB, "z" * 24)
    links = folder(**{usb(USB.upper(), "MicroPython_Pyboard_Virtual_Comm_Port_in_FS_Mode", "01"): "/dev/ttyACM3"})
    assert locate(STM32, None, links) == locate(USB, None, links) == "/dev/ttyACM3"


def test_a_folder_that_is_not_for_this_user(monkeypatch, tmp_path):
    def denied(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(os, "listdir", denied)
    with pytest.raises(PortError, match=f"^{tmp_path}: no permission to look for boards there"):
        locate(ONE, None, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not tell who has a file open")
def test_another_program_that_has_the_port_open_is_named(terminal):
    hold = "import sys, time; held = open(sys.argv[1]); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, terminal], stdout=subprocess.PIPE) as reader:
        try:
            reader.stdout.readline()
            name = Path(f"/proc/{reader.pid}/comm").read_text().strip()
            assert others([terminal, "/dev/ttyACM0"]) == {terminal: f"{name} (process {reader.pid})"}
        finally:
            reader.kill()
    assert others([terminal]) == {}


def test_no_folder_no_boards(tmp_path, system):
    system()
    assert scan(tmp_path / "nowhere") == scan() == []


def test_a_bench_with_a_folder_of_its_own_looks_nowhere_else(tmp_path, system):
    system(("/dev/ttyACM0", ONE))
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(PortError, match=f"^{ONE}: expected a port with this id in {own}, got no board: plug it in$"):
        locate(ONE, None, own)


def test_a_missing_board_is_said_with_what_is_there_instead(folder):
    links = folder(**{usb(f"000000000000000{i}"): f"/dev/ttyACM{i}" for i in range(5)})
    with pytest.raises(PortError) as raised:
        locate(ONE, None, links)
    said = f"{ONE}: expected a port with this id in {links}, got 0000000000000000, 0000000000000001, "
    assert str(raised.value) == said + "0000000000000002 and 2 more: plug it in"


def test_two_ports_with_one_id_are_refused_and_named(folder):
    links = folder(**{usb(ONE): "/dev/ttyACM0", usb(ONE, "Clone"): "/dev/ttyACM7"})
    with pytest.raises(PortError, match=f"{ONE}: expected one port, got /dev/ttyACM0 and /dev/ttyACM7: clones"):
        locate(ONE, None, links)


def test_a_link_leads_to_the_device_itself(folder, terminal):
    links = folder(**{usb(ONE): terminal, "mine": terminal})
    assert locate(ONE, None, links) == terminal
    assert locate(None, str(links / "mine")) == terminal
    assert locate(None, "COM3") == "COM3"
    assert locate(None, "rfc2217://lab:4001") == "rfc2217://lab:4001"


def test_a_port_is_had_alone(terminal):
    with open_port(terminal, 0.1) as port:
        with pytest.raises(PortError, match=f"^{terminal}: in use by another program: end it"):
            open_port(terminal, 0.1)
        assert port.read(1) == b""
    open_port(terminal, 0.1).close()


def refuses(error):
    def serial_for_url(*args, **kwargs):
        raise error

    return serial_for_url


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("/dev/no-such-port", "^/dev/no-such-port: no such port: plug the board in$"),
        ("socket://localhost:1", "^socket://localhost:1: Connection refused$"),
        ("rfc2217://localhost:1", "^rfc2217://localhost:1: Connection refused$"),
        ("gopher://localhost", "^gopher://localhost: expected a port, got "),
    ],
)
def test_a_port_that_cannot_be_had(device, said):
    with pytest.raises(PortError, match=said):
        open_port(device, 0.1)


def test_no_permission(monkeypatch):
    monkeypatch.setattr(serial, "serial_for_url", refuses(serial.SerialException(errno.EACCES, "could not open port")))
    with pytest.raises(PortError, match="no permission: on Linux, join the group"):
        open_port("/dev/ttyACM0", 0.1)


def test_a_port_that_goes_away_while_it_is_opened(monkeypatch):
    """pyserial lets termios's own error through then, as it did with a board in a reset."""
    monkeypatch.setattr(serial, "serial_for_url", refuses(termios.error(errno.EIO, "Input/output error")))
    with pytest.raises(PortError, match=r"^/dev/ttyACM0: Input/output error$"):
        open_port("/dev/ttyACM0", 0.1)
