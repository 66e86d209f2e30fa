"""Virtual boards to be flashed, and what is on them: read by mpremote, not by what has written it."""

import contextlib
import threading
import time

from clockfree.flash import deploy, firmware
from clockfree.flash.firmware import BoardFile, source_files
from clockfree.flash.repl import Raw
from clockfree.link import ports
from clockfree.link.benchfile import BenchFile, board_config, config_text

IDS = [f"e6614103e745{number:04x}" for number in range(3)]


def bench_of(job, by_id="/dev"):
    edges = [job.network.edge_name(edge) for edge in range(2)]
    boards = [{"id": id_, "edges": [{"edge": edge}]} for id_, edge in zip(IDS[1:], edges, strict=True)]
    return BenchFile.model_validate({"supervisor": {"id": IDS[0]}, "boards": boards, "by_id": str(by_id)})


def wait_for_port(boards, id_):
    late_s = time.monotonic() + 10
    while not [found for found in ports.scan(boards.by_id) if found.id == id_]:
        assert time.monotonic() < late_s
        time.sleep(0.005)


@contextlib.contextmanager
def prompt(boards, id_):
    """The prompt of a board, whatever ran there; it may just be in a reset."""
    late_s = time.monotonic() + 10
    while True:
        try:
            port = ports.open_port(ports.locate(id_, None, boards.by_id), 5)
            repl = Raw(port)
            repl.enter_raw_repl(soft_reset=True)
            break
        except (ports.PortError, OSError):
            assert time.monotonic() < late_s
            time.sleep(0.01)
    try:
        yield repl
    finally:
        repl.exit_raw_repl()
        port.close()


def on(boards, id_, code):
    """What a program prints on a board that is stopped for it, and left at its prompt."""
    with prompt(boards, id_) as repl:
        repl.exec_raw_no_follow(code)
        said = b""
        while said.count(b"\x04") < 2:  # mpremote would take it byte by byte
            part = repl.serial.read(max(1, repl.serial.in_waiting))
            assert part, said
            said += part
        found, error, _ = said.split(b"\x04", 2)
        assert not error, error.decode()
        return found.decode()


def files(boards, id_):
    """Every file of a board, by path."""
    text = on(
        boards,
        id_,
        "import os\n"
        "for d in ['/'] + ['/%s/' % e[0] for e in os.ilistdir('/') if e[0] == 'clockfree_board']:\n"
        "  for e in os.ilistdir(d):\n"
        "    if e[1] == 0x8000 and e[3] < 100000:\n"
        "      with open(d + e[0], 'rb') as f:\n"
        "        print(repr(d + e[0]), end=': ')\n"
        "        while True:\n"
        "          part = f.read(512)\n"
        "          if not part: break\n"
        "          print(part, end=' ')\n"
        "        print(b'', end=',')\n",
    )
    return eval("{" + text + "}")


def flash(bench, boards=None, tell=lambda board, share, doing: None, stop=None, **more):
    reports = deploy.deploy(bench, boards or bench.every_board, tell, stop or threading.Event(), **more)
    return {report.board: report for report in reports}


def expected(bench, board, source=False):
    made = source_files() if source else firmware.compiled_files(6 | 3 << 8 | 2 << 10, "")
    made = [*made, BoardFile("/clockfree.json", config_text(board_config(bench, board)).encode())]
    return {file.path: file.data for file in made}
