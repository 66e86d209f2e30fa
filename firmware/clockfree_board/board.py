"""The loop of a board: HOLD or RUN, commands, telemetry, housekeeping.

The loop has an order. What is due by an edge's own clock comes first, then what the host asked, then what there is
to tell, then the rest. All of that is done in small steps, each begun only where it fits into the time before the next
firing. A board that has hardly such moments takes one now and then all the same.
"""

from json import dumps

from clockfree_board.clock import ticks_add, ticks_diff
from clockfree_board.config import printable
from clockfree_board.emitters import const, micropython
from clockfree_board.link import HOLD, NUMBERS, PROTOCOL, RUN, VERSION

IDLE_US = 100_000  # nothing due: look again after this long
NEAR_US = 1_000
"""A role waits for what is due within this; with less no step of the link is begun: a Pico takes up to half of it."""
_ANSWER_US = const(2_500)  # nor with less than this a command carried out
_LEAST_US = const(33_000)  # but after so long without one there are some, or a board that is always due answers nobody
_LEAST_STEPS = const(8)
_REST_US = const(5_000)  # with more than this the board may rest until bytes come
_FEED_US = const(1_000_000)
_BLINK_US = const(500_000)
_FAULT_BLINK_US = const(100_000)
_TAKEN_US = const(1_000_000)  # a reset waits so long for its answer to be taken
_ANSWERED = const(2)  # a step that has answered: what is due may be another
_IN_RUN = ("hello", "status", "heard", "report", "hold", "run", "lesson", "example", "teach")
_MOST_MS = const(500_000)  # half a wrap of the ticks, and a little less


class Refused(Exception):
    """A command that cannot be carried out; the text goes to the host."""


