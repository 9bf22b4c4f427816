"""What `qf check` looks for beyond the definitions: problems raise, warnings tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qf.errors import QuantflowError
from qf.language.graph import Graph
from qf.project.graphs import feature_graphs
from qf.project.model import Feature, Project

Graphs = Mapping[tuple[str, str], Graph]

# The range of a normaliser's values, where the method alone decides it.
RANGES = {"minmax": (0.0, 1.0), "rank": (0.0, 1.0)}
CRUSHED_BELOW, CRUSHED_SHARE = 0.1, 0.5


def compile_all(project: Project, problems: list[QuantflowError]) -> Graphs:
    """Return every feature's graph by (set, feature); broken formulas go to the problems."""
    graphs: dict[tuple[str, str], Graph] = {}
    for found in project.feature_sets:
        for name, graph in feature_graphs(project, found, problems).items():
            graphs[found.name, name] = graph
    return graphs


def ops_problems(quiet: bool, tell: Callable[[str], None]) -> list[QuantflowError]:
    """Return what the contract suite says of the project's own ops. Errors (returned): QF820."""
    from qf.project.project_ops import project_ops

    problems: list[QuantflowError] = []
    for op in [] if quiet else project_ops():
        from qf.testing.contract import check

        tell(f"contract suite: {op.name}")
        try:
            check(op)
        except QuantflowError as error:
            problems.append(error)
    return problems


def venue_problems(project: Project) -> list[QuantflowError]:
    """Return the errors of venues that no mapper reads, and of paths that match no file."""
    from qf.feeds.venue import find_venue
    from qf.tape.provider import open_source

    problems: list[QuantflowError] = []
    for provider in project.providers:
        symbols = provider.symbols or project.symbols
        try:
            if provider.settings.get("format") != "lobster":
                find_venue(provider.venue)
            if provider.kind in ("capture", "files"):
                open_source(provider.settings, project.folder, symbols[0] if symbols else "")
        except QuantflowError as error:
            place = provider.path_place if error.code == "QF312" else provider.place
            problems.append(error if error.place else error.at(place))
    return problems


def static(project: Project, graphs: Graphs) -> list[str]:
    """Return the warnings that the definitions alone give."""
    lines = []
    if not project.providers:
        lines.append("the project names no feed provider: qf run has nothing to read")
    if not project.symbols:
        lines.append("the project names no symbol")
    for found in project.feature_sets:
        for feature in found.features:
            lines += _clip(feature)
            graph = graphs.get((found.name, feature.name))
            if graph is not None:
                lines += _inputs(project, feature, graph)
                lines += [f"feature {feature.name}: {each.sentence}" for each in graph.warnings]
            if feature.type.status != "active":
                lines.append(
                    f"feature {feature.name}: type {feature.type.name} is {feature.type.status}"
                )
    return lines


def _inputs(project: Project, feature: Feature, graph: Graph) -> Iterator[str]:
    """Yield the inputs that no provider brings."""
    if not graph.book:
        return
    if "book" not in project.sources:
        yield f"feature {feature.name} reads the order book, and sources leave it out"
    depth = {"depth", "partial_depth", "snapshot"}
    if project.providers and all(
        p.channels and not depth & {*p.channels} for p in project.providers
    ):
        names = ", ".join(p.name for p in project.providers)
        yield f"feature {feature.name} reads the order book, and no channel of {names} brings it"


def _clip(feature: Feature) -> Iterator[str]:
    """Yield the edges of a clip that no value can pass."""
    rule = feature.normalization
    if rule.clip is None:
        return
    low, high = RANGES.get(rule.method, (-math.inf, math.inf))
    why = f"{rule.method} values lie in [{low:g}, {high:g}]"
    if rule.method == "rolling_zscore" and rule.window and not rule.exclude_current:
        high = (rule.window - 1) / math.sqrt(rule.window)
        low = -high
        why = (
            f"a z-score over {rule.window} bars that include the current one is at most {high:.3g}"
        )
    if rule.clip[1] > high:
        yield f"feature {feature.name}: clip at {rule.clip[1]:g} cannot bind: {why}"
    if rule.clip[0] < low:
        yield f"feature {feature.name}: clip at {rule.clip[0]:g} cannot bind: {why}"


