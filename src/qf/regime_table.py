"""A regime table: the states of one measure, their edges, and what each means for trading.

    state      edges        factor  safe_to_trade
    low        [  , 0.3)    1       true
    medium     [0.3, 0.5)   0.5     true
    high       [0.5, 0.7)   0.25    true
    extreme    [0.7,  )     0       false

A value belongs to the one state with lower <= value < upper; the states leave no gap. The code of a
state is its place in the table, from 0. A table is data (library/regimes/*.yml and a project's
.definitions/regimes/*.yml); `classify`, `regime_factor` and `regime_safe` turn it into a step
function whose edges are parameters, so a plan is another plan when its table is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "library" / "regimes"
PARAMETER = "regime"  # the parameter of a function by which a formula names its table
MOST_STATES = 6  # what step_value takes


@dataclass(frozen=True)
class State:
    """One state: it holds while lower <= value < upper."""

    name: str
    lower: float  # -inf: open
    upper: float  # inf: open
    factor: float  # what a size or a confidence is multiplied by
    safe_to_trade: bool  # whether new positions may be opened
    meaning: str = ""


@dataclass(frozen=True)
class Override:
    """The edges, and perhaps the factors, that one instrument has of its own."""

    venue: str  # "": every venue's instrument of that symbol
    symbol: str
    edges: tuple[float, ...]
    factors: tuple[float, ...]


@dataclass(frozen=True)
class RegimeTable:
    """A checked table; `states` are in ascending order and share their edges."""

    name: str
    description: str
    of: str  # what is classified, in words
    unit: str
    factor_means: str
    source: str
    states: tuple[State, ...]
    instruments: tuple[Override, ...] = ()
    file: str = ""

    @property
    def edges(self) -> tuple[float, ...]:
        """Return the edges between the states, one less than there are states."""
        return tuple(state.lower for state in self.states[1:])

    def own(self, venue: str, symbol: str) -> Override | None:
        """Return what an instrument has of its own; a row that names the venue goes first."""
        for wanted in ((venue, symbol), ("", symbol)):
            for row in self.instruments:
                if (row.venue, row.symbol) == wanted:
                    return row
        return None

    def at(self, venue: str, symbol: str) -> RegimeTable:
        """Return the table as one instrument has it."""
        row = self.own(venue, symbol)
        if row is None:
            return self
        return replace(self, states=self.states_of(row))

    def states_of(self, row: Override) -> tuple[State, ...]:
        """Return the states with the edges and factors of one instrument."""
        bounds = (-math.inf, *row.edges, math.inf)
        return tuple(
            replace(state, lower=bounds[i], upper=bounds[i + 1], factor=row.factors[i])
            for i, state in enumerate(self.states)
        )

    def code(self, value: float) -> int:
        """Return the code of the state that a value belongs to (what the kernels mean)."""
        return sum(value >= edge for edge in self.edges)

    def steps(self, values: Sequence[float]) -> str:
        """Return the step function of `x` that has these values, one per state, as a formula."""
        edges = [f"edge_{i}={edge!r}" for i, edge in enumerate(self.edges, 1)]
        steps = [f"value_{i}={float(value)!r}" for i, value in enumerate(values)]
        return f"step_value(x, {', '.join([*edges, *steps])})"


def names() -> tuple[str, ...]:
    """Return the names of the library's tables: those of their files."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


def shipped() -> Mapping[str, RegimeTable]:
    """Return the library's tables by name, read when first asked for.

    They are found as ops are: by the module that reads them, so that formulas need no project.
    """
    return import_module("qf.project.regime_files").library_tables()


class AtInstrument(Mapping[str, RegimeTable]):
    """Tables as one instrument has them, each made when it is asked for."""

    def __init__(self, tables: Mapping[str, RegimeTable], venue: str, symbol: str) -> None:
        self._tables, self._where = tables, (venue, symbol)

    def __getitem__(self, name: str) -> RegimeTable:
        return self._tables[name].at(*self._where)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
