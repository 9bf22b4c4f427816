"""Run a feature type or a formula on columns of the tick clock, and draw random books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import qf
from qf.errors import QuantflowError
from qf.project.document import parse_document
from qf.project.feature_types import TypeBook, bind_parameters

Floats = NDArray[np.float64]
PROBLEMS: list[QuantflowError] = []
BOOK = TypeBook(None, PROBLEMS)


def of_type(name: str, columns: Mapping[str, Any], **given: Any) -> Floats:
    """Return the values of a feature type on ticks, its other parameters as by default."""
    found = BOOK.get(name)
    assert found is not None, PROBLEMS
    params = bind_parameters(found, given, parse_document("{}", name), ())
    return qf.formula(found.formula, **params).run(columns)


def random_books(rows: int, levels: int, seed: int) -> dict[str, Floats]:
    """Return books with a mid near 100, gaps between levels, and sizes of one unit or so."""
    draw = np.random.default_rng(seed)
    mid = 100.0 + draw.normal(0.0, 0.02, rows).cumsum()
    books: dict[str, Floats] = {}
    for side, sign in (("bid", -1.0), ("ask", 1.0)):
        away = 0.01 + draw.exponential(0.02, (rows, levels)).cumsum(axis=1)
        for level in range(levels):
            books[f"{side}_price_{level}"] = mid + sign * away[:, level]
            books[f"{side}_size_{level}"] = draw.lognormal(0.0, 0.7, rows)
    books["mid"] = 0.5 * (books["bid_price_0"] + books["ask_price_0"])
    books["spread"] = books["ask_price_0"] - books["bid_price_0"]
    return books
