"""Ctrl-C in RUN, on a real MicroPython: HOLD, the prompt, and a watchdog that somebody still feeds."""

import json
import random
import time

from clockfree_board.link import seal
from clockfree_sim.virtual import VirtualBoards
from tests.firmware.rig import armed
from tests.sim.virtual.benches import edge_config, edge_job
from tests.sim.virtual.conftest import ONE
from tests.sim.virtual.repl import FIRMWARE, Repl

TIMES = 50
PROGRAM = """
import time
board = hw.make_board()
stand_down = board.chip.stand_down
def slow():  # as on a Pico, which is some hundred times slower
    time.sleep_ms(1)
    stand_down()
board.chip.stand_down = slow
board.run()
"""
ARM = armed(5, 0, 2000, 1000, 0, 0, 0, 1, 2, 0)
RUN = [["prepare", 1, 5], ["edge", 2, 0, ARM], ["tap", 3, 0, 64], ["run", 4, 5]]


def test_however_often_and_whenever_it_is_pressed(micropython, tmp_path):
    moments = random.Random(11)
    job = edge_job()
    config = edge_config(job, 0)
    with VirtualBoards(job, {ONE: config}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        repl.enter()
        repl.install(*(path.stem for path in (FIRMWARE / "clockfree_board").glob("[a-z]*.py")))
        repl.run(f"with open('/clockfree.json', 'w') as file: file.write({json.dumps(config)!r})")
        repl.run("from clockfree_board import hw")
        process = boards.told(ONE)["process"]
        for _ in range(TIMES):
            repl.start(PROGRAM)
            repl.until(b'["hello"')
            for message in RUN:
                repl.send(seal(message))
            repl.until(b'["ok",4]')
            time.sleep(moments.uniform(0, 0.005))
            repl.send(b"\x03" * moments.randint(1, 6))
            assert "HOLD, stopped by Ctrl-C" in repl.finish()
            assert repl.run("print(board.state, board.run_id, board.role.edges[0].firings >= 0)") == "hold 0 True\n"
        # One timer, whatever else was collected as garbage meanwhile.
        assert repl.run("import gc\ngc.collect()\nprint(hw._kept)").count("Timer") == 1
        assert boards.told(ONE) == boards.told(ONE) | {"process": process, "crashes": 0}
