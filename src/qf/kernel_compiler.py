"""The two numba pipelines of a kernel: its parts stay as they are, the whole is optimised once.

A kernel calls dozens of small functions. numba's own pipeline optimises each of them for itself
and makes machine code of it, though nobody calls it from Python; then it optimises everything
again where the parts meet. Here a part (`PartCompiler`) is only typed and lowered, once for all
kernels of a process that hold it, and the kernel (`KernelCompiler`) links all it reaches, optimises
that one module and makes machine code of it. Every step is numba's own; those that the language of
kernels has no use for (closures, generators, array expressions, pruning of branches by type, a
first optimisation for the sake of reference counts) are left out.

The type of an operator over numbers and pointers is asked thousands of times and always answered
alike, so it is asked once, and so is what lowers it. A part is typed for numbers, not for each
constant that it is called with: what a constant makes simpler is found where the whole is
optimised.
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import operator
from collections.abc import Callable, Iterable
from typing import Any, Literal

from llvmlite import ir
from numba import njit, types
from numba._dynfunc import make_function  # pyright: ignore[reportMissingImports]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, Flags, compile_extra
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.errors import new_error_context  # pyright: ignore[reportAttributeAccessIssue]
from numba.core.ir import Assign, Del
from numba.core.lowering import Lower
from numba.core.registry import cpu_target
from numba.core.typed_passes import (
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    TranslateByteCode,
)

from qf.errors import RunError, diagnostic
from qf.machine_code import Code

UNKNOWN_NAME = diagnostic(
    "QF424",
    "the machine code of {symbol} calls {name!r}, which is found nowhere without the compiler",
    RunError,
    "write it with the functions of math, or as a part of the kernel",
)

_SCALARS = (types.Integer, types.Float, types.Boolean, types.CPointer)


class _Whole(JITCodeLibrary):
    """A module of which nothing is optimised before it is whole."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout


class _Part(_Whole):
    """A module that waits to be linked: neither optimised as a whole nor made into code."""

    def finalize(self) -> None:
        self._finalized = True


class _Kernel(_Whole):
    """A module that takes in every part that it reaches before it is optimised."""

    def finalize(self) -> None:
        reached: dict[Any, None] = {}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop()
            if library not in reached:
                reached[library] = None
                waiting += library._linking_libraries
        for library in reached:
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def machine_code(self, symbol: str) -> bytes:
        """Return the object file of the whole, in which only one function can be called."""
        self._ensure_finalized()
        whole = self._final_module
        # Nobody else calls a part: what is called in one place only is put there, and not kept.
        for function in whole.functions:
            if not function.is_declaration and function.name != symbol:
                function.linkage = "internal"
        for variable in whole.global_variables:
            if not variable.is_declaration:
                variable.linkage = "internal"
        manager, builder = self._codegen._module_pass_manager()
        manager.run(whole, builder)
        whole.verify()
        _check_names(symbol, (f.name for f in whole.functions if f.is_declaration))
        return self._codegen._tm.emit_object(whole)


_lowered: dict[Any, Any] = {}
_POWERS = (operator.pow, operator.ipow)  # of a constant one they are multiplications


