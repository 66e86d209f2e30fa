"""The laws of the design, read from the source: each function returns what breaks one, a line each."""

import ast
import re
from collections.abc import Iterator

BOARD_ONLY = ("machine", "rp2")  # modules of the chip
TOUCH_THE_BOARD = ("hw.py", "main.py")
PURE = ("rule.py", "clock.py")
EMITTERS = "clockfree_board.emitters"  # decorators that leave a function as it is wherever it is compiled otherwise
NOT_ON_A_BOARD = ("dataclasses", "enum", "typing")
ROUNDS = "rounds.py"  # where edges may act together, for comparison: who takes part, objects, compiled
COMPARES = (ROUNDS, "world.py", "kernel.py")  # may start such a run
PRINTS = ("saying.py", "output.py")  # whatever anybody else says is made printable
TOGETHER = {"lockstep", "sync", "synchronous"}  # words of a global trigger


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, module and name ('' for a whole module) of every import, those by a constant string included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, "." * node.level + (node.module or ""), alias.name
        elif isinstance(node, ast.Call) and _spelling(node.func)[-1:] in (["import_module"], ["__import__"]):
            if node.args and isinstance(node.args[0], ast.Constant):
                yield node.lineno, str(node.args[0].value), ""


def firmware(file: str, tree: ast.AST) -> Iterator[str]:
    """Laws 1 and 4 in one file of the firmware, and the syntax MicroPython lacks."""
    for line, module, _ in imports(tree):
        top = module.split(".")[0]
        if file in PURE and module != EMITTERS:
            yield f"{line}: imports {module}, and {file} imports nothing but {EMITTERS}"
        if top in BOARD_ONLY and file not in TOUCH_THE_BOARD:
            yield f"{line}: imports {module}, which only hw.py and main.py may"
        if top in NOT_ON_A_BOARD:
            yield f"{line}: imports {module}, which a board does not have"
        if top in ("clockfree", "clockfree_model", "clockfree_sim"):
            yield f"{line}: imports {module}, which is not on a board"
    for node in ast.walk(tree):
        if isinstance(node, ast.Match):
            yield f"{node.lineno}: match statement"
        if isinstance(node, ast.arguments) and node.posonlyargs:
            yield f"{node.posonlyargs[0].lineno}: positional-only parameters"
        if file in PURE and _is_float(node):
            yield f"{node.lineno}: not an integer"
    for line, word in _words(tree):
        if word in (*TOGETHER, "broadcast"):
            yield f"{line}: {word!r}: no message, pin or event makes two edges act together"


def _printing(file: str, tree: ast.AST) -> Iterator[str]:
    """Where a name or a text of other people could reach a terminal as it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            if file not in PRINTS:
                yield f"{node.lineno}: prints, which only {' and '.join(PRINTS)} may"


def simulation(file: str, tree: ast.AST) -> Iterator[str]:
    """Law 4 in one file of the simulation; which packages it may import, import-linter holds (pyproject.toml)."""
    for line, module, name in imports(tree):
        if "rounds" in (*module.split("."), name) and file not in COMPARES:
            yield f"{line}: only {' and '.join(COMPARES)} may start a run in which edges act together"
    yield from _printing(file, tree)
    if file == ROUNDS:
        return
    for node in ast.walk(tree):
        bound, body = _loop(node)
        for call in (inner for part in body for inner in ast.walk(part) if isinstance(inner, ast.Call)):
            spelling = _spelling(call.func)
            if bound & set(spelling) and any("fire" in word for word in spelling):
                yield f"{call.lineno}: a loop fires one edge after another at one time"
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "due_us":
            yield f"{node.lineno}: an edge is due by its own clock"
    for line, word in _words(tree):
        if word in TOGETHER:  # arrays broadcast
            yield f"{line}: {word!r} belongs to {ROUNDS}"


def model(file: str, tree: ast.AST) -> Iterator[str]:
    """Law 2 in one file of the model: whoever imports it, a command that stops boards too, compiles nothing."""
    for line, module, _ in imports(tree):
        if module.split(".")[0] in ("numba", "llvmlite"):
            yield f"{line}: imports {module}, which the simulation alone may"
    yield from _printing(file, tree)


def host(file: str, tree: ast.AST) -> Iterator[str]:
    """Law 2 in one file of the host, as far as it is about names; mpremote, which blocks, is kept in one place too."""
    for line, module, name in imports(tree):
        top, *rest = [part for part in (*module.split("."), name) if part]
        if top == "clockfree_board" and rest and rest[0] != "link":
            yield f"{line}: imports {module}: of the firmware the host knows only link"
        if top == "mpremote" and file != "repl.py":
            yield f"{line}: imports {module}, which only repl.py may"
    yield from _printing(file, tree)


def _is_float(node: ast.AST) -> bool:
    return (
        (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
    )


def _spelling(expression: ast.AST) -> list[str]:
    """Names and attributes in an expression, the outermost attribute last."""
    found = []
    for node in ast.walk(expression):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
    return found[::-1]


def _loop(node: ast.AST) -> tuple[set[str], list[ast.AST]]:
    """Names that a loop or comprehension binds, and what it repeats."""
    if isinstance(node, ast.For):
        return set(_spelling(node.target)), [*node.body]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return {word for each in node.generators for word in _spelling(each.target)}, [node.elt]
    if isinstance(node, ast.DictComp):
        return {word for each in node.generators for word in _spelling(each.target)}, [node.key, node.value]
    return set(), []


def _words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lower-case words of all names and strings, docstrings aside."""
    prose = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.add(node.value)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            text = node.name
        elif isinstance(node, (ast.arg, ast.keyword)):
            text = node.arg or ""
        elif isinstance(node, (ast.Name, ast.Attribute)):
            text = node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and node not in prose:
            text = str(node.value)
        else:
            continue
        for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text):
            yield node.lineno, word.lower()
