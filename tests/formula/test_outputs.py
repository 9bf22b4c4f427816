"""A function of several values: `name.value(…)`, one computation however many of them are read."""

from __future__ import annotations

import numpy as np
import pytest

from formula.sample import TICK, frame_of, market, same_bits
from qf.errors import DefinitionError
from qf.language.compile import compile_formula
from qf.language.context import FAMILIES, functions
from qf.language.explain import explain
from qf.language.outputs import calls, is_one, place_of, unit_text, values_of
from qf.language.reference import reference_text
from qf.language.state_share import state_share
from qf.lower.formula import program_of
from qf.lower.to_polars import to_polars, with_graphs
from qf.op import BOOK, family, find
from qf.project.project_ops import load_project_ops, unload_project_ops
from qf.testing.contract import broken_laws

REACH = '''
"""reach(x, window): lowest and highest of the last `window` rows, and how they lie.

    low[t] = min(x[i]), high[t] = max(x[i]),  i = t-window+1 .. t
    flat[t] = low[t] == high[t];  same[t] = count of i with x[i] == x[t]

Null until `window` rows exist and while one of them is null.
Unit: of low and high that of x; flat is a condition; same counts rows.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import NULL_INT

op = define(
    "reach(x, window: 2..1000) -> low, high, flat, same: int",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    unit="x, x, bool, 1",
    example="reach.high(mid, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any(value != value for value in last):
        return math.nan, math.nan, math.nan, NULL_INT
    low, high = min(last), max(last)
    return low, high, float(low == high), sum(value == last[-1] for value in last)


@op.polars
def polars(x, window):
    low, high = x.rolling_min(window), x.rolling_max(window)
    same = x.is_not_null().cast(int)
    for k in range(1, window):
        same = same + (x == x.shift(k)).cast(int)
    return low, high, (low == high).cast(float), same


@op.kernel
def kernel(x, lo, hi, low, high, flat, same, params):
    window = int(params[0])
    for t in range(lo, hi):
        least, most, equal = x[t], x[t], 0
        for i in range(t - window + 1, t + 1):
            value = x[i]
            if not (value == value and least == least):
                least = most = math.nan
                continue
            least, most = min(least, value), max(most, value)
            equal += 1 if value == x[t] else 0
        low[t], high[t] = least, most
        flat[t] = (1.0 if least == most else 0.0) if least == least else math.nan
        same[t] = equal if least == least else NULL_INT
'''


