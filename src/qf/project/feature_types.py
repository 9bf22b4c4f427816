"""Feature types: the library's and the project's own, by name; a project's own type wins.

A library file is found by its name (`library/feature_types/<dimension>/<name>.yml`); a project's
files are all read, since their names are free.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qf.clock import DURATION_NS
from qf.errors import QuantflowError, diagnostic, nearest
from qf.project.document import Document, Path_, read_document
from qf.project.formula_place import formula_place
from qf.project.model import FeatureType, ParameterSpec
from qf.project.structs.feature_files import FeatureTypeFile, ParameterRow
from qf.project.validate import try_validate

LIBRARY = Path(__file__).resolve().parent.parent / "library"

NO_TYPE = diagnostic("QF230", "unknown feature type {name!r}", hint="all of them: qf features")
TYPE_TWICE = diagnostic("QF231", "{what} {name!r} is defined twice: in {first} and in {second}")
NO_PARAMETER = diagnostic(
    "QF232", "feature type {type} has no parameter {name!r}", hint="it has: {known}"
)
NEEDS_PARAMETER = diagnostic("QF233", "feature type {type} needs the parameter {name} ({bounds})")
BAD_PARAMETER = diagnostic("QF234", "{type}: {name} must be {expected}, was {value!r}")
BAD_DEFAULT = diagnostic(
    "QF235",
    "parameter {name!r} of {type} has no usable default",
    hint="give a default within the constraints, `N * other_parameter`, or required: true",
)
WRONG_FILE = diagnostic("QF236", "the library file {path} defines {name!r}")

_MULTIPLE = re.compile(r"([0-9]{1,6}) *\* *([a-z_][a-z0-9_]*)")
_DURATION = re.compile(rf"[0-9]+(\.[0-9]+)?({'|'.join(DURATION_NS)})")
_EXPECTED = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "duration": 'a duration such as "5s"',
    "string": "text",
}


class TypeBook:
    """Every feature type a project can name; files are read when first asked for."""

    def __init__(self, folder: Path | None, problems: list[QuantflowError]) -> None:
        self.problems, self.notes = problems, []
        self.files: list[Path] = []
        self.library = {path.stem: path for path in library_files("feature_types")}
        self._known: dict[str, FeatureType] = {}
        self._broken: set[str] = set()
        for path in definition_files(folder, "feature_types"):
            self._own(path, path.relative_to(folder).as_posix() if folder else path.name)

    def names(self) -> list[str]:
        """Return all names, the project's own first."""
        own = [name for name, found in self._known.items() if not found.library]
        return [*own, *(name for name in sorted(self.library) if name not in own)]

    def get(self, name: str) -> FeatureType | None:
        """Return a type; None where there is none or where its file is already a problem."""
        if name not in self._known and name in self.library and name not in self._broken:
            path = self.library[name]
            source = f"qf/{path.relative_to(LIBRARY.parent).as_posix()}"
            self._read(path, source, library=True)
        return self._known.get(name)

    def is_broken(self, name: str) -> bool:
        """Say whether a file defines `name` and is wrong (its problem is told already)."""
        return name in self._broken

    def unknown(self, name: str) -> QuantflowError:
        """Return the error of a type that nothing defines."""
        return NO_TYPE(name=name, near=nearest(name, self.names()))

    def used(self) -> dict[str, FeatureType]:
        """Return the types that were read."""
        return dict(self._known)

    def _own(self, path: Path, source: str) -> None:
        self.files.append(path)
        before = dict(self._known)
        found = self._read(path, source, library=False)
        if found is None:
            return
        if found.name in before:
            first = before[found.name].place.source
            self._known[found.name] = before[found.name]
            self.problems.append(
                TYPE_TWICE(what="feature type", name=found.name, first=first, second=source)
            )
        elif found.name in self.library:
            self.notes.append(
                f"feature type {found.name} is the project's own ({source}), "
                "not the library's of that name"
            )

    def _read(self, path: Path, source: str, library: bool) -> FeatureType | None:
        try:
            document = read_document(path, source)
        except QuantflowError as error:
            self.problems.append(error)
            self._broken.add(path.stem)
            return None
        row, errors = try_validate(FeatureTypeFile, document, "a feature type")
        if row is not None:
            errors = check_type(row, document)
        if row is not None and library and row.name != path.stem:
            errors.append(WRONG_FILE(path=source, name=row.name, place=document.place(("name",))))
        self.problems.extend(errors)
        if row is None or errors:
            self._broken.add(row.name if row is not None else path.stem)
            return None
        self._known[row.name] = build_type(row, document, library)
        return self._known[row.name]


