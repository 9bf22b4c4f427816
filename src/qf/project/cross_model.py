"""A cross set: features of one symbol that read features of others, as a resolved record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qf.errors import Place
from qf.project.formula_place import FormulaPlace
from qf.project.model import FeatureSet, Staleness

# What a venue publishes of a contract besides its trades, readable like a feature: name -> unit.
MARKS = {
    "mark_price": "quote/base",
    "index_price": "quote/base",
    "settle_price": "quote/base",
    "funding_rate": "1",
}


@dataclass(frozen=True)
class CrossFeature:
    """One formula over the features of several symbols, and what an old value is worth to it."""

    name: str
    formula: str
    formula_place: FormulaPlace
    params: Mapping[str, Any]
    bindings: Mapping[str, str]  # placeholder of a feature type -> what it reads, as written
    staleness: Staleness
    place: Place


@dataclass(frozen=True)
class CrossSet:
    """Cross features that are decided on one clock of every reading symbol."""

    name: str
    of: FeatureSet  # whose features are read
    bar: str  # the decision clock
    symbols: tuple[str, ...]  # those that get rows
    universe: tuple[str, ...]  # whose features may be read, and whom a cross-section compares
    features: tuple[CrossFeature, ...]
    place: Place

    @property
    def table(self) -> str:
        """Return the table of its vectors."""
        return f"feature_vectors_{self.name}"
