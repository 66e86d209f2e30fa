"""One edge's potentiometers for tests of their drivers: simulated chips, whose wipers are the truth."""

from hypothesis import strategies as st

from clockfree_board.pots import Ad5222, Mcp42xx, PulsePots
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Ad5222Chip, Mcp4xxxChip, X9c104PairChip


class Line:
    """SPI with a recorder on it, and a way to spoil what is sent."""

    def __init__(self, bus):
        self.bus = bus
        self.seen = []
        self.spoil_sent = {}  # index of byte: bits to flip
        self.spoil_answer = {}

    def pin(self, name, pin):
        def recorded(level=None):
            if level is not None:
                self.seen.append((name, level))
            return pin(level)

        return recorded

    def write_readinto(self, sent, received):
        self.seen.append(bytes(sent).hex(" "))
        sent = bytes(byte ^ self.spoil_sent.get(i, 0) for i, byte in enumerate(sent))
        self.bus.write_readinto(sent, received)
        for i, bits in self.spoil_answer.items():
            received[i] ^= bits


class Bench:
    """One edge's potentiometers: a driver on its chip."""

    def __init__(self, kind="mcp42xx", lowest=0, reverse=False):
        self.moves = []
        moved = lambda wiper, tap: self.moves.append((wiper, tap))  # noqa: E731
        if kind == "mcp42xx":
            self.bus = SpiBus()
            self.line = Line(self.bus)
            self.chip = Mcp4xxxChip(moved)
            cs = self.line.pin("cs", self.bus.attach(self.chip))
            self.pot = Mcp42xx(self.line, cs, lowest, reverse)
            self.mirror = 128
        else:
            chip, driver, self.mirror = {
                "ad5220": (Ad5220PairChip, PulsePots, 128),
                "ad5222": (Ad5222Chip, Ad5222, 128),
                "x9c": (X9c104PairChip, PulsePots, 99),
            }[kind]
            ends = {"highest": 99, "steps": 99} if kind == "x9c" else {}
            self.chip = chip(moved)
            self.line = Line(None)
            names = ["clk", "up_down", "cs"] + (["mode", "dacsel"] if kind == "ad5222" else [])
            pins = [self.line.pin(name, getattr(self.chip, name)) for name in names]
            self.pot = driver(*pins, lowest=lowest, reverse=reverse, **ends)
        self.reverse = reverse
        self.line.seen.clear()

    @property
    def taps(self):
        """Both taps as the circuit has them, counting resistance."""
        return [self.mirror - tap if self.reverse else tap for tap in self.chip.wipers]


PULSED = ["ad5220", "ad5222", "x9c"]
KINDS = ["mcp42xx", *PULSED]
edges = st.builds(Bench, kind=st.sampled_from(KINDS), lowest=st.integers(0, 30), reverse=st.booleans())
actions = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(-2, 130)),
        st.tuples(st.just("step"), st.sampled_from([1, -1])),
        st.tuples(st.just("adopt"), st.none()),
        st.tuples(st.just("check"), st.none()),
    ),
    max_size=12,
)
