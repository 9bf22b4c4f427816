"""One formula in the hands of a user: look at it, run it on arrays, use it in a Polars frame.

f = qf.formula("rolling_sum(buy_volume - sell_volume, 200)")
print(f.explain())
frame.with_columns(f.polars().alias("cvd"))
f.run({"buy_volume": …, "sell_volume": …})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from qf.errors import RunError, diagnostic
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.compile import compile_formula
from qf.language.context import Value
from qf.language.explain import explain
from qf.language.graph import Graph
from qf.lower.to_program import lower
from qf.program import Plan, Program
from qf.schema import NULL_INT

if TYPE_CHECKING:
    from qf.lower.to_polars import Expression

NO_COLUMN = diagnostic("QF140", "the formula reads {name!r}, the data has {known}", RunError)


def formula(
    text: str,
    *,
    clock: str = "tick",
    columns: Iterable[str] | Mapping[str, str] | None = None,
    **params: Value,
) -> Formula:
    """Return the formula, compiled on the columns of `clock` or on free `columns`.

    `columns` are names, or names with their kinds (float, int, bool). Keyword arguments are the
    formula's parameters. Errors: QF1xx, with a caret in the text.
    """
    if columns is not None:
        table = ColumnTable.of(columns)
    else:
        table = ColumnTable.tick() if clock == "tick" else ColumnTable.bars(clock)
    return Formula(compile_formula(text, table=table, params=params))


class Formula:
    """A compiled formula."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __repr__(self) -> str:
        return f"qf.formula({self.graph.source.text!r})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns it reads."""
        return self.graph.columns

    def explain(self) -> str:
        """Return the formula, its graph, clock, unit, look-back, warm-up, state and program."""
        return explain(self.graph)

    def polars(self) -> Expression:
        """Return it as a Polars expression: Float64, null where missing."""
        from qf.lower.to_polars import to_polars

        return to_polars(self.graph)

    def run(self, data: Mapping[str, object], block: int = 2048) -> np.ndarray:
        """Return its values over arrays (or a frame's columns) of equal length; missing is NaN.

        Over time it needs `processed_time` in ns (int64). Errors: QF140.
        """
        program, names = program_of({"value": self.graph}, block)
        words = {n.column.name for n in self.graph.nodes if n.column and n.kind == "int"}
        words.add("processed_time")
        arrays = {}
        for name in names:
            if name not in data:
                known = ", ".join(str(key) for key in data) or "no column"
                raise NO_COLUMN(name=name, known=known)
            arrays[name] = _array(data[name], name in words)
        return program.push(arrays)[self.graph.clock]["value"]


def _array(values: object, is_word: bool) -> np.ndarray:
    """Return a column as the machine takes it: a missing whole number is NULL_INT, not NaN."""
    array = np.asarray(values)
    if is_word and array.dtype.kind == "f":
        missing = np.isnan(array)
        array = np.where(missing, 0.0, array).astype(np.int64)
        array[missing] = NULL_INT
    return array


def program_of(graphs: Mapping[str, Graph], block: int = 2048) -> tuple[Program, tuple[str, ...]]:
    """Return a program of its own for graphs of one clock, and the columns it is fed.

    The rows that a push brings are the clock's rows, whatever made them.
    """
    plan = Plan()
    clock = next(iter(graphs.values())).clock
    plan.clock(clock)
    infos: dict[str, ColumnInfo] = {}
    for graph in graphs.values():
        infos |= {n.column.name: n.column for n in graph.nodes if n.column is not None}
    fed = {n: plan.feed(n, "int" if i.kind == "int" else "float") for n, i in infos.items()}
    time = fed.get("processed_time")
    if time is None and (any(g.needs_time for g in graphs.values()) or not infos):
        time = plan.feed("processed_time", "int")
        fed["processed_time"] = time
    for name, graph in graphs.items():
        plan.read(name, lower(graph, plan, fed, time))
    return Program(plan, block), tuple(fed)