class Board:
    """One board, whatever its role.

    Parameters
    ----------
    chip : hw.Chip
        Its clock, LED, watchdog and identity.
    port : Port
    role : EdgeRole, SupervisorRole or None
        None with a configuration that cannot be used; the board stays in HOLD then.
    config : dict
        `on_loss` and `loss_ms`: in RUN without a word from the host for so long, go on ("learn") or HOLD ("hold").
    digest : str or None
        Hash of the configuration.
    reason : str
        Why there is no role.
    """

    def __init__(self, chip, port, role, config, digest, reason=""):
        self.chip = chip
        self.port = port
        self.role = role
        self.state = HOLD
        self.run_id = 0
        self.reason = reason
        self._digest = digest
        self._holds = config.get("on_loss") == "hold"
        self._loss_us = 1000 * config.get("loss_ms", 15_000)
        self._prepared = 0
        self._number = 0  # of the next telemetry
        self._period_us = 0
        self._firings = False
        self._lines = None  # of the report that is under way
        self._steps = 0  # of the link, since garbage was collected
        self._commands: dict = {
            "hello": self._hello,
            "status": self._status,
            "heard": self._heard,
            "report": self._report,
            "hold": self._hold,
            "prepare": self._prepare,
            "run": self._run,
            "reset": self._reset,
        }
        if role:
            self._commands.update(role.commands)
        now_us = chip.now_us()
        self._heard_us = self._looked_us = self._fed_us = self._reported_us = now_us
        self._taught_us = now_us  # when the supervisor was last heard of, over the host, by this board's own time
        self._silence_us = 0  # HOLD when that is longer ago; 0 is never
        self._alone = False
        self._lit = 0
        self._resetting = False

    def run(self):
        """Serve for ever; Ctrl-C leaves the board in HOLD and gives the REPL."""
        self._tell("hello", _after_comma(self.hello()))
        try:
            try:
                while True:
                    self.turn()
            except KeyboardInterrupt:
                self._stop()
        except KeyboardInterrupt:  # pressed again, in between the lines of that
            self._stop()

    def _stop(self):
        """HOLD, and no watchdog that bites at the prompt; pressing Ctrl-C again does not cut this short."""
        while True:
            try:
                self.hold("stopped by Ctrl-C")
                self.chip.stand_down()
                print("clockfree: HOLD, stopped by Ctrl-C; a reset starts it again")
                return
            except KeyboardInterrupt:
                pass

    @micropython.native
    def turn(self):
        """One turn of the loop."""
        chip = self.chip
        now_us = chip.now_us()
        if ticks_diff(now_us, self._fed_us) >= _FEED_US:
            self._fed_us = now_us
            chip.feed()
            self._mind_the_host(now_us)
            self._mind_the_supervisor(now_us)
        left_us = IDLE_US
        if self.state == RUN:
            try:
                left_us = self.role.serve(now_us)
            except Exception as error:
                self.hold(printable("%s: %s" % (type(error).__name__, error)))
            now_us = chip.now_us()
        due_us = ticks_add(now_us, left_us)
        steps = 0
        if left_us <= _ANSWER_US and ticks_diff(now_us, self._looked_us) > _LEAST_US:
            steps = _LEAST_STEPS
        while left_us > NEAR_US or steps > 0:
            steps -= 1
            done = self._step(now_us, left_us if steps < 0 else IDLE_US)
            if done or not self.port.told:
                self._looked_us = now_us
            now_us = chip.now_us()
            left_us = ticks_diff(due_us, now_us)
            if done == _ANSWERED:
                return
            if not done:
                break
            self._steps += 1
        if left_us > NEAR_US:
            self._rest(now_us, due_us)

    @micropython.native
    def _step(self, now_us, left_us):
        """One small step of the link: what has come, then what there is to tell; False where there is neither."""
        port = self.port
        if port.told:
            if left_us <= _ANSWER_US:
                return False
            message = port.message()
            if message:
                self._heard_us = now_us
                self._alone = False
                self._answer(message)
            return _ANSWERED
        return port.hear() or port.pump() or self._telemetry(now_us)

    def _rest(self, now_us, due_us):
        """Nothing is due for a while, and nothing can be done: housekeeping, then sleep."""
        chip, port = self.chip, self.port
        self._housekeeping(now_us)
        if chip.collect(ticks_diff(due_us, now_us), self._steps):
            self._steps = 0
        left_us = ticks_diff(due_us, chip.now_us())
        if left_us > _REST_US:
            port.listen(min(left_us, self._until_report(now_us)) // 1000 - 1)
        elif left_us > NEAR_US:
            chip.sleep_us(NEAR_US if port.busy else left_us - NEAR_US // 2)

    def hold(self, reason):
        """Stop firing."""
        if self.state == RUN:
            self.role.stop()
        self.state = HOLD
        self.run_id = self._prepared = 0
        self.reason = self.reason if self.role is None else reason

    def hello(self):
        """Who this board is and what it can do."""
        chip, role = self.chip, self.role
        return {
            "role": role and role.name,
            "id": chip.unique_id,
            "boot": chip.boot,
            "version": VERSION,
            "protocol": PROTOCOL,
            "code": chip.code,
            "config": self._digest,
            "state": self.state,
            "run": self.run_id,
            "reason": self.reason,
            "reset": chip.reset_cause,
            "mpy": chip.mpy,
            "can": role.can() if role else {},
            "t_us": chip.now_us(),
            "heap": chip.heap(),
        }

    # -- commands ------------------------------------------------------------------------------------------------

    def _answer(self, message):
        kind, number = message[0], message[1] if len(message) > 1 else None
        if not isinstance(number, int):
            return
        try:
            if kind not in self._commands:
                raise Refused("unknown command")
            if self.state == RUN and kind not in _IN_RUN:
                raise Refused("in HOLD only")
            if any(isinstance(field, float) for field in message):
                raise Refused("expected whole numbers")
            found = self._commands[kind](*message[2:])
            if not isinstance(found, tuple):  # made on its way, in pieces
                self.port.tell(_answer(number, found))
                return
            reply = ["ok", number]
            reply.extend(found)
        except KeyError as error:
            reply = ["no", number, "nothing named %s" % error]
        except Exception as error:  # whatever a wrong argument or a chip raises: the host is told, the board goes on
            reply = ["no", number, str(error) or type(error).__name__]
        if reply[0] == "no" and printable(reply[2]) != reply[2]:
            reply[2] = "no answer in printable ASCII"
        self.port.send(reply)

    def _hello(self):
        return _table(self.hello())

    def _status(self):
        return self._of_status()

    def _of_status(self):
        status = {
            "state": self.state,
            "run": self.run_id,
            "boot": self.chip.boot,
            "reason": self.reason,
            "version": VERSION,
            "config": self._digest,
            "t_us": self.chip.now_us(),
        }
        yield dumps(status, separators=_TIGHT)[:-1]
        if self.role:
            yield ","
            yield from self.role.status()
        yield "}"

    def _heard(self, ago_ms):
        """The supervisor was heard of so long ago; what comes late, or twice, makes it no longer."""
        if not 0 <= ago_ms <= _MOST_MS:
            raise Refused("time outside 0..%d ms" % _MOST_MS)
        at_us = ticks_add(self.chip.now_us(), -1000 * ago_ms)
        if ticks_diff(at_us, self._taught_us) > 0:
            self._taught_us = at_us
        return self._of_status()

    def _report(self, period_ms, firings):
        if not 0 <= period_ms <= _MOST_MS:
            raise Refused("period outside 0..%d ms" % _MOST_MS)
        self._period_us = 1000 * period_ms
        self._firings = bool(firings)
        self._lines = None
        self._reported_us = self.chip.now_us()
        return ()

    def _hold(self):
        self.hold("asked by the host")
        return ()

    def _prepare(self, run_id):
        self._needs_role()
        if not 0 < run_id < NUMBERS:
            raise Refused("run id outside 1..%d" % (NUMBERS - 1))
        self._prepared = run_id
        self.run_id = 0
        self.role.prepare(run_id)
        return ()

    def _run(self, run_id, silence_ms=0):
        self._needs_role()
        if not 0 <= silence_ms <= _MOST_MS:
            raise Refused("time outside 0..%d ms" % _MOST_MS)
        if self.state == RUN:
            if run_id != self.run_id:
                raise Refused("running %d" % self.run_id)
            return ()
        if not run_id or run_id != self._prepared:
            raise Refused("prepared for run %d" % self._prepared)
        lacks = self.role.lacks()
        if lacks:
            raise Refused(lacks)
        self.chip.arm()
        self.chip.collect()
        self._silence_us = 1000 * silence_ms
        self._taught_us = self.chip.now_us()
        self.role.start(self._taught_us)
        self.state = RUN
        self.run_id = run_id
        self.reason = ""
        return ()

    def _reset(self):
        self._resetting = True
        return ()

    def _needs_role(self):
        if self.role is None:
            raise Refused(self.reason)

    # -- telemetry -----------------------------------------------------------------------------------------------

    def _tell(self, kind, pieces):
        """Queue telemetry; one that finds no room leaves a gap in the numbers, which the host reports."""
        self.port.tell(_line(kind, self._number, pieces))
        self._number = (self._number + 1) % NUMBERS

    def _until_report(self, now_us):
        if not self._period_us:
            return IDLE_US
        left_us = self._period_us - ticks_diff(now_us, self._reported_us)
        return max(2 * NEAR_US, min(IDLE_US, left_us))

    def _telemetry(self, now_us):
        """Begin a line of the report that is due, now that nothing else is to be sent; False where there is none."""
        period_us = self._period_us
        if not period_us or self.role is None:
            return False
        if self._lines is None:
            if ticks_diff(now_us, self._reported_us) < period_us:
                return False
            due_us = ticks_add(self._reported_us, period_us)
            late = ticks_diff(now_us, due_us) > period_us
            self._reported_us = now_us if late else due_us
            self._lines = self.role.report(now_us, self.chip.boot, self._firings)
        number = self._number
        try:
            for kind, pieces in self._lines:
                self._tell(kind, pieces)
                return True
        except MemoryError:  # dropped, like a line that finds no room at the port
            self._number = (number + 1) % NUMBERS
        self._lines = None
        return False

    # -- housekeeping --------------------------------------------------------------------------------------------

    def _housekeeping(self, now_us):
        if self._resetting and not (self.port.busy and ticks_diff(now_us, self._heard_us) < _TAKEN_US):
            self.chip.reset()
        blink_us = _BLINK_US if self.role else _FAULT_BLINK_US
        self._light(1 if self.state == RUN else now_us // blink_us & 1)

    def _mind_the_host(self, now_us):
        if not self._alone and ticks_diff(now_us, self._heard_us) > self._loss_us:
            self._alone = True
            if self._holds and self.state == RUN:
                self.hold("no word from the host for %d ms" % (self._loss_us // 1000))

    def _mind_the_supervisor(self, now_us):
        """HOLD where nobody can say that the examples still change; `run` with the same run id goes on from there."""
        if self._silence_us and self.state == RUN and ticks_diff(now_us, self._taught_us) > self._silence_us:
            run_id = self.run_id
            self.hold("no word of the supervisor for %d ms" % (self._silence_us // 1000))
            self.run_id = self._prepared = run_id

    def _light(self, level):
        if level != self._lit:
            self._lit = level
            self.chip.led(level)


_TIGHT = (",", ":")


def _answer(number, pieces):
    yield '["ok",%d,' % number
    yield from pieces


def _line(kind, number, pieces):
    yield '["%s",%d' % (kind, number)
    yield from pieces


def _table(table):
    """The text of a dict, an item a piece."""
    between = "{"
    for name, value in table.items():
        yield between + dumps({name: value}, separators=_TIGHT)[1:-1]
        between = ","
    yield "}"


def _after_comma(table):
    yield ","
    yield from _table(table)
