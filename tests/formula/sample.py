"""What formulas are run on here: a calm market at a high price with gaps, and two ways to compile.

`compile_plainly` leaves out the passes a test names, so a pass can be compared with its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from qf.errors import QuantflowError
from qf.language.check import check
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.language.context import Context, Value
from qf.language.graph import Graph
from qf.language.parse import parse
from qf.language.passes import ORDER
from qf.language.passes.share import share
from qf.language.source import Source
from qf.language.tree import Tree, write
from qf.lower.formula import program_of
from qf.op import Op
from qf.schema import NULL_INT, PUBLISHED

TICK = ColumnTable.tick(5)
BARS = ColumnTable.bars("tick_k_7")


def market(rows: int, seed: int, gaps: bool = True) -> dict[str, np.ndarray]:
    """Return the tick columns of a seeded market; with `gaps` some book values are missing."""
    random = np.random.default_rng(seed)
    steps = random.choice([-2, -1, 0, 0, 0, 1, 2], rows)
    ticks = 600_000 + np.cumsum(steps)
    lots = random.integers(1, 5_000, rows)
    direction = random.choice([-1, 0, 1], rows, p=[0.45, 0.1, 0.45])
    price, size = ticks * 0.1, lots * 1e-5
    mid = price + random.choice([-0.05, 0.05], rows)
    spread_ticks = random.integers(1, 4, rows).astype(float)
    event_time = 1_700_000_000_000_000_000 + np.cumsum(random.integers(0, 400_000_000, rows))
    columns: dict[str, np.ndarray] = {
        "seq": np.arange(rows),
        "event_time": event_time,
        "processed_time": event_time + 1_000_000,
        "trade_id": np.arange(rows) + 10_000,
        "price_ticks": ticks,
        "size_lots": lots,
        "value_units": ticks * lots,
        "direction": direction,
        "price": price,
        "size": size,
        "value": price * size,
        "buy_volume": np.where(direction > 0, size, 0.0),
        "sell_volume": np.where(direction < 0, size, 0.0),
        "mid": mid,
        "spread": spread_ticks * 0.1,
        "spread_bps": 1e4 * spread_ticks * 0.1 / mid,
        "spread_ticks": spread_ticks,
        "weighted_mid": mid + random.normal(0, 0.02, rows),
        "bid_depth": random.uniform(1, 20, rows),
        "ask_depth": random.uniform(1, 20, rows),
        "book_age_ms": random.exponential(20, rows),
    }
    for level in range(5):
        columns[f"bid_price_{level}"] = mid - 0.05 - 0.1 * level
        columns[f"ask_price_{level}"] = mid + 0.05 + 0.1 * level
        columns[f"bid_size_{level}"] = random.exponential(2, rows)
        columns[f"ask_size_{level}"] = random.exponential(2, rows)
        columns[f"ofi_{level}"] = random.normal(0, 3, rows)
    beside = np.random.default_rng((seed, 1))
    columns |= {name: beside.exponential(2, rows) for name in PUBLISHED}
    if gaps:
        holes = random.random(rows) < 0.02
        for name in ("mid", "spread", "ofi_0", "bid_size_1", "weighted_mid"):
            columns[name] = np.where(holes, np.nan, columns[name])
        columns["direction"] = np.where(random.random(rows) < 0.01, NULL_INT, direction)
    return columns


def frame_of(columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Return the columns as a frame, with null where missing."""
    made = []
    for name, values in columns.items():
        column = pl.Series(name, values)
        if values.dtype == np.float64:
            column = column.fill_nan(None)
        else:
            column = column.to_frame().select(pl.col(name).replace(NULL_INT, None))[name]
        made.append(column)
    return pl.DataFrame(made)


def compile_plainly(
    text: str,
    params: Mapping[str, Value] | None = None,
    without: tuple[object, ...] = (),
    functions: Mapping[str, Op] | None = None,
) -> Graph:
    """Return the graph of a text, leaving out the passes named in `without`."""
    context = context_of(text, params, functions)
    tree = parse(context.source)
    for run in ORDER:
        if run not in without:
            tree = run(tree, context)
    return graph_of(tree, context, share not in without)


def compile_example(text: str) -> Graph:
    """Return the graph of an op's example on trades, or on bars where only they have its columns.

    Any other fault is raised as it is. Errors: those of `compile_formula`.
    """
    try:
        return compile_formula(text, table=TICK)
    except QuantflowError as error:
        if error.code == "QF143":  # it compares symbols
            return compile_formula(text, table=replace(TICK, members=(None, TICK)))
        if error.code != "QF122":  # unknown column
            raise
    return compile_formula(text, table=BARS)


def context_of(
    text: str, params: Mapping[str, Value] | None = None, functions: Mapping[str, Op] | None = None
) -> Context:
    """Return the surroundings of a text on the tick clock."""
    context = Context(Source(text), TICK, params or {})
    if functions is None:
        return context
    return Context(context.source, TICK, params or {}, {}, (), functions)


def graph_of(tree: Tree, context: Context, shared: bool = True) -> Graph:
    """Return the graph of a tree that all passes have seen."""
    nodes, warnings = check(tree, context)
    nodes = share(nodes) if shared else nodes
    ops = {n.name: context.functions[n.name] for n in nodes if n.column is None}
    return Graph(context.source, "tick", nodes, ops, write(tree), warnings)


def run_graph(graph: Graph, columns: Mapping[str, np.ndarray], block: int = 2048) -> np.ndarray:
    """Return a graph's values in the machine."""
    program, names = program_of({"value": graph}, block)
    return program.push({name: columns[name] for name in names})["tick"]["value"]


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    """Say whether all words are equal; every missing value counts as the same word.

    The sign bit of a NaN is not an answer: it depends on how many rows a vector instruction took,
    and it is gone when NaN becomes null at the edge.
    """
    there = ~np.isnan(left)
    return np.array_equal(there, ~np.isnan(right)) and np.array_equal(
        left[there].view(np.int64), right[there].view(np.int64)
    )
