"""Formulas nobody thought of: blocks, cuts and restores change no bit, and Polars agrees.

A random formula is built from every op that is there, by its signature alone. For the comparison
with Polars only continuous ops are used, and the allowed difference is what the same formula does
when its inputs, and the result of every op in it, are off by its own declared tolerance: a
subtraction of near-equal values may lose digits in both engines alike.
"""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula.sample import TICK, compile_plainly, frame_of, market, run_graph, same_bits
from qf.language.context import functions
from qf.language.outputs import calls
from qf.lower.formula import program_of
from qf.lower.to_polars import to_polars, with_graphs
from qf.op import Op
from qf.signature import Parameter

ROWS = 300
NUMBERS = [
    name
    for name in TICK.names()
    if (column := TICK.find(name)) is not None and column.unit not in ("id", "time")
]
INTEGERS = [n for n in NUMBERS if (column := TICK.find(n)) is not None and column.kind == "int"]
# Columns that no steady formula reads: in a shaken one they are 1, but for the tolerance.
SHAKES = ["bid_depth", "ask_depth", "book_age_ms", "spread_bps"]
LEVELS = [f"{family}_{level}" for family in TICK.families for level in range(5)]

# A tiny change of the input may change these by a whole step, or turn a value into a missing one.
STEPS = ("sign", "floor", "round", "pow", "log", "sqrt", "log_return", "is_null", "seconds_since")
STEPS += ("step_value", "tick_rule", "queue_flow")  # the last two ask whether prices are equal
CONSTANTS = ["2", "0.1", "7.5"]
DIVIDES = {"div": 1, "safe_div": 1, "pct_change": 0}  # by which argument
SPANS = {"500ms": 500_000_000, "2s": 2_000_000_000, "10s": 10_000_000_000}


def is_continuous(op: Op) -> bool:
    """Say whether a small change of the inputs is a small change of the answer."""
    ranks = ("rank", "zscore", "minmax", "corr", "autocorr", "median", "cov")
    # shares of rows by bin jump at an edge; the others divide by a deviation that may be rounding
    ranks += ("entropy", "skew", "kurt", "r2", "divergence")  # the last: by a range
    conditions = any(i.name.startswith("condition") for i in op.signature.inputs)
    fixed = not any(i.kind == "float" for i in op.signature.inputs)
    return not (
        fixed or conditions or "bool" in op.unit or op.name in STEPS or op.name.endswith(ranks)
    )


def drawn_parameter(parameter: Parameter, draw: random.Random) -> str:
    if parameter.kind == "choice":
        return f'"{draw.choice(parameter.choices)}"'
    if parameter.kind == "duration":
        fitting = [text for text, ns in SPANS.items() if parameter.low <= ns <= parameter.high]
        return f'"{draw.choice(fitting or [f"{parameter.low:.0f}ns"])}"'
    low = max(parameter.low, -5.0)
    high = min(parameter.high, 25.0 if low < 25 else low + 25)  # short, and within the bounds
    if parameter.name == "max_rows":
        return str(draw.choice([16, 64, 400]))
    if parameter.kind == "int":
        return str(draw.randint(int(low), int(high)))
    return repr(draw.uniform(low, high))


class Writer:
    """Write random formulas; `steady` ones answer to a small change with a small change.

    A `shaken` one is the same formula, the result of each op times one of SHAKES.
    """

    def __init__(self, seed: int, steady: bool = False, shaken: bool = False) -> None:
        self.steady, self.shaken = steady, random.Random(seed) if shaken else None
        self.draw = random.Random(seed)
        self.ops = [op for _, op in sorted(functions().items()) if self._fits(op)]
        self.left = 12

    def _fits(self, op: Op) -> bool:
        runs = "kernel" in op.rules and all(i.kind != "int" for i in op.signature.inputs)
        # an op that says why Polars cannot compute it has its definition for a twin, not Polars
        return runs and (not self.steady or (is_continuous(op) and "polars" not in op.gaps))

    def number(self, depth: int) -> str:
        self.left -= 1
        if depth <= 0 or self.left <= 0 or self.draw.random() < 0.15:
            # a number cannot be shaken, so a steady formula has only columns
            names = [n for n in NUMBERS if n not in SHAKES] if self.steady else NUMBERS
            name = self.draw.choice([*names, *LEVELS, *([] if self.steady else CONSTANTS)])
            return self.times_shake(name) if name in INTEGERS else name
        return self.times_shake(self.call(self.draw.choice(self.ops), depth))

    def times_shake(self, text: str) -> str:
        return f"({text} * {self.shaken.choice(SHAKES)})" if self.shaken else text

    def call(self, op: Op, depth: int) -> str:
        given = [
            self.condition(depth - 1) if i.name.startswith("condition") else self.number(depth - 1)
            for i in op.signature.inputs
            if i.kind != "time"
        ]
        given += [drawn_parameter(p, self.draw) for p in op.signature.parameters]
        if op.name == "clip":
            given[1:] = ["-50", "1000"]
        if self.steady and op.name == "exp":  # Polars adds time windows of numbers up to 1e18
            given[0] = f"clip({given[0]}, -30, 30)"
        if self.steady and op.name in DIVIDES:  # near 0 a quotient is as good as a step
            place = DIVIDES[op.name]
            given[place] = f"(abs({given[place]}) + 1)"
        return f"{self.draw.choice(calls(op))}({', '.join(given)})"

    def condition(self, depth: int) -> str:
        sign = self.draw.choice(["<", "<=", ">", ">=", "==", "!="])
        return f"({self.number(depth)} {sign} {self.number(depth)})"


