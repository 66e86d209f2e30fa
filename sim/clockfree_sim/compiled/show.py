"""Compiled supervisor: what its methods call, on the circuit instead of chips."""

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import voltages
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get
from clockfree_sim.compiled.clamp import FIRST, LAST, sample, solve
from clockfree_sim.compiled.firmware import next_example
from clockfree_sim.compiled.typed_record import ShowType, lacks, method_of


@method_of(ShowType, "next")
def _next(self):
    return lambda self: next_example(self)


@method_of(ShowType, "measure")
def _measure(self):
    def measure(self):
        sources = get(self.plan, at.SOURCES)
        ports = get(self.plan, at.S_PORTS)
        members = get(self.plan, get(self.plan, at.ROOT) + at.P_MEMBERS)
        settles = voltages.settles(self.state)
        for i in range(sources, sources + get(self.plan, at.TARGETS)):
            voltage = get(self.state, ports + i)
            if settles:
                voltage, _ = voltages.node_sensed(self.plan, self.state, get(self.plan, members + i), self.now[0])
            self.readings[self.present, i - sources] = code_of(self.levels, 0, voltage * self.codes_per_V)

    return measure


@method_of(ShowType, "show_example")
def _show_example(self, example):
    if lacks(self, "clamp"):

        def show_example(self, example):
            self.present = example
            _put(self, at.S_PORTS, 0, at.SOURCES)
            _put(self, at.S_TARGET, get(self.plan, at.SOURCES), at.TARGETS)
            solve(self.plan, self.state, self.now)
    else:

        def show_example(self, example):
            self.present = example
            _put(self, at.S_PORTS, 0, at.SOURCES)
            clamp = self.clamp
            if clamp.digital:
                for i in range(get(self.plan, at.TARGETS)):
                    clamp.desired_V[i] = self.examples[example, get(self.plan, at.SOURCES) + i]
                clamp.turn[FIRST] = clamp.turn[LAST]  # what was sampled before is dropped
                solve(self.plan, self.state, self.now)
                sample(clamp, self.plan, self.state, self.now)
            else:
                _put(self, at.S_TARGET, get(self.plan, at.SOURCES), at.TARGETS)
                solve(self.plan, self.state, self.now)

    return show_example


@inner(error_model="numpy")
def _put(show, key, first, count):
    """Voltages of the example that is shown, to this part of the state."""
    for i in range(get(show.plan, count)):
        show.state[get(show.plan, key) + i] = show.examples[show.present, first + i]


@inner(error_model="numpy")
def code_of(levels, begin, codes):
    """Code of an ADC: how many of its 4095 levels, from begin on, are not above its input, which is close to it."""
    code = min(max(int(codes), 0), 4095)
    while code < 4095 and get(levels, begin + code) <= codes:
        code += 1
    while code > 0 and get(levels, begin + code - 1) > codes:
        code -= 1
    return code