def library_files(kind: str) -> list[Path]:
    """Return the library's YAML files of one kind."""
    return sorted((LIBRARY / kind).rglob("*.yml"))


def definition_files(folder: Path | None, kind: str) -> list[Path]:
    """Return the project's YAML files of one kind."""
    if folder is None:
        return []
    root = folder / ".definitions" / kind
    return sorted(path for path in root.rglob("*") if path.suffix in (".yml", ".yaml"))


def build_type(row: FeatureTypeFile, document: Document, library: bool) -> FeatureType:
    """Return the record of a checked feature type file."""
    return FeatureType(
        name=row.name,
        dimension=row.dimension,
        category=row.category,
        description=" ".join(row.description.split()),
        version=row.version,
        status=row.status,
        unit=row.unit,
        range=row.range,
        source=row.source,
        mode=row.mode,
        required_inputs=row.required_inputs,
        placeholders=tuple(name for name in row.required_inputs if "." not in name),
        output_column=row.output_column,
        output_description=row.output_description,
        parameters=tuple(_parameter(name, given) for name, given in row.parameters.items()),
        formula=row.formula.strip(),
        formula_place=formula_place(document, ("formula",)),
        place=document.place(("name",)),
        library=library,
        variant_of=row.variant_of.type if row.variant_of else "",
        variant_because=" ".join(row.variant_of.because.split()) if row.variant_of else "",
    )


def _parameter(name: str, row: ParameterRow) -> ParameterSpec:
    limits = row.constraints
    return ParameterSpec(
        name=name,
        kind=row.type,
        description=" ".join(row.description.split()),
        required=row.required,
        default=row.default,
        low=limits.min,
        high=limits.max,
        choices=limits.choices,
    )


def check_type(row: FeatureTypeFile, document: Document) -> list[QuantflowError]:
    """Return what is wrong with the parameters' defaults. Errors: QF235."""
    errors: list[QuantflowError] = []
    for name, given in row.parameters.items():
        spec = _parameter(name, given)
        multiple = _multiple_of(spec)
        good = (
            multiple[1] in row.parameters
            if multiple
            else (given.required if given.default is None else _fits(spec, given.default))
        )
        if not good:
            path: Path_ = ("parameters", name, "default")
            errors.append(BAD_DEFAULT(name=name, type=row.name, place=document.place(path)))
    return errors


def _multiple_of(spec: ParameterSpec) -> tuple[int, str] | None:
    """Return the factor and the other parameter of a default such as `10 * lag`."""
    if spec.kind not in ("integer", "number") or not isinstance(spec.default, str):
        return None
    match = _MULTIPLE.fullmatch(spec.default.strip())
    return (int(match[1]), match[2]) if match else None


def bind_parameters(
    found: FeatureType, given: Mapping[str, Any], document: Document, path: Path_
) -> dict[str, Any]:
    """Return every parameter of `found` with its checked value. Errors: QF232-QF234."""
    known = [spec.name for spec in found.parameters]
    for name in given:
        if name not in known:
            raise NO_PARAMETER(
                type=found.name,
                name=name,
                known=", ".join(known) or "none",
                near=nearest(name, known),
                place=document.place((*path, name), key=True),
            )
    bound: dict[str, Any] = {}
    for spec in found.parameters:
        value = given.get(spec.name, spec.default)
        multiple = _multiple_of(spec) if spec.name not in given else None
        if multiple is not None:
            value = multiple[0] * (bound.get(multiple[1]) or given[multiple[1]])
        place = document.place((*path, spec.name))
        if value is None:
            raise NEEDS_PARAMETER(type=found.name, name=spec.name, bounds=spec.bounds, place=place)
        if not _fits(spec, value):
            expected = _EXPECTED[spec.kind]
            if spec.choices or spec.low is not None or spec.high is not None:
                expected += f" in {spec.bounds}"
            raise BAD_PARAMETER(
                type=found.name, name=spec.name, expected=expected, value=value, place=place
            )
        bound[spec.name] = value
    return bound


def _fits(spec: ParameterSpec, value: Any) -> bool:
    """Say whether `value` has the parameter's type and keeps its constraints."""
    if spec.kind in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if not math.isfinite(value) or (spec.kind == "integer" and value != int(value)):
            return False
        low = spec.low is None or value >= spec.low
        good = low and (spec.high is None or value <= spec.high)
    elif spec.kind == "boolean":
        good = isinstance(value, bool)
    else:
        good = isinstance(value, str)
        if good and spec.kind == "duration":
            good = _DURATION.fullmatch(value) is not None
    return good and (not spec.choices or value in spec.choices)
