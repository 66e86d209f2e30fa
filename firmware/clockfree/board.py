"""What a board does: HOLD or RUN, commands, telemetry, housekeeping, in one loop.

The loop has an order. What is due by an edge's own clock comes first, then what the host asked, then what there is
to tell, then the rest: whatever of that would take long waits for a moment in which nothing is due.
"""

from clockfree.clock import ticks_add, ticks_diff
from clockfree.link import HOLD, NUMBERS, PROTOCOL, RUN, VERSION

IDLE_US = 100_000  # nothing due: look again after this long
_SLACK_US = 1_000  # with less time before the next firing nothing is sent
_TELL_US = 5_000  # with less than this no telemetry is built: a Pico takes some ms for a line
_FEED_US = 1_000_000
_BLINK_US = 500_000
_FAULT_BLINK_US = 100_000
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
        self._heard_us = self._fed_us = self._blinked_us = self._reported_us = now_us
        self._alone = False
        self._lit = 0
        self._resetting = False

    def run(self):
        """Serve for ever; Ctrl-C leaves the board in HOLD and gives the REPL."""
        self._tell("hello", self.hello())
        try:
            while True:
                self.turn()
        except KeyboardInterrupt:
            self.hold("stopped by Ctrl-C")
            self.chip.keep_fed()
            print("clockfree: HOLD, stopped by Ctrl-C; a reset starts it again")

    def turn(self):
        """One turn of the loop."""
        chip, port, role = self.chip, self.port, self.role
        now_us = chip.now_us()
        wait_us = IDLE_US
        if self.state == RUN:
            try:
                wait_us = role.serve(now_us)
            except Exception as error:
                self.hold("%s: %s" % (type(error).__name__, error))
        messages = port.messages()
        if messages:
            self._heard_us = now_us
            self._alone = False
            for message in messages:
                self._answer(message)
            return  # that took time: what is due comes first again
        if wait_us > _SLACK_US:
            if wait_us > _TELL_US:
                self._telemetry(now_us)
            port.pump()
            self._housekeeping(now_us, wait_us)
        left_us = wait_us - ticks_diff(chip.now_us(), now_us)
        if left_us > 2 * _SLACK_US:
            # Bytes to send go out a few at a time; else sleep until just before something is due.
            port.listen(1 if port.busy else min(left_us, self._until_report(now_us)) // 1000 - 1)
        elif left_us > 0:
            chip.sleep_us(left_us)

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
        self.state = RUN
        self.run_id = run_id
        self.reason = ""
        self.chip.arm()
        self.role.start(self.chip.now_us())
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
        self.port.send(message)
        self._number = (self._number + 1) % NUMBERS

    def _until_report(self, now_us):
        if not self._period_us:
            return IDLE_US
        return max(2 * _SLACK_US, min(IDLE_US, self._period_us - ticks_diff(now_us, self._reported_us)))

    def _telemetry(self, now_us):
        period_us = self._period_us
        if not period_us or self.role is None:
            return
        if ticks_diff(now_us, self._reported_us) >= period_us:
            due_us = ticks_add(self._reported_us, period_us)
            late = ticks_diff(now_us, due_us) > period_us
            self._reported_us = now_us if late else due_us
            for kind, *fields in self.role.report(now_us, self.chip.boot):
                self._tell(kind, *fields)
            if self._firings:
                for rows in self.role.firings():
                    self._tell("firings", *rows)

    # -- housekeeping --------------------------------------------------------------------------------------------

    def _housekeeping(self, now_us, wait_us):
        chip = self.chip
        if self._resetting and not self.port.busy:
            chip.reset()
        if chip.armed and ticks_diff(now_us, self._fed_us) >= _FEED_US:
            self._fed_us = now_us
            chip.feed()
        if self.state == RUN:
            self._light(1)
        elif ticks_diff(now_us, self._blinked_us) >= (_BLINK_US if self.role else _FAULT_BLINK_US):
            self._blinked_us = now_us
            self._light(1 - self._lit)
        if not self._alone and ticks_diff(now_us, self._heard_us) > self._loss_us:
            self._alone = True
            if self._holds and self.state == RUN:
                self.hold("no word from the host for %d ms" % (self._loss_us // 1000))
        chip.collect(wait_us)

    def _light(self, level):
        if level != self._lit:
            self._lit = level
            self.chip.led(level)