def run_in_pieces(graph, columns, cuts: list[int], block: int) -> np.ndarray:
    """Run with a save and a restore into a new program at every cut."""
    edges = [0, *sorted(set(cuts)), ROWS]
    program, names = program_of({"value": graph}, block)
    parts = []
    for low, high in itertools.pairwise(edges):
        parts.append(program.push({n: columns[n][low:high] for n in names})["tick"]["value"])
        saved = program.save()
        program, _ = program_of({"value": graph}, block)
        program.restore(saved)
    return np.concatenate(parts)


SEEDS = st.integers(0, 10**9)


@settings(max_examples=60)
@given(SEEDS, st.lists(st.integers(1, ROWS - 1), max_size=6), st.sampled_from([1, 7, 64, 2048]))
def test_blocks_cuts_and_restores_change_no_bit(seed, cuts, block):
    graph = compile_plainly(Writer(seed).number(4))
    columns = market(ROWS, seed)
    whole = run_graph(graph, columns)
    pieces = run_in_pieces(graph, columns, cuts, block)
    assert same_bits(whole, pieces), graph.written


@settings(max_examples=60)
@given(SEEDS)
def test_polars_agrees_within_what_the_tolerances_allow(seed):
    graph = compile_plainly(Writer(seed, steady=True).number(4))
    columns = market(ROWS, seed)
    ours = run_graph(graph, columns)
    theirs = with_graphs(frame_of(columns), {"value": graph})["value"].to_numpy()
    allowed = room_of(graph, seed, columns, ours)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs)), graph.written
    assert np.all(np.isnan(ours) | (np.abs(ours - theirs) <= allowed)), graph.written


def room_of(graph, seed, columns, ours: np.ndarray) -> np.ndarray:
    """Return the allowed difference per row: how far the answer moves when all in it does."""
    step = max(graph.tolerance, 1e-12)
    noise = np.random.default_rng(1)
    within = compile_plainly(Writer(seed, steady=True, shaken=True).number(4))
    room = step * np.abs(ours) + 1e-300
    for _ in range(4):
        shaken = {
            name: values * (1 + noise.choice([-step, step], ROWS))
            if values.dtype == np.float64
            else values
            for name, values in columns.items()
        }
        shaken |= {name: 1 + noise.choice([-step, step], ROWS) for name in SHAKES}
        room = np.maximum(room, np.nan_to_num(np.abs(run_graph(within, shaken) - ours)))
    return 10 * np.maximum.accumulate(np.nan_to_num(room))


@pytest.mark.parametrize("large", [1.0, 1e17, 1e19, 1e25, 1e120, 1e300])
@pytest.mark.parametrize("name", ["window_sum", "window_mean"])
def test_polars_says_null_where_a_time_window_holds_what_is_too_large(name, large):
    graph, columns = compile_plainly(f'{name}(size, "2s", 64)'), market(ROWS, 3)
    plain = with_graphs(frame_of(columns), {"value": graph})["value"].to_numpy()
    columns["size"][ROWS // 2] = large
    ours = run_graph(graph, columns)
    theirs = with_graphs(frame_of(columns), {"value": graph})["value"].to_numpy()
    holds = np.abs(ours / run_graph(graph, market(ROWS, 3)) - 1) > 1e-9
    assert holds[ROWS // 2]
    shown = ~holds if large > 1e20 else ~np.isnan(ours)
    np.testing.assert_allclose(theirs[shown], ours[shown], rtol=1e-12)
    assert np.isnan(theirs[~shown]).all()
    assert theirs[: ROWS // 2].tobytes() == plain[: ROWS // 2].tobytes()  # whatever comes later


@pytest.mark.parametrize(
    "text",
    [
        "abs(price - lag(price, 5)) / (rolling_sum(size, 5) / 5)",
        "sum_levels(ofi, 3) * 2 - size / 3",
        "where(direction > 0, size, -size)",
        "book_imbalance(5) > 0.2 and not is_null(mid)",
        "(price - lag(price, 7)) / (price + lag(price, 7))",
        'hour() + rolling_sum(size, "5s")',
        "2 * 3 + minute()",
    ],
)
def test_the_one_expression_equals_the_stages(text):
    graph = compile_plainly(text)
    frame = frame_of(market(ROWS, 3))
    staged = with_graphs(frame, {"value": graph})["value"]
    alone = frame.select(to_polars(graph).alias("value"))["value"]
    assert staged.equals(alone)
    assert staged.null_count() < ROWS


def test_a_number_divides_as_a_column_does():
    graph, columns = compile_plainly("price / 3"), market(ROWS, 6)
    frame = frame_of(columns)
    for theirs in (
        with_graphs(frame, {"value": graph})["value"],
        with_graphs(frame.lazy(), {"value": graph}).collect()["value"],
        frame.select(to_polars(graph).alias("value"))["value"],
    ):
        assert same_bits(run_graph(graph, columns), theirs.to_numpy())


def test_graphs_that_share_nodes_are_computed_together():
    graphs = {
        "a": compile_plainly("rolling_sum(size, 5) / 2"),
        "b": compile_plainly("rolling_sum(size, 5) - lag(price, 3)"),
    }
    columns = market(ROWS, 4)
    frame = with_graphs(frame_of(columns).lazy(), graphs).collect()
    program, names = program_of(graphs)
    made = program.push({name: columns[name] for name in names})["tick"]
    assert [i.op.name for i in program.plan.instructions].count("rolling_sum") == 1
    for name in graphs:
        np.testing.assert_allclose(made[name], frame[name].to_numpy(), rtol=1e-12)
