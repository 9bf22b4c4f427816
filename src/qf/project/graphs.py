"""Compile a feature set's formulas: inputs before what reads them, errors placed in the YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qf.errors import QuantflowError
from qf.language.columns import ColumnTable, Input
from qf.language.compile import compile_formula
from qf.language.graph import Graph
from qf.project.label_specs import FORMULA_ROLES
from qf.project.model import BarSpec, FeatureSet, FeatureType, LabelSpec, Project
from qf.regime_table import AtInstrument

NOBODY = ("", "")  # venue and symbol of no instrument: regime tables as their files have them
# Every symbol of a project asks for the same graphs: those made last, with what they were made of.
KEPT = 64
_KEPT: dict[tuple[int, tuple[str, str]], tuple[Project, FeatureSet, dict[str, Graph]]] = {}


def tables(
    project: Project, instrument: tuple[str, str] = NOBODY
) -> tuple[ColumnTable, dict[str, ColumnTable]]:
    """Return the tick clock's table and each bar clock's, with an instrument's regime tables."""
    own = AtInstrument(project.regimes, *instrument)
    bars = {spec.clock: replace(bar_columns(spec), regimes=own) for spec in project.bars}
    return replace(ColumnTable.tick(project.snapshots.depth_levels), regimes=own), bars


def bar_columns(spec: BarSpec) -> ColumnTable:
    """Return the columns of one bar clock, under the names `bars` and its rule's table."""
    return ColumnTable.bars(spec.clock, (spec.table, "bars"))


def feature_graphs(
    project: Project,
    feature_set: FeatureSet,
    problems: list[QuantflowError] | None = None,
    instrument: tuple[str, str] = NOBODY,
) -> dict[str, Graph]:
    """Return the graph of each feature, inputs first; `instrument` is venue and symbol.

    Errors: QF1xx and QF4xx at the formula's place in its file; with `problems` they are collected
    and what depends on a broken feature is left out.
    """
    # Without regime tables the formulas mean the same for every instrument.
    whose = instrument if project.regimes else NOBODY
    if problems is None:
        kept = _KEPT.get((id(feature_set), whose))
        if kept is not None and kept[0] is project and kept[1] is feature_set:
            return dict(kept[2])
    graphs = _feature_graphs(project, feature_set, problems, whose)
    if problems is None:
        if len(_KEPT) >= KEPT:
            _KEPT.clear()
        _KEPT[id(feature_set), whose] = (project, feature_set, graphs)
    return dict(graphs)


def _feature_graphs(
    project: Project,
    feature_set: FeatureSet,
    problems: list[QuantflowError] | None,
    instrument: tuple[str, str],
) -> dict[str, Graph]:
    tick, bars = tables(project, instrument)
    graphs: dict[str, Graph] = {}
    for feature in feature_set.ordered():
        if any(need not in graphs for need in feature.needs):
            continue
        inputs = {
            placeholder: input_of(graphs[need], need, feature_set.feature(need).bar)
            for placeholder, need in feature.bindings.items()
        }
        table = bars[feature.bar] if feature.mode == "bar" else tick
        others = (tick, *bars.values())
        try:
            graphs[feature.name] = compile_type(
                feature.type, feature.params, table, inputs, tuple(o for o in others if o != table)
            )
        except QuantflowError as error:
            if problems is None:
                raise
            problems.append(error)
    return graphs


def label_graphs(
    project: Project,
    label: LabelSpec,
    clock: str,
    instrument: tuple[str, str] = NOBODY,
) -> dict[str, Graph]:
    """Return the graphs of a label's own formulas (volatility, side) on one bar clock.

    Errors: QF1xx, QF4xx at the formula's line.
    """
    table = tables(project, instrument)[1][project.bar(clock).clock]
    graphs = {}
    for role in FORMULA_ROLES:
        if role in label.inputs:
            try:
                graphs[role] = compile_formula(label.inputs[role], table=table)
            except QuantflowError as error:
                raise error.at(label.place) from None
    return graphs


def input_of(graph: Graph, name: str, clock: str) -> Input:
    """Return what a placeholder is bound to: a feature after its bar aggregation."""
    return Input(name, "float", graph.unit, clock, graph.book)


def compile_type(
    found: FeatureType,
    params: Mapping[str, Any],
    table: ColumnTable,
    inputs: Mapping[str, Input],
    known: tuple[ColumnTable, ...] = (),
) -> Graph:
    """Return a feature type's graph. Errors: QF1xx, QF4xx at the formula's place in its file."""
    try:
        return compile_formula(
            found.formula, table=table, params=dict(params), inputs=dict(inputs), known=known
        )
    except QuantflowError as error:
        raise found.formula_place.at(error) from None
