"""Compile a kernel to a C function with one uniform signature, cached on disk by its content.

A kernel is a plain Python function of loops. What it takes is decided by its parameters' names:

    an input of the op      its column, with history: x[t - window] is legal within `lookback`
    an output of the op     the column it writes
    lo, hi, row             write rows lo..hi-1; row is the absolute number of row lo
    olo, ohi, orow          fold: the other clock's rows made in this block; orow numbers olo
    olo, olo2, olo3, olo4   emit: where to write the rows of the first, second, … out clock
    slo, shi, srow          emit on one clock: rows slo..shi-1, made in this block, of a clock that
                            it also reads, named after its own in `out`; srow numbers slo
    made, room              emit: count what you made per out clock; room is what fits. Return
                            k > 0 before changing anything to ask for room for k rows in each,
                            or -1 to ask for made[i] rows in the i-th.
    wanted                  bit g is set where anybody reads a column of the g-th declared output;
                            the others need not be written
    wanted_<output>         the same of the columns of one output: bit k for column k up to 61,
                            bit 62 for all the rest
    stride, stride2, …      an output declared `bid[levels]` is `levels` adjacent columns: column k
                            of row t is bid[k * stride + t], with the stride of its out clock;
                            stride0 is the in clock's, for inputs that are adjacent columns
    params, state, ints     the float64 parameters, the float64 and int64 state

Columns and state reach the compiled kernel as bare pointers (an array costs a struct of seven
words and reference counts at every call): index them, nothing else.

The generated file holds the kernel's text and every function and constant of qf it names, so its
hash is the cache key and an edit is never missed. Nothing is loaded from a project folder.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import platform
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from qf.errors import RunError, diagnostic
from qf.intrinsics import INTRINSICS
from qf.machine_code import CODE, Code, load, read, save
from qf.op import Op

CACHE_IN_PROJECT = diagnostic(
    "QF420", "the kernel cache {path} is not private to you", RunError, "chmod 700 {path}"
)
NO_CACHE = diagnostic(
    "QF423",
    "the kernel cache {path} cannot be written: {why}",
    RunError,
    "free some room or correct its rights, or let QF_KERNEL_CACHE name another folder",
)
BAD_KERNEL = diagnostic("QF421", "the kernel of {op} takes {name!r}, which nothing provides")

NAME_CLASH = diagnostic(
    "QF422", "the kernel reaches two meanings of {name!r}: {one} and {other}", hint="rename one"
)

Function = TypeVar("Function", bound=Callable[..., Any])

# One clock is eight int64 words: lo, hi, row of lo, capacity, tail, the first row not yet handed
# out, the first of its reads, and how far its adjacent columns are apart.
CLOCK_WORDS = 8


def inlined(function: Function) -> Function:
    """Mark a part of a kernel that is compiled into each place that calls it: a call costs it.

    It also costs compilation; it is for what is called per row, and where it was measured.
    """
    function.inlined = True  # type: ignore[attr-defined]
    return function


_HEADER = '''"""Generated from {origin}; do not edit."""
import math
import numpy as np
from numba import types
from llvmlite import ir
from numba.extending import intrinsic
from qf.kernel_compiler import inlined_part, part, whole
_i8 = types.int64
_i8p = types.CPointer(types.int64)
_f8p = types.CPointer(types.float64)
_i8pp = types.CPointer(_i8p)
_f8pp = types.CPointer(_f8p)
'''

# Names that read a word of a clock: (its place among the instruction's clocks, word).
_OUT_CLOCK = {
    "slo": (2, 0),
    "shi": (2, 1),
    "srow": (2, 2),
    "stride0": (0, 7),
    "olo": (1, 0),
    "ohi": (1, 1),
    "orow": (1, 2),
    "stride": (1, 3),
    "olo2": (2, 0),
    "stride2": (2, 3),
    "olo3": (3, 0),
    "stride3": (3, 3),
    "olo4": (4, 0),
    "stride4": (4, 3),
}

_PART, _INLINED = "@part", "@inlined_part"

_ENTRY = """
@whole(_i8, _i8p, _i8p, _i8p, _i8p, _f8pp, _i8pp, _f8p, _f8p, _i8p)
def entry(_clock, _where, made, room, _floats, _words, params, state, ints):
{binds}
{body}
    return 0
