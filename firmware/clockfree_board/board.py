"""The loop of a board: HOLD or RUN, commands, telemetry, housekeeping.

The loop has an order. What is due by an edge's own clock comes first, then what the host asked, then what there is
to tell, then the rest: whatever of that would take long waits for a moment in which nothing is due. A board that has
hardly such moments still listens now and then.
"""

from clockfree_board.clock import ticks_add, ticks_diff
from clockfree_board.link import HOLD, NUMBERS, PROTOCOL, RUN, VERSION

IDLE_US = 100_000  # nothing due: look again after this long
_SLACK_US = 1_000  # with less time before the next firing nothing is sent
_LINE_US = 5_000  # with less than this no line is read or built: a Pico takes some ms for one
_FEED_US = 1_000_000
_BLINK_US = 500_000
_FAULT_BLINK_US = 100_000
_ANSWER_US = 1_000_000  # a reset waits so long for its answer to be taken
_IN_RUN = ("hello", "status", "report", "hold", "run", "lesson", "example", "teach")


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
        self._commands: dict = {
            "hello": self._hello,
            "status": self._status,
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
        self._alone = False
        self._lit = 0
        self._resetting = False

    def run(self):
        """Serve for ever; Ctrl-C leaves the board in HOLD and gives the REPL."""
        self._tell("hello", self.hello())
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

    def turn(self):
        """One turn of the loop."""
        chip, port, role = self.chip, self.port, self.role
        now_us = chip.now_us()
        if ticks_diff(now_us, self._fed_us) >= _FEED_US:
            self._fed_us = now_us
            chip.feed()
            self._mind_the_host(now_us)
        wait_us = IDLE_US
        if self.state == RUN:
            try:
                wait_us = role.serve(now_us)
            except Exception as error:
                self.hold("%s: %s" % (type(error).__name__, error))
        until_us = ticks_add(now_us, wait_us)
        if wait_us > _LINE_US or ticks_diff(now_us, self._looked_us) > IDLE_US:
            self._looked_us = now_us
            messages = port.messages()
            if messages:
                self._heard_us = now_us
                self._alone = False
                for message in messages:
                    self._answer(message)
                return  # that took time: what is due comes first again
        left_us = ticks_diff(until_us, chip.now_us())
        if left_us > _SLACK_US:
            if left_us > _LINE_US:
                self._telemetry(now_us)
            port.pump()
            self._housekeeping(now_us)
            chip.collect(ticks_diff(until_us, chip.now_us()))
            left_us = ticks_diff(until_us, chip.now_us())
        # Bytes to send go out a few at a time; else sleep until just before something is due.
        if left_us > _LINE_US:
            more = self._lines is not None and not port.busy  # another line can be built at once
            port.listen(0 if more else min(left_us, self._until_report(now_us)) // 1000 - 1)
        elif left_us > 0:
            chip.sleep_us(min(left_us, _SLACK_US) if port.busy else left_us)

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
            reply = ["ok", number]
            reply.extend(self._commands[kind](*message[2:]))
        except KeyError as error:
            reply = ["no", number, "nothing named %s" % error]
        except Exception as error:  # whatever a wrong argument or a chip raises: the host is told, the board goes on
            reply = ["no", number, str(error) or type(error).__name__]
        try:
            self.port.send(reply)
        except ValueError:
            self.port.send(["no", number, "no answer in printable ASCII"])
        except MemoryError:  # the host asks again
            pass

    def _hello(self):
        return (self.hello(),)

    def _status(self):
        status = {
            "state": self.state,
            "run": self.run_id,
            "boot": self.chip.boot,
            "reason": self.reason,
            "version": VERSION,
            "config": self._digest,
            "t_us": self.chip.now_us(),
        }
        if self.role:
            status.update(self.role.status())
        return (status,)

    def _report(self, period_ms, firings):
        if not 0 <= period_ms <= 500_000:
            raise Refused("period outside 0..500000 ms")
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
        self.role.prepare(run_id)
        return ()

    def _run(self, run_id):
        self._needs_role()
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
        self.role.start(self.chip.now_us())
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

    def _tell(self, kind, *fields):
        """Queue telemetry; one that finds no room leaves a gap in the numbers, which the host reports."""
        message = [kind, self._number]
        message.extend(fields)
        self._number = (self._number + 1) % NUMBERS
        self.port.send(message)

    def _until_report(self, now_us):
        if not self._period_us:
            return IDLE_US
        return max(2 * _SLACK_US, min(IDLE_US, self._period_us - ticks_diff(now_us, self._reported_us)))

    def _telemetry(self, now_us):
        """Tell one line of the report that is due: a second one would take as long again."""
        period_us = self._period_us
        if not period_us or self.role is None:
            return
        if self._lines is None:
            if ticks_diff(now_us, self._reported_us) < period_us:
                return
            due_us = ticks_add(self._reported_us, period_us)
            late = ticks_diff(now_us, due_us) > period_us
            self._reported_us = now_us if late else due_us
            self._lines = self.role.report(now_us, self.chip.boot, self._firings)
        number = self._number
        try:
            for kind, *fields in self._lines:
                self._tell(kind, *fields)
                return
        except MemoryError:  # dropped, like a line that finds no room at the port
            self._number = (number + 1) % NUMBERS
        self._lines = None

    # -- housekeeping --------------------------------------------------------------------------------------------

    def _housekeeping(self, now_us):
        if self._resetting and not (self.port.busy and ticks_diff(now_us, self._heard_us) < _ANSWER_US):
            self.chip.reset()
        blink_us = _BLINK_US if self.role else _FAULT_BLINK_US
        self._light(1 if self.state == RUN else now_us // blink_us & 1)

    def _mind_the_host(self, now_us):
        if not self._alone and ticks_diff(now_us, self._heard_us) > self._loss_us:
            self._alone = True
            if self._holds and self.state == RUN:
                self.hold("no word from the host for %d ms" % (self._loss_us // 1000))

    def _light(self, level):
        if level != self._lit:
            self._lit = level
            self.chip.led(level)
