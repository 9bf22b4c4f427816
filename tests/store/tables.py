"""Rows for the store's tests: columns as a program hands them out, by seed and length."""

from __future__ import annotations

import numpy as np

from qf.schema import NULL_INT
from qf.schema_tables import TABLES, Table

START = 1_723_075_200_000_000_000  # 2024-08-08
STEP = 1_000_000  # ns between rows
OPEN_TEXTS = ("side", "status")  # text that differs from row to row
TRADES = TABLES["cdm_trade_enriched"]


def columns(table: Table, rows: int, seed: int = 0, first: int = 0, levels: int = 3) -> dict:
    """Return arrays for every column that is not text, missing values among them."""
    random = np.random.default_rng([seed, first])
    made: dict = {}
    for field in table.fields:
        if field.type == "TIMESTAMP_NS":
            made[field.name] = START + STEP * np.arange(first, first + rows)
        elif field.name in (table.ordinal, "bar_id"):
            made[field.name] = np.arange(first, first + rows)
        elif field.type == "BIGINT":
            values = random.integers(-5, 2**62, rows)
            values[random.random(rows) < 0.1] = NULL_INT
            made[field.name] = values
        elif field.name in OPEN_TEXTS:
            made[field.name] = random.choice(["one", "two"], rows).tolist()
        elif field.type == "BOOLEAN":
            made[field.name] = random.choice([0, 1, NULL_INT], rows)
        elif field.type == "DOUBLE":
            made[field.name] = floats(random, rows)
        elif field.type == "DOUBLE[]":
            for level in range(levels):
                made[f"{field.name}_{level}"] = floats(random, rows)
    return made


def floats(random: np.random.Generator, rows: int) -> np.ndarray:
    """Return numbers of every kind a column may hold: tiny, huge, -0.0 and missing."""
    values = np.round(random.normal(60_000, 10, rows), 2)
    strange = np.array([np.nan, -0.0, 5e-324, 1.7e308, 0.1 + 0.2])
    places = random.random(rows) < 0.2
    values[places] = random.choice(strange, int(places.sum()))
    return values


def texts(table: Table, **given: str) -> dict[str, str]:
    """Return a constant for every text column."""
    names = [field.name for field in table.fields if field.type == "VARCHAR"]
    names = [name for name in names if name not in OPEN_TEXTS]
    chosen = {"venue": "binance_spot", "symbol": "BTCUSDT", **given}
    return {name: chosen.get(name, f"some_{name}") for name in names}


def fill(store, table: Table, made: dict, span=(None, None), **given: str) -> None:
    """Rewrite one table for one symbol."""
    constants = texts(table, **given)
    symbols = [(constants["venue"], constants["symbol"])]
    with store.rewrite([table], symbols, span) as writer:
        writer.write(table, made, **constants)
