"""Random numbers one at a time, drawn in blocks from a numpy Generator (single calls are slow).

The order of use alone decides the sequence, so a market does not depend on how it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from numpy.random import Generator
from numpy.typing import NDArray

BLOCK = 4_096

Draw = Callable[[], float]


def uniforms(generator: Generator) -> Draw:
    """Return a function that gives the next number of [0, 1)."""
    return _one_by_one(lambda: generator.random(BLOCK))


def normals(generator: Generator) -> Draw:
    """Return a function that gives the next standard normal number."""
    return _one_by_one(lambda: generator.standard_normal(BLOCK))


def exponentials(generator: Generator) -> Draw:
    """Return a function that gives the next exponential number of mean 1."""
    return _one_by_one(lambda: generator.standard_exponential(BLOCK))


def gammas(generator: Generator, shape: float) -> Draw:
    """Return a function that gives the next gamma number of mean 1."""
    return _one_by_one(lambda: generator.standard_gamma(shape, BLOCK) / shape)


def lognormals(generator: Generator, sigma: float) -> Draw:
    """Return a function that gives the next log-normal number of mean 1."""
    return _one_by_one(lambda: generator.lognormal(-sigma * sigma / 2, sigma, BLOCK))


def _one_by_one(block: Callable[[], NDArray]) -> Draw:
    def endless() -> Iterator[float]:
        while True:
            yield from block().tolist()

    return endless().__next__
