"""A board's configuration, `/clockfree.json`: read, and checked as far as no driver does it."""

import json
from hashlib import sha256

from clockfree_board.emitters import const

CONFIG = "/clockfree.json"
FORMAT = 2
ROLES = ("edge", "supervisor")
_MOST_LOSS_MS = const(500_000)  # half a wrap of the ticks, and a little less


class ConfigError(Exception):
    """The configuration cannot be used; the text names the key."""


def printable(text):
    """A text as the link can carry it."""
    return "".join([letter if " " <= letter <= "~" else "?" for letter in text])


def why(error):
    """What an error says, as the link can carry it."""
    text = "nothing named %s" % error if isinstance(error, KeyError) else str(error) or type(error).__name__
    return printable(text)


def read_config():
    """The text of the configuration, and its hash as HELLO tells it; ConfigError where there is none."""
    try:
        with open(CONFIG, "rb") as file:
            text = file.read()
    except OSError:
        raise ConfigError("expected the board's configuration, got none") from None
    from clockfree_board.digest import short  # which does not stay

    return text, short(sha256(text))


def parse_config(text):
    """The configuration in a text.

    Raises ConfigError where it is none, or where it says of the board as a whole what cannot be.
    """
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ConfigError("format: expected JSON of format %d" % FORMAT)
    if config.get("role") not in ROLES:
        raise ConfigError("role: expected edge or supervisor, got %s" % config.get("role"))
    on_loss, loss_ms = config.get("on_loss", "learn"), config.get("loss_ms", 15_000)
    if on_loss not in ("learn", "hold"):
        raise ConfigError("on_loss: expected learn or hold, got %s" % on_loss)
    if not isinstance(loss_ms, int) or not 0 < loss_ms <= _MOST_LOSS_MS:
        raise ConfigError("loss_ms: expected 1..%d, got %s" % (_MOST_LOSS_MS, loss_ms))
    return config
