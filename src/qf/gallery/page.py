"""Write docs/features.md and the picture of each feature type."""

from __future__ import annotations

from collections.abc import Iterable

from qf.gallery.market import TRADES_PER_BAR, Gallery, library_types
from qf.gallery.picture import draw
from qf.project.model import FeatureType, ParameterSpec
from qf.project.structs.feature_files import DIMENSIONS

FOLDER = "features"  # of the pictures, beside the page
BARS = 120  # that a picture shows
PRICE = "_close"  # the picture of the market itself; no type's name begins with _

_HEAD = """# Feature types

The library has {count} feature types in {dimensions} dimensions. A type is a formula with a name
and parameters; a feature set names types and gives them clocks and treatment
([library.md](library.md)). This page is made from the types' own files, the pictures from one
seeded market: its last {bars} bars of {trades} trades each, every type with its defaults, a type
over trades as it stands at the bar's last trade. This is the price:

![price]({folder}/{price}.svg)

Defaults stand in the call; bounds stand in brackets behind a parameter's name. A rolling value is
null until its window is full; a quotient by 0 is null.

"""
ABOUT = {
    "signal": "where pressure and movement come from",
    "quality": "how much a signal is worth",
    "regime": "what state the market is in",
    "stability": "how long things stay as they are",
    "execution": "what a trade costs",
    "technical": "the indicators of charts, exactly defined",
}


def features_page() -> str:
    """Return docs/features.md. Errors: those of a library file that is wrong."""
    types, problems = library_types()
    if problems:
        raise next(iter(problems.values()))
    groups = {name: _of(types.values(), name) for name in DIMENSIONS}
    parts = [
        _HEAD.format(
            count=len(types),
            dimensions=len(DIMENSIONS),
            bars=BARS,
            trades=TRADES_PER_BAR,
            folder=FOLDER,
            price=PRICE,
        )
    ]
    parts.append("| dimension | about | types |\n|---|---|---|\n")
    for name, group in groups.items():
        links = ", ".join(f"[{found.name}](#{found.name})" for found in group)
        parts.append(f"| [{name}](#{name}) ({len(group)}) | {ABOUT[name]} | {links} |\n")
    for name, group in groups.items():
        parts.append(f"\n## {name}\n")
        parts += [_section(found) for found in group]
    return "".join(parts)


def pictures(gallery: Gallery) -> dict[str, str]:
    """Return file name -> picture of every type that has values, and of the price."""
    shown = {PRICE: gallery.close, **gallery.values}
    return {f"{name}.svg": draw(shown[name][-BARS:].tolist()) for name in sorted(shown)}


def _of(types: Iterable[FeatureType], dimension: str) -> list[FeatureType]:
    found = [each for each in types if each.dimension == dimension]
    return sorted(found, key=lambda each: each.name)


def _section(found: FeatureType) -> str:
    name = found.name
    lines = [f"\n### {name}\n", f"![{name}]({FOLDER}/{name}.svg)\n", f"{found.description}\n"]
    lines.append(f"    {call_of(found)}")
    lines += [f"      = {line}" for line in _formula(found)]
    lines.append(f"\n- unit {found.unit}, range {found.range}; {_rows(found)}")
    lines.append(f"- reads {', '.join(f'`{name}`' for name in found.required_inputs)}")
    about = [_parameter(spec) for spec in found.parameters]
    if about:
        lines.append(f"- {'; '.join(about)}")
    if found.variant_of:
        because = found.variant_because.rstrip(".")
        lines.append(f"- beside [{found.variant_of}](#{found.variant_of}): {because}")
    lines.append(f"- source: {found.source}\n")
    return "\n".join(lines)


def call_of(found: FeatureType) -> str:
    """Return a type as a call with its defaults: `ofi(decay=0.95, levels=5)`."""
    given = ", ".join(f"{spec.name}={written(spec.default)}" for spec in found.parameters)
    return f"{found.name}({given})"


def written(value: object) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _formula(found: FeatureType) -> list[str]:
    """Return the formula's lines as they stand in the file, without what indents them all."""
    lines = found.formula.splitlines()
    return [" ".join(lines[0].split()), *("  " + line.rstrip() for line in lines[1:])]


def _rows(found: FeatureType) -> str:
    if found.placeholders:
        return f"on bars, over other features of its set ({', '.join(found.placeholders)})"
    return "on bars" if found.mode == "bar" else "on trades"


def _parameter(spec: ParameterSpec) -> str:
    about = spec.description.rstrip(".")
    return f"`{spec.name}` [{spec.bounds}]: {about[:1].lower()}{about[1:]}"
