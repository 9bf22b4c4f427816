"""Where a column of a cross set's vectors comes from: its formula, and whose features it reads."""

from __future__ import annotations

from qf.engines.cross_plan import CrossPlan, Input, plan_cross
from qf.engines.meaning import meaning_of
from qf.language.explain import explain
from qf.project.cross_graphs import cross_graphs
from qf.project.cross_model import CrossFeature, CrossSet


def explain_cross_column(cross: CrossSet, column: str) -> list[str]:
    """Return what a column means and what makes it, in lines. Errors: QF532 and the formulas'."""
    symbol = cross.symbols[0]
    planned = plan_cross(cross, symbol)
    lines = meaning_of(planned.table, column)
    features = {each.name: each for each in cross.features}
    made = features.get(column) or features.get(column.removesuffix("_age_ms"))
    if made is None:
        if column in planned.table.key:
            return [*lines, "", f"  a row per bar of {cross.bar} of each reading symbol"]
        if column == "quality":
            return [*lines, "", "  the quality bits of everything that the row's features read"]
        return [*lines, "", f"  that of the bar of {cross.bar} that is decided on"]
    if made.name != column:
        lines += ["", f"  age of the oldest value in {made.name} at the decision"]
    return [*lines, "", *explain_cross_feature(cross, made, symbol, planned).splitlines()]


def explain_cross_feature(
    cross: CrossSet, feature: CrossFeature, symbol: str = "", planned: CrossPlan | None = None
) -> str:
    """Return a cross feature as a page of text. Errors: those of the formulas."""
    symbol = symbol or cross.symbols[0]
    planned = planned or plan_cross(cross, symbol)
    contract = feature.staleness
    others = len(cross.symbols) - 1
    more = f"; {others} more symbols read it the same way" if others else ""
    lines = [
        f"feature {feature.name} of the cross set {cross.name}, as {symbol} reads it{more}",
        f"decision   on {cross.bar}, into {cross.table}",
        f"staleness  another's value counts up to {contract.ttl_ms:g} ms, then {contract.action}",
        *(f"reads      {_read(cross, each)}" for each in planned.reads[feature.name]),
    ]
    return "\n".join([*lines, explain(cross_graphs(cross, symbol)[feature.name])])


def _read(cross: CrossSet, each: Input) -> str:
    if not each.of:
        return f"{each.symbol}.{each.feature}: as published, in cdm_funding"
    clock = next(f.bar for f in cross.of.features if f.name == each.feature)
    how = "of the same bar" if each.aligned else "the newest row strictly before the decision"
    return f"{each.symbol}.{each.feature}: features of {each.of} on {clock}, {how}"
