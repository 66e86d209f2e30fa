"""Errors in one line: what a person got wrong, and what boards did."""


class InputError(Exception):
    """Bad input, said in one line: `FILE: key: expected ..., got ...`. The command line prints it and exits 2."""


class BoardError(Exception):
    """Boards that could not do what was asked, said in one line. The command line prints it and exits 1."""
