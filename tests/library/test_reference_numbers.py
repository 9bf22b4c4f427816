"""The popular forms give the numbers that their reference implementation published."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import qf
from feeds.captures import DATA

GOLDEN = DATA / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"the golden data is not in {GOLDEN}")


@pytest.fixture(scope="module")
def bars():
    with (GOLDEN / "dollar_bar_sample.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = {"volume": "cum_vol", "value": "cum_dollar"}
    columns = ("open", "high", "low", "close", "volume", "value")
    return {name: np.array([float(row[names.get(name, name)]) for row in rows]) for name in columns}


def near(text: str) -> float:
    """Return half a unit of the last digit that was published, twice: it may be cut or rounded."""
    mantissa, _, power = text.partition("e")
    digits = len(mantissa.partition(".")[2])
    return 10.0 ** (int(power or 0) - digits)


@pytest.mark.parametrize(
    ("formula", "largest", "mean", "at_25"),
    [
        ("kyle_lambda_bars(close, volume, 20)", "1.63423e-4", "7.02e-5", "7.76e-5"),
        ("amihud(close, value, 20)", "4.057838e-11", "1.7213e-11", "1.8439e-11"),
        ("hasbrouck_lambda_bars(close, value, 20)", "3.39527e-7", "1.44037e-7", "1.5433e-7"),
        ("roll_spread_abs(close, 20)", "7.1584", "2.341", "1.176"),
        ("corwin_schultz(high, low, 20)", ".01652", None, None),
        ("bekker_parkinson(high, low, 20)", ".018773", None, None),
    ],
)
def test_the_published_numbers_come_out(bars, formula, largest, mean, at_25):
    found = qf.formula(formula, clock="dollar_k_1").run(bars)
    told = ((largest, np.nanmax(found)), (mean, np.nanmean(found)), (at_25, found[25]))
    for text, value in told:
        if text is not None:
            assert abs(value - float(text)) <= near(text), f"{value}, published {text}"
