"""Cross sets: features of one symbol that read features of others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qf.project.structs.feature_files import StalenessRow
from qf.project.structs.struct import Name, Scalar, Struct, Text


class CrossRow(Struct):
    """One cross feature: a formula, or a feature type with what its placeholders read."""

    name: Name
    description: Text = ""
    formula: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    type: Name | None = None
    inputs: tuple[str, ...] = ()
    params: dict[str, Scalar] = Field(default_factory=dict)
    staleness: StalenessRow | None = None


class CrossEntry(Struct):
    """One cross set of the project: whose features it reads, who decides, and on which clock."""

    name: Name
    description: Text = ""
    of: Name
    bar: str | None = None
    symbols: tuple[str, ...] = ()
    universe: tuple[str, ...] = ()
    staleness: StalenessRow
    features: Annotated[tuple[CrossRow, ...], Field(min_length=1)]