"""


def cache_folder() -> Path:
    """Return the per-user folder of compiled kernels, made private. Errors: QF420."""
    chosen = os.environ.get("QF_KERNEL_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    root = Path(chosen) if chosen else Path(home) / "qf" / "kernels"
    folder = root / _abi()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NO_CACHE(path=folder, why=error.strerror) from None
    if hasattr(os, "getuid"):
        about = folder.stat()
        if about.st_uid != os.getuid() or about.st_mode & 0o022:
            raise CACHE_IN_PROJECT(path=folder)
    return folder


@cache
def _abi() -> str:
    """Return what a compiled kernel depends on besides its text, as a folder name."""
    import llvmlite.binding as llvm

    how = Path(__file__).with_name("kernel_compiler.py").read_bytes()
    how += llvm.get_host_cpu_features().flatten().encode()
    features = hashlib.sha256(how).hexdigest()[:8]
    python = f"py{sys.version_info[0]}{sys.version_info[1]}"
    made_by = f"numba{version('numba')}-llvm{version('llvmlite')}"
    name = f"{python}-{made_by}-{llvm.get_host_cpu_name()}-{features}".replace("/", "_")
    return name + ("" if platform.system() == "Linux" else f"-{platform.system()}")


@cache
def kernel_parts(op: Op) -> dict[str, str]:
    """Return what an op's kernel names of qf, needs first: parts, constants, by name their text."""
    parts: dict[str, str] = {}
    _collect(op.rules["kernel"], parts, {}, skip=True)
    return parts


@cache
def kernel_text(op: Op) -> str:
    """Return the whole generated module for an op's kernel. Errors: QF421."""
    parts = kernel_parts(op)
    tree = _read(op.rules["kernel"])
    names = [argument.arg for argument in tree.args.args]
    text = "\n".join(textwrap.indent(ast.unparse(node), "    ") for node in tree.body)
    binds = "\n".join("    " + line for line in _binds(op, names))
    helpers = "\n".join(parts.values())
    head = _HEADER.format(origin=f"{op.family}/{op.name}")
    return head + helpers + _ENTRY.format(binds=binds, body=text)


@cache
def kernel_hash(op: Op) -> str:
    """Return the content hash of an op's kernel: part of every plan's identity."""
    return hashlib.sha256(kernel_text(op).encode()).hexdigest()[:16]


_addresses: dict[str, int] = {}


def address(op: Op) -> int:
    """Return the address of the compiled kernel, compiling it unless the cache has it."""
    key = f"{op.family}_{op.name}_{kernel_hash(op)}"
    if key not in _addresses:
        _addresses[key] = load(compiled(key, kernel_text(op), "entry"))
    return _addresses[key]


def compiled(key: str, text: str, name: str) -> Code:
    """Return the code of a function of a generated module, compiling it unless the cache has it.

    Errors: QF423, QF424.
    """
    path = cache_folder() / f"{key}.{name}{CODE}"
    code = read(path)
    if code is None:
        code = getattr(_generated(key, text), name)
        try:
            save(path, code)
        except OSError as error:
            raise NO_CACHE(path=path.parent, why=error.strerror) from None
    return code


def is_cached(op: Op) -> bool:
    """Say whether the compiled kernel is on disk already."""
    return not uncached([op])


def uncached(ops: Iterable[Op]) -> list[Op]:
    """Return the ops whose compiled kernels are not on disk yet; the folder is read once."""
    files = os.listdir(cache_folder())
    there = {name.partition(".")[0] for name in files if name.endswith(CODE)} | _addresses.keys()
    return [op for op in ops if f"{op.family}_{op.name}_{kernel_hash(op)}" not in there]


