"""The view `regime_codes`: what the codes that `classify` stores mean, to join features with.

    SELECT f.feature_time, c.state FROM <project>_feature.features f
    JOIN <project>_feature.regime_codes c ON c.code = f.value
    WHERE f.feature_name = 'vpin_regime' AND c.regime = 'vpin_raw' AND c.symbol IS NULL

Rows without a symbol are the table's own; an instrument with edges of its own has rows of its own,
with the same codes and states.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from qf.regime_table import RegimeTable, State
from qf.store.catalog import REGIME_CODES, schemas
from qf.store.connect import Connection, literal, quoted

COLUMNS = {
    "regime": "VARCHAR",
    "venue": "VARCHAR",
    "symbol": "VARCHAR",
    "code": "BIGINT",
    "state": "VARCHAR",
    "lower": "DOUBLE",
    "upper": "DOUBLE",
    "factor": "DOUBLE",
    "safe_to_trade": "BOOLEAN",
    "meaning": "VARCHAR",
    "source": "VARCHAR",
}
MEANING = (
    "The states of the regime tables by code: lower <= value < upper, null is open; rows without a "
    "symbol hold for every instrument that has no rows of its own."
)


def make_regime_codes(
    connection: Connection, project: str, tables: Mapping[str, RegimeTable]
) -> None:
    """Make the view of a project's regime tables anew, or drop it where there is none."""
    _, schema = schemas(project)
    place = quoted(schema, REGIME_CODES)
    rows = [f"({', '.join(row)})" for _, table in sorted(tables.items()) for row in _rows(table)]
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    if not rows:
        connection.execute(f"DROP VIEW IF EXISTS {place}")
        return
    columns = ", ".join(
        f"{quoted(name)}::{kind} AS {quoted(name)}" for name, kind in COLUMNS.items()
    )
    names = ", ".join(map(quoted, COLUMNS))
    connection.execute(
        f"CREATE OR REPLACE VIEW {place} AS SELECT {columns} "
        f"FROM (VALUES {', '.join(rows)}) AS states({names})"
    )
    connection.execute(f"COMMENT ON VIEW {place} IS {literal(MEANING)}")


def _rows(table: RegimeTable) -> Iterator[list[str]]:
    """Yield the values of each row, as SQL writes them."""
    own = [("", "", table.states)]
    own += [(each.venue, each.symbol, table.states_of(each)) for each in table.instruments]
    for venue, symbol, states in own:
        for code, state in enumerate(states):
            yield [_text(table.name), _text(venue), _text(symbol), str(code), *_of(state, table)]


def _of(state: State, table: RegimeTable) -> list[str]:
    safe = "true" if state.safe_to_trade else "false"
    return [
        _text(state.name),
        _number(state.lower),
        _number(state.upper),
        _number(state.factor),
        safe,
        _text(state.meaning),
        _text(table.source),
    ]


def _text(text: str) -> str:
    return literal(text) if text else "NULL"


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else "NULL"
