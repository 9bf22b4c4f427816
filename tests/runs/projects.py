"""Small projects over a simulated market's capture files, for tests of what a run keeps."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from qf.cli._capture import choose_capture
from qf.engines.run import RunResult, run_project
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.store.duck import Store
from qf.testing.market import Market, MarketSettings

MINUTE = 60_000_000_000
SET = "small"
FEATURES = """\
name: small
mode: tick_to_bar
normalization: { warmup_bars: 5 }
signal_features:
  - name: pressure
    type: pressure_type
    params: { window: 20 }
    normalization: { method: rolling_zscore, window: 10, clip: [-5, 5] }
    bar_aggregation: last
  - name: speed
    type: speed_type
    params: { window: 30 }
    normalization: { method: none }
    bar_aggregation: max
    bar: time_s_60
    staleness: { ttl_ms: 60000, action: decay }
"""
TYPE = """\
name: {name}
description: A feature of these tests.
category: order_flow
version: v1.0
dimension: signal
status: active
mode: tick
unit: "1"
range: "any"
source: "definition"
required_inputs: [cdm_trade_enriched.price]
output_column: {name}
output_description: the value
parameters:
  window: {{ type: integer, description: rows, default: 20, constraints: {{ min: 2, max: 1000 }} }}
formula: "{formula}"
"""
FORMULAS = {
    "pressure_type": "rolling_sum(buy_volume - sell_volume, window)",
    "speed_type": "twice(abs(price - lag(price, window)))",
}
OP = """\
name: twice
description: |
  twice(x): two times x.

  Null where x is. Unit: the unit of x. Source: definition.
signature: "twice(x)"
formula: "{formula}"
example: "twice(mid)"
"""
PROJECT = """\
name: small
symbols: [BTCUSDT]
feed_providers: [{provider}]
tables: [raw, bbo, enriched, bars, l2, labels, features, vectors]
state_engine:
  micro_batch_size: 20000
  bars:
    - {{ type: tick, count: 50 }}
    - {{ type: time, seconds: 60 }}
  snapshots: {{ period_seconds: 5, depth_levels: 5 }}
label_engine:
  labels:
    - {{ name: next, type: forward_return, parameters: {{ horizon: 5 }}, bar_types: [tick] }}
feature_engine:
  features:
    - {{ name: small, type: small, bar: tick_k_50 }}
"""


def write_files(folder: Path, minutes: int, files: int, seed: int = 7) -> list[Path]:
    """Write a simulated market's frames as gz captures that continue each other."""
    folder.mkdir(parents=True, exist_ok=True)
    market = Market(MarketSettings(seed=seed, venue="binance_spot", intensity=3.0))
    lines = [b"%d %s\n" % (time, frame) for time, frame in market.frames(minutes * 60)]
    paths = []
    for place in range(files):
        cut = slice(len(lines) * place // files, len(lines) * (place + 1) // files)
        path = folder / f"btcusdt_{place:02}.gz"
        path.write_bytes(gzip.compress(b"".join(lines[cut]), mtime=0))
        paths.append(path)
    return paths


TAPES = ".data/.local"  # copied where a second reading of the same sources would prove nothing


def copied(ready: Path, folder: Path) -> Path:
    """Return a copy of a project with everything that its run left."""
    return Path(shutil.copytree(ready, folder))


def make(folder: Path, captures: Path, tapes_of: Path | None = None) -> Path:
    """Write a small project over the captures of a folder, with the tapes of another over them."""
    pattern = str(captures / "btcusdt_*.gz")
    capture = choose_capture(pattern, "binance_spot", "BTCUSDT")
    write_project(folder, draft_project(folder.name, "crypto", None, capture))
    definitions = folder / ".definitions"
    provider = next(p.stem for p in (definitions / "feed_providers").glob("*capture*.yml"))
    (folder / "quantflow_project.yml").write_text(PROJECT.format(provider=provider))
    for path in (definitions / "features").glob("*.yml"):
        path.unlink()
    (definitions / "features" / "small.yml").write_text(FEATURES)
    types = definitions / "feature_types" / "signal"
    types.mkdir(parents=True, exist_ok=True)
    for name, formula in FORMULAS.items():
        (types / f"{name}.yml").write_text(TYPE.format(name=name, formula=formula))
    (definitions / "ops").mkdir(exist_ok=True)
    (definitions / "ops" / "twice.yml").write_text(OP.format(formula="x + x"))
    if tapes_of is not None:
        shutil.copytree(tapes_of / TAPES, folder / TAPES)
    return folder


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replace text in one of a project's files."""
    path = folder / file
    text = path.read_text()
    assert old in text, (file, old)
    path.write_text(text.replace(old, new))


def run(folder: Path, **options) -> RunResult:
    """Run a project."""
    return run_project(open_project(folder), **options)


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every table."""
    project = open_project(folder)
    with Store(project.paths.database, project.name) as store:
        return store.hashes()


def said(result: RunResult) -> str:
    """Return what a run says of what it did."""
    return "\n".join([*result.symbols[0].did, *result.notes])
