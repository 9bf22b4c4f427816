"""What a column of a table means: how every page about a column begins."""

from __future__ import annotations

from qf.errors import diagnostic, nearest
from qf.schema_tables import Table

NO_COLUMN = diagnostic("QF532", "{table} has no column {name!r}", hint="it has: {known}")


def meaning_of(table: Table, column: str) -> list[str]:
    """Return name, type, meaning and key of a column, in lines. Errors: QF532."""
    meanings = {field.name: f"{field.type}: {field.meaning}" for field in table.fields}
    if column not in meanings:
        known, near = ", ".join(meanings), nearest(column, meanings)
        raise NO_COLUMN(table=table.name, name=column, known=known, near=near)
    key = ", ".join(table.key)
    return [f"{table.name}.{column}", f"  {meanings[column]}", f"  key of a row: {key}"]
