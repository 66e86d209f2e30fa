"""Instructions that a compiled function executes, counted: the same on every run, whatever else the machine does.

The function's optimised LLVM code is compiled once more, with a counter in every block.
"""

import ctypes
import re
from collections import Counter

import llvmlite.binding as llvm
from numba import typeof

LABEL = re.compile(r'^("[^"]+"|[\w.$-]+):')
CALLED = re.compile(r'@"?([\w.$]+)')


def counted(function, *arguments):
    """Call a function of numba that was compiled for these arguments; how often it executes what.

    Returns
    -------
    Counter
        By opcode of LLVM, and by name for whatever is called.
    """
    result = function.overloads[tuple(map(typeof, arguments))]
    plain = result.library._get_module_for_linking()
    text, blocks = _with_counters(str(plain))
    module = llvm.parse_assembly(text)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=0, jit=True)
    with llvm.create_mcjit_compiler(module, machine) as engine:
        engine.finalize_object()
        environment = engine.get_global_value_address(result.fndesc.env_name)
        if environment:
            ctypes.c_void_p.from_address(environment).value = id(result.environment)
        entry = engine.get_function_address(result.fndesc.llvm_cpython_wrapper_name)
        objects = [ctypes.py_object] * 4
        ctypes.PYFUNCTYPE(*objects)(entry)(None, arguments, None)
        counts = (ctypes.c_int64 * len(blocks)).from_address(engine.get_global_value_address("executed"))
        found = Counter()
        for count, names in zip(counts, blocks, strict=True):
            for name in names:
                found[name] += count
    return found


def _with_counters(text):
    """The code of a module with counters, and for each of them the names of what its block executes."""
    lines, blocks, inside, waiting = [], [], False, False
    for line in text.splitlines():
        if line.startswith("define "):
            inside = True
        elif line.startswith("}"):
            inside = False
        elif inside and LABEL.match(line):
            blocks.append([])
            waiting = True
        elif inside and line.strip():
            name = _name(line)
            if waiting and name != "phi":
                lines += _counter(len(blocks) - 1)
                waiting = False
            if name:
                blocks[-1].append(name)
        lines.append(line)
    return "\n".join([*lines, f"@executed = global [{len(blocks)} x i64] zeroinitializer"]), blocks


def _counter(block):
    place = f"getelementptr (i64, ptr @executed, i64 {block})"
    was, now = f"%executed.was.{block}", f"%executed.now.{block}"
    return [f"  {was} = load i64, ptr {place}", f"  {now} = add i64 {was}, 1", f"  store i64 {now}, ptr {place}"]


def _name(line):
    """Opcode of a line, or what it calls; none if an instruction goes on in it."""
    code = line.strip()
    if not line.startswith("  ") or line.startswith("    ") or code == "]":
        return ""
    if " = " in code and code.startswith("%"):
        code = code.partition(" = ")[2]
    words = code.removeprefix("tail ").removeprefix("musttail ").removeprefix("notail ").split()
    return CALLED.search(code)[1] if words[0] == "call" and "@" in code else words[0]
