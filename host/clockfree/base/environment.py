"""The environment that a command is started in: what it says to us is read here, and what it says to others kept out.

A shell, a notebook, a container or a cluster sets variables for other programs. Those that our libraries would take
for themselves, and end a run by, or change what it comes to, are taken away before a library is loaded.

HOME, XDG_CACHE_HOME, NUMBA_CACHE_DIR   where compiled code is kept
NUMBA_CPU_NAME, NUMBA_CPU_FEATURES      what it is compiled for: a cluster of several kinds of machine
*_NUM_THREADS                           of BLAS; one thread, if nothing is said
CLOCKFREE_QUIET                         as --quiet
"""

import atexit
import gc
import logging
import os
import signal
import sys
import threading

NUMBA_IS_TOLD = {"NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_NUM_THREADS"}
settled = False
"""Whether this process is a command's: nobody else uses its libraries."""
shut_out: dict[str, str] = {}
"""What was set, and went no further."""
YOUNG = 100_000
"""Objects that are made before the collector looks for rings of them, 700 by Python's own habit: whatever is imported
stays, and to look through it again and again is a sixth of the time that it takes to load."""


def settle() -> None:
    """Have the environment of this process, and of those it starts, be ours; every end told; no time lost.

    A terminal that is closed, or a machine that goes down, ends a run as Ctrl-C does: with its record closed and its
    boards in HOLD. `nohup` keeps what it is for.

    Python would look for rings of objects once more when it ends, in all that was loaded: 0.3 s after a run. The system
    takes back what is left.

    BLAS takes one thread, unless the environment says otherwise, before numpy is loaded: our matrices are small, and
    threads that wait for their share of one spin.
    """
    global settled
    settled = True
    for name in [*os.environ]:
        if name == "MPLBACKEND" or (name.startswith("NUMBA_") and name not in NUMBA_IS_TOLD):
            shut_out[name] = os.environ.pop(name)
    os.environ["MPLBACKEND"] = "agg"  # figures go to files
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts for want of a home
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)
    if threading.current_thread() is not threading.main_thread():  # where nothing can be asked of signals
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def spare_docstrings() -> None:
    """In a command have matplotlib list no properties in docstrings: a quarter of the time that it takes to load."""
    if settled:
        from matplotlib import artist

        vars(artist).update(kwdoc=lambda shown: "")


def unreadable(text: str) -> str:
    """What is wrong with a text of the command line that is none; "" where nothing is."""
    if not any("\ud800" <= letter <= "\udfff" for letter in text):  # what Python makes of bytes that are none
        return ""
    try:
        meant = os.fsencode(text).decode("utf-8")
    except UnicodeError:
        return f"{text!a}: expected UTF-8, got other bytes: the record of a run could not name it"
    return f"{meant}: {of_locale()}"


def of_locale() -> str:
    """What is wrong with a locale that lacks a letter."""
    return f"expected a locale with these letters, got {sys.getfilesystemencoding()}: LC_ALL=C.UTF-8, and no PYTHONUTF8"
