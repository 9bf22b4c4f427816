"""Text to ticks and lots against exact fractions, and what is refused by which rule."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qf.errors import QuantflowError
from qf.tape.grid import MAX_UNITS, Grid, Refused, Units
from qf.tape.instruments import Instrument
from qf.tape.tables import scaled

STEPS = ("0.01", "0.1", "0.5", "0.00000001", "1", "10", "0.025", "3", "1000")
steps = st.sampled_from(STEPS)
texts = st.from_regex(r"[0-9]{1,12}(\.[0-9]{0,10})?", fullmatch=True)


@given(step=steps, text=texts)
def test_a_size_is_its_exact_count_of_steps_or_off_grid(step, text):
    exact = Fraction(text) / Fraction(step)
    units = Units(Fraction(step), "size")
    if exact.denominator != 1:
        with pytest.raises(Refused, match="off_grid"):
            units[text]
    elif exact > MAX_UNITS:
        with pytest.raises(Refused, match="number_too_large"):
            units[text]
    else:
        assert units[text] == exact == units[text]


@given(step=steps, count=st.integers(1, 2**53), zeros=st.integers(0, 6))
def test_every_point_of_the_grid_comes_back(step, count, zeros):
    value = Fraction(step) * count
    digits = str(int(value * 10**9)).rjust(10, "0")
    text = f"{digits[:-9]}.{digits[-9:]}" + "0" * zeros
    assume(value * 10**9 == int(value * 10**9) and len(text) <= 24)
    assert Units(Fraction(step), "price")[text] == count


@given(step=steps, counts=st.lists(st.integers(1, 2**50), max_size=20))
def test_floats_on_the_grid_are_exact_and_their_neighbours_are_refused(step, counts):
    num, den = Fraction(step).as_integer_ratio()
    assume(all(count * num < 2**53 for count in counts))
    numbers = np.array(counts, dtype=np.int64) * num / den
    units = Units(Fraction(step), "price")
    assert units.of_floats(numbers).tolist() == counts
    if counts and counts[0] < 2**40:
        numbers[0] = np.nextafter(numbers[0], np.inf)
        with pytest.raises(Refused, match="off_grid"):
            units.of_floats(numbers)


@given(step=steps, count=st.integers(0, 2**53 - 1))
def test_the_scale_gives_the_nearest_float_of_the_decimal(step, count):
    scale = Fraction(step).as_integer_ratio()
    assume(count * scale[0] < 2**53)
    exact = Fraction(step) * count
    assert scaled(np.array([count]), scale)[0] == exact.numerator / exact.denominator


@pytest.mark.parametrize(
    ("text", "price_rule", "size_rule"),
    [
        ("0", "price_not_positive", ""),
        ("-0.0", "price_not_positive", ""),
        ("-1", "price_not_positive", "size_negative"),
        ("NaN", "number_not_finite", "number_not_finite"),
        ("-Infinity", "number_not_finite", "number_not_finite"),
        ("", "not_a_number", "not_a_number"),
        (".5", "not_a_number", "not_a_number"),
        ("1_000", "not_a_number", "not_a_number"),
        (" 1", "not_a_number", "not_a_number"),
        ("1 ", "not_a_number", "not_a_number"),
        ("0x10", "not_a_number", "not_a_number"),
        ("٣", "not_a_number", "not_a_number"),
        ("1/3", "not_a_number", "not_a_number"),
        ("9" * 100, "not_a_number", "not_a_number"),
        ("1e99", "number_too_large", "number_too_large"),
        ("1e-9", "off_grid", "off_grid"),
        ("0.015", "off_grid", "off_grid"),
        ("1.5e1", "", ""),
        ("+2", "", ""),
    ],
)
def test_what_is_no_count_of_steps_is_refused_by_name(text, price_rule, size_rule):
    grid = Grid(Instrument("binance_spot", "X", "X", "Y", "spot", "0.01", "0.01"))
    for units, rule in ((grid.ticks, price_rule), (grid.lots, size_rule)):
        found = ""
        try:
            units[text]
        except Refused as refused:
            found = refused.rule
        assert found == rule
        assert (text in units) == (rule == "")  # a refused text is never remembered


def test_the_memory_of_texts_is_bounded():
    units = Units(Fraction(1), "size")
    for number in range(250_000):
        units[str(number)]
    assert len(units) <= 200_000


@pytest.mark.parametrize("bad", ["0", "-0.01", "abc", "", "NaN", "1e30", 0.01])
def test_an_instrument_refuses_a_step_that_is_none(bad):
    with pytest.raises(QuantflowError, match="tick_size"):
        Instrument("v", "X", "X", "Y", "spot", bad, "1")


def test_an_inverse_contract_needs_its_value():
    with pytest.raises(QuantflowError, match="contract_size"):
        Instrument("v", "X", "X", "USD", "inverse", "0.1", "1")
    whole = Instrument("v", "X", "X", "USD", "inverse", "0.1", "1", "100")
    assert (whole.value_scale, whole.value_from_price) == ((100, 1), False)
    linear = Instrument("v", "X", "X", "USDT", "linear", "0.1", "0.001")
    assert (linear.value_scale, linear.price_scale) == ((1, 10_000), (1, 10))
