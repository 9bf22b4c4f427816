"""The texts of keys as numbers: venue, symbol, clock, set and names are few texts that repeat.

    VARCHAR                      until the table's first row
    ENUM('BTCUSDT', 'ETHUSDT')   the texts that have come, and those that a run says will come

DuckDB takes three times as long to write one and the same text as a number, whatever it is given
as. An ENUM's order is that of its texts, so rows sorted by key stand where texts would put them. A
text that is new makes the column anew, numbers alone, in the transaction that brings it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

import pyarrow as pa

from qf.schema_records import RECORDS
from qf.schema_tables import Table
from qf.store.connect import Connection, literal, quoted, where_is

Texts = Mapping[str, Collection[str | None]]  # by column; None: the column has nulls

_ONE_TEXT = re.compile(r"'((?:[^']|'')*)'")


class KeyTexts:
    """Which texts the tables of one transaction admit."""

    def __init__(
        self,
        connection: Connection,
        project: str,
        shapes: Mapping[tuple[str, str], dict[str, str]],
        symbols: Iterable[tuple[str, str]] = (),
    ) -> None:
        """`shapes` is what `catalog.shapes` says, and is told what changes.

        `symbols`: (venue, symbol) that will come.
        """
        self._connection, self._project, self._shapes = connection, project, shapes
        pairs = list(symbols)
        self._expected = {
            "venue": {venue for venue, _ in pairs},
            "symbol": {symbol for _, symbol in pairs},
        }

    def admit(self, table: Table, texts: Texts) -> None:
        """Let the columns of a table that exists take these texts as well."""
        kinds = self._shapes[f"{self._project}_{table.area}", table.name]
        for column in numbered(table):
            coming = {text for text in texts[column] if text is not None}
            known = texts_of(kinds[column])
            if coming <= known:
                continue
            known = known or self._stored(table, column)
            kinds[column] = enum_of(sorted({*known, *coming, *self._expected.get(column, ())}))
            self._connection.execute(
                f"ALTER TABLE {where_is(table, self._project)} "
                f"ALTER {quoted(column)} TYPE {kinds[column]}"
            )

    def _stored(self, table: Table, column: str) -> frozenset[str]:
        query = f"SELECT DISTINCT {quoted(column)} FROM {where_is(table, self._project)}"
        found = self._connection.execute(query).fetchall()
        return frozenset(text for (text,) in found if text is not None)


def enum_of(texts: Iterable[str]) -> str:
    """Return the type that takes these texts, in this order."""
    return f"ENUM({', '.join(map(literal, texts))})"


def numbered(table: Table) -> tuple[str, ...]:
    """Return the text columns of the key: of results few texts, which repeat row by row."""
    texts = {field.name for field in table.fields if field.type == "VARCHAR"}
    return () if table.name in RECORDS else tuple(name for name in table.key if name in texts)


def is_enum(kind: str) -> bool:
    """Say whether a column's type lists the texts it takes."""
    return kind.startswith("ENUM(")


@lru_cache(maxsize=256)
def texts_of(kind: str) -> frozenset[str]:
    """Return the texts that an ENUM takes; none of VARCHAR."""
    return frozenset(text.replace("''", "'") for text in _ONE_TEXT.findall(kind))


def texts_in(table: Table, batches: Iterable[pa.RecordBatch]) -> dict[str, set[str | None]]:
    """Return the texts of a table's keys that occur in the batches, or more than these.

    A dictionary counts whole. None stands for nulls.
    """
    found: dict[str, set[str | None]] = {name: set() for name in numbered(table)}
    for batch in batches:
        for name, texts in found.items():
            column = batch.column(name)
            known = column.dictionary if isinstance(column, pa.DictionaryArray) else column.unique()
            texts.update(known.to_pylist())
            if column.null_count:
                texts.add(None)
    return found


def one_text(texts: Collection[str | None]) -> str:
    """Return the text as SQL writes it, where there is no other; "" elsewhere."""
    (only,) = texts if len(texts) == 1 else (None,)
    return "" if only is None else literal(only)
