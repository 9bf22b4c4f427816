"""qf explain: what a feature or a formula is, down to its program; where a column comes from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from qf.cli._options import is_project, json_option, project_option
from qf.errors import QuantflowError, diagnostic, nearest

NO_NAME = diagnostic(
    "QF712",
    "there is no feature, feature type or column {name!r}",
    hint="types and features: qf features; columns of a table: qf explain TABLE.COLUMN",
)
NAME = r"[a-z][a-z0-9_]*"
COLUMN = r"([A-Za-z_][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)"


WHAT = "FEATURE|FORMULA|TABLE.COLUMN"


@click.command(short_help="Show a formula's graph, clock and program; tell variants apart.")
@click.argument("what", metavar=WHAT, required=False)
@click.option("--bar", help="Read the formula on this bar clock instead of on trades.")
@click.option("--variants", is_flag=True, help="Tell how popular forms of an estimator differ.")
@json_option
@project_option
def command(what: str | None, bar: str | None, variants: bool, as_json: bool, folder: Path) -> None:
    """Explain a feature of the project, a feature type, a formula in quotes, or a table's column.

    Of TABLE.COLUMN it shows where the values come from: the ops down to the tape, and the runs
    that wrote them. Of the others it shows the formula, its graph, clock, unit, look-back, warm-up,
    state and program; of a feature also what happens to its values on the bar clock and at the
    decision clock.

    With --variants WHAT is an estimator (ofi, vpin, hurst, …): how popular forms of it differ, what
    that costs, and what it is called here; alone it lists the estimators. --json goes with it.
    """
    if variants:
        _variants(what, as_json)
    elif as_json:
        raise click.UsageError("--json goes with --variants")
    elif what is None:
        raise click.UsageError(f"missing argument {WHAT!r}")
    else:
        _explain(what, bar, is_project(folder), folder)


def _variants(what: str | None, as_json: bool) -> None:
    """Print one topic, or the list of all. Errors: QF294."""
    from dataclasses import asdict

    from qf.cli._terminal import say, say_json, table
    from qf.project.variants import topics_of, variant_topics

    topics = list(variant_topics().values()) if what is None else topics_of(what)
    if as_json:
        say_json([asdict(topic) for topic in topics])
    elif what is None:
        rows = [(topic.name, f"{topic.title}: {len(topic.variants)} forms") for topic in topics]
        say(f"{table(rows)}\n\none of them: qf explain NAME --variants")
    else:
        say("\n\n".join(map(_topic, topics)))


def _topic(topic: Any) -> str:
    """Return a topic as a page of text."""
    import textwrap

    lines = [f"{topic.name}: {topic.title}", *textwrap.wrap(topic.about, 96)]
    for each in topic.variants:
        lines += ["", f"{each.name} ({each.by})" if each.by else each.name]
        here = ", ".join(each.here) or "not here"
        for word, text in (("does", each.does), ("costs", each.costs), ("here", here)):
            lines += textwrap.wrap(f"{word:<7}{text}", 96, initial_indent="  ",
                                   subsequent_indent=" " * 9)  # fmt: skip
    return "\n".join(lines)


def _explain(what: str, bar: str | None, in_project: bool, folder: Path) -> None:
    import re

    from qf.cli._terminal import say
    from qf.engines.lineage import explain_column, is_table
    from qf.project import open_project

    project = open_project(folder) if in_project else None
    if re.fullmatch(NAME, what):
        text = _named(what, project)
        if text is not None:
            say(text)
            return
    place = re.fullmatch(COLUMN, what)
    if place and project is not None and is_table(project, place[1]):
        say(explain_column(project, place[1], place[2]))
        return
    try:
        text = _formula(what, bar, project)
    except QuantflowError as error:
        if error.code == "QF122" and re.fullmatch(NAME, what):
            raise NO_NAME(name=what, near=nearest(what, _names(project, error.near))) from None
        if error.code == "QF126" and place and project is not None:
            explain_column(project, place[1], place[2])
        raise
    say(text)


def _names(project: Any, columns: Iterable[str]) -> list[str]:
    """Return every name that can be explained alone."""
    from qf.project.feature_types import TypeBook

    types = TypeBook(project.folder if project else None, []).names()
    sets = (*project.feature_sets, *project.cross_sets) if project else ()
    return [*types, *(f.name for found in sets for f in found.features), *columns]


def _named(name: str, project: Any) -> str | None:
    """Return the explanation of a feature or of a type with its defaults, or None."""
    from qf.engines.cross_lineage import explain_cross_feature
    from qf.language.columns import ColumnTable, Input
    from qf.language.explain import explain
    from qf.project.document import parse_document
    from qf.project.feature_types import TypeBook, bind_parameters
    from qf.project.graphs import compile_type

    for found in project.feature_sets if project else ():
        for feature in found.features:
            if feature.name == name:
                return _feature(project, found, feature)
    for cross in project.cross_sets if project else ():
        for feature in cross.features:
            if feature.name == name:
                return explain_cross_feature(cross, feature)
    problems: list[QuantflowError] = []
    kind = TypeBook(project.folder if project else None, problems).get(name)
    if problems:
        raise problems[0]
    if kind is None:
        return None
    bar = kind.mode == "bar"
    table = ColumnTable.bars("tick_k_50", ("bars",)) if bar else ColumnTable.tick()
    params = bind_parameters(kind, {}, parse_document("{}", kind.place.source), ())
    inputs = {word: Input(word, "float", "any", table.clock) for word in kind.placeholders}
    graph = compile_type(kind, params, table, inputs)
    head = [f"feature type {name} with its defaults ({_parameters(params)})", kind.description]
    return "\n".join([*head, *_told_apart(name), explain(graph)])


def _told_apart(name: str) -> list[str]:
    """Return the line that leads to what is told of a type's variants."""
    from qf.project.variants import variant_topics

    topics = [topic.name for topic in variant_topics().values() if name in topic.words]
    return [f"variants   qf explain {topic} --variants" for topic in topics]


