"""Run one op in each of its four ways: compiled, plain Python, definition, Polars."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qf.program import Plan, Program
from qf.schema import NULL_INT
from qf.testing.contract.cases import ROW_COLUMN, ROWS, Case

Columns = dict[str, NDArray[Any]]
GUARD = 160  # rows of poison on both sides of what a plain run may read


def output_names(case: Case) -> list[tuple[str, str]]:
    """Return (name, kind) of every column the op writes."""
    bound = case.bound
    names = []
    for output in case.op.signature.outputs:
        count = int(bound[output.count]) if output.count else 0
        named = [f"{output.name}_{k}" for k in range(count)] if output.count else [output.name]
        names += [(name, output.kind) for name in named]
    return names


@functools.lru_cache(maxsize=256)
def plan_of(case: Case) -> Plan:
    """Return the plan that feeds the op's inputs and reads its outputs."""
    plan = Plan()
    clock = plan.clock("row")
    if not case.op.signature.inputs:
        plan.feed(ROW_COLUMN, "int")
    given = [
        plan.feed(one.name, "float" if one.kind == "float" else "int")
        for one in case.op.signature.inputs
    ]
    groups = plan.add(case.op, given, case.bound, row_clock=clock)
    flat = [column for group in groups for column in group]
    for (name, _), column in zip(output_names(case), flat, strict=True):
        plan.read(name, column)
    return plan


@functools.lru_cache(maxsize=256)
def fresh(case: Case, block: int) -> tuple[Program, bytes]:
    """Return a program, to be overwritten with `restore` before each use, and its first state."""
    program = Program(plan_of(case), block)
    return program, program.save()


@functools.lru_cache(maxsize=256)
def twin(case: Case, block: int) -> Program:
    """Return another program of the plan that `fresh` gives, to be overwritten like it."""
    return Program(plan_of(case), block)


def run_compiled(case: Case, columns: Columns, block: int = 2048) -> Columns:
    """Return what the compiled kernel makes of the whole table."""
    program, empty = fresh(case, block)
    program.restore(empty)
    return push(program, columns)


@functools.lru_cache(maxsize=512)
def run_whole(case: Case, rows: int = ROWS) -> Columns:
    """Return what the compiled kernel makes of the case's own table, made once for all laws."""
    made = run_compiled(case, case.columns(rows))
    for column in made.values():
        column.flags.writeable = False
    return made


def push(program: Program, columns: Columns) -> Columns:
    """Push a table and return the columns of the one clock."""
    return program.push({name: columns[name] for name, _ in program.plan.feeds})["row"]


@functools.lru_cache(maxsize=512)
def run_definition(case: Case, rows: int = ROWS, asked: tuple[int, ...] | None = None) -> Columns:
    """Return what the definition says at the asked rows (default all), from the pasts alone."""
    columns = case.columns(rows)
    given = [columns[one.name].tolist() for one in case.op.signature.inputs]
    names = output_names(case)
    bound, first = case.bound, case.op.amount("warmup", case.bound)
    if any(parameter.kind == "duration" for parameter in case.op.signature.parameters):
        first = 0  # whether its window is full it says from the first row on
    rule = case.op.rules["definition"]
    chosen = range(rows) if asked is None else asked
    made: list[list[Any]] = [[None] * len(chosen) for _ in names]
    for at, t in enumerate(chosen):
        if t < first:
            continue
        value = rule(*[column[: t + 1] for column in given], **bound)
        parts = value if isinstance(value, tuple | list) else (value,)
        for place, part in enumerate(parts):
            made[place][at] = part
    return {
        name: _as_column(values, kind) for (name, kind), values in zip(names, made, strict=True)
    }


def _as_column(values: Sequence[Any], kind: str) -> NDArray[Any]:
    if kind == "int":
        return np.array([NULL_INT if v is None else int(v) for v in values], np.int64)
    plain = [math.nan if v is None or not math.isfinite(v) else float(v) for v in values]
    return np.array(plain, np.float64)


def run_polars(case: Case, columns: Columns) -> Columns:
    """Return what the Polars rule makes of the table; inputs are materialised columns."""
    import polars as pl

    made_of = []
    for name, column in columns.items():
        series = pl.Series(name, column)
        if column.dtype == np.int64:
            series = series.set(series == NULL_INT, None)
        else:
            series = series.fill_nan(None)
        made_of.append(series)
    frame = pl.DataFrame(made_of)
    given = [pl.col(one.name) for one in case.op.signature.inputs]
    rules = case.op.rules["polars"](*given, **case.bound)
    rules = rules if isinstance(rules, tuple | list) else (rules,)
    made: Columns = {}
    for (name, kind), rule in zip(output_names(case), rules, strict=True):
        series = frame.select(rule.alias(name)).to_series()
        if kind == "int":
            made[name] = series.cast(pl.Int64).fill_null(NULL_INT).to_numpy()
            continue
        series = series.cast(pl.Float64)
        if series.is_nan().any():
            raise AssertionError(f"the Polars rule of {case.op.name} returns NaN, not null")
        made[name] = series.fill_null(math.nan).to_numpy()
    return made


def run_plain(case: Case, edges: tuple[int, ...], poison: float) -> Columns:
    """Run the kernel as plain Python over [edges[i], edges[i + 1]), with poison around.

    Before each piece lie exactly `lookback` rows of history; what is older, and what is newer
    than the piece, is `poison`.
    """
    op, bound, columns = case.op, case.bound, case.columns()
    lookback = op.amount("lookback", bound)
    state = np.zeros(op.amount("slots", bound) + 1)
    ints = np.zeros(op.amount("ints", bound) + 1, np.int64)
    params = np.array([*op.signature.encode(bound), 0.0])
    made: dict[str, list[NDArray[Any]]] = {name: [] for name, _ in output_names(case)}
    for low, high in itertools.pairwise(edges):
        if low == high:
            continue
        lo = GUARD + lookback
        offered: dict[str, Any] = {
            name: _window(column, low, high, lookback, poison) for name, column in columns.items()
        }
        for output in op.signature.outputs:
            kind = np.float64 if output.kind == "float" else np.int64
            offered[output.name] = np.full(lo + high - low + GUARD, poison).astype(kind)
        offered |= {"lo": lo, "hi": lo + high - low, "row": low}
        offered |= {"params": params, "state": state, "ints": ints}
        kernel = op.rules["kernel"]
        wanted = inspect.signature(kernel).parameters
        with np.errstate(all="ignore"):
            kernel(**{name: offered[name] for name in wanted})
        for name, parts in made.items():
            parts.append(offered[name][lo : lo + high - low])
    return {name: np.concatenate(parts) for name, parts in made.items()}


def _window(
    column: NDArray[Any], low: int, high: int, lookback: int, poison: float
) -> NDArray[Any]:
    """Return poison, then `lookback` rows of history, then rows low..high-1, then poison."""
    size = GUARD + lookback + high - low + GUARD
    window = np.full(size, poison).astype(column.dtype)
    start = GUARD + lookback
    window[start - lookback : start] = math.nan if column.dtype == np.float64 else NULL_INT
    known = min(lookback, low)
    window[start - known : start + high - low] = column[low - known : high]
    return window
