"""Three symbols of the seeded market, each with a seed of its own, and cross sets over them."""

from __future__ import annotations

import json
from pathlib import Path

from qf.project.scaffold import draft_project, write_project

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
TYPES = {
    "ret_5bar": ("bar", "close / lag(close, 5) - 1"),
    "traded": ("bar", "volume"),
    "tilt": ("tick", "book_imbalance(5)"),
}
FEATURES = [
    {"name": "ret_5bar", "type": "ret_5bar", "mode": "bar", "inputs": []},
    {"name": "traded", "type": "traded", "mode": "bar", "inputs": []},
    {"name": "tilt", "type": "tilt", "bar": "tick_k_50", "inputs": []},
]
CROSS = """  cross:
    - name: majors
      of: base
      staleness: { ttl_ms: 2000, action: invalidate }
      features:
        - { name: eth_lead, formula: "ETHUSDT.ret_5bar - BTCUSDT.ret_5bar" }
        - { name: ret_rank, formula: "cross_rank(ret_5bar)" }
        - { name: ret_z, formula: "cross_zscore(ret_5bar)" }
        - { name: dominance, formula: "cross_share(traded)" }
        - { name: apart, formula: "cross_spread(tilt)", staleness: { ttl_ms: 9000, action: hold } }
        - name: lead_10
          formula: "rolling_corr(lag(ETHUSDT.ret_5bar, 1), ret_5bar, 10)"
          staleness: { ttl_ms: 500, action: decay }
"""


def make(folder: Path, cross: str = CROSS, minutes: float = 0.4) -> Path:
    """Write the project."""
    write_project(folder, draft_project(folder.name, "crypto", None, None))
    definitions = folder / ".definitions"
    market = definitions / "feed_providers/simulated_market.yml"
    text = market.read_text().replace("minutes: 30", f"minutes: {minutes}")
    text = text.replace("intensity: 30", "intensity: 90")
    market.unlink()
    for number, symbol in enumerate(SYMBOLS):
        own = text.replace("simulated_market", f"market_{number}")
        own = own.replace("seed: 7", f"seed: {7 + number}\nsymbols: [{symbol}]")
        (definitions / f"feed_providers/market_{number}.yml").write_text(own)
    for name, (mode, formula) in TYPES.items():
        kind = {"name": name, "description": name, "dimension": "signal", "mode": mode}
        kind |= {"output_column": name, "required_inputs": [], "formula": formula}
        (definitions / "feature_types" / f"{name}.yml").write_text(json.dumps(kind))
    base = {"name": "base", "mode": "tick_to_bar", "signal_features": FEATURES}
    base["normalization"] = {"method": "none", "warmup_bars": 2}
    (definitions / "features/base.yml").write_text(json.dumps(base))
    path = folder / "quantflow_project.yml"
    text = path.read_text().replace("[BTCUSDT]", f"[{', '.join(SYMBOLS)}]")
    text = text.replace("[simulated_market]", "[market_0, market_1, market_2]")
    text = text.replace("levels: 20", "levels: 5")
    start, end = text.index("label_engine:"), text.index("# Per side")
    sets = "feature_engine:\n  features:\n    - { name: base, type: base, bar: dollar_k_50000 }\n"
    path.write_text(text[:start] + sets + cross + "\n" + text[end:])
    return folder
