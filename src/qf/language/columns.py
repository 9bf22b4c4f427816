"""What a formula may name: the columns of a clock with kind, unit and whether the book made them.

Regime tables are named too, in quotes; a project has its own, and each instrument its own edges.

A level family (`bid_size`) is one column per level, `bid_size_0` outward; a formula reads it
through a level function or one level at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qf.regime_table import RegimeTable

MAX_LEVELS = 100


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column: `kind` is float, int or bool; `unit` is text such as "quote/base" or "1".

    `unit` "id" and "time" are whole numbers that a float64 cannot hold, so no formula computes
    with them; unit "any" fits every other (a feature given as an input may have any unit).
    """

    name: str
    kind: str = "float"
    unit: str = "any"
    clock: str = "tick"
    book: bool = False


Input = ColumnInfo  # what a placeholder such as `signal` is bound to


@dataclass(frozen=True)
class ColumnTable:
    """The columns of one clock, under the table names that a dotted name may use."""

    clock: str
    tables: tuple[str, ...]
    columns: Mapping[str, ColumnInfo]
    families: Mapping[str, int] = field(default_factory=dict)  # name -> number of levels
    aliases: Mapping[str, str] = field(default_factory=dict)
    regimes: Mapping[str, RegimeTable] | None = None  # None: the library's
    # the tables of the symbols that a formula may compare, None in the reading symbol's own place
    members: tuple[ColumnTable | None, ...] | None = None

    @property
    def is_bar(self) -> bool:
        """Say whether the rows are bars."""
        return self.clock not in ("tick", "book", "snapshot", "rows")

    @classmethod
    def tick(cls, levels: int = 20) -> ColumnTable:
        """Return the enriched trades' columns, with `levels` levels of each family."""
        beside = ("cdm_funding", "cdm_liquidations", "cdm_open_interest")
        return _table("tick", ("cdm_trade_enriched", "cdm_trades", *beside), _TICK, levels)

    @classmethod
    def bars(cls, clock: str, tables: Iterable[str] = ()) -> ColumnTable:
        """Return the bar columns of one bar clock; `tables` default to its rule's table."""
        rule = re.split(r"_[a-z]_", clock)[0]
        return _table(clock, (*(tables or (f"cdm_{rule}_bars",)), clock), _BAR, 0)

    @classmethod
    def of(cls, columns: Iterable[str] | Mapping[str, str], clock: str = "rows") -> ColumnTable:
        """Return a table of free columns: names, or names with their kinds."""
        kinds = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "float")
        infos = {name: ColumnInfo(name, kind, "any", clock) for name, kind in kinds.items()}
        return cls(clock, (clock,), infos)

    def find(self, name: str) -> ColumnInfo | None:
        """Return the column called `name` (an alias counts), or None."""
        name = self.aliases.get(name, name)
        if name in self.columns:
            return self.columns[name]
        family, _, level = name.rpartition("_")
        known = self.families.get(family, 0)
        if known and level.isdigit() and str(int(level)) == level and int(level) < known:
            return ColumnInfo(name, "float", _LEVELS[family], self.clock, True)
        return None

    def names(self) -> tuple[str, ...]:
        """Return every name a formula may write, families and aliases included."""
        return (*self.columns, *self.aliases, *self.families)


def level_of(name: str) -> int:
    """Return the level that a column's name ends in, or -1 where it is of no level family."""
    family, _, level = name.rpartition("_")
    return int(level) if family in _LEVELS and level.isdigit() else -1


_LEVELS = {
    "bid_price": "quote/base",
    "ask_price": "quote/base",
    "bid_size": "base",
    "ask_size": "base",
    "ofi": "base",
}

# name: kind unit, "book" where the order book made it
_TICK = """
    seq int id · event_time int time · processed_time int time · trade_id int id
    price_ticks int tick · size_lots int lot · value_units int tick*lot · direction int 1
    price float quote/base · size float base · value float quote
    buy_volume float base · sell_volume float base
    mid float quote/base book · spread float quote/base book · spread_bps float bps book
    spread_ticks float tick book · weighted_mid float quote/base book
    bid_depth float base book · ask_depth float base book · book_age_ms float ms book
    mark_price float quote/base · index_price float quote/base · settle_price float quote/base
    funding_rate float 1 · open_interest float base
    forced_buy_volume float base · forced_sell_volume float base
"""

_BAR = """
    bar_id int id · open_time int time · close_time int time · feature_time int time
    close_seq int id · open_ticks int tick · high_ticks int tick · low_ticks int tick
    close_ticks int tick · volume_lots int lot · value_units int tick*lot · buy_lots int lot
    sell_lots int lot · trade_count int 1
    open float quote/base · high float quote/base · low float quote/base · close float quote/base
    vwap float quote/base · volume float base · value float quote
    buy_volume float base · sell_volume float base · duration_ms float ms
    mid_close float quote/base book · spread_close float quote/base book
    poc_price float quote/base · poc_share float 1 · buy_stack float 1 · sell_stack float 1
"""
# Some of these columns take work that only a formula which names them pays for: of a trade what the
# venue publishes beside its trades and book (schema.PUBLISHED), of a bar its volume by price.
FOOTPRINT = ("poc_price", "poc_share", "buy_stack", "sell_stack")


def _table(clock: str, tables: tuple[str, ...], text: str, levels: int) -> ColumnTable:
    columns = {}
    for part in text.replace("\n", "·").split("·"):
        words = part.split()
        if words:
            name, kind, unit = words[:3]
            columns[name] = ColumnInfo(name, kind, unit, clock, words[-1] == "book")
    families = dict.fromkeys(_LEVELS, min(levels, MAX_LEVELS)) if levels else {}
    aliases = {"micro_price": "weighted_mid"} if clock == "tick" else {}
    return ColumnTable(clock, tables, columns, families, aliases)
