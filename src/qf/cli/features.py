"""qf features: the catalogue of feature types, and the features of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qf.cli._options import is_project, json_option, project_option


@click.command(short_help="List the feature types and features, or show one.")
@click.argument("name", required=False)
@project_option
@json_option
def command(name: str | None, folder: Path, as_json: bool) -> None:
    """List every feature type and, in a project's folder, its features; or show NAME."""
    from qf.cli._terminal import say, say_json
    from qf.errors import QuantflowError
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
    if name is not None:
        types = [found for found in types if found.name == name]
        features = [feature for feature in features if feature.name == name]
        if not types and not features:
            from qf.errors import nearest

            known = [*book.names(), *(f.name for s in _sets(project) for f in s.features)]
            raise NO_FEATURE(name=name, near=nearest(name, known))
    if as_json:
        say_json({"types": [_type(t) for t in types], "features": [_feature(f) for f in features]})
    elif name is None:
        _list(types, features)
    else:
        say("\n\n".join([*map(_type_page, types), *map(_feature_page, features)]))


def _sets(project: Any) -> Any:
    return project.feature_sets if project else ()


def _list(types: list[Any], features: list[Any]) -> None:
    from qf.cli._terminal import say, table
    from qf.project.structs.feature_files import DIMENSIONS

    say("feature types")
    for dimension in DIMENSIONS:
        rows = [(f"  {_call(t)}", _first(t.description)) for t in types if t.dimension == dimension]
        if rows:
            say(f" {dimension}")
            say(table(rows))
    if features:
        say("features of this project")
        head = ("  set", "group", "feature", "type", "clock", "bar value", "normalisation")
        say(table([_columns(feature) for feature in features], head))


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
    if found.parameters:
        rows = []
        for spec in found.parameters:
            default = "required" if spec.required else f"default {_plain(spec.default)}"
            rows.append((f"  {spec.name}", spec.bounds, default, spec.description))
        lines += ["parameters", table(rows)]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _feature_page(feature: Any) -> str:
    row = _feature(feature)
    shown = {key: value for key, value in row.items() if value not in (None, {}, [])}
    head = f"feature {feature.name}"
    return "\n".join([head, *(f"  {key:<13} {value}" for key, value in shown.items())])
