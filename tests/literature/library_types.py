"""Run a feature type of the library on columns, and simulate what its paper assumes."""

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


def values(name: str, columns: Mapping[str, Floats], **given: Any) -> Floats:
    """Return the values of a type with the given parameters, the others as by default."""
    found = BOOK.get(name)
    assert found is not None, PROBLEMS
    params = bind_parameters(found, given, parse_document("{}", name), ())
    return qf.formula(found.formula, columns=list(columns), **params).run(columns)


def fractional_noise(exponent: float, rows: int, paths: int, seed: int) -> Floats:
    """Return paths of fractional Gaussian noise, exact (Davies, Harte 1987, Biometrika 74)."""
    draw = np.random.default_rng(seed)
    k = np.arange(rows + 1.0)
    power = 2.0 * exponent
    cover = 0.5 * ((k + 1) ** power - 2 * k**power + np.abs(k - 1) ** power)
    weights = np.fft.fft(np.concatenate([cover, cover[-2:0:-1]])).real.clip(0.0)
    size = len(weights)
    noise = draw.normal(size=(paths, size)) + 1j * draw.normal(size=(paths, size))
    return np.fft.fft(noise * np.sqrt(weights / size), axis=1).real[:, :rows]
