"""Small projects over the seeded market, for poisoning: plain ones, and with ops that leak."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from qf import kernel
from qf.project.scaffold import draft_project, write_project

BARS = [
    {"type": "dollar", "threshold": 50000},
    {"type": "tick", "count": 7},
    {"type": "time", "seconds": 2},
]
PLAIN = {
    "flow": "buy_volume - sell_volume",
    "tilt": "book_imbalance(5)",
    "body": "safe_div(close - open, high - low)",
}
BAR_TYPES = ("body",)


def forget_kernels() -> None:
    """Make the next program read every kernel's text again."""
    for cached in (kernel.kernel_text, kernel.kernel_hash):
        while hasattr(cached, "cache_clear"):
            cached.cache_clear()
            cached = cached.__wrapped__


def make(
    folder: Path,
    types: Mapping[str, str] = PLAIN,
    ops: Iterable[Path] = (),
    sets: Mapping[str, object] | None = None,
    bars: Sequence[Mapping[str, object]] = BARS,
    bar_types: Collection[str] = BAR_TYPES,
) -> Path:
    """Write a project of a minute and a half with a feature for each formula in `types`.

    The types named in `bar_types` read bars, the others trades.
    """
    write_project(folder, draft_project(folder.name, "crypto", None, None))
    definitions = folder / ".definitions"
    provider = definitions / "feed_providers" / "simulated_market.yml"
    text = provider.read_text().replace("minutes: 30", "minutes: 1.5")
    provider.write_text(text.replace("intensity: 30", "intensity: 80"))
    (definitions / "ops").mkdir(exist_ok=True)
    for path in ops:
        (definitions / "ops" / path.name).write_text(path.read_text())
    rows = []
    for place, (name, formula) in enumerate(types.items()):
        bar = name in bar_types
        kind = {
            "name": name,
            "description": name,
            "dimension": "signal",
            "mode": "bar" if bar else "tick",
            "output_column": name,
            "required_inputs": [],
            "formula": formula,
        }
        (definitions / "feature_types" / f"{name}.yml").write_text(json.dumps(kind))
        clock = ("tick_k_7", "time_s_2", "dollar_k_50000")[place % 3 if types is PLAIN else 0]
        row = {"name": name, "type": name, "bar": clock, "inputs": []}
        row |= {"mode": "bar"} if bar else {"bar_aggregation": "last"}
        rows.append(row)
    chosen = {"name": "chosen", "mode": "tick_to_bar", "signal_features": rows}
    chosen["normalization"] = {"method": "rolling_zscore", "window": 5, "warmup_bars": 2}
    chosen |= dict(sets or {})
    (definitions / "features" / "chosen.yml").write_text(json.dumps(chosen))
    project = folder / "quantflow_project.yml"
    text = project.read_text()
    start, end = text.index("  bars:"), text.index("  snapshots:")
    text = text[:start] + f"  bars: {json.dumps(list(bars))}\n" + text[end:]
    text = text.replace("microstructure_breakout", "chosen").replace("levels: 20", "levels: 5")
    project.write_text(text)
    return folder
