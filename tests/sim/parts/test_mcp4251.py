"""The MCP4251 against DS22060: tables 4-1 and 7-2, figures 7-2 to 7-5, by bytes sent by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_sim.parts.potentiometers import Mcp4251Chip
from tests.sim.parts.test_potentiometers import Spi


def test_power_on_is_mid_scale_of_257_taps():
    spi = Spi(Mcp4251Chip)
    assert spi.frame("0c ff 1c ff") == "fe 80 fe 80"
    spi.frame("00 07 10 09")
    spi.chip.power_cycle()
    assert (spi.chip.wipers, spi.moves[-2:]) == ([128, 128], [(0, 128), (1, 128)])


@pytest.mark.parametrize(
    ("sent", "answer", "wipers"),
    [
        ("04 14", "ff ff", [129, 129]),
        ("00 ff 10 80", "ff ff ff ff", [255, 128]),
        ("00 ff 04 0c ff", "ff ff ff ff 00", [256, 128]),  # full scale is 100h: its ninth bit is in the first byte
        ("01 00 11 00", "ff ff ff ff", [256, 256]),
        ("01 00 04 0c ff", "ff ff ff ff 00", [256, 128]),  # and there it ends
        ("00 00 08", "ff ff ff", [0, 128]),
    ],
)
def test_commands(sent, answer, wipers):
    spi = Spi(Mcp4251Chip)
    assert spi.frame(sent) == answer
    assert spi.chip.wipers == wipers


@given(st.integers(0, 0x1FF), st.integers(-3, 3))
def test_every_code_is_kept_and_above_full_scale_nothing_counts(code, steps):
    spi = Spi(Mcp4251Chip)
    spi.frame(f"{code >> 8:02x} {code & 255:02x}")
    assert spi.frame("0c ff") == f"{0xFE | code >> 8:02x} {code & 255:02x}"
    for _ in range(abs(steps)):
        spi.frame("04" if steps > 0 else "08")
    assert spi.chip.wipers[0] == (code if code > 256 else min(256, max(0, code + steps)))
    assert all(0 <= tap <= 256 for _, tap in spi.moves)
