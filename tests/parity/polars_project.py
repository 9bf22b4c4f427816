"""A project over the seeded market that asks for every way a feature can be made."""

from __future__ import annotations

import json
from pathlib import Path

from qf.project.scaffold import draft_project, write_project

BARS = [
    {"type": "dollar", "threshold": 50000},
    {"type": "volume", "threshold": 0.7, "overflow": "split"},
    {"type": "time", "seconds": 2},
    {"type": "tick", "count": 7, "reset": "day"},
    {"type": "imbalance", "k": 2},
]
# type -> formula, mode
TYPES = {
    "flow": 'rolling_sum(buy_volume - sell_volume, "3s")',
    "busy": 'rolling_count(price, "1s") + 0 * size',
    "ring": 'window_sum(size, "5s", 16)',
    "trend": "ewm_mean(log_return(price, 5), 0.05)",
    "pressure": "decay_sum(where(direction > 0, size, -size), 0.9)",
    "tilt": "book_imbalance(5)",
    "deep": "sum_levels(bid_size, 3) / sum_levels(ask_size, 3)",
    "place": "rolling_rank(spread, 50)",
    "total": "cum_sum(buy_volume)",
    "jump": "coalesce(safe_div(diff(mid, 3), spread), 0)",
}
BAR_TYPES = {"body": "safe_div(close - open, high - low)", "slope": "pct_change(close, 3)"}
NORMALIZERS = [
    {"method": "rolling_zscore", "window": 30, "clip": [-4, 4]},
    {"method": "rolling_zscore", "window": 30, "exclude_current": True},
    {"method": "minmax"},
    {"method": "minmax", "window": 40},
    {"method": "rank", "window": 25},
    {"method": "robust_zscore", "window": 20},
    {"method": "none", "clip": [-1, 1]},
]
AGGREGATIONS = ["last", "mean", "max", "min", "sum", "first", "std"]
CLOCKS = ["dollar_k_50000", "volume_k_0p7_split", "time_s_2", "tick_k_7_day", "imbalance_k_2"]
STALENESS = [
    None,
    {"ttl_ms": 400, "action": "decay"},
    {"ttl_ms": 300, "action": "invalidate"},
    {"ttl_ms": 300, "action": "hold"},
]
FAULTS = {
    "silence": 60.0, "gap": 60.0, "trade_gap": 20.0, "duplicate": 30.0, "clock_step": 5.0,
}  # fmt: skip


def make(folder: Path) -> Path:
    """Write the project: six minutes across midnight, with faults of every kind."""
    write_project(folder, draft_project(folder.name, "crypto", None, None))
    definitions = folder / ".definitions"
    provider = definitions / "feed_providers" / "simulated_market.yml"
    text = provider.read_text().replace("minutes: 30", "minutes: 6")
    lines = text.replace("intensity: 30", "intensity: 80").splitlines()
    lines = ["start: 2024-01-01T23:57:00Z" if "start:" in line else line for line in lines]
    provider.write_text("\n".join([*lines, f"faults: {json.dumps(FAULTS)}"]) + "\n")
    for name, formula in (TYPES | BAR_TYPES).items():
        text = {
            "name": name,
            "description": name,
            "dimension": "signal",
            "mode": "bar" if name in BAR_TYPES else "tick",
            "output_column": name,
            "required_inputs": [],
            "formula": formula,
        }
        (definitions / "feature_types" / f"{name}.yml").write_text(json.dumps(text))
    features = [*_ticks(), *_bars(), *_over_features()]
    chosen = {"name": "every_way", "mode": "tick_to_bar", "signal_features": features}
    chosen["normalization"] = {"warmup_bars": 10}
    (definitions / "features" / "every_way.yml").write_text(json.dumps(chosen))
    project = folder / "quantflow_project.yml"
    text = project.read_text()
    start, end = text.index("  bars:"), text.index("  snapshots:")
    text = text[:start] + f"  bars: {json.dumps(BARS)}\n" + text[end:]
    text = text.replace("name: microstructure_breakout", "name: every_way")
    project.write_text(text.replace("type: microstructure_breakout", "type: every_way"))
    return folder


def _feature(name: str, kind: str, place: int, clock: str) -> dict:
    row = {"name": name, "type": kind, "bar": clock, "inputs": []}
    row["normalization"] = NORMALIZERS[place % len(NORMALIZERS)]
    contract = STALENESS[place % len(STALENESS)]
    return row | ({"staleness": contract} if contract else {})


def _ticks() -> list[dict]:
    rows = []
    for place, kind in enumerate(TYPES):
        for turn in range(3):
            at = 3 * place + turn
            row = _feature(f"{kind}_{turn}", kind, at, CLOCKS[at % len(CLOCKS)])
            rows.append(row | {"bar_aggregation": AGGREGATIONS[at % len(AGGREGATIONS)]})
    return rows


def _bars() -> list[dict]:
    rows = []
    for place, clock in enumerate(CLOCKS):
        for kind in BAR_TYPES:
            row = _feature(f"{kind}_{place}", kind, place, clock)
            rows.append(row | {"mode": "bar"})
    return rows


def _over_features() -> list[dict]:
    row = _feature("flow_snr", "signal_to_noise_ratio", 0, CLOCKS[0])
    return [row | {"inputs": ["flow_0"], "params": {"window": 20}}]
