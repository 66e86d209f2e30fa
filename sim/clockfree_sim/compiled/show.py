"""Compiled supervisor: what its methods call, on the circuit instead of chips."""

from clockfree_board.overclamp import READS
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import voltages
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get, put
from clockfree_sim.compiled.clamp import FIRST, LAST, sample, solve
from clockfree_sim.compiled.firmware import hold, look_at_outputs, next_example, next_look, steer
from clockfree_sim.compiled.typed_record import ShowType, lacks, method_of
from clockfree_sim.plant import noise

_LEVELS = 4095
_CHANNELS = 8  # of an ADC


@method_of(ShowType, "next")
def _next(self):
    return lambda self: next_example(self)


@method_of(ShowType, "steer")
def _steer(self, now_us):
    return lambda self, now_us: steer(self, now_us)


@method_of(ShowType, "next_look")
def _next_look(self):
    return lambda self: next_look(self)


@method_of(ShowType, "look")
def _look(self):
    return lambda self: look_at_outputs(self)


@method_of(ShowType, "hold")
def _hold(self):
    return lambda self: hold(self)


@method_of(ShowType, "read")
def _read(self, output):
    def read(self, output):
        volts = _free_output(self, output)
        total = 0
        for _ in range(READS):
            codes = volts * self.codes_per_V + self.shift[output]
            if self.noise_V:
                codes += self.noise_V * noise.gauss(self.noise_key, self.drawn) * self.codes_per_V
                self.drawn += 1
            total += code_of(self.levels, output // _CHANNELS * _LEVELS, codes)
        return total

    return read


@method_of(ShowType, "clamp")
def _clamp(self, on):
    def clamp(self, on):
        self.clamped = on
        _drive(self)

    return clamp


@method_of(ShowType, "put")
def _put_codes(self):
    def put(self):
        target = get(self.plan, at.S_TARGET)
        for i in range(get(self.plan, at.TARGETS)):
            self.state[target + i] = self.supply_V * self.codes[i] / 4096 + self.error_V[i]
        _drive(self)

    return put


@method_of(ShowType, "measure")
def _measure(self):
    def measure(self):
        for i in range(get(self.plan, at.TARGETS)):
            self.readings[self.present, i] = code_of(self.levels, 0, _free_output(self, i) * self.codes_per_V)

    return measure


@method_of(ShowType, "show_example")
def _show_example(self, example):
    if lacks(self, "digital_clamp"):

        def show_example(self, example):
            self.present = example
            if self.overclamps:
                _show_floating(self)
            else:
                _put(self, at.S_PORTS, 0, at.SOURCES)
                _put(self, at.S_TARGET, get(self.plan, at.SOURCES), at.TARGETS)
                solve(self.plan, self.state, self.now)
    else:

        def show_example(self, example):
            self.present = example
            if self.overclamps:
                _show_floating(self)
                return
            _put(self, at.S_PORTS, 0, at.SOURCES)
            clamp = self.digital_clamp
            if clamp.digital:
                for i in range(get(self.plan, at.TARGETS)):
                    clamp.desired_V[i] = self.examples_V[example, get(self.plan, at.SOURCES) + i]
                clamp.turn[FIRST] = clamp.turn[LAST]  # what was sampled before is dropped
                solve(self.plan, self.state, self.now)
                sample(clamp, self.plan, self.state, self.now)
            else:
                _put(self, at.S_TARGET, get(self.plan, at.SOURCES), at.TARGETS)
                solve(self.plan, self.state, self.now)

    return show_example


@inner(error_model="numpy")
def _show_floating(show):
    """An overclamp lets go, and the example is shown."""
    if show.clamped:
        show.clamped = 0
        _drive(show)
    _put(show, at.S_PORTS, 0, at.SOURCES)
    _put(show, at.S_TARGET, get(show.plan, at.SOURCES), at.TARGETS)
    _drive(show)


@inner(error_model="numpy")
def _drive(show):
    """As `Plant.drive`, with what is desired held, or with the clamp let go."""
    put(show.state, at.WEIGHT, 0.0)
    put(show.state, at.FLOATING, 0.0)
    solve(show.plan, show.state, show.now)
    if not show.clamped:
        put(show.state, at.FLOATING, 1.0)
        solve(show.plan, show.state, show.now)


@inner(error_model="numpy")
def _free_output(show, output):
    """Free voltage of an output now, V."""
    place = get(show.plan, at.SOURCES) + output
    if voltages.settles(show.state):
        members = get(show.plan, get(show.plan, at.ROOT) + at.P_MEMBERS)
        free, _ = voltages.node_sensed(show.plan, show.state, get(show.plan, members + place), show.now[0])
        return free
    return get(show.state, get(show.plan, at.S_PORTS) + place)


@inner(error_model="numpy")
def _put(show, key, first, count):
    """Voltages of the example that is shown, to this part of the state."""
    for i in range(get(show.plan, count)):
        show.state[get(show.plan, key) + i] = show.examples_V[show.present, first + i]


@inner(error_model="numpy")
def code_of(levels, begin, codes):
    """Code of an ADC: how many of its 4095 levels, from begin on, are not above its input, which is close to it."""
    code = min(max(int(codes), 0), 4095)
    while code < 4095 and get(levels, begin + code) <= codes:
        code += 1
    while code > 0 and get(levels, begin + code - 1) > codes:
        code -= 1
    return code