def _generated(key: str, text: str) -> ModuleType:
    """Import `text` as module `key` from the cache folder, writing it there first if needed."""
    path = cache_folder() / f"{key}.py"
    if not path.exists() or path.read_text() != text:
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            draft.write_text(text)
            draft.replace(path)
        except OSError as error:
            raise NO_CACHE(path=path.parent, why=error.strerror) from None
    spec = importlib.util.spec_from_file_location(f"qf_kernel_{key}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _binds(op: Op, names: list[str]) -> list[str]:
    """Return the lines that turn the C arguments into the names that the kernel takes."""
    lines = ["_in = _where[0] * 8", "lo = _clock[_in]", "hi = _clock[_in + 1]"]
    lines += ["row = _clock[_in + 2]"]
    signature = op.signature
    columns = [*((i.name, i.kind) for i in signature.inputs)]
    columns += [(o.name, o.kind) for o in signature.outputs]
    known = {name: (place, kind) for place, (name, kind) in enumerate(columns)}
    outputs = {f"wanted_{o.name}": place for place, o in enumerate(signature.outputs)}
    given = ("lo", "hi", "row", "params", "state", "ints", "made", "room")
    for name in names:
        if name in known:
            place, kind = known[name]
            source = "_floats" if kind == "float" else "_words"
            lines.append(f"{name} = {source}[{place}]")
        elif name in _OUT_CLOCK:
            clock, word = _OUT_CLOCK[name]
            lines.append(f"{name} = _clock[_where[{clock}] * 8 + {word}]")
        elif name == "wanted":
            lines.append("wanted = _where[48]")  # see machine.WHERE_WORDS
        elif name in outputs:
            lines.append(f"{name} = _where[{49 + outputs[name]}]")
        elif name not in given:
            raise BAD_KERNEL(op=op.name, name=name)
    return lines


_reading = threading.Lock()


@cache
def _read(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return the tree of a function: no decorators, annotations or docstring."""
    tree = _parsed(_block(function)) or _parsed(inspect.getsource(function))
    assert tree is not None
    tree.decorator_list, tree.returns = [], None
    for argument in tree.args.args:
        argument.annotation = None
    tree.body = [node for node in tree.body if not _is_docstring(node)]
    return tree


def _block(function: Callable[..., Any]) -> str:
    """Return a function's lines, as far as indentation tells: a hundred times quicker than tokens.

    What it cuts too early, in the middle of a text or of brackets, cannot be parsed.
    """
    lines, first = inspect.findsource(function)
    indent = len(lines[first]) - len(lines[first].lstrip())
    body = False
    for last in range(first, len(lines)):
        line = lines[last].lstrip()
        inside = len(lines[last]) - len(line) > indent or not line or line[0] in "#)"
        if body and not inside:
            return "".join(lines[first:last])
        body = body or line.startswith("def ")
    return "".join(lines[first:])


def _parsed(text: str) -> ast.FunctionDef | None:
    """Return the function that a text is; None where it is something else, or not whole."""
    try:
        with _reading:  # Python 3.11 counts the depth of all threads' trees together: SystemError
            body = ast.parse(textwrap.dedent(text)).body
    except SyntaxError:
        return None
    return body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef) else None


@cache
def _text(function: Callable[..., Any]) -> str:
    """Return the text of a part of a kernel."""
    how = _INLINED if getattr(function, "inlined", False) else _PART
    return f"{how}\n{ast.unparse(_read(function))}"


@cache
def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return what a function names that its module has too."""
    named = (node.id for node in ast.walk(_read(function)) if isinstance(node, ast.Name))
    module = sys.modules[function.__module__]
    return tuple(name for name in dict.fromkeys(named) if hasattr(module, name))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _collect(
    function: Callable[..., Any],
    parts: dict[str, str],
    owners: dict[str, Callable[..., Any]],
    skip: bool = False,
) -> None:
    """Put the text of `function` and of everything of qf it names into `parts`, needs first."""
    module = sys.modules[function.__module__]
    for name in _names(function):
        value = getattr(module, name)
        if name in INTRINSICS:
            parts[name] = INTRINSICS[name]
        elif inspect.isfunction(value) and value.__module__.startswith("qf"):
            if owners.setdefault(name, value) is not value:
                one, other = owners[name].__module__, value.__module__
                raise NAME_CLASH(name=name, one=one, other=other)
            if value is not function and name not in parts:
                _collect(value, parts, owners)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            line = f"{name} = {value!r}"
            if parts.setdefault(name, line) != line:
                raise NAME_CLASH(name=name, one=parts[name], other=line)
    if skip:
        return
    parts[function.__name__] = _text(function)
