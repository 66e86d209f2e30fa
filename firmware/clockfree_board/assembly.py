"""Assembly of drivers from a board's configuration, which names them: no chip is known here.

A part is a dict: `driver` ("module:Class" of this package), `pins` (name, role and number of each, in the driver's
order), `given` (what else the driver takes, by name); `bus` ("spi", or "i2c" with an `address`) where it has one, and
`on`, the part that it looks through, where there is one.

Lines are what a board has: `spi` and `i2c`, and a method for each role of a pin, which makes of its number what a
driver calls: `select` (chip select, high from the start), `output` (low from the start), `input`, `pwm` (its duty),
`adc`.
"""

PACKAGE = "clockfree_board"


def assemble(part, lines):
    """The driver of a part, on the lines of a board."""
    module, name = part["driver"].split(":")
    try:
        kind = getattr(__import__("%s.%s" % (PACKAGE, module), None, None, (name,)), name)
    except (ImportError, AttributeError):
        raise ValueError("driver: nothing named %s in this firmware" % part["driver"]) from None
    on = [assemble(part["on"], lines)] if "on" in part else []
    bus = part.get("bus")
    if bus == "spi":
        on.append(lines.spi)
    elif bus == "i2c":
        on.extend((lines.i2c, part["address"]))
    for _, role, number in part["pins"]:
        on.append(getattr(lines, role)(number))
    return kind(*on, **part["given"])
