"""A regime table file: the states of one measure, and what single instruments have of their own."""

from __future__ import annotations

from pydantic import Field

from qf.project.structs.struct import Name, Struct, Text

Number = int | float


class StateRow(Struct):
    """One state; an edge that is null is open."""

    name: Name
    edges: tuple[Number | None, Number | None]
    factor: Number = Field(ge=0, le=10)
    safe_to_trade: bool
    meaning: Text = ""


class InstrumentRow(Struct):
    """The edges between the states, in ascending order, as one instrument has them."""

    venue: Name | None = None
    symbol: str = Field(min_length=1, max_length=40)
    edges: tuple[Number, ...]
    factors: tuple[Number, ...] | None = None


class RegimeFile(Struct):
    """A regime table; without states it adds instruments to the library's table of that name."""

    name: Name
    description: Text = ""
    of: Text = ""
    unit: Text = ""
    factor_means: Text = ""
    source: Text = ""
    states: tuple[StateRow, ...] = ()
    instruments: tuple[InstrumentRow, ...] = ()
