"""One symbol's whole program, and the way from its clocks to the tables.

A route says which rows of which clock become rows of which table. Only what a chosen table needs
is read out of the machine; the instructions behind an unread column still run, because features,
labels and bars share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qf.bar_clock import with_empty_bars
from qf.engines.columns import State, add_state, add_volume_by_price
from qf.engines.features import FeatureBuilder, Seen, levels_needed
from qf.label_spec import LabelSpec as LabelRule
from qf.label_spec import add_label, label_spec
from qf.language.columns import FOOTPRINT
from qf.language.graph import Graph
from qf.lower.to_program import lower
from qf.op import find
from qf.program import Column, Plan
from qf.project.graphs import feature_graphs, label_graphs
from qf.project.model import FeatureSet, LabelSpec, Project
from qf.schema import PUBLISHED
from qf.schema_tables import TABLES, Table, bar_table, vector_table
from qf.tape.instruments import Instrument

if TYPE_CHECKING:
    from qf.engines.polars_run import PolarsRun

# The groups a project chooses under `tables:` that this program makes.
STATE_TABLES = ("enriched", "bars", "footprints", "l2")


@dataclass
class Route:
    """Send rows of a clock to a table: field of the table -> name among the clock's reads."""

    table: Table
    group: str  # the word under `tables:` that asks for it
    clock: str
    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    period_ns: int = 0  # a time clock: empty bars are rows of the table
    _before: dict[str, int] | None = None

    def rows(self, made: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the table's columns of the rows just made."""
        clock = made.get(self.clock, {})
        columns = {name: clock[read] for name, read in self.columns.items()}
        if self.period_ns and columns and len(columns["bar_id"]):
            last = {name: int(columns[name][-1]) for name in _BEFORE}
            columns = with_empty_bars(columns, self.period_ns, self._before)
            self._before = last
        return columns

    @property
    def before(self) -> dict[str, int] | None:
        """Return the bar before the next one, from which empty bars are counted."""
        return self._before

    def go_on_from(self, before: Mapping[str, int] | None) -> None:
        """Count the next empty bars from this bar; None: from the first."""
        self._before = dict(before) if before else None


AGE = ":age"  # no feature name holds a colon, so no feature can be taken for an age
_BEFORE = ("bar_id", "feature_time", "close_seq", "known_row")


@dataclass
class SymbolPlan:
    """The compiled shape of one symbol: plan, clocks, routes and what to warn about."""

    instrument: Instrument
    plan: Plan
    state: State
    graphs: Mapping[tuple[str, str], Graph]
    routes: list[Route]
    builder: FeatureBuilder
    label_rules: dict[tuple[str, str], LabelRule]  # (label, clock)
    vectors: dict[str, list[Seen]]
    second: PolarsRun | None = None  # computes features and vectors instead of the machine

    def tables(self) -> list[Table]:
        """Return every table that the routes and the second engine write, once each."""
        written = [route.table for route in self.routes]
        written += self.second.tables if self.second else []
        return list({table.name: table for table in written}.values())


def plan_symbol(
    project: Project,
    instrument: Instrument,
    continuity: str,
    groups: Iterable[str] | None = None,
) -> SymbolPlan:
    """Return the program of one symbol for the chosen table groups (default: the project's)."""
    chosen = frozenset(project.tables if groups is None else groups)
    where = (instrument.venue, instrument.symbol)
    graphs = {
        (each.name, name): graph
        for each in project.feature_sets
        for name, graph in feature_graphs(project, each, instrument=where).items()
    }
    levels = levels_needed(graphs, project.snapshots.depth_levels)
    footprints = _footprints(project, graphs, where)
    marks = any(PUBLISHED.keys() & set(graph.columns) for graph in graphs.values())
    state = add_state(project, instrument, continuity, levels, footprints, marks)
    builder = FeatureBuilder(state, graphs)
    routes = _state_routes(project, state, chosen)
    vectors: dict[str, list[Seen]] = {}
    if chosen & {"features", "vectors"}:
        for feature_set in project.feature_sets:
            vectors[feature_set.name] = builder.add_set(feature_set)
            routes += _feature_routes(state, builder, feature_set, chosen)
            if "vectors" in chosen:
                routes.append(_vector_route(state, feature_set, vectors[feature_set.name]))
    rules: dict[tuple[str, str], LabelRule] = {}
    if "labels" in chosen:
        for spec in project.labels:
            for clock in spec.clocks:
                given = _label_inputs(project, state, spec, clock, where)
                rules[spec.name, clock], route = _label_route(project, state, spec, clock, given)
                routes.append(route)
    return SymbolPlan(instrument, state.plan, state, graphs, routes, builder, rules, vectors)


def _footprints(
    project: Project, graphs: Mapping[tuple[str, str], Graph], where: tuple[str, str]
) -> set[str]:
    """Return the bar clocks of which a formula reads the volume by price."""
    own = set(FOOTPRINT)
    found = {graph.clock for graph in graphs.values() if own.intersection(graph.columns)}
    for spec in project.labels:
        for clock in spec.clocks:
            made = label_graphs(project, spec, clock, where).values()
            if any(own.intersection(graph.columns) for graph in made):
                found.add(clock)
    return found


def _read(plan: Plan, columns: Mapping[str, Column], prefix: str = "") -> dict[str, str]:
    """Ask for columns and return field -> read name."""
    names = {}
    for name, column in columns.items():
        names[name] = prefix + name
        plan.read(prefix + name, column)
    return names


def _state_routes(project: Project, state: State, chosen: frozenset[str]) -> list[Route]:
    plan, routes = state.plan, []
    if "enriched" in chosen:
        table = TABLES["cdm_trade_enriched"]
        columns = _read(plan, {n: c for n, c in state.tick.items() if n not in PUBLISHED})
        _read(plan, state.prints)
        routes.append(Route(table, "enriched", "tick", columns))
    if "l2" in chosen:
        columns = _read(plan, state.snapshot)
        routes.append(Route(TABLES["cdm_lob_l2"], "l2", "snapshot", columns))
    for clock in state.bar_clocks.values():
        wanted = {n: c for n, c in state.bars[clock.name].items() if n not in FOOTPRINT}
        if "bars" in chosen:
            routes.append(
                Route(
                    bar_table(clock.rule.name),
                    "bars",
                    clock.name,
                    _read(plan, wanted),
                    {"bar_clock": clock.name},
                    clock.period_ns,
                )
            )
        else:
            _read(plan, {name: wanted[name] for name in ("bar_id", "feature_time")})
        if "footprints" in chosen:
            name = f"{clock.name}/footprint"
            columns = _read(plan, add_volume_by_price(state, clock.name, name))
            constants = {"bar_clock": clock.name}
            table = TABLES["cdm_footprints"]
            routes.append(Route(table, "footprints", name, columns, constants))
    return routes


def _feature_routes(
    state: State, builder: FeatureBuilder, feature_set: FeatureSet, chosen: frozenset[str]
) -> list[Route]:
    if "features" not in chosen:
        return []
    routes = []
    for feature in feature_set.features:
        row = builder.rows[feature_set.name, feature.name]
        prefix = f"{feature_set.name}.{feature.name}."
        columns = _read(state.plan, {"value": row.value, "quality": row.quality}, prefix)
        columns |= {"bar_id": "bar_id", "feature_time": "feature_time"}
        constants = {
            "bar_clock": feature.bar,
            "feature_set": feature_set.name,
            "feature_name": feature.name,
        }
        routes.append(Route(TABLES["features"], "features", feature.bar, columns, constants))
    return routes


def _vector_route(state: State, feature_set: FeatureSet, seen: list[Seen]) -> Route:
    plan, prefix = state.plan, f"{feature_set.name}:"
    columns, quality = {}, None
    for each in seen:
        columns[each.feature.name] = each.value
        columns[f"{each.feature.name}{AGE}"] = each.age_ns
        quality = FeatureBuilder.either(plan, quality, each.quality)
    if quality is not None:
        columns["quality"] = quality
    names = _read(plan, columns, prefix)
    names |= {"bar_id": "bar_id", "feature_time": "feature_time"}
    table = vector_table(feature_set.name, [f.name for f in feature_set.features])
    return Route(table, "vectors", feature_set.bar, names, {"bar_clock": feature_set.bar})


def _label_route(
    project: Project, state: State, spec: LabelSpec, clock: str, given: dict[str, Column]
) -> tuple[LabelRule, Route]:
    rule = label_spec(spec.name, spec.type, dict(spec.params), cost=project.costs.round_trip)
    name = f"{clock}/{spec.name}"
    columns = add_label(state.plan, rule, state.bars[clock], name, given, state.tick)
    read = _read(state.plan, columns)
    constants = {"bar_clock": clock, "label_name": spec.name}
    return rule, Route(TABLES["cdm_labels"], "labels", name, read, constants)


def _label_inputs(
    project: Project, state: State, spec: LabelSpec, clock: str, where: tuple[str, str]
) -> dict[str, Column]:
    """Return the columns a label takes from formulas of its bar clock: volatility and side."""
    bar, given = state.bars[clock], {}
    for role, graph in label_graphs(project, spec, clock, where).items():
        column = lower(graph, state.plan, bar, bar["feature_time"])
        if role == "side":
            column = state.plan.one(find("whole", "quality"), [column])
        given[role] = column
    return given
