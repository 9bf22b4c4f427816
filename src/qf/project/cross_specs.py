"""From `cross:` rows to cross sets: whose features, which clock and symbols, checked formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qf.errors import QuantflowError, diagnostic, nearest
from qf.op import UNKNOWN_OP, find
from qf.op import family as ops_of
from qf.project.bar_specs import placed
from qf.project.cross_graphs import cross_graphs
from qf.project.cross_model import CrossFeature, CrossSet
from qf.project.document import Document, Path_
from qf.project.feature_specs import INPUT_COUNT, NAME_TWICE
from qf.project.feature_types import TypeBook, bind_parameters
from qf.project.formula_place import formula_place
from qf.project.model import FeatureSet, Staleness
from qf.project.structs.cross_rows import CrossEntry, CrossRow
from qf.project.structs.feature_files import StalenessRow

NO_SOURCE_SET = diagnostic(
    "QF295",
    "cross set {name} reads the feature set {of!r}, which the project does not compute",
    hint="its sets are: {known}",
)
NO_ROWS = diagnostic(
    "QF296",
    "cross set {name} decides on {bar!r}, and no feature of {of} lives there",
    hint="give a feature of {of} that bar; clocks with features: {known}",
)
NO_SUCH_SYMBOL = diagnostic(
    "QF297", "cross set {name}: the project has no symbol {symbol!r}", hint="it has: {known}"
)
OUTSIDE = diagnostic(
    "QF298",
    "cross set {name}: {symbol} reads, but is not in the universe",
    hint="add it to universe: a symbol is compared with others and with itself",
)
ONE_OF_TWO = diagnostic(
    "QF299",
    "cross feature {name} needs either a formula or a type",
    hint="write formula, or type with inputs; not both",
)


@dataclass
class CrossBook:
    """Resolve the cross sets of one project file; what is wrong is collected."""

    document: Document
    types: TypeBook
    sets: Mapping[str, FeatureSet]
    symbols: tuple[str, ...]
    problems: list[QuantflowError]

    def resolve(self, rows: Sequence[CrossEntry]) -> tuple[CrossSet, ...]:
        """Return the cross sets. Errors (collected): QF1xx, QF232-QF243, QF295-QF299, QF4xx."""
        found: dict[str, CrossSet] = {}
        for number, row in enumerate(rows):
            path: Path_ = ("feature_engine", "cross", number)
            before = len(self.problems)
            made = self._set(row, path)
            for first in (found.get(row.name), self.sets.get(row.name)):
                if first is not None:
                    line = first.place.line
                    self._problem(
                        NAME_TWICE(what="feature set", name=row.name, line=line), (*path, "name")
                    )
                    break
            if made is not None and len(self.problems) == before:
                self._check(made)
                found[row.name] = made
        return tuple(found.values())

    def _check(self, made: CrossSet) -> None:
        """Compile the formulas as each reading symbol will; the first error is enough."""
        for symbol in made.symbols:
            try:
                cross_graphs(made, symbol)
            except QuantflowError as error:
                self.problems.append(error)
                return

    def _set(self, row: CrossEntry, path: Path_) -> CrossSet | None:
        of = self.sets.get(row.of)
        if of is None:
            near, known = nearest(row.of, self.sets), ", ".join(self.sets) or "none"
            error = NO_SOURCE_SET(name=row.name, of=row.of, known=known, near=near)
            self._problem(error, (*path, "of"))
            return None
        bar = row.bar or of.bar
        clocks = list(dict.fromkeys(feature.bar for feature in of.features))
        if bar not in clocks:
            near, known = nearest(bar, clocks), ", ".join(clocks)
            error = NO_ROWS(name=row.name, bar=bar, of=of.name, known=known, near=near)
            self._problem(error, (*path, "bar") if row.bar else (*path, "of"))
        symbols = self._symbols(row.name, row.symbols or self.symbols, (*path, "symbols"))
        universe = self._symbols(row.name, row.universe or self.symbols, (*path, "universe"))
        for symbol in symbols:
            if symbol not in universe:
                self._problem(OUTSIDE(name=row.name, symbol=symbol), (*path, "universe"))
        features = []
        for number, each in enumerate(row.features):
            feature = self._feature(row, each, (*path, "features", number))
            features += [feature] if feature is not None else []
        lines: dict[str, int] = {}
        for feature in features:
            if feature.name in lines:
                line = lines[feature.name]
                error = NAME_TWICE(what="feature", name=feature.name, line=line)
                self.problems.append(error.at(feature.place))
            lines.setdefault(feature.name, feature.place.line)
        place = self.document.place((*path, "name"))
        return CrossSet(row.name, of, bar, symbols, universe, tuple(features), place)

    def _symbols(self, name: str, given: Sequence[str], path: Path_) -> tuple[str, ...]:
        for number, symbol in enumerate(given):
            if symbol not in self.symbols:
                near, known = nearest(symbol, self.symbols), ", ".join(self.symbols) or "none"
                error = NO_SUCH_SYMBOL(name=name, symbol=symbol, known=known, near=near)
                self._problem(error, (*path, number))
        return tuple(dict.fromkeys(given))

    def _feature(self, row: CrossEntry, each: CrossRow, path: Path_) -> CrossFeature | None:
        at = (*path, "staleness") if each.staleness else (*path[:3], "staleness")
        staleness = self._staleness(each.staleness or row.staleness, at)
        place = self.document.place((*path, "name"))
        if (each.formula is None) == (each.type is None):
            self._problem(ONE_OF_TWO(name=each.name), (*path, "name"))
            return None
        if each.formula is not None:
            where = formula_place(self.document, (*path, "formula"))
            text, params, bindings = each.formula.strip(), dict(each.params), {}
        else:
            recipe = self._recipe(each, path)
            if recipe is None:
                return None
            where, text, params, bindings = recipe
        if staleness is None:
            return None
        return CrossFeature(each.name, text, where, params, bindings, staleness, place)

    def _recipe(self, each: CrossRow, path: Path_) -> tuple[Any, str, dict, dict[str, str]] | None:
        """Return a feature type's formula with its parameters and what its placeholders read."""
        assert each.type is not None
        found = self.types.get(each.type)
        if found is None:
            if not self.types.is_broken(each.type):
                self._problem(self.types.unknown(each.type), (*path, "type"))
            return None
        if len(each.inputs) != len(found.placeholders):
            error = INPUT_COUNT(
                feature=each.name,
                type=found.name,
                wanted=len(found.placeholders),
                given=len(each.inputs),
                placeholders=", ".join(found.placeholders) or "nothing",
            )
            self._problem(error, (*path, "inputs") if each.inputs else (*path, "name"))
            return None
        try:
            params = bind_parameters(found, each.params, self.document, (*path, "params"))
        except QuantflowError as error:
            self.problems.append(error)
            return None
        bindings = dict(zip(found.placeholders, each.inputs, strict=True))
        return found.formula_place, found.formula, params, bindings

    def _staleness(self, row: StalenessRow, path: Path_) -> Staleness | None:
        """Return the contract. Errors: QF401-QF405, QF412."""
        known = [op.name for op in ops_of("staleness")]
        if row.action not in known:
            near, hint = nearest(row.action, known), f"one of: {', '.join(known)}"
            error = UNKNOWN_OP(what="staleness", name=row.action, near=near, hint=hint)
            self._problem(error, (*path, "action"))
            return None
        given = {"ttl_ms": row.ttl_ms}
        if row.half_life_ms is not None:
            given["half_life_ms"] = row.half_life_ms
        op = find(row.action, "staleness")
        try:
            placed(lambda: op.bind(**given), self.document, path)
        except QuantflowError as error:
            self.problems.append(error)
            return None
        return Staleness(row.ttl_ms, row.action, row.half_life_ms or row.ttl_ms)

    def _problem(self, error: QuantflowError, path: Path_) -> None:
        self.problems.append(error.at(self.document.place(path)))
