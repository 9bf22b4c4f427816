"""A small project over six minutes of the seeded market, with one op of its own in a feature."""

from __future__ import annotations

from pathlib import Path

from qf.project.scaffold import draft_project, write_project

MINUTES = 6
OP = '''"""planted(x): x, with a fault.

    y[t] = x[t]

Null where x is null. Unit: the unit of x. Source: the test suite.
"""

from qf.op import define

op = define("planted(x)", slots=lambda: 1, example="planted(size)")


@op.definition
def definition(x):
    return x[-1]


@op.polars
def polars(x):
    return x


@op.kernel
def kernel(x, lo, hi, out, params, state):
    {body}
'''
TYPE = """name: planted_type
description: The size, by way of the planted op.
category: order_flow
version: v1.0
dimension: signal
status: active
mode: tick
unit: "1"
range: "0 .. 1000000"
source: "definition"
required_inputs:
  - cdm_trade_enriched.size
output_column: planted_type
output_description: The same
parameters: {}
formula: "planted(size)"
"""
SET = """name: planted_set
description: One feature, of the planted op.
mode: tick_to_bar
normalization:
  warmup_bars: 2
signal_features:
  - name: planted_feature
    type: planted_type
    inputs: [cdm_trade_enriched]
    normalization: { method: none }
    output_type: scalar
    bar_aggregation: sum
"""


def write_planted(folder: Path, body: str) -> Path:
    """Write a project whose one feature runs the op with that kernel body."""
    write_project(folder, draft_project(folder.name, "crypto"))
    edit(folder / "quantflow_project.yml", "microstructure_breakout", "planted_set")
    edit(folder / "quantflow_project.yml", "bar: dollar_k_50000", "bar: tick_k_50")
    market = folder / ".definitions/feed_providers/simulated_market.yml"
    edit(market, "minutes: 30", f"minutes: {MINUTES}")
    files = {
        "ops/planted.py": OP.format(body=body),
        "feature_types/signal/planted_type.yml": TYPE,
        "features/planted_set.yml": SET,
    }
    for name, text in files.items():
        path = folder / ".definitions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace text of a file, everywhere in it."""
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))