class _Lower(Lower):
    """Turns statements into instructions, without what only values that are counted need.

    Numbers and pointers have no end that anybody must be told of.
    """

    def lower_block(self, block: Any) -> None:
        self.pre_block(block)
        with new_error_context("lowering {block} at {loc}", block=block, loc=block.loc):
            for statement in block.body:
                self.loc = statement.loc
                if isinstance(statement, Assign):
                    name = statement.target.name
                    self.storevar(self.lower_assign(self.typeof(name), statement), name)
                elif not isinstance(statement, Del):
                    self.lower_inst(statement)
        self.post_block(block)

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        self._alloca_var(name, self.typeof(name))
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self.builder.store(value, self.getvar(name))

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        if op in _POWERS:
            return super().lower_binop(resty, expr, op)
        signature = self.fndesc.calltypes[expr]
        values = map(self._cast_var, (expr.lhs, expr.rhs), signature.args)
        found = self._find(op, signature.args)(self.builder, tuple(values))
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        values = map(self._cast_var, (value, index), signature.args)
        found = self._find(operator.getitem, signature.args)(self.builder, tuple(values))
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        values = map(self._cast_var, (target_var, index_var, value_var), signature.args)
        return self._find(operator.setitem, signature.args)(self.builder, tuple(values))

    def _find(self, op: Any, kinds: tuple[Any, ...]) -> Any:
        """Return what lowers an operator over some types: asked for thousands of times."""
        if (op, kinds) not in _lowered:
            typing = self.context.typing_context
            function = typing.resolve_value_type(op)
            signature = function.get_call_type(typing, kinds, {})
            _lowered[op, kinds] = self.context.get_function(function, signature)
        return _lowered[op, kinds]

    def incref(self, typ: Any, val: Any) -> None:
        pass

    def decref(self, typ: Any, val: Any) -> None:
        pass


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(NativeLowering):
    _name = "qf_lower_part"
    lowering_class: Any = _Lower  # pyright: ignore

    def run_pass(self, state: Any) -> Literal[True]:
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        about = lowered.fndesc
        # The key under which callers find the part. It has no address: Python never calls it.
        name = about.qualname.split(".")[-1]
        key = make_function(
            about.lookup_module(), name, about.qualname, 0, lowered.env, (state.library,)
        )
        state["cr"] = lowered._replace(cfunc=key)
        state.targetctx.insert_user_function(key, about, [state.library])
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerKernel(NativeLowering):
    _name = "qf_lower_kernel"
    lowering_class: Any = _Lower  # pyright: ignore

    def run_pass(self, state: Any) -> Literal[True]:
        state.library = _Kernel(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        return super().run_pass(state)


class _Answers:
    """A typing context that remembers what an operator makes of numbers and pointers."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, named: Any) -> Any:
        """Return the signature of a call, from memory where it cannot have changed."""
        ask = self._context.resolve_function_type
        if isinstance(function, types.Dispatcher):
            arguments = tuple(types.unliteral(a) for a in arguments)
        plain = isinstance(function, types.Function) and not named
        if not plain or not all(isinstance(a, _SCALARS) for a in arguments):
            return ask(function, arguments, named)
        key = (function, tuple(arguments))
        if key not in self._known:
            found = ask(function, arguments, named)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]


_answers: dict[Any, _Answers] = {}


@register_pass(mutates_CFG=True, analysis_only=False)
class _Typing(NopythonTypeInference):
    _name = "qf_typing"

    def run_pass(self, state: Any) -> Literal[True]:
        context = state.typingctx
        state.typingctx = _answers.setdefault(context, _Answers(context))
        try:
            return super().run_pass(state)
        finally:
            state.typingctx = context


def _pipeline(state: Any, lowering: type) -> list[PassManager]:
    """Return the passes a kernel needs, ending in `lowering`."""
    passes = PassManager("qf_kernel")
    for step in (
        TranslateByteCode,
        FixupArgs,
        IRProcessing,
        GenericRewrites,
        ReconstructSSA,
        _Typing,
        PreLowerStripPhis,
        IRLegalization,
        lowering,
        NoPythonBackend,
    ):
        passes.add_pass(step, step.__name__)
    passes.finalize()
    return [passes]


# Called from compiled code only: it needs no way in from Python, whose making takes time.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_TARGET: Any = cpu_target
_compile: Any = compile_extra
_parts: dict[str, Any] = {}  # by what they are made of
_made_of: dict[int, str] = {}


def part(function: Callable[..., Any], inline: bool = False) -> Any:
    """Return the function compiled as a part; all kernels of a process that hold it share it.

    It is the same part where code, constants and all that it names are the same.
    """
    code, known = function.__code__, function.__globals__
    named = [(name, _identity(known[name])) for name in code.co_names if name in known]
    words = (code.co_name, code.co_code, code.co_consts, code.co_varnames, code.co_names)
    made_of = hashlib.sha256(repr((inline, words, named)).encode()).hexdigest()[:16]
    if made_of not in _parts:
        # A kernel in the cache names where its parts are from: a place that is always there.
        function.__module__, function.__qualname__ = __name__, f"{code.co_name}_{made_of}"
        options = _OPTIONS | {"forceinline": inline, "pipeline_class": PartCompiler}
        compiled = _parts.setdefault(made_of, njit(**options)(function))
        _made_of[id(compiled)] = made_of
    return _parts[made_of]


def inlined_part(function: Callable[..., Any]) -> Any:
    """Return the function compiled as a part that is put into each place that calls it."""
    return part(function, inline=True)


def _identity(value: Any) -> str:
    """Return what the constants, parts and intrinsics of two modules have in common if equal."""
    if isinstance(value, int | float):
        return repr(value)
    if inspect.ismodule(value):
        return value.__name__
    return _made_of[id(value)] if id(value) in _made_of else str(value._name)


def _check_names(symbol: str, names: Iterable[str]) -> None:
    """Refuse what a process that has not loaded the compiler could not resolve: it would end."""
    everywhere = ctypes.CDLL(None)
    for name in names:
        if not name.startswith("llvm.") and not hasattr(everywhere, name):
            raise UNKNOWN_NAME(symbol=symbol, name=name)


def whole(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Code]:
    """Return what compiles a function of these types, and all it reaches, for callers in C."""

    def compiled(function: Callable[..., Any]) -> Code:
        symbol = f"{function.__module__}.{function.__name__}"
        flags = Flags()
        _TARGET.options.parse_as_flags(flags, _OPTIONS)
        context = _TARGET.target_context
        with global_compiler_lock:
            made = _compile(
                _TARGET.typing_context,
                context,
                function,
                arguments,
                result,
                flags,
                {},
                pipeline_class=KernelCompiler,
            )
            made.library.add_ir_module(_way_in(context, made.fndesc, symbol))
            return Code(symbol, made.library.machine_code(symbol))

    return compiled


def _way_in(context: Any, about: Any, symbol: str) -> Any:
    """Return a module whose one function takes what C gives and calls a function of numba's."""
    module = context.create_module(symbol)
    kinds = context.call_conv.get_function_type(about.restype, about.argtypes)
    callee = ir.Function(module, kinds, about.llvm_func_name)
    given = [context.get_value_type(kind) for kind in about.argtypes]
    made = ir.FunctionType(context.get_value_type(about.restype), given)
    caller = ir.Function(module, made, symbol)
    builder = ir.IRBuilder(caller.append_basic_block("entry"))
    # There is no status to look at: a kernel has no way to raise.
    _, answer = context.call_conv.call_function(
        builder, callee, about.restype, about.argtypes, caller.args
    )
    builder.ret(answer)
    return module


class PartCompiler(CompilerBase):
    """Type and lower a function that only kernels call."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the one pipeline."""
        return _pipeline(self.state, _LowerPart)


class KernelCompiler(CompilerBase):
    """Compile a function together with every part that it reaches, as one module."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the one pipeline."""
        return _pipeline(self.state, _LowerKernel)
