"""What a result was computed by: versions of Python and of packages, digests of our code, the processor and its BLAS.

Where all of it is equal a simulated run is the same to the last bit. Another processor can give other last digits: by
its own routines for matrices, and by machine code made for it.
"""

import ctypes
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from clockfree.base import checkout, firmware
from clockfree.base.errors import InputError

PACKAGES = ("clockfree", "numpy", "scipy", "numba", "xarray", "h5netcdf", "matplotlib")

FEATURES = ("NUMBA_CPU_FEATURES", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")
"""Variables by which a processor is used as if it were another."""


def versions() -> dict[str, str]:
    """Whatever can change a result, by name; `simulation` and `firmware` are digests of our sources.

    InputError where what runs is not what they are.
    """
    from clockfree_sim import sources_digest  # a board's command does without

    if outdated := checkout.outdated():
        text = "Python runs what it was before it was changed, within the same second"
        raise InputError(f"{outdated}: {text}: touch it, and do that again")
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    digests = {"firmware": firmware.code(), "simulation": sources_digest()}
    return found | digests | {"blas": _blas(), "processor": _processor()}


def changed(was: Mapping[str, str]) -> str:
    """What is another now, in words; "" where nothing is, of what was recorded then."""
    now = versions()
    return "; ".join(f"{name} {was[name]}, now {now[name]}" for name in now if name in was and was[name] != now[name])


def _processor() -> str:
    """The one that code is compiled for and numpy takes it for: this one, or whichever their environment says."""
    from llvmlite.binding import get_host_cpu_name  # slow to load, and a refused task does without

    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    return " ".join([platform.machine(), name, *(os.environ[each] for each in FEATURES if os.environ.get(each))])


def _blas() -> str:
    """What numpy multiplies matrices with, and the kernel that it has chosen for this processor where it tells it."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    words = [built["name"], built["version"]]
    with suppress(OSError, AttributeError):  # of other builds
        # What numpy brings along is found through a module of numpy that is linked with it.
        kernel = ctypes.CDLL(np.linalg._umath_linalg.__file__).scipy_openblas_get_corename64_
        kernel.restype = ctypes.c_char_p
        words.append(kernel().decode())
    return " ".join(words)
