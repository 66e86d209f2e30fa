"""Compiled ADCs of the edges: as `parts.converters` has them, on the compiled circuit."""

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import voltages
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get
from clockfree_sim.compiled.firmware import WITHIN, read_adc, read_pico_adc
from clockfree_sim.compiled.records import ADC
from clockfree_sim.compiled.show import code_of
from clockfree_sim.compiled.typed_record import EdgeType, attribute_of, method_of
from clockfree_sim.plant import noise


@method_of(EdgeType, "read")
def _read(self):
    def read(self):
        if get(self.state, at.STALE):
            voltages.voltages(self.plan, self.state, self.now[0])
        if self.front_end == ADC:
            return read_adc(self)
        return read_pico_adc(self)

    return read


@attribute_of(EdgeType, "answers")
def _answers(self):
    return lambda self: 0


@method_of(EdgeType, "convert", **WITHIN)
def _convert(self):
    return lambda self: None


@method_of(EdgeType, "drop", **WITHIN)
def _drop(self, answers, begin):
    def drop(self, answers, begin):
        channel = begin // 3  # of its tail; its head's is the next
        tail = _code(self, channel)
        return (tail - _code(self, channel + 1)) << 4

    return drop


@inner(error_model="numpy", **WITHIN)
def _code(self, channel):
    node = get(self.plan, get(self.plan, at.P_EDGES) + at.EDGE_SIZE * self.index + at.E_TAIL + channel % 2)
    free, clamped = voltages.node_sensed(self.plan, self.state, node, self.now[0])
    return _converted(self, free if channel < 2 else clamped, channel)


@method_of(EdgeType, "free")
def _free(self):
    def free(self):
        drop, _ = voltages.drops_sensed(self.plan, self.state, self.index, self.now[0])
        return _u16(_converted(self, 0.5 * (self.supply_V + drop), 0))

    return free


@method_of(EdgeType, "clamped")
def _clamped(self):
    def clamped(self):
        _, drop = voltages.drops_sensed(self.plan, self.state, self.index, self.now[0])
        return _u16(_converted(self, 0.5 * (self.supply_V + drop), 1))

    return clamped


@inner(error_model="numpy")
def _u16(code):
    return code << 4 | code >> 8


@inner(error_model="numpy", **WITHIN)
def _converted(edge, volts, channel):
    """Code of a channel."""
    codes = volts * edge.codes_per_V + edge.shift[channel]
    if edge.noise_V:
        codes += edge.noise_V * noise.gauss(edge.noise_key, edge.drawn) * edge.codes_per_V
        edge.drawn += 1
    return code_of(edge.levels, edge.adc * 4095, codes)
