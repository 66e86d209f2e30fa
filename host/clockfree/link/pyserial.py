"""pyserial, or in one line what is there under its name.

Another package on PyPI, and many a file of one's own, is called `serial` too.
"""

from clockfree.base.errors import InputError

_LACKS = "is another package than pyserial, which clockfree talks to boards by"

try:
    import serial
    from serial.tools import list_ports
except ImportError as error:
    if (error.name or "").partition(".")[0] != "serial" or error.name == "serial":
        raise
    raise InputError(
        f"serial: {_LACKS}: rename it if it is a file of yours, else pip uninstall serial; pip install pyserial"
    ) from None

if not hasattr(serial, "serial_for_url"):
    raise InputError(f"{getattr(serial, '__file__', 'serial')}: {_LACKS}: pip uninstall serial; pip install pyserial")

__all__ = ["list_ports", "serial"]
