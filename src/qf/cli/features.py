"""qf features: the catalogue of feature types, and the features of a project."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import click

from qf.cli._options import is_project, json_option, project_option

DIMENSIONS = ("signal", "quality", "regime", "stability", "execution", "technical")


@click.command(short_help="List the feature types and features, or show one.")
@click.argument("name", required=False)
@click.option("--dimension", type=click.Choice(DIMENSIONS), help="Only types of this dimension.")
@click.option("--search", metavar="WORDS", help="Only those whose name or text holds every word.")
@project_option
@json_option
def command(
    name: str | None, dimension: str | None, search: str | None, folder: Path, as_json: bool
) -> None:
    """List every feature type and, in a project's folder, its features; or show NAME.

    A type is listed with its parameters, the rows it runs on and its unit; * marks the project's
    own. docs/features.md shows a picture of each.
    """
    from qf.cli._terminal import say, say_json
    from qf.engines.cross_lineage import explain_cross_feature
    from qf.errors import QuantflowError, nearest
    from qf.project import open_project
    from qf.project.feature_types import TypeBook
    from qf.project.model import NO_FEATURE

    project = open_project(folder) if is_project(folder) else None
    problems: list[QuantflowError] = []
    book = TypeBook(project.folder if project else None, problems)
    types = [found for found in map(book.get, book.names()) if found is not None]
    if problems:
        raise problems[0]
    features = [f for found in project.feature_sets for f in found.features] if project else []
    crossed = [(c, f) for c in project.cross_sets for f in c.features] if project else []
    if name is not None:
        known = [each.name for each in (*types, *features, *(f for _, f in crossed))]
        types = [found for found in types if found.name == name]
        features = [feature for feature in features if feature.name == name]
        crossed = [pair for pair in crossed if pair[1].name == name]
        if not types and not features and not crossed:
            raise NO_FEATURE(name=name, near=nearest(name, known))
    chosen = [t for t in types if dimension in (None, t.dimension) and _holds(_text(t), search)]
    features = [
        f
        for f in features
        if dimension in (None, f.group) and _holds(f"{f.name} {f.type.name}", search)
    ]
    crossed = [
        (c, f) for c, f in crossed if dimension is None and _holds(f"{f.name} {f.formula}", search)
    ]
    if as_json:
        pages = {"types": [_type(t) for t in chosen], "features": [_feature(f) for f in features]}
        say_json(pages | {"cross_features": [_cross(*pair) for pair in crossed]})
    elif name is None:
        _list(chosen, features, len(types))
        _list_cross(crossed)
    else:
        pages = [*map(_type_page, chosen), *map(_feature_page, features)]
        say("\n\n".join([*pages, *(explain_cross_feature(*pair) for pair in crossed)]))


def _text(found: Any) -> str:
    """Return what a search looks at."""
    return " ".join((found.name, found.category, found.description, found.source, found.formula))


def _holds(text: str, words: str | None) -> bool:
    return all(word in text.lower() for word in (words or "").lower().split())


def _list(types: list[Any], features: list[Any], known: int) -> None:
    from qf.cli._terminal import fitted, say, table

    rows = {each: [t for t in types if t.dimension == each] for each in DIMENSIONS}
    cells = {each: [_cells(t) for t in group] for each, group in rows.items() if group}
    widths = [max(map(len, column)) for column in zip(*chain(*cells.values()), strict=True)]
    for dimension, group in cells.items():
        say(f"{dimension}: {len(group)}")
        for row in group:
            parts = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            say(fitted(f"  {'  '.join(parts)}".rstrip()))
    counted = ", ".join(f"{len(group)} {each}" for each, group in rows.items() if group)
    if len(types) == known:
        say(f"{known} feature types: {counted}")
    else:
        say(f"{len(types)} of {known} feature types")
    say("one of them: qf features NAME; fewer: --dimension, --search; forms: qf explain --variants")
    if features:
        say("features of this project")
        head = ("  set", "group", "feature", "type", "clock", "bar value", "normalisation")
        say(table([_columns(feature) for feature in features], head))


def _list_cross(crossed: list[Any]) -> None:
    from qf.cli._terminal import say, table

    if crossed:
        say("features over several symbols")
        rows = [(f"  {c.name}", f.name, c.bar, " ".join(f.formula.split())) for c, f in crossed]
        say(table(rows, ("  cross set", "feature", "clock", "formula")))


def _cross(cross: Any, feature: Any) -> dict[str, Any]:
    return {
        "name": feature.name,
        "cross_set": cross.name,
        "of": cross.of.name,
        "bar": cross.bar,
        "symbols": list(cross.symbols),
        "universe": list(cross.universe),
        "formula": " ".join(feature.formula.split()),
        "staleness": {"ttl_ms": feature.staleness.ttl_ms, "action": feature.staleness.action},
    }


def _cells(found: Any) -> tuple[str, ...]:
    rows = "features" if found.placeholders else {"bar": "bars", "tick": "trades"}[found.mode]
    return _call(found), rows, found.unit or "-", _first(found.description)


def _columns(feature: Any) -> tuple[str, ...]:
    aggregation = feature.aggregation if feature.mode == "tick" else "on bars"
    return (
        f"  {feature.feature_set}",
        feature.group,
        feature.name,
        feature.type.name,
        feature.bar,
        aggregation,
        feature.normalization.method,
    )


def _call(found: Any) -> str:
    names = ", ".join(spec.name for spec in found.parameters)
    return f"{found.name}({names})" + ("" if found.library else " *")


def _first(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].rstrip(".")


def _type(found: Any) -> dict[str, Any]:
    return {
        "name": found.name,
        "dimension": found.dimension,
        "description": found.description,
        "unit": found.unit,
        "range": found.range,
        "source": found.source,
        "category": found.category,
        "variant_of": found.variant_of or None,
        "mode": found.mode,
        "formula": " ".join(found.formula.split()),
        "required_inputs": list(found.required_inputs),
        "parameters": {
            spec.name: {"bounds": spec.bounds, "default": spec.default, "required": spec.required}
            for spec in found.parameters
        },
        "library": found.library,
        "file": found.place.source,
    }


def _feature(feature: Any) -> dict[str, Any]:
    stale = feature.staleness
    clip = feature.normalization.clip
    return {
        "name": feature.name,
        "feature_set": feature.feature_set,
        "group": feature.group,
        "type": feature.type.name,
        "params": dict(feature.params),
        "inputs": dict(feature.bindings),
        "bar": feature.bar,
        "mode": feature.mode,
        "aggregation": feature.aggregation,
        "normalization": feature.normalization.method,
        "window": feature.normalization.window,
        "clip": list(clip) if clip else None,
        "warmup_bars": feature.warmup_bars,
        "staleness": {"ttl_ms": stale.ttl_ms, "action": stale.action} if stale else None,
    }


def _type_page(found: Any) -> str:
    from qf.cli._terminal import table

    whose = "library" if found.library else "this project's own"
    lines = [f"feature type {found.name} ({found.dimension}, {whose})", "", found.description, ""]
    lines += [f"formula  {' '.join(found.formula.split())}"]
    lines += [f"reads    {', '.join(found.required_inputs)}"]
    lines += [f"rows     {found.mode}    unit  {found.unit or '-'}    range  {found.range or '-'}"]
    lines += [f"source   {found.source or '-'}", f"file     {found.place.source}"]
    if found.variant_of:
        lines += [f"beside   {found.variant_of}: {found.variant_because}"]
    lines += _told_apart(found.name)
    if found.parameters:
        rows = []
        for spec in found.parameters:
            default = "required" if spec.required else f"default {_plain(spec.default)}"
            rows.append((f"  {spec.name}", spec.bounds, default, spec.description))
        lines += ["parameters", table(rows)]
    return "\n".join(lines)


def _told_apart(name: str) -> list[str]:
    """Return the line that leads to what is told of a type's variants."""
    from qf.project.variants import variant_topics

    topics = [topic.name for topic in variant_topics().values() if name in topic.words]
    return [f"variants qf explain {topic} --variants" for topic in topics]


def _plain(value: Any) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _feature_page(feature: Any) -> str:
    row = _feature(feature)
    shown = {key: value for key, value in row.items() if value not in (None, {}, [])}
    head = f"feature {feature.name}"
    return "\n".join([head, *(f"  {key:<13} {value}" for key, value in shown.items())])
