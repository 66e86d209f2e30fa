"""Inner functions: compiled code that only other compiled code calls.

Of every function numba makes code as fast as it can and then machine code, with all that it calls in it; and both again
in each of its callers. Of an inner function it keeps what it has read, and the outermost caller does the rest, once:
that halves the time which a kernel takes to compile. Like every callee's, its code is part of what `caching` keeps of
the caller.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from numba import _dynfunc, njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import NativeLowering

_REFUSAL = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value
"""Stands where a caller from Python finds machine code of other functions: it raises TypeError."""


class _Code(JITCodeLibrary):
    """Code that becomes fast, and machine code, within a caller's."""

    def finalize(self) -> None:
        """Take in what is called, and no more."""
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=False)
class _MakeKnown(LoweringPass):
    """Have callers find what there is no machine code of."""

    _name = "make_inner_known"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """As `NativeLowering` does where there is."""
        made, library = state.cr, state.library
        names = made.fndesc.lookup_module(), made.fndesc.qualname, ""
        refusal = _dynfunc.make_function(*names, _REFUSAL, made.env, (library,))
        state.targetctx.insert_user_function(refusal, made.fndesc, [library])
        state.cr = made._replace(cfunc=refusal)
        return True


class Inner(Compiler):
    """numba's compiler, up to machine code: `pipeline_class` of what is inner."""

    def define_pipelines(self) -> list[Any]:
        """numba's own passes, and one more."""
        state = self.state
        state.flags.no_compile = state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = True
        state.library = _Code(state.targetctx.codegen(), state.func_id.func_qualname)
        passes = DefaultPassBuilder.define_nopython_pipeline(state)
        passes.add_pass_after(_MakeKnown, NativeLowering)
        passes.finalize()
        return [passes]


def inner(**options: Any) -> Callable[[Callable], Any]:
    """As `numba.njit`, for a function that is never called from Python."""
    made: Callable[[Callable], Any] = njit(pipeline_class=Inner, **options)
    return made