@pytest.fixture(autouse=True, scope="module")
def reach(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several") / "project"
    (folder / ".definitions/ops").mkdir(parents=True)
    (folder / ".definitions/ops/reach.py").write_text(REACH)
    (op,) = load_project_ops(folder, {}, trusted=True)
    yield op
    unload_project_ops()


def graph_of(text: str):
    return compile_formula(text, table=TICK)


def test_an_op_of_several_values_keeps_every_law(reach):
    assert broken_laws(reach) == []


def test_a_law_is_broken_by_a_value_whose_unit_or_meaning_is_not_said(reach, monkeypatch):
    monkeypatch.setattr(reach, "unit", "x, x, bool")
    assert "one unit per value" in broken_laws(reach)[0]


@pytest.mark.parametrize("text", ["reach.low({})", "reach.high({})", "reach.same({}) / 2"])
def test_each_value_is_the_same_in_machine_polars_and_one_expression(text):
    graph, columns = graph_of(text.format("mid, 7")), market(300, 4)
    program, names = program_of({"value": graph})
    ours = program.push({name: columns[name] for name in names})["tick"]["value"]
    frame = frame_of(columns)
    assert same_bits(ours, with_graphs(frame, {"value": graph})["value"].to_numpy())
    assert same_bits(ours, frame.select(to_polars(graph).alias("value"))["value"].to_numpy())
    assert 0 < np.isnan(ours).sum() < 300


def test_the_values_of_one_call_are_one_instruction_in_one_formula_and_in_several():
    texts = ["reach.high(mid, 20) - reach.low(mid, 20)", "where(reach.flat(mid, 20), 1, 0)"]
    program, _ = program_of({text: graph_of(text) for text in texts})
    assert [i.op.name for i in program.plan.instructions].count("reach") == 1
    other, _ = program_of({"value": graph_of("reach.high(mid, 20) - reach.low(mid, 21)")})
    assert [i.op.name for i in other.plan.instructions].count("reach") == 2


def test_each_value_has_its_own_kind_and_unit():
    assert graph_of("reach.low(price, 20)").unit == "quote/base"
    assert graph_of("reach.same(price, 20)").unit == "1"
    assert graph_of("reach.flat(price, 20)").kind == "bool"
    assert graph_of("where(reach.flat(price, 20), size, 0)").unit == "base"
    with pytest.raises(DefinitionError) as caught:
        graph_of("where(reach.low(price, 20), size, 0)")
    assert caught.value.code == "QF127"


def test_values_of_different_units_put_together_are_a_warning():
    (warning,) = graph_of("reach.low(price, 20) + reach.same(price, 20)").warnings
    assert warning.code == "QF130"


def test_warm_up_look_back_and_state_are_those_of_the_op_once():
    one, two = graph_of("reach.low(mid, 20)"), graph_of("reach.low(mid, 20) < reach.high(mid, 20)")
    assert (two.warmup_rows, two.lookback_rows) == (one.warmup_rows, one.lookback_rows) == (19, 19)
    stateful = graph_of("reach.low(rolling_std(mid, 9), 20) + reach.high(rolling_std(mid, 9), 20)")
    assert state_share({"value": stateful}, "value").total == stateful.state_bytes
    shares = {"low": one, "high": graph_of("reach.high(mid, 20)")}
    share = state_share(shares, "low")
    assert 0 < share.own < one.state_bytes  # its column alone is its own


def test_an_explanation_names_the_value():
    lines = explain(graph_of("reach.high(mid, 20) - reach.low(mid, 20)")).splitlines()
    assert "  %1   = reach.high(%0, window=20)  float64, quote/base, after 19 rows" in lines
    assert "    %2 reach.low(window=20)" in lines


BARE = """\
QF141 reach has several values: low, high, flat, same
  --> formula:1:1
    1 | reach(mid, 20)
      | ^^^^^
  next: say which: reach.low(…) or reach.high(…) or reach.flat(…) or reach.same(…)"""

WRONG = """\
QF134 reach has no value 'hihg'
  --> formula:1:13
    1 | 1 + 2*reach.hihg(mid, 20)
      |             ^^^^
  did you mean: high
  next: write reach.low(…) or reach.high(…) or reach.flat(…) or reach.same(…)"""


@pytest.mark.parametrize(
    ("text", "said"), [("reach(mid, 20)", BARE), ("1 + 2*reach.hihg(mid, 20)", WRONG)]
)
def test_a_bare_name_and_a_wrong_one_are_told_what_there_is(text, said):
    with pytest.raises(DefinitionError) as caught:
        graph_of(text)
    assert str(caught.value) == said


def test_a_near_name_is_offered_for_a_function_with_a_value():
    with pytest.raises(DefinitionError) as caught:
        graph_of("raech.low(mid, 20)")
    assert "unknown function 'raech.low'" in str(caught.value)
    assert "did you mean: reach.low" in str(caught.value)


def test_a_missing_argument_shows_the_call_with_its_values():
    with pytest.raises(DefinitionError) as caught:
        graph_of("reach.low(mid)")
    assert "its call: reach(x, window: 2..1000) -> low, high, flat, same" in str(caught.value)


def test_an_op_of_one_value_may_be_called_by_it_and_is_the_same_node():
    graph = graph_of("rolling_sum.out(size, 5) - rolling_sum(size, 5)")
    assert [node.name for node in graph.nodes].count("rolling_sum") == 1
    with pytest.raises(DefinitionError) as caught:
        graph_of('window_sum.window_full(size, "5s")')
    assert caught.value.code == "QF134"


def test_what_was_written_reads_back_as_the_same_formula():
    graph = graph_of("2 * reach.high(mid, window=20) - reach.low(mid, 10 * 2)")
    assert graph.written == "2 * reach.high(mid, window=20) - reach.low(mid, 20)"
    assert graph_of(graph.written).nodes[-1].key == graph.nodes[-1].key


def test_the_reference_shows_call_values_and_units(reach):
    text = reference_text()
    assert "`reach(x, window: 2..1000) -> low, high, flat, same`" in text
    assert "| x, x, condition, 1 |" in text


def test_no_two_families_of_functions_share_a_name():
    names = [op.name for each in FAMILIES for op in family(each)]
    assert len(names) == len(set(names))


def test_every_value_of_every_function_has_a_call_a_place_and_a_unit():
    for op in functions().values():
        assert len(calls(op)) == len(values_of(op)) > 0
        for output in values_of(op):
            assert op.signature.outputs[place_of(op, output.name)] is output
            assert unit_text(op, output.name)
        assert is_one(op) or [call.split(".")[0] for call in calls(op)] == [op.name] * len(
            calls(op)
        )


def test_a_project_op_called_like_a_detector_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(BOOK, "detectors.twin", find("rolling_sum"))
    (tmp_path / ".definitions/ops").mkdir(parents=True)
    (tmp_path / ".definitions/ops/twin.yml").write_text(
        'name: twin\ndescription: A twin.\nsignature: "twin(x)"\nformula: "x"\n'
    )
    with pytest.raises(DefinitionError) as caught:
        load_project_ops(tmp_path, {})
    assert caught.value.code == "QF410"
