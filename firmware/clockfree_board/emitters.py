"""MicroPython's emitters of machine code, and what stands for them where there are none.

`@micropython.native` keeps a function's frame on the C stack, where bytecode with many locals takes it from the heap
at every call, and is about twice as fast. `@micropython.viper` works on machine words: it is for arguments whose type
is sure. What is `const` is part of the code, and not looked up each time; where its name begins with an underscore, no
board keeps the name. Names are dear: the table of them grows by doubling, and the step from 620 on, which a board is
close to, is 7 KiB for 64 bits. On CPython, and where numba compiles the same lines, all of them leave things as they
are.
"""

try:
    import micropython
    from micropython import const
except ImportError:

    class micropython:  # type: ignore[no-redef]  # noqa: D101
        native = viper = staticmethod(lambda function: function)

    def const(value):  # type: ignore[misc]
        """The value."""
        return value


ptr8 = bytearray
"""What viper calls a pointer to bytes: indexed, it gives integers 0..255, as a buffer does."""
