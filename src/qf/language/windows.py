"""Typed windows: `50` rows of the formula's own clock, "50 ticks", "200 bars", "5s"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qf.errors import diagnostic
from qf.language.columns import ColumnTable
from qf.language.source import Source
from qf.language.tree import Text
from qf.signature import parse_duration

BAD_WINDOW = diagnostic(
    "QF120",
    "{text!r} is no window",
    hint='write 50 (rows), "50 ticks", "200 bars", or a time: "500ms", "5s", "1m"',
)
WRONG_ROWS = diagnostic(
    "QF121",
    "a window in {word} needs the clock of the {word}; this formula runs on clock {clock!r}",
    hint='write {rows} for rows of {clock!r}, or a time such as "5s"; for another clock\'s rows '
    "run the formula there (mode: bar, or the feature's bar)",
)

_ROWS = re.compile(r"(\d+)\s*([a-z]+)")
_WORDS = ("row", "tick", "bar", "snapshot", "update")


@dataclass(frozen=True)
class Window:
    """A window read: so many rows of the clock, or so many ns."""

    rows: int = 0
    ns: int = 0


def read_window(text: Text, table: ColumnTable, source: Source) -> Window:
    """Return what a quoted window means on the table's clock. Errors: QF120, QF121."""
    spot = source.spot(text.span)
    ns = parse_duration(text.value)
    if ns is not None:
        return Window(ns=ns)
    match = _ROWS.fullmatch(text.value.strip())
    if match is None or match[2].removesuffix("s") not in _WORDS:
        raise BAD_WINDOW(text=text.value, place=spot)
    rows, word = int(match[1]), match[2]
    own = {"tick": "tick", "book": "update", "snapshot": "snapshot"}
    mine = "bar" if table.is_bar else own.get(table.clock, "row")
    if word.removesuffix("s") not in ("row", mine):
        raise WRONG_ROWS(word=word, clock=table.clock, rows=rows, place=spot)
    return Window(rows=rows)
