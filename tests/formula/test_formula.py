"""The formula in a user's hands: explained, run on arrays, used in a frame."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import qf
from formula.sample import BARS, TICK, compile_example, frame_of, market, same_bits
from qf.errors import DefinitionError, RunError
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.language.context import functions
from qf.language.explain import explain
from qf.language.reference import reference_text

EXPLAINED = """\
formula    rolling_sum(buy_volume - sell_volume, window) / rolling_mean(mid, "5s")
written    rolling_sum(buy_volume - sell_volume, 20) / rolling_mean(mid, "5s")
clock      tick
reads      buy_volume, mid, sell_volume  (of the order book)
value      float64, unit base^2/quote
look-back  19 earlier rows and 5s
warm-up    19 rows
memory     a doubtful row is felt for 20 rows, then 5s
state      1,049,728 bytes
tolerance  2e-12 relative, machine to Polars
graph
  %6 div
    %3 rolling_sum(window=20)
      %2 sub
        %0 buy_volume
        %1 sell_volume
    %5 window_mean(window=5s, max_rows=65536)
      %4 mid
program
  %0   = buy_volume                                  float64, base
  %1   = sell_volume                                 float64, base
  %2   = sub(%0, %1)                                 float64, base
  %3   = rolling_sum(%2, window=20)                  float64, base, after 19 rows
  %4   = mid                                         float64, quote/base
  %5   = window_mean(%4, window=5s, max_rows=65536)  float64, quote/base
  %6   = div(%3, %5)                                 float64, base^2/quote, after 19 rows"""


def test_an_explanation_shows_everything_from_text_to_program():
    text = 'rolling_sum(buy_volume - sell_volume, window) / rolling_mean(mid, "5s")'
    lines = qf.formula(text, window=20).explain().splitlines()
    state = next(line for line in lines if line.startswith("state"))
    expected = [state if line.startswith("state") else line for line in EXPLAINED.splitlines()]
    assert lines == expected
    assert int(state.split()[1].replace(",", "")) > 20 * 8


def test_an_explanation_tells_what_never_ends_and_what_is_doubtful():
    said = qf.formula("cum_sum(size) + price").explain()
    assert "unbounded" in said and "QF130" in said
    assert "condition" in qf.formula("price > lag(price, 1)").explain()


def test_a_formula_runs_on_arrays_and_in_a_frame():
    columns = market(500, 8)
    frame = frame_of(columns)
    formula = qf.formula("abs(price - lag(price, w)) / rolling_mean(size, w)", w=20)
    ours = formula.run(columns)
    theirs = frame.select(formula.polars().alias("v"))["v"].to_numpy()
    assert formula.columns == ("price", "size")
    assert np.isnan(ours[:20]).all() and not np.isnan(ours[20:]).any()
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)
    assert same_bits(formula.run(frame), ours)


def test_free_columns_need_no_clock():
    formula = qf.formula("rolling_sum(x, 2) * flag", columns={"x": "float", "flag": "bool"})
    made = formula.run({"x": np.array([1.0, 2.0, 3.0]), "flag": np.array([1.0, 0.0, 1.0])})
    assert same_bits(made, np.array([np.nan, 0.0, 5.0]))


def test_a_frame_without_a_column_is_told_which():
    with pytest.raises(RunError, match="'size'"):
        qf.formula("price * size").run({"price": np.ones(3)})


def test_missing_is_null_in_a_frame_and_nan_in_the_machine():
    frame = pl.DataFrame({"x": [1.0, None, 3.0], "y": [0.0, 1.0, 2.0]})
    formula = qf.formula("x / y", columns=["x", "y"])
    assert frame.select(formula.polars().alias("v"))["v"].to_list() == [None, None, 1.5]
    assert same_bits(formula.run(frame), np.array([np.nan, np.nan, 1.5]))


def test_a_missing_whole_number_is_missing():
    frame = pl.DataFrame({"direction": [1, None, -1], "size": [2.0, 3.0, 4.0]})
    formula = qf.formula("direction * size")
    assert same_bits(formula.run(frame), np.array([2.0, np.nan, -4.0]))
    assert frame.select(formula.polars().alias("v"))["v"].to_list() == [2.0, None, -4.0]


def test_every_example_of_the_functions_compiles():
    clocks = set()
    for op in functions().values():
        graph = compile_example(op.example)
        assert explain(graph)
        clocks.add(graph.clock)
    assert clocks == {TICK.clock, BARS.clock}


def test_the_reference_lists_every_function():
    text = reference_text()
    assert [name for name in functions() if f"\n### {name}\n" not in text] == []


def test_no_label_bar_rule_or_quality_op_is_a_function():
    for name in ("triple_barrier", "forward_return", "dollar", "window_or"):
        with pytest.raises(DefinitionError, match="unknown function"):
            compile_formula(f"{name}(price)", table=ColumnTable.tick(5))
