"""Decimal text to ticks and lots, exactly: no float stands between the venue and the tape.

Texts repeat (a price level is sent many times), so results are remembered, up to a bound.
"""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np

from qf.tape.instruments import Instrument

# Beyond 2**53 an integer no longer fits a float64 column.
MAX_UNITS = 2**53
MAX_MEMORY = 20_000  # a busy day brings ever new sizes: more would only keep what never comes again
_NUMBER = re.compile(r"[+-]?(\d{1,24})(\.\d{0,24})?([eE][+-]?\d{1,2})?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)


class Refused(Exception):
    """Say which rule a number broke."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Units(dict[str, int]):
    """Map a number's text to a count of steps; a text that is no such count raises Refused.

    A price must be positive. A size must not be negative; zero is a size (a level's end).
    """

    def __init__(self, step: Fraction, quantity: str) -> None:
        super().__init__()
        self.step, self.quantity = step, quantity
        # text with k decimals: units = digits * multiply / divide, reduced
        ratios = [Fraction(1, 10**k) / step for k in range(25)]
        self._ratios = [ratio.as_integer_ratio() for ratio in ratios]

    def __missing__(self, text: str) -> int:
        units = self._convert(text)
        if len(self) >= MAX_MEMORY:
            self.clear()
        self[text] = units
        return units

    def _convert(self, text: str) -> int:
        whole, _, part = text.partition(".")
        digits = whole + part
        if len(digits) <= 24 and digits.isascii() and digits.isdigit() and whole:
            multiply, divide = self._ratios[len(part)]
            units, rest = divmod(int(digits) * multiply, divide)
        else:
            units, rest = self._convert_rare(text)
        if rest:
            raise Refused("off_grid")
        if units > MAX_UNITS:
            raise Refused("number_too_large")
        if units == 0 and self.quantity == "price":
            raise Refused("price_not_positive")
        return units

    def _convert_rare(self, text: str) -> tuple[int, int]:
        if len(text) > 60 or not _NUMBER.fullmatch(text):
            finite = len(text) > 60 or not _NOT_FINITE.fullmatch(text)
            raise Refused("not_a_number" if finite else "number_not_finite")
        number = Fraction(text)
        if number < 0:
            raise Refused("price_not_positive" if self.quantity == "price" else "size_negative")
        units = number / self.step
        return units.numerator // units.denominator, units.numerator % units.denominator

    def of_floats(self, numbers: np.ndarray) -> np.ndarray:
        """Return the int64 counts of float64 numbers that are the nearest to a grid point."""
        if not np.isfinite(numbers).all():
            raise Refused("number_not_finite")
        if (numbers < 0).any() or (self.quantity == "price" and (numbers == 0).any()):
            raise Refused("price_not_positive" if self.quantity == "price" else "size_negative")
        num, den = self.step.as_integer_ratio()
        if numbers.size and float(numbers.max()) * den / num > MAX_UNITS:
            raise Refused("number_too_large")
        units = np.rint(numbers * den / num).astype(np.int64)
        # units * num / den is rounded once, so it equals the number iff that was on the grid.
        if not (units * num / den == numbers).all():
            raise Refused("off_grid")
        return units


class Grid:
    """The two conversions of one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self.ticks = Units(instrument.tick, "price")
        self.lots = Units(instrument.lot, "size")
