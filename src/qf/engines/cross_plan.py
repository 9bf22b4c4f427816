"""The program of one cross set for one reading symbol: its rows are the rows of its clock.

1. every column that a formula names is fed as value, age and quality, row by row of the decision
2. another symbol's value is worth what the feature's staleness contract says
3. the formula runs, its quality is that of all that it reads, carried over its memory; a column
   that may be missing (passes/across.py) adds none
4. `seal` publishes it: value or a reason
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from qf.bar_clock import Units
from qf.engines.columns import State
from qf.engines.features import FeatureBuilder, as_seen
from qf.language.graph import Graph
from qf.language.passes.across import MAYBE
from qf.lower.to_program import lower
from qf.op import find
from qf.program import Column, Plan
from qf.project.cross_graphs import column_name, cross_graphs
from qf.project.cross_model import CrossFeature, CrossSet
from qf.schema import NULL_INT
from qf.schema_tables import Table, vector_table

CLOCK, TIME = "decisions", "feature_time"
INVALIDATE = "invalidate"
NO_UNITS = Units(Fraction(1), Fraction(1), Fraction(1))


@dataclass(frozen=True)
class Input:
    """One column that formulas read: whose feature, and whether it may be missing."""

    name: str
    symbol: str
    of: str  # the feature set, "" where it is what the venue publishes (cross_model.MARKS)
    feature: str
    aligned: bool  # it lives on the decision's own rows; else the newest row before them counts


@dataclass(frozen=True)
class CrossPlan:
    """What one symbol's decisions of a cross set are computed by."""

    cross: CrossSet
    symbol: str
    plan: Plan
    inputs: tuple[Input, ...]
    reads: dict[str, tuple[Input, ...]]  # feature -> what it reads
    table: Table

    @property
    def key(self) -> str:
        """Return the hash of everything that decides its rows, given the rows that it reads."""
        told = repr((self.plan.hash(), self.inputs, self.cross.bar, self.table))
        return hashlib.sha256(told.encode()).hexdigest()[:20]

    def ages_ms(
        self, ages: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return, per feature, the age of the oldest thing in it; null where nothing is.

        `ages` in ns and `values` are those of the inputs; what is left out has no age.
        """
        made = {}
        for feature in self.cross.features:
            contract, oldest = feature.staleness, NULL_INT
            for each in self.reads[feature.name]:
                age = ages[each.name]
                if each.name.endswith(MAYBE):
                    gone = np.isnan(values[each.name])
                    if contract.action == INVALIDATE:
                        gone |= age > contract.ttl_ms * 1e6
                    age = np.where(gone, NULL_INT, age)
                oldest = np.maximum(oldest, age)
            made[feature.name] = np.where(oldest == NULL_INT, np.nan, oldest / 1e6)
        return made


def plan_cross(cross: CrossSet, symbol: str) -> CrossPlan:
    """Return the plan of a cross set for one reading symbol. Errors: QF1xx, QF4xx, QF600, QF608."""
    graphs = cross_graphs(cross, symbol)
    inputs = {
        name: _input(cross, symbol, name) for graph in graphs.values() for name in graph.columns
    }
    plan = Plan()
    plan.clock(CLOCK)
    time = plan.feed(TIME, "int")
    fed = {
        name: (plan.feed(name), plan.feed(f"{name}:age", "int"), plan.feed(f"{name}:bits", "int"))
        for name in inputs
    }
    builder = FeatureBuilder(State(plan, NO_UNITS, 0), {})
    quality = None
    for feature in cross.features:
        graph = graphs[feature.name]
        value, bits = _add(builder, (feature, graph, inputs), fed, time)
        plan.read(feature.name, value)
        quality = builder.either(plan, quality, bits)
    assert quality is not None, "a cross set has features"
    plan.read("quality", quality)
    table = vector_table(cross.name, [feature.name for feature in cross.features])
    reads = {name: tuple(inputs[each] for each in g.columns) for name, g in graphs.items()}
    return CrossPlan(cross, symbol, plan, tuple(inputs.values()), reads, table)


def _input(cross: CrossSet, symbol: str, name: str) -> Input:
    feature, clocks = name.removesuffix(MAYBE), {f.name: f.bar for f in cross.of.features}
    for each in cross.universe:
        if feature.startswith(column_name(each, "")):
            feature = feature.removeprefix(column_name(each, ""))
            of = cross.of.name if feature in clocks else ""
            return Input(name, each, of, feature, aligned=False)
    of = cross.of.name if feature in clocks else ""
    return Input(name, symbol, of, feature, clocks.get(feature) == cross.bar)


def _add(
    builder: FeatureBuilder,
    of: tuple[CrossFeature, Graph, dict[str, Input]],
    fed: dict[str, tuple[Column, Column, Column]],
    time: Column,
) -> tuple[Column, Column]:
    """Add one feature and return its value and quality as published."""
    (feature, graph, inputs), plan = of, builder.plan
    columns: dict[str, Column] = {}
    quality = plan.one(find("keep_bits", "quality"), [time], bits=0)  # no bit yet
    for name in graph.columns:
        value, age, bits = fed[name]
        if not inputs[name].aligned:
            value, bits = as_seen(plan, feature.staleness, value, bits, age)
        columns[name] = value
        if not name.endswith(MAYBE):
            quality = builder.either(plan, quality, bits)
    raw = lower(graph, plan, columns, time)
    quality = builder.of_graph(graph, quality, columns, time)
    raw = plan.one(find("trusted", "quality"), [raw, quality])
    sealed = plan.add(find("seal", "quality"), [raw, quality])
    return sealed[0][0], sealed[1][0]
