"""The kernel: the same edge code, compiled, on the same circuit."""
