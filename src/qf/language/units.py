"""Units as products of words with exponents, and how an op's unit follows from its inputs'.

    quote/base   base   tick*lot   bps   1        x/y^0.5 in an op, over its inputs' names

`None` is "any": a number, or a feature whose unit nobody stated. Quote per base times base is
quote; adding quote to base is a warning (check.py says when).
"""

from __future__ import annotations

import re
from fractions import Fraction

Unit = tuple[tuple[str, Fraction], ...]

_PART = re.compile(r"\s*([*/]?)\s*([A-Za-z_]\w*|1)(?:\^([A-Za-z_]\w*|-?\d+(?:\.\d+)?))?\s*")


def parse_unit(text: str) -> Unit | None:
    """Return the unit that a column's text spells; "any" is None, "1" is the empty product."""
    return unit_of(text, {}, {}) if text != "any" else None


def unit_of(
    text: str, inputs: dict[str, Unit | None], values: dict[str, float | None]
) -> Unit | None:
    """Return the unit of an op's output; words of the text that are inputs stand for theirs.

    `values` are the constants given as inputs, so that `x^y` knows the power; a power that is no
    constant leaves only a pure number pure.
    """
    powers: dict[str, Fraction] = {}
    for sign, word, power in _split(text):
        exponent = _exponent(power, values)
        if exponent is None:
            return () if inputs.get(word) == () else None
        if sign == "/":
            exponent = -exponent
        if word == "1":
            continue
        if word in inputs:
            unit = inputs[word]
            if unit is None:
                return None
            for symbol, times in unit:
                powers[symbol] = powers.get(symbol, Fraction(0)) + times * exponent
        else:
            powers[word] = powers.get(word, Fraction(0)) + exponent
    return tuple(sorted((symbol, times) for symbol, times in powers.items() if times))


def write_unit(unit: Unit | None) -> str:
    """Return a unit as text: `quote/base`, `1` for a pure number, `any` where it is unknown."""
    if unit is None:
        return "any"
    above = [_power(symbol, times) for symbol, times in unit if times > 0]
    below = [_power(symbol, -times) for symbol, times in unit if times < 0]
    return "/".join(["*".join(above) or "1", *below])


def _split(text: str) -> list[tuple[str, str, str]]:
    parts, at = [], 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or match.end() == at:
            raise ValueError(f"{text!r} is not a unit")
        parts.append((match[1], match[2], match[3] or "1"))
        at = match.end()
    return parts


def _exponent(power: str, values: dict[str, float | None]) -> Fraction | None:
    if power in values:
        value = values[power]
        return None if value is None else Fraction(value).limit_denominator(1000)
    return Fraction(power) if re.fullmatch(r"-?\d+(?:\.\d+)?", power) else None


def _power(symbol: str, times: Fraction) -> str:
    if times == 1:
        return symbol
    whole = times.denominator == 1
    return f"{symbol}^{times.numerator if whole else float(times):g}"
