"""One edge's potentiometers for tests, by the table of parts: drivers on chips whose wipers are the truth."""

from hypothesis import strategies as st

from clockfree_model.parts import POTS, resolve
from clockfree_sim.parts.bus import I2cBus, SpiBus


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


class I2cLine:
    """I2C, likewise."""

    def __init__(self, bus):
        self.bus = bus
        self.seen = []

    def writeto(self, address, sent, stop=True):
        self.seen.append((address, bytes(sent).hex(" "), stop))
        return self.bus.writeto(address, sent, stop)

    def readfrom_into(self, address, received, stop=True):
        self.bus.readfrom_into(address, received, stop)
        self.seen.append((address, "-> " + bytes(received).hex(" "), stop))


def made(kind, spi, i2c, moved=lambda wiper, tap: None, named=lambda name, pin: pin, **given):
    """A driver with what it is given, and its chip, on these buses, which have `attach` of their own or by `bus`."""
    part = POTS[kind]
    chip = resolve(part.chip)(moved, **({} if part.forgets else {"stored": (part.start_tap, part.start_tap)}))
    on = {"": [], "spi": [spi], "i2c": [i2c, part.address]}[part.bus]
    if part.bus == "i2c":
        getattr(i2c, "bus", i2c).attach(part.address, chip)
    for pin in part.pins:
        line = getattr(chip, pin.at) if pin.at else getattr(spi, "bus", spi).attach(chip)
        on.append(named(pin.at or "cs", line))
    return resolve(f"clockfree_board.{part.driver}")(*on, highest=part.highest, steps=part.steps, **given), chip


class Bench:
    """One edge's potentiometers: a driver on its chip."""

    def __init__(self, kind="mcp42xx", lowest=0, reverse=False):
        self.part = POTS[kind]
        self.moves = []
        self.bus = SpiBus()
        self.line = Line(self.bus)
        self.i2c = I2cLine(I2cBus())
        moved = lambda wiper, tap: self.moves.append((wiper, tap))  # noqa: E731
        self.pot, self.chip = made(kind, self.line, self.i2c, moved, self.line.pin, lowest=lowest, reverse=reverse)
        self.reverse = reverse
        self.line.seen.clear()

    @property
    def taps(self):
        """Both taps as the circuit has them, counting resistance."""
        return [self.part.steps - tap if self.reverse else tap for tap in self.chip.wipers]


KINDS = [*POTS]
PULSED = [kind for kind, part in POTS.items() if not part.reads_back]
edges = st.builds(Bench, kind=st.sampled_from(KINDS), lowest=st.integers(0, 30), reverse=st.booleans())
actions = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(-2, 2 + max(part.top for part in POTS.values()))),
        st.tuples(st.just("step"), st.sampled_from([1, -1])),
        st.tuples(st.just("adopt"), st.none()),
        st.tuples(st.just("check"), st.none()),
    ),
    max_size=12,
)
