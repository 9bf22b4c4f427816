"""How an entry of `label_engine.labels` becomes a label: parameters, warnings, columns.

A label's file has, besides its op, what this module reads: USER, the signature a user sees;
`resolve`, user parameters and the round-trip cost -> the op's parameters; `barriers`, the
barriers known beforehand as fractions of price; INPUTS and `inputs`, which bar column an input
reads where the names differ; `trades`, which tick column an input reads, of those that read any;
UNREAD, the inputs that not every choice of options reads, which then are any column.
An input `path_quality` is the quality of the bars from the label's own to the one `window` later.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qf.errors import diagnostic
from qf.op import Op, find
from qf.program import Column, Plan
from qf.signature import parse_signature

NEEDS_COLUMN = diagnostic(
    "QF465",
    "label {name!r} needs the column {column!r} of its {clock} clock",
    hint="{hint}",
)
VERTICAL_SHARE = 0.95  # above it a triple barrier says next to nothing


@dataclass(frozen=True)
class LabelSpec:
    """One label: its op with bound parameters, the columns it reads, and what to warn of."""

    name: str
    op: Op
    parameters: dict[str, Any]
    columns: dict[str, str]  # input -> bar column, where they differ
    trades: dict[str, str]  # input -> tick column
    warnings: tuple[str, ...]

    @property
    def needs_volatility(self) -> bool:
        """Say whether a causal volatility column of the bar clock must be given."""
        return "volatility" in (self.parameters.get("unit"), self.parameters.get("scale"))

    @property
    def needs_side(self) -> bool:
        """Say whether a side column (+1, -1; 0 or null: no label) must be given."""
        return self.parameters.get("side") == "column"


def label_spec(name: str, kind: str, parameters: Mapping[str, Any], cost: float) -> LabelSpec:
    """Return the label that one YAML entry asks for; `cost` is the round trip as a fraction.

    Errors: QF401-QF405, QF412, and those of the label's own `resolve`.
    """
    op = find(kind, "labels")
    module: Any = sys.modules[op.module]
    user = parse_signature(module.USER).bind(dict(parameters))
    bound = op.bind(**module.resolve(user, cost))
    columns, trades = (getattr(module, name, lambda _: {})(user) for name in ("inputs", "trades"))
    warnings = _below_cost(name, module.barriers(user, cost), cost)
    return LabelSpec(name, op, bound, {**module.INPUTS, **columns}, trades, warnings)


def _below_cost(name: str, barriers: Mapping[str, float], cost: float) -> tuple[str, ...]:
    """Return one warning that names every barrier narrower than the round trip, or none."""
    low = [
        f"{barrier} {width:.10g} ({1e4 * width:.6g} bp)"
        for barrier, width in barriers.items()
        if width < cost
    ]
    told = f"round-trip cost {cost:.10g} ({1e4 * cost:.6g} bp)"
    be = "is" if len(low) == 1 else "are"
    return (f"label {name}: {' and '.join(low)} {be} below the {told}",) if low else ()


def add_label(
    plan: Plan,
    spec: LabelSpec,
    bar: Mapping[str, Column],
    clock: str,
    given: Mapping[str, Column] | None = None,
    tick: Mapping[str, Column] | None = None,
) -> dict[str, Column]:
    """Add the label to the plan and return the columns of its own clock, named `clock`.

    `bar` holds the columns of the bar clock, `given` the columns `volatility` (float) and `side`
    (int) of the same clock where the label asks for them, `tick` those of the tick clock where it
    reads trades. Errors: QF465.
    """
    given, tick = given or {}, tick or {}
    if spec.needs_volatility and "volatility" not in given:
        hint = "name a causal formula of the bar clock under volatility"
        raise NEEDS_COLUMN(name=spec.name, column="volatility", clock="bar", hint=hint)
    if spec.needs_side and "side" not in given:
        hint = "name a column of +1 and -1 under side, or choose long or short"
        raise NEEDS_COLUMN(name=spec.name, column="side", clock="bar", hint=hint)
    columns = {**bar, **given}
    if "side" in given:
        columns["position"] = given["side"]
    for column in spec.trades.values():
        if column not in tick:
            hint = "give the columns of the tick clock, or options that need no trades"
            raise NEEDS_COLUMN(name=spec.name, column=column, clock="tick", hint=hint)
    asked = spec.op.signature.inputs
    if any(i.name == "path_quality" for i in asked):
        rows, joined = spec.parameters["window"] + 1, find("rolling_or", "ops")
        columns["path_quality"] = plan.one(joined, [bar["quality"]], rows=rows)
    any_of = {"int": bar["bar_id"], "float": bar["close"]}
    unread = getattr(sys.modules[spec.op.module], "UNREAD", ())
    columns = {i.name: any_of[i.kind] for i in asked if i.name in unread} | columns
    read = {i.name: columns[spec.columns.get(i.name, i.name)] for i in asked}
    read |= {name: tick[column] for name, column in spec.trades.items()}
    out = [plan.clock(clock), *{tick[column].clock for column in spec.trades.values()}]
    made = plan.add(spec.op, [read[i.name] for i in asked], spec.parameters, out=out)
    return {o.name: group[0] for o, group in zip(spec.op.signature.outputs, made, strict=True)}


def vertical_warning(name: str, barrier: np.ndarray) -> str:
    """Return a warning where nearly all labels met the vertical barrier, else "".

    `barrier` is the label clock's column: +1 upper, -1 lower, 0 vertical.
    """
    share = float(np.mean(barrier == 0)) if len(barrier) else 0.0
    if share <= VERTICAL_SHARE:
        return ""
    return f"label {name}: {100 * share:.1f} % of {len(barrier)} labels met the vertical barrier"
