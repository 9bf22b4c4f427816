"""The generators of the contract suite: deterministic, complete, and difficult as announced."""

import numpy as np
import pytest

from qf.errors import QuantflowError
from qf.schema import NULL_INT
from qf.testing.market import COLUMN_KINDS, columns


@pytest.mark.parametrize("kind", COLUMN_KINDS)
@pytest.mark.parametrize("rows", [0, 1, 2, 40, 3_000])
def test_same_arguments_give_the_same_bits(kind, rows):
    first, second = columns(kind, 7, rows), columns(kind, 7, rows)
    assert first.keys() == columns("calm", 1, 5).keys()
    for name, values in first.items():
        assert len(values) == rows
        assert values.dtype in (np.float64, np.int64)
        assert values.tobytes() == second[name].tobytes()


def test_each_kind_is_difficult_as_announced():
    rows = 2_000
    assert np.std(columns("calm", 1, rows)["price_ticks"]) < 1e-6 * 6.5e9
    assert np.ptp(columns("jumps", 1, rows)["price_ticks"]) > 100_000
    nulls = columns("nulls", 1, rows)
    assert np.isnan(nulls["x"]).any() and np.isnan(nulls["mid"][:2]).all()
    assert (nulls["direction"] == NULL_INT).any()
    assert (np.diff(columns("ties", 1, rows)["x"]) == 0).mean() > 0.9
    assert (columns("one_sided", 1, rows)["sell_volume"] == 0).all()
    assert np.isnan(columns("empty_side", 1, rows)["ask_price_0"]).any()
    assert (np.diff(columns("duplicates", 1, rows)["trade_id"]) == 0).any()
    assert (np.diff(columns("out_of_order", 1, rows)["event_time"]) < 0).any()


def test_an_unknown_kind_is_refused_with_a_near_name():
    with pytest.raises(QuantflowError, match="clam") as caught:
        columns("clam", 1, 5)
    assert "calm" in caught.value.near
