"""Write docs/tables.md from the tables' own definitions."""

from __future__ import annotations

from collections.abc import Iterator

from qf.schema import NULL_ON, QUALITY, Field
from qf.schema_tables import TABLES, Table, bar_table, vector_table
from qf.store.key_texts import numbered

HEAD = """# Tables

One DuckDB file per project, `.data/db/quantflow.duckdb`, with two schemas: `<project>_cdm` for what
happened and `<project>_feature` for what was made of it. A project chooses its tables under
`tables:`. Times are UTC without a zone, in nanoseconds; missing is null, never NaN. Element 1 of a
list is level 0, the best. In the database the type ENUM names the texts that a key has, so that a
row costs a number; it compares, joins and sorts as text does, and readers and Parquet files show
text. A key of a table without rows is VARCHAR.

A run replaces the rows that were *made* in its range and no others, in one transaction. Features,
labels and vectors of one clock join on (venue, symbol, bar_clock, bar_id). The view `regime_codes`
beside the features says what the codes of regimes mean ([regimes.md](regimes.md)).
"""
QUALITY_HEAD = """
## Quality bits

A row carries the bits of every row it was made from. A value is null only with a bit that says
why; the bits marked so make it null.

| bit | value | name | null |
|---|---|---|---|
"""
# Which tables hold a bar rule's name, and a set's: shown with the placeholder in its place.
_RULE, _SET, _FEATURE = "RULE", "SET", "FEATURE"


def tables_page() -> str:
    """Return docs/tables.md."""
    tables = list(TABLES.values())
    at = [table.name for table in tables].index("cdm_labels")
    tables.insert(at, bar_table(_RULE))
    tables.insert(-1, vector_table(_SET, [_FEATURE]))
    return HEAD + "".join(map(_section, tables)) + QUALITY_HEAD + "".join(_bits())


def _section(table: Table) -> str:
    where = f"Schema `<project>_{table.area}`, key ({', '.join(table.key)})"
    where += f"; ranges are cut on `{table.made}`." if table.made else "."
    head = f"\n## {_shown(table.name)}\n\n{_shown(table.meaning)}\n\n{where}\n\n"
    texts = numbered(table)
    rows = (_row(field, "ENUM" if field.name in texts else field.type) for field in table.fields)
    return head + "| column | type | meaning |\n|---|---|---|\n" + "".join(rows)


def _row(field: Field, kind: str) -> str:
    return f"| {_shown(field.name)} | {kind} | {_shown(field.meaning)} |\n"


def _shown(text: str) -> str:
    """Return the text with each word that holds a placeholder as code: `cdm_<rule>_bars`."""
    words = []
    for word in text.split(" "):
        shown = word
        for name in (_RULE, _SET, _FEATURE):
            shown = shown.replace(name, f"<{name.lower()}>")
        end = shown[-1] if shown[-1] in ".,:" else ""
        words.append(word if shown == word else f"`{shown.removesuffix(end)}`{end}")
    return " ".join(words)


def _bits() -> Iterator[str]:
    for name, place in QUALITY.items():
        null = "yes" if NULL_ON >> place & 1 else ""
        yield f"| {place} | {1 << place} | {name} | {null} |\n"
