"""Every aggregation folds ticks into bars as its definition says, however the stream is cut."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.op import family
from qf.testing.contract.compare import close
from qf.testing.contract.documents import (
    bounds_are_refused_with_a_good_error,
    gaps_are_strict,
    polars_rule_is_native,
)
from qf.testing.contract_bars import (
    AGGREGATION_LAWS,
    FOLD_ENTRIES,
    aggregation_plan,
    aggregation_survives_cuts,
    aggregation_tape,
    is_aggregation,
    run,
    says_what_it_means,
)

FOLDS = [op for op in family("aggregations") if is_aggregation(op)]
every_fold = pytest.mark.parametrize("op", FOLDS, ids=[op.name for op in FOLDS])


@every_fold
@pytest.mark.parametrize("law", AGGREGATION_LAWS, ids=[law.__name__ for law in AGGREGATION_LAWS])
def test_law(law, op):
    assert law(op) is None


@every_fold
@settings(max_examples=4)
@given(
    cuts=st.lists(st.integers(1, 199), max_size=8),
    block=st.sampled_from([1, 3, 64]),
)
def test_cutting_anywhere_changes_no_bit(op, cuts, block):
    assert aggregation_survives_cuts(op, cuts, block) is None


@pytest.mark.parametrize("op", list(family("aggregations")), ids=lambda op: op.name)
def test_it_says_what_it_means_and_its_bounds_hold(op):
    laws = (says_what_it_means, gaps_are_strict, bounds_are_refused_with_a_good_error)
    assert [law(op) for law in laws] == [None] * 3


@every_fold
@pytest.mark.parametrize("entry", FOLD_ENTRIES, ids=lambda entry: entry["type"])
def test_the_polars_rule_says_the_same_per_bar(op, entry):
    polars_rule_is_native(op)
    tape = aggregation_tape(op, 77)
    made = next(iter(run(aggregation_plan(op, entry), tape).values()))
    is_float = op.signature.inputs[0].kind == "float"
    x = pl.Series("x", tape["x" if is_float else "quality"])
    x = x.fill_nan(None) if is_float else x.replace(-(2**63), None)
    rows = pl.int_ranges(pl.col("first_row"), pl.col("close_row") + 1).alias("row")
    bars = pl.DataFrame({name: made[name] for name in ("first_row", "close_row")})
    members = bars.with_row_index("bar").with_columns(rows).explode("row")
    members = members.with_columns(x.gather(members["row"]).alias("x"))
    grouped = members.group_by("bar", maintain_order=True)
    want = grouped.agg(op.rules["polars"](pl.col("x")).alias("out"))["out"]
    want = want.fill_null(float("nan") if is_float else -(2**63)).to_numpy()
    want = want.astype(made["out"].dtype)
    close(op, "polars_equals_kernel", made, {"out": want}, where=str(entry), tolerance=1e-9)
    assert (np.isnan(want).sum() if is_float else 0) < len(want)
