"""Lines made from arrays at once are byte by byte those made over an Arrow batch."""

from __future__ import annotations

import numpy as np
import pytest

from qf.schema import NULL_INT
from qf.schema_tables import TABLES
from qf.sinks.json_lines import lines_of, lines_of_batch
from qf.store.arrow import batch_of

ROWS, LEVELS = 40, 3
TIMES = 1_700_000_000_000_000_000


def drawn(table, chance):
    """Return columns with nulls, and the constants that no array has."""
    columns, constants = {}, {}
    for field in table.fields:
        floats = chance.choice([0.0, -0.1, 1e300, np.nan, np.inf, 3.0], (LEVELS, ROWS))
        words = chance.choice([0, 1, -7, NULL_INT, 1 << 60], ROWS)
        if field.type == "DOUBLE[]":
            columns |= {f"{field.name}_{level}": floats[level] for level in range(LEVELS)}
        elif field.type == "DOUBLE":
            columns[field.name] = floats[0]
        elif field.type == "VARCHAR":
            constants[field.name] = f"the {field.name}"
        elif field.type == "TIMESTAMP_NS":
            columns[field.name] = np.where(words == NULL_INT, words, TIMES + words % 10**12)
        else:
            columns[field.name] = words
    return columns, constants


MEASURED = sorted(name for name, _ in TABLES.items() if not name.startswith("qf_"))


@pytest.mark.parametrize("name", MEASURED)
def test_lines_are_those_of_arrow(name):
    table = TABLES[name]
    columns, constants = drawn(table, np.random.default_rng(1))
    batch = batch_of(table, columns, constants, ROWS)
    assert lines_of(table, columns, constants) == lines_of_batch(table, batch)
    arrow = {field.name: batch.column(field.name) for field in table.fields}
    assert lines_of(table, arrow, {}) == lines_of_batch(table, batch)
