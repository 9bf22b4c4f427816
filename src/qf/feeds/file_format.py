"""Archives as files: which column of which table is which field, as data.

A module of this folder with a FORMAT name and TABLES is a format; a project may also write its
own tables in a provider file. Fields: processed_time, event_time, symbol, first_id, last_id,
prev_id, trade_id, side, price, size, direction or is_buyer_maker; for one book per row
bid_prices, bid_sizes, ask_prices, ask_sizes (lists); for quotes bid_price, bid_size, ask_price,
ask_size.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import qf.feeds
from qf.errors import diagnostic, nearest

UNKNOWN_FORMAT = diagnostic(
    "QF302", "there is no file format {name!r}", hint="known formats: {known}"
)

FIELDS = {
    "trade": ("trade_id", "price", "size"),
    "depth": ("first_id", "last_id", "side", "price", "size"),
    "snapshot": ("bid_prices", "bid_sizes", "ask_prices", "ask_sizes"),
    "bbo": ("bid_price", "bid_size", "ask_price", "ask_size"),
}
OPTIONAL = (
    "processed_time",
    "event_time",
    "symbol",
    "first_id",
    "last_id",
    "prev_id",
    "direction",
    "is_buyer_maker",
)


@dataclass(frozen=True)
class FileTable:
    """How the rows of one kind of file become records.

    `pattern` chooses the files by name. `values` translates a field's texts, for example
    {"direction": {"buy": 1, "sell": -1}}. Consecutive depth rows with the same update ids are
    one message.
    """

    stream: str
    time_unit: str
    fields: Mapping[str, str]
    pattern: str = "*"
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@cache
def formats() -> dict[str, tuple[FileTable, ...]]:
    """Return the tables of every format by name."""
    found: dict[str, tuple[FileTable, ...]] = {}
    for info in pkgutil.iter_modules(qf.feeds.__path__):
        module = importlib.import_module(f"qf.feeds.{info.name}")
        name = getattr(module, "FORMAT", None)
        if name is not None:
            found[name] = module.TABLES
    return found


def find_format(name: str) -> tuple[FileTable, ...]:
    """Return the tables of a format. Errors: QF302."""
    known = formats()
    if name not in known:
        raise UNKNOWN_FORMAT(name=name, known=", ".join(sorted(known)), near=nearest(name, known))
    return known[name]
