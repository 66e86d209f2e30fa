"""A board of an older link is told to be flashed, and nothing else is done to it."""

import pytest

from clockfree.base.errors import InputError
from clockfree.bench.boards import BoardBench
from clockfree.link.benchfile import BenchFile
from clockfree_board.link import PROTOCOL
from clockfree_model.physics import BOARD
from tests.host.peers import Peer, hello, ok
from tests.sim.jobs import a_job


class Quiet:
    def say(self, text):
        pass

    def share(self, doing, done):
        pass


@pytest.mark.parametrize("anyway", [False, True])
def test_it_is_asked_who_it_is_and_nothing_else(anyway):
    said = {"version": "0.2.0", "protocol": PROTOCOL - 1, "config": "0123456789abcdef"}
    peers = [
        Peer([(("hello",), [ok(hello(**said, id=f"{i:016x}", role=role))])])
        for i, role in enumerate(("supervisor", "edge", "edge", "edge"))
    ]
    job = a_job("square:2x2", physics=BOARD)
    names = [job.network.edge_name(edge) for edge in range(len(job.network.ends))]
    boards = [{"port": peer.port, "edges": [{"edge": name}]} for peer, name in zip(peers[1:3], names)]
    pins = ({"a": 4, "b": 5, "pot_cs": 17}, {"a": 6, "b": 7, "pot_cs": 20})
    boards.append({"port": peers[3].port, "edges": [{"edge": name, "pins": at} for name, at in zip(names[2:], pins)]})
    bench = BoardBench(
        BenchFile.model_validate({"supervisor": {"port": peers[0].port}, "boards": boards}), "b.toml", anyway
    )
    try:
        with pytest.raises(InputError) as caught:
            bench.start(job, Quiet())
    finally:
        bench.close()
    assert f"protocol: expected {PROTOCOL}, got {PROTOCOL - 1}: its firmware is another, flash it" in str(caught.value)
    assert str(caught.value).endswith("clockfree flash --bench b.toml")
    for peer in peers:
        peer.finish()  # raises where it was asked anything more
