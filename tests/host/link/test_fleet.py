"""A fleet: who else reads the ports of its boards."""

import re

import pytest

from clockfree.base.errors import InputError
from clockfree.link import fleet
from clockfree.link.benchfile import BenchFile
from clockfree.link.fleet import Fleet, call
from tests.host.peers import Peer, hello, ok


def test_a_port_that_another_program_reads_is_refused_though_its_board_has_answered(monkeypatch):
    """By luck: the next answer may go to the other."""
    peers = [Peer([(("hello",), [ok(hello(id=f"{i:016x}"))])]) for i in range(2)]
    bench = BenchFile.model_validate({
        "supervisor": {"port": peers[0].port},
        "boards": [{"port": peers[1].port, "edges": [{"edge": "A-B"}]}],
    })  # fmt: skip
    monkeypatch.setattr(fleet, "others", lambda devices: {peers[1].port: "minicom (process 7)"})
    made = Fleet(bench)
    said = f"{peers[1].port}: {peers[1].port} is also open in minicom (process 7), which takes its share"
    try:
        with pytest.raises(InputError, match=re.escape(said)):
            call(made, "b.toml", anyway=True)
    finally:
        made.close()
        for peer in peers:
            peer.finish()  # raises where it was asked anything more
