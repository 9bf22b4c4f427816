"""From `labels:` rows to labels: which clocks they are made on, with which checked parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qf.errors import QuantflowError, diagnostic, nearest
from qf.label_spec import label_spec
from qf.op import find
from qf.project.bar_specs import placed
from qf.project.document import Document, Path_
from qf.project.feature_specs import NAME_TWICE
from qf.project.model import BarSpec, Costs, LabelSpec
from qf.project.structs.project_file import Label

NO_BARS_OF_TYPE = diagnostic(
    "QF250",
    "label {label}: no bar of the project is of type {type!r}",
    hint="bar_types are rules or clocks; the project has: {known}",
)
NO_TABLE = diagnostic(
    "QF251", "label {label} depends on {table!r}, which the project does not make"
)
OTHER_COLUMN = diagnostic(
    "QF252",
    "label {label} reads the bars' own open, high, low and close; {role} cannot be {column!r}",
)

ROLES = ("open", "high", "low", "close")
FORMULA_ROLES = ("volatility", "side")  # causal formulas over the label's bar clock


@dataclass
class LabelBook:
    """Resolve the labels of one project file; problems and warnings are collected."""

    document: Document
    bars: Mapping[str, BarSpec]
    costs: Costs
    problems: list[QuantflowError]
    warnings: list[str]

    def resolve(self, rows: Sequence[Label]) -> tuple[LabelSpec, ...]:
        """Return the labels. Errors (collected): QF241, QF250-QF252, those of the label's op."""
        specs: dict[str, LabelSpec] = {}
        for number, row in enumerate(rows):
            path: Path_ = ("label_engine", "labels", number)
            before = len(self.problems)
            if row.name in specs:
                line = specs[row.name].place.line
                self._problem(NAME_TWICE(what="label", name=row.name, line=line), (*path, "name"))
            params = self._parameters(row, path)
            clocks = self._clocks(row, path)
            self._check_tables(row, path)
            if len(self.problems) == before:
                place = self.document.place((*path, "name"))
                specs[row.name] = LabelSpec(row.name, row.type, params, clocks, row.inputs, place)
        return tuple(specs.values())

    def _parameters(self, row: Label, path: Path_) -> dict[str, Any]:
        """Return the given parameters once the label's own reading of them succeeds."""
        given, cost = dict(row.parameters), self.costs.round_trip
        try:
            find(row.type, "labels")
        except QuantflowError as error:
            self._problem(error, (*path, "type"))
            return given
        try:
            spec = placed(
                lambda: label_spec(row.name, row.type, given, cost=cost),
                self.document,
                (*path, "parameters"),
            )
        except QuantflowError as error:
            self.problems.append(error)
            return given
        self.warnings.extend(spec.warnings)
        return given

    def _clocks(self, row: Label, path: Path_) -> tuple[str, ...]:
        """Return the clocks of the bar types: a rule means all its clocks; default: every one."""
        if not row.bar_types:
            return tuple(self.bars)
        clocks: dict[str, None] = {}
        for number, name in enumerate(row.bar_types):
            found = [spec.clock for spec in self.bars.values() if name in (spec.rule, spec.clock)]
            if not found:
                known = [*{spec.rule: 0 for spec in self.bars.values()}, *self.bars]
                error = NO_BARS_OF_TYPE(
                    label=row.name,
                    type=name,
                    known=", ".join(known) or "none",
                    near=nearest(name, known),
                )
                self._problem(error, (*path, "bar_types", number))
            clocks |= dict.fromkeys(found)
        return tuple(clocks)

    def _check_tables(self, row: Label, path: Path_) -> None:
        tables = {spec.table for spec in self.bars.values()}
        for number, table in enumerate(row.dependencies):
            if table not in tables:
                error = NO_TABLE(label=row.name, table=table, near=nearest(table, tables))
                self._problem(error, (*path, "dependencies", number))
        for role, column in row.inputs.items():
            if (role in ROLES and column == role) or role in FORMULA_ROLES:
                continue
            known = role if role in ROLES else next(iter(nearest(role, ROLES)), "close")
            hint = f"write {known}: {known}, or leave inputs out"
            error = OTHER_COLUMN(label=row.name, role=role, column=column, hint=hint)
            self._problem(error, (*path, "inputs", role))

    def _problem(self, error: QuantflowError, path: Path_) -> None:
        self.problems.append(error.at(self.document.place(path)))