def stored(project: Project, graphs: Graphs) -> list[str]:
    """Return the warnings that the last run's tables give; none before the first run."""
    from qf.store.read import Reader

    if not project.paths.database.exists():
        return []
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    try:
        with reader.held():
            known = reader.tables()
            lines = list(_short_clocks(project, graphs, reader, known))
            lines += _unsteady_clocks(project, reader, known)
            if "features" in known:
                lines += _dead_features(project, graphs, reader)
    except QuantflowError as error:
        return [f"the last run's tables were not looked at: {error.sentence}"]
    return lines


def _short_clocks(
    project: Project, graphs: Graphs, reader: Any, known: Mapping[str, int]
) -> Iterator[str]:
    """Yield the clocks that closed fewer bars than a feature needs before its first value."""
    for spec in project.bars:
        if spec.table not in known:
            continue
        query = (
            f'select symbol, count(*) from "{project.cdm_schema}"."{spec.table}"'
            " where bar_clock = ? group by symbol order by symbol"
        )
        counts = dict(reader.sql(query, [spec.clock]).rows()) or dict.fromkeys(project.symbols, 0)
        needs = [
            (f.name, needed_bars(f, graphs.get((f.feature_set, f.name))))
            for each in project.feature_sets
            for f in each.features
            if f.bar == spec.clock
        ]
        for symbol, bars in counts.items():
            short = [(name, need) for name, need in needs if need > bars]
            if short:
                told = ", ".join(f"{name} needs {need}" for name, need in short)
                yield f"{symbol}: {spec.clock} closed {bars} bars; {told}"


def _unsteady_clocks(project: Project, reader: Any, known: Mapping[str, int]) -> Iterator[str]:
    """Yield the clocks of expected values whose bars collapsed to one trade, or ran away."""
    from qf.bar_stability import stability

    for spec in project.bars:
        if "cap" not in spec.params or spec.table not in known:
            continue
        query = (
            f'select symbol, trade_count from "{project.cdm_schema}"."{spec.table}"'
            " where bar_clock = ? order by symbol, bar_id"
        )
        rows = reader.sql(query, [spec.clock]).rows()
        for symbol in project.symbols:
            found = stability([count for name, count in rows if name == symbol])
            if found.fault:
                yield f"{symbol}: {spec.clock}: {found.fault} ({found.words})"


def needed_bars(feature: Feature, graph: Graph | None) -> int:
    """Return how many bars of its clock a feature needs before its first value."""
    own = graph.warmup_rows if graph is not None and feature.mode == "bar" else 0
    window = feature.normalization.window or 0
    return max(feature.warmup_bars, own + window)


def _dead_features(project: Project, graphs: Graphs, reader: Any) -> Iterator[str]:
    """Yield features without a value, with one value only, or crushed by their min-max."""
    query = (
        "select symbol, feature_set, feature_name, count(*), count(value), min(value), max(value),"
        f" avg(case when value < {CRUSHED_BELOW} then 1.0 else 0.0 end)"
        f' filter (where value is not null) from "{project.feature_schema}".features'
        " group by all order by all"
    )
    features = {(each.name, f.name): f for each in project.feature_sets for f in each.features}
    for symbol, feature_set, name, bars, seen, low, high, crushed in reader.sql(query).rows():
        feature = features.get((feature_set, name))
        if feature is None or bars < needed_bars(feature, graphs.get((feature_set, name))):
            continue  # its clock is too short, which is told once per clock
        where = f"{symbol}: feature {name}"
        if seen == 0:
            yield f"{where} has no value in the last run"
        elif seen > 1 and low == high:
            yield f"{where} is constant ({low:g}) in the last run"
        elif feature.normalization.method == "minmax" and crushed > CRUSHED_SHARE:
            share = f"{100 * crushed:.0f} %"
            yield (
                f"{where}: {share} of its bars lie below {CRUSHED_BELOW}: one extreme flattens a"
                " min-max; consider method: rank with a window"
            )
