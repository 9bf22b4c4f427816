"""Every vector of a cross set equals a slow oracle over the stored features, strictly causal."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import qf
from qf.errors import DefinitionError
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.project import open_project
from qf.schema import NULL_ON
from tests.cross.projects import CROSS, SYMBOLS, make

TABLE = "feature_vectors_majors"
NEW = 2_000  # ms


def _known(features: pl.DataFrame, symbol: str, name: str) -> list[tuple[int, float]]:
    rows = features.filter((pl.col("symbol") == symbol) & (pl.col("feature_name") == name))
    rows = rows.sort("bar_id")
    values = rows["value"].fill_null(math.nan)
    return list(zip(rows["feature_time"].to_physical(), values, strict=True))


def _before(rows: list[tuple[int, float]], time: int) -> tuple[float, float]:
    """Return the newest value before a time, and its age in ms."""
    seen = [row for row in rows if row[0] < time]
    return (seen[-1][1], (time - seen[-1][0]) / 1e6) if seen else (math.nan, math.nan)


def test_spread_rank_zscore_and_share_equal_an_oracle(ran):
    _, reader = ran
    features, vectors = reader.frame("features"), reader.frame(TABLE)
    rows = {(s, n): _known(features, s, n) for s in SYMBOLS for n in ("ret_5bar", "traded")}
    compared = 0
    for symbol in SYMBOLS:
        own = vectors.filter(pl.col("symbol") == symbol).sort("bar_id")
        for place, row in enumerate(own.iter_rows(named=True)):
            time = own["feature_time"].to_physical()[place]
            seen = {}
            for name in ("ret_5bar", "traded"):
                for other in SYMBOLS:
                    value, age = _before(rows[other, name], time)
                    seen[other, name] = value if age <= NEW else math.nan
                seen[symbol, name] = rows[symbol, name][place][1]
            for name, wanted in _expected(symbol, seen).items():
                got = math.nan if row[name] is None else row[name]
                assert got == wanted or np.isclose(got, wanted, 1e-9, 1e-12, equal_nan=True)
                compared += not math.isnan(got)
    assert compared > 300


def _expected(symbol: str, seen: dict[tuple[str, str], float]) -> dict[str, float]:
    own, traded = seen[symbol, "ret_5bar"], seen[symbol, "traded"]
    there = [seen[s, "ret_5bar"] for s in SYMBOLS if not math.isnan(seen[s, "ret_5bar"])]
    volumes = [seen[s, "traded"] for s in SYMBOLS if not math.isnan(seen[s, "traded"])]
    rank = z = math.nan
    if not math.isnan(own):
        below = sum(value < own - 1e-9 * abs(own) for value in there)
        tied = sum(abs(value - own) <= 1e-9 * abs(own) for value in there)
        rank = (below + tied / 2) / len(there)
    if not math.isnan(own) and len(there) > 1:
        std = float(np.std(there, ddof=1))
        z = (own - float(np.mean(there))) / std if std else 0.0
    return {
        "eth_lead": seen["ETHUSDT", "ret_5bar"] - seen["BTCUSDT", "ret_5bar"],
        "ret_rank": rank,
        "ret_z": z,
        "dominance": traded / sum(volumes) if not math.isnan(traded) else math.nan,
    }


def test_no_null_is_without_a_reason_and_ages_are_those_of_the_oldest(ran):
    _, reader = ran
    vectors = reader.frame(TABLE)
    missing = vectors.filter(pl.col("ret_rank").is_null() | pl.col("eth_lead").is_null())
    assert 0 < len(missing) < len(vectors)
    assert (missing["quality"] & (NULL_ON | 1 << 14) != 0).all()
    rank = vectors.filter(pl.col("ret_rank").is_not_null())
    assert rank["ret_rank_age_ms"].max() <= NEW
    assert vectors["apart"].is_not_null().sum() > 20
    assert vectors.filter(pl.col("apart_age_ms") > NEW)["apart"].is_not_null().any()


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("ETHUSD.ret_5bar - ret_5bar", "QF145"),
        ("ETHUSDT.ret_4bar", "QF122"),
        ("cross_rank(cross_mean(ret_5bar))", "QF144"),
    ],
)
def test_a_name_that_nothing_makes_is_refused_at_its_place(tmp_path, formula, code):
    folder = make(tmp_path / "wrong", CROSS.replace("cross_rank(ret_5bar)", formula))
    with pytest.raises(DefinitionError) as refused:
        open_project(folder)
    assert refused.value.code == code
    line = (folder / "quantflow_project.yml").read_text().split("\n")[refused.value.place.line - 1]
    assert formula in line


def test_a_formula_of_one_symbol_compares_none():
    with pytest.raises(DefinitionError) as refused:
        compile_formula("cross_rank(price)", table=ColumnTable.tick())
    assert refused.value.code == "QF143"


def test_python_reads_a_cross_set_as_any_set(ran):
    session = qf.open(ran[0].folder)
    read = session.vectors("majors").collect()
    assert len(read) == ran[1].tables()[TABLE]
    assert {"bar_id", "ret_rank", "ret_rank_age_ms"} <= set(read.columns)