def _parameters(params: Any) -> str:
    """Return parameters as a user writes them."""
    shown = {k: str(v).lower() if isinstance(v, bool) else v for k, v in params.items()}
    return ", ".join(f"{key}={value}" for key, value in shown.items())


def _feature(project: Any, found: Any, feature: Any) -> str:
    from qf.language.explain import explain
    from qf.language.state_share import state_share
    from qf.project.graphs import feature_graphs

    graphs = feature_graphs(project, found)
    graph, state = graphs[feature.name], state_share(graphs, feature.name)
    rule = feature.normalization
    clip = f", clipped to [{rule.clip[0]:g}, {rule.clip[1]:g}]" if rule.clip else ""
    window = f" over {rule.window} bars" if rule.window else ""
    stale = feature.staleness
    age = "kept as it is at any age"
    if stale is not None:
        age = f"as it is up to {stale.ttl_ms:g} ms, then {stale.action}"
    bars = f"runs on the bars of {feature.bar}"
    if feature.mode == "tick":
        bars = f"the {feature.aggregation} of each bar of {feature.bar}"
    params = _parameters(feature.params) or "none"
    reads = ", ".join(f"{word} = {need}" for word, need in feature.bindings.items())
    return "\n".join(
        [
            f"feature {feature.name} of {found.name} ({feature.group})",
            f"type       {feature.type.name}, parameters: {params}",
            *([f"inputs     {reads}"] if reads else []),
            f"bar value  {bars}",
            f"treatment  {rule.method}{window}{clip}; the first {feature.warmup_bars} bars null",
            f"decision   on {found.bar}, {age}",
            f"bytes      {state.own:,} of state of its own, {state.shared:,} in columns that other"
            f" features of {found.name} read too; the set has {state.total:,},"
            " each column counted once",
            explain(graph),
        ]
    )


def _formula(text: str, bar: str | None, project: Any) -> str:
    from qf.language.columns import ColumnTable
    from qf.language.compile import compile_formula
    from qf.language.explain import explain
    from qf.project.graphs import tables

    if project is None:
        table = ColumnTable.bars(bar) if bar else ColumnTable.tick()
        return explain(compile_formula(text, table=table))
    tick, bars = tables(project)
    table = bars[project.bar(bar).clock] if bar else tick
    known = tuple(each for each in (tick, *bars.values()) if each is not table)
    return explain(compile_formula(text, table=table, known=known))
