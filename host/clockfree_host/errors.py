"""What a person got wrong."""


class InputError(Exception):
    """Bad input, said in one line: `FILE: key: expected ..., got ...`. The command line prints it and exits 2."""
