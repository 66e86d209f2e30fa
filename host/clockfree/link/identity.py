"""Which board is at a port: its unique id, and what its USB says of it before anybody has written to it.

MicroPython gives `machine.unique_id()` as the serial number of its USB port: 16 hex digits of an RP2040 or RP2350, 12
of an ESP32, 24 of an STM32, of which builds with ST's own USB say 12 that are made from them.
"""

import re

DIGITS = r"[0-9a-f]{12}(?:[0-9a-f]{4}|[0-9a-f]{12})?"
"""A unique id, in lower case."""
_KNOWN = {(0x2E8A, 0x0005), (0xF055, 0x9800), (0xF055, 0x9801), (0xF055, 0x9802), (0x303A, 0x4001)}
"""USB vendor and product of MicroPython on RP2, STM32 and mimxrt, ESP32-S2 and -S3."""
_MAKER = "MicroPython"


def numbers(id_: str) -> set[str]:
    """Serial numbers that the USB port of a board with this unique id may have."""
    found = {id_}
    if len(id_) == 24:
        b = bytes.fromhex(id_)
        made = b[11], b[10] + b[2], b[9], b[8] + b[0], b[7], b[6]  # as ST's boot loader makes it, too
        found.add("".join(f"{byte & 0xFF:02x}" for byte in made))
    return found


def is_board(named: str | None, told: object) -> bool:
    """Whether a board that tells this unique id is the one of a name; None is any."""
    return named is None or (isinstance(told, str) and bool(re.fullmatch(DIGITS, told)) and named in numbers(told))


def is_micropython(vendor: int | None, product: int | None, maker: str | None) -> bool:
    """Whether a port says of itself that MicroPython is behind it: a debug probe has an id of the same shape."""
    return (vendor, product) in _KNOWN or (maker or "").startswith(_MAKER)
