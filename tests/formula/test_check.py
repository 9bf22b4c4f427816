"""What the checker knows of a formula: kinds, units, windows, warm-up, memory, taint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from formula.sample import context_of, graph_of
from qf.errors import DefinitionError
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.compile import compile_formula
from qf.language.context import functions
from qf.language.memory import Memory, join
from qf.language.parse import parse
from qf.language.passes.resolve import resolve
from qf.op import Op
from qf.signature import parse_signature

TICK, BARS = ColumnTable.tick(5), ColumnTable.bars("dollar_k_50000")


def compiled(text: str, table: ColumnTable = TICK, **params: float):
    return compile_formula(text, table=table, params=params)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("price", "quote/base"),
        ("price * size", "quote"),
        ("spread / mid * 10000", "1"),
        ("price ** 2 / size", "quote^2/base^3"),
        ("price ** 0.5", "quote^0.5/base^0.5"),
        ("sqrt(price * price)", "quote/base"),
        ("rolling_sum(buy_volume - sell_volume, 20)", "base"),
        ("where(price > 1, 0, size)", "base"),
        ("price > mid", "1"),
        ("log(price)", "1"),
        ("2 * 3", "any"),
        ("book_imbalance(3)", "1"),
        ("micro_price - mid", "quote/base"),
    ],
)
def test_units_follow_from_the_columns(text, unit):
    graph = compiled(text)
    assert (graph.unit, graph.warnings) == (unit, ())


@pytest.mark.parametrize(
    ("text", "unlike"), [("mid - spread_bps", 1), ("price > size", 1), ("price + 5 - size", 1)]
)
def test_unlike_units_are_warned_of_once(text, unlike):
    assert [w.code for w in compiled(text).warnings] == ["QF130"] * unlike


@pytest.mark.parametrize(
    ("text", "warmup", "memory"),
    [
        ("price", 0, Memory()),
        ("lag(price, 3)", 3, Memory((3,))),
        ("rolling_sum(size, 20)", 19, Memory((19,))),
        ("lag(rolling_sum(size, 20), 5)", 24, Memory((24,))),
        ("rolling_sum(lag(size, 5), 20) + lag(price, 30)", 30, Memory((30,))),
        ('rolling_sum(size, "50 ticks")', 49, Memory((49,))),
    ],
)
def test_warm_up_and_memory_add_up_along_the_longest_path(text, warmup, memory):
    graph = compiled(text)
    assert (graph.warmup_rows, graph.memory) == (warmup, memory)
    assert graph.lookback_rows == memory.rows - 1


@pytest.mark.parametrize(
    "text",
    [
        "abs(price - lag(price, 50)) / rolling_mean(size, 50)",
        "rolling_std(log_return(price), 20) / rolling_std(log_return(price), 300)",
        "decay_sum(sum_levels(ofi, 5), 0.95)",
        "rolling_rank(spread_ticks, 100)",
        "10000 * spread / mid",
        "weighted_depth(5)",
    ],
)
def test_the_formulas_of_the_library_are_not_warned_of(text):
    assert compiled(text).warnings == ()


def test_memory_over_rows_and_time_keeps_the_order():
    seconds = Memory((4,)).behind_ns(5).behind_rows(20)  # rolling(window(rolling(x, 5), 5ns), 20)
    assert seconds.steps == (("rows", 20), ("ns", 5), ("rows", 5))
    assert Memory().behind_ns(5).behind_ns(7).steps == (("ns", 12),)
    assert (seconds.rows, seconds.ns) == (24, 5)
    assert join([seconds, Memory((30,))]).steps == (("rows", 31), ("ns", 5), ("rows", 5))
    assert seconds.behind_rows(0).steps == (("rows", 0),)
    assert seconds.behind_rows(0).rows == 0


def test_a_value_is_of_the_book_when_any_input_is():
    assert not compiled("price * size").book
    assert compiled("price * rolling_sum(spread, 3)").book
    assert compiled("book_imbalance(2)").levels == 2
    assert compiled("price").levels == 0


def test_the_same_window_is_legal_where_its_rows_live():
    assert compiled('rolling_sum(volume, "200 bars")', BARS).warmup_rows == 199
    assert compiled('rolling_sum(size, "200 ticks")').warmup_rows == 199
    assert compiled('rolling_sum(size, "200 rows")').warmup_rows == 199


def test_conditions_count_as_numbers_and_never_the_other_way():
    assert compiled("price > 5 and not lag(price > 5, 1)").kind == "bool"
    assert compiled("rolling_sum(price > 5, 20)").kind == "float"
    assert compiled("where(price > 5, mid > 5, false)").kind == "bool"
    assert compiled("where(price > 5, mid > 5, 1)").kind == "float"
    assert compiled("(price > 5) + (size > 1)").kind == "float"
    with pytest.raises(DefinitionError):
        compiled("where((price > 5) + (size > 1), 1, 0)")


def test_a_placeholder_reads_the_column_it_is_bound_to():
    signal = ColumnInfo("breakout_strength", "float", "any", "dollar_k_50000", True)
    graph = compile_formula(
        "rolling_sum(signal, window)", table=BARS, params={"window": 5}, inputs={"signal": signal}
    )
    assert (graph.columns, graph.book, graph.unit) == (("breakout_strength",), True, "any")


def test_dotted_and_plain_names_are_one_column():
    graph = compiled("cdm_trade_enriched.price - price + lag(micro_price - weighted_mid, 1)")
    assert graph.columns == ("price", "weighted_mid")


def test_parameters_may_be_any_constant_expression():
    graph = compiled("rolling_sum(size, 10 * window + 2 ** 3)", window=3)
    assert graph.root.parameters == (("window", 38),)


def test_state_bytes_count_slots_and_column_tails():
    graph = compiled("lag(price, 9)")
    assert graph.state_bytes == 8 * 2 * 10


def _op(signature: str, window_form: str = "", rule: Callable[..., int] | None = None) -> Op:
    def none(**parameters: object) -> int:
        return 0

    parsed = parse_signature(signature)
    rule = rule or none
    return Op(parsed, "ops", "", "map", rule, none, None, none, none, 0.0, "x", window_form, "")


ROLLING = _op("rolling(x, window: 1..1000, trim: 0.0..1.0 = 0.0)", "timed")
TIMED = _op("timed(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 4096)")
FUNCTIONS = {**functions(), "rolling": ROLLING, "timed": TIMED}


def _check(text: str):
    context = context_of(text, functions=FUNCTIONS)
    return graph_of(resolve(parse(context.source), context), context)


def test_a_duration_selects_the_form_over_time():
    graph = _check('rolling(price, "5s")')
    assert graph.root.name == "timed"
    assert dict(graph.root.parameters) == {"window": 5_000_000_000, "max_rows": 4096}
    assert graph.memory.steps == (("ns", 5_000_000_000),)
    assert graph.needs_time


def test_an_argument_the_form_over_time_does_not_know_is_refused():
    with pytest.raises(DefinitionError) as caught:
        _check('rolling(price, "5s", 0.1)')
    assert caught.value.code == "QF135"


def test_rows_where_a_duration_belongs_are_refused():
    with pytest.raises(DefinitionError) as caught:
        _check("timed(price, 5)")
    assert caught.value.code == "QF136"
