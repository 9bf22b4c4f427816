"""What the page shows, as plain data: bars, closings, features, labels, and the summary tables.

Long histories are thinned for the eye, never for the numbers: bars are merged (first open,
highest high, lowest low, last close), a feature keeps the extremes of every stretch, and all
counts and shares are taken from the full tables before that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from qf.project.model import Project
from qf.schema import BIT, NULL_ON, QUALITY, VERDICTS
from qf.store.read import Reader

MAX_BARS = 6_000
MAX_POINTS = 4_000
MAX_CLOSINGS = 4_000
WHY_MISSING = NULL_ON | BIT["undefined"]
ENRICHED, LABELS, FEATURES = "cdm_trade_enriched", "cdm_labels", "features"


@dataclass(frozen=True)
class LiveFacts:
    """What a live session made, set beside a batch run over its journal.

    `tables` are (name, rows, hash live, hash batch).
    """

    story: str
    tables: tuple[tuple[str, int, str, str], ...]

    @property
    def equal(self) -> bool:
        """Say whether every table is the same, bit for bit."""
        return bool(self.tables) and all(live == batch for _, _, live, batch in self.tables)


@dataclass(frozen=True)
class Facts:
    """What the tables do not hold: the accounting, the warnings, and what the features are."""

    accounts: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    features: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    note: str = ""
    live: LiveFacts | None = None


def describe_features(project: Project) -> dict[tuple[str, str], dict[str, str]]:
    """Return formula, normalisation and group of every feature by (set, name)."""
    found = {}
    for feature_set in project.feature_sets:
        for each in feature_set.features:
            rule = each.normalization
            window = f"({rule.window})" if rule.window else ""
            given = ", ".join(f"{name} {value}" for name, value in each.params.items())
            found[feature_set.name, each.name] = {
                "group": each.group,
                "formula": f"{each.type.name}({given})",
                "normal": "not normalised" if rule.method == "none" else f"{rule.method}{window}",
            }
    return found


def collect(reader: Reader, facts: Facts) -> dict[str, Any]:
    """Return everything the page needs, ready for JSON. Errors: those of the reader."""
    counts = reader.tables()
    summary = reader.summary()
    return {
        "project": reader.project,
        "note": facts.note,
        "warnings": list(facts.warnings),
        "run": _last_run(reader, counts),
        "verdicts": list(VERDICTS),
        "live": _live(facts.live),
        "tables": [
            {"name": name, "rows": rows, "first": _clock(first), "last": _clock(last)}
            for name, rows, first, last in summary.iter_rows()
            if name != "qf_runs"
        ],
        "symbols": [
            _symbol(reader, counts, facts, venue, symbol)
            for venue, symbol in _symbols(reader, counts)
        ],
    }


def _live(live: LiveFacts | None) -> dict[str, Any] | None:
    if live is None:
        return None
    names = ("name", "rows", "live", "batch")
    rows = [dict(zip(names, row, strict=True)) for row in live.tables]
    return {"story": live.story, "equal": live.equal, "tables": rows}


def _symbols(reader: Reader, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for table in (*_bar_tables(counts), ENRICHED):
        if counts.get(table):
            frame = reader.frame(table, ["venue", "symbol"]).unique()
            found.update(frame.iter_rows())
    return sorted(found)


def _bar_tables(counts: Mapping[str, int]) -> list[str]:
    return [name for name in counts if name.startswith("cdm_") and name.endswith("_bars")]


def _last_run(reader: Reader, counts: Mapping[str, int]) -> dict[str, Any]:
    if not counts.get("qf_runs"):
        return {}
    last = reader.frame("qf_runs").sort("created").row(-1, named=True)
    return {"id": last["run_id"], "versions": last["versions"]}


def _symbol(
    reader: Reader, counts: Mapping[str, int], facts: Facts, venue: str, symbol: str
) -> dict[str, Any]:
    here = {"venue": venue, "symbol": symbol}
    bars = {
        clock[0]: frame
        for table in _bar_tables(counts)
        for clock, frame in reader.frame(table, where=here).group_by(
            "bar_clock", maintain_order=True
        )
    }
    labels = reader.frame(LABELS, where=here) if counts.get(LABELS) else pl.DataFrame()
    features = reader.frame(FEATURES, where=here) if counts.get(FEATURES) else pl.DataFrame()
    trades = _trades(reader, counts, here)
    main = labels["bar_clock"].mode().sort()[0] if len(labels) else next(iter(bars), "")
    return {
        **here,
        "trades": trades,
        "main": main,
        "price": _price(bars[main]) if main else None,
        "clocks": [_clock_row(name, frame) for name, frame in bars.items()],
        "labels": _labels(labels),
        "features": _features(features, facts, main),
        "accounts": facts.accounts.get(symbol, {}),
    }


def _trades(reader: Reader, counts: Mapping[str, int], here: Mapping[str, str]) -> dict[str, Any]:
    if not counts.get(ENRICHED):
        return {"rows": 0, "quality": []}
    names = ["processed_time", "quality", "spread_bps"]
    frame = reader.frame(ENRICHED, names, where=here)
    times = frame["processed_time"].cast(pl.Int64).to_numpy()
    return {
        "rows": len(frame),
        "first": _seconds(times[:1])[0] if len(times) else None,
        "last": _seconds(times[-1:])[0] if len(times) else None,
        "spread_bps": _figure(frame["spread_bps"].median()),
        "quality": _quality(frame["quality"]),
        "no_book": _figure(frame["spread_bps"].null_count() / max(len(frame), 1)),
    }


def _quality(bits: pl.Series) -> list[dict[str, Any]]:
    """Return the rows that carry each quality bit, most frequent first."""
    values = bits.fill_null(0).to_numpy()
    found = [
        {"name": name, "rows": int(np.count_nonzero(values >> place & 1))}
        for name, place in QUALITY.items()
    ]
    return sorted((row for row in found if row["rows"]), key=lambda row: -row["rows"])


def _price(bars: pl.DataFrame) -> dict[str, Any]:
    every = max(1, math.ceil(len(bars) / MAX_BARS))
    if every > 1:
        rows = pl.int_range(pl.len()) // every
        bars = bars.group_by(rows.alias("group"), maintain_order=True).agg(
            pl.col("feature_time").last(),
            pl.col("open").drop_nulls().first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").drop_nulls().last(),
            pl.col("volume").sum(),
        )
    return {
        "merged": every,
        "t": _times(bars["feature_time"]),
        **{name: _numbers(bars[name]) for name in ("open", "high", "low", "close", "volume")},
    }


def _clock_row(name: str, bars: pl.DataFrame) -> dict[str, Any]:
    closings = bars["feature_time"]
    every = max(1, math.ceil(len(bars) / MAX_CLOSINGS))
    return {
        "name": name,
        "bars": len(bars),
        "seconds": _figure((bars["duration_ms"] / 1_000).median()),
        "trades": _figure(bars["trade_count"].mean()),
        "value": _figure(bars["value"].mean()),
        "range_bps": _figure((1e4 * (bars["high"] - bars["low"]) / bars["open"]).median()),
        "quality": _quality(bars["quality"]),
        "t": _times(closings.gather_every(every)),
    }


def _labels(labels: pl.DataFrame) -> list[dict[str, Any]]:
    if not len(labels):
        return []
    found = []
    keys = ["label_name", "bar_clock"]
    for (name, clock), frame in labels.sort("bar_id").group_by(keys, maintain_order=True):
        values = frame["label"]
        every = max(1, math.ceil(len(frame) / MAX_BARS))
        kinds = set(values.drop_nulls().unique().to_list())
        found.append(
            {
                "name": name,
                "clock": clock,
                "rows": len(frame),
                "barriers": kinds <= {-1.0, 0.0, 1.0},
                "up": int((values == 1).sum()),
                "none": int((values == 0).sum()),
                "down": int((values == -1).sum()),
                "barrier_bps": _figure(1e4 * _number(frame["barrier"].median())),
                "cost_bps": _figure(1e4 * _number(frame["cost"].median())),
                "ret_bps": _figure(1e4 * _number(frame["ret"].mean())),
                "t": _times(frame["feature_time"].gather_every(every)),
                "v": _numbers(values.gather_every(every)),
            }
        )
    return sorted(found, key=lambda row: not row["barriers"])


def _features(features: pl.DataFrame, facts: Facts, main: str) -> list[dict[str, Any]]:
    if not len(features):
        return []
    found = []
    keys = ["feature_set", "feature_name", "bar_clock"]
    for (owner, name, clock), frame in features.group_by(keys, maintain_order=True):
        values = frame["value"]
        keep = _extremes(values.to_numpy())
        found.append(
            {
                "name": name,
                "set": owner,
                "clock": clock,
                **facts.features.get((str(owner), str(name)), {}),
                "rows": len(frame),
                "values": len(frame) - values.null_count(),
                "low": _figure(values.quantile(0.05)),
                "middle": _figure(values.median()),
                "high": _figure(values.quantile(0.95)),
                "quality": _quality(frame.filter(values.is_null())["quality"] & WHY_MISSING),
                "t": _times(frame["feature_time"].gather(keep)),
                "v": _numbers(values.gather(keep)),
            }
        )
    order = {key: place for place, key in enumerate(facts.features)}
    found.sort(key=lambda row: order.get((row["set"], row["name"]), len(order)))
    return sorted(found, key=lambda row: (row["clock"] != main, row["clock"]))


def _extremes(values: np.ndarray) -> np.ndarray:
    """Return the rows to draw: of each stretch its lowest, its highest, or one missing value."""
    every = math.ceil(2 * len(values) / MAX_POINTS)
    if every <= 2:
        return np.arange(len(values))
    rows: list[int] = []
    for start in range(0, len(values), every):
        part = values[start : start + every]
        if np.isnan(part).all():
            rows.append(start)
        else:
            rows += sorted({start + int(np.nanargmin(part)), start + int(np.nanargmax(part))})
    return np.array(rows)


def _times(times: pl.Series) -> list[float]:
    return _seconds(times.cast(pl.Int64).to_numpy())


def _seconds(ns: np.ndarray) -> list[float]:
    """Return seconds of the epoch with milliseconds: what the drawing library counts in."""
    return [round(int(value) / 1e9, 3) for value in ns]


def _numbers(values: pl.Series) -> list[float | None]:
    return [_figure(value) for value in values.to_list()]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _figure(value: Any) -> float | None:
    """Return a number with seven significant digits, or None where there is none."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")


def _clock(moment: Any) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
