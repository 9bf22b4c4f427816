"""From feature set files to features: types, parameters, inputs, clocks, treatments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qf.errors import QuantflowError, diagnostic, nearest
from qf.op import UNKNOWN_OP, Op, find
from qf.op import family as ops_of
from qf.project.bar_specs import placed
from qf.project.document import Document, Path_, read_document
from qf.project.feature_types import (
    TYPE_TWICE,
    TypeBook,
    bind_parameters,
    definition_files,
    library_files,
)
from qf.project.model import BarSpec, Feature, FeatureSet, Normalization, Staleness, no_clock
from qf.project.structs.feature_files import (
    FeatureRow,
    FeatureSetFile,
    NormalizationRow,
    StalenessRow,
)
from qf.project.structs.project_file import FeatureEntry
from qf.project.validate import try_validate

NO_DEFINITION = diagnostic(
    "QF240", "unknown feature set {name!r}", hint="put it under .definitions/features"
)
NAME_TWICE = diagnostic("QF241", "{what} {name!r} is named twice; the first is on line {line}")
NO_INPUT = diagnostic(
    "QF242", "feature {feature}: {name!r} is neither a feature of this set nor a table"
)
INPUT_COUNT = diagnostic(
    "QF243",
    "feature {feature}: type {type} reads {wanted}, inputs name {given}",
    hint="list under inputs, in this order, the features that stand for: {placeholders}",
)
CLOCK_MIX = diagnostic(
    "QF244",
    "feature {feature} on clock {clock} reads {other}, which lives on clock {other_clock}",
    hint="give both the same bar (a bar aggregation brings ticks to it), or give {other} a "
    "staleness contract and combine the two in the vectors of the decision clock",
)
CYCLE = diagnostic("QF245", "feature {feature} reads itself: {chain}")
NO_BAR = diagnostic(
    "QF246",
    "feature set {name} has no decision clock",
    hint="say bar beside its name in the project, or give the set a default one",
)
FIELD_OF_OTHER_BAR = diagnostic(
    "QF247",
    "feature {feature} on clock {clock} reads {table}, the bars of another rule",
    hint="give it a bar of that rule, or take the column from the clock it stands on",
)

TABLES = ("cdm_trade_enriched", "cdm_trades", "cdm_lob_l2", "bars")


@dataclass
class Context:
    """What resolving a set needs to know of the project."""

    types: TypeBook
    bars: Mapping[str, BarSpec]
    problems: list[QuantflowError]


class SetBook:
    """Every feature set file, by name; the project's own wins over the library's."""

    def __init__(self, folder: Path | None, problems: list[QuantflowError]) -> None:
        self.problems, self.files = problems, []
        self._own: dict[str, tuple[FeatureSetFile, Document]] = {}
        self._broken: set[str] = set()
        self._library = {path.stem: path for path in library_files("feature_sets")}
        for path in definition_files(folder, "features"):
            self.files.append(path)
            source = path.relative_to(folder).as_posix() if folder else path.name
            read = self._read(path, source)
            if read is not None and read[0].name in self._own:
                first = self._own[read[0].name][1].source
                problems.append(
                    TYPE_TWICE(what="feature set", name=read[0].name, first=first, second=source)
                )
            elif read is not None:
                self._own[read[0].name] = read

    def names(self) -> list[str]:
        """Return all names, the project's own first."""
        return [*self._own, *(name for name in self._library if name not in self._own)]

    def get(self, name: str) -> tuple[FeatureSetFile, Document] | None:
        """Return a set's file; None where there is none or where it is already a problem."""
        if name in self._own:
            return self._own[name]
        if name in self._library and name not in self._broken:
            return self._read(self._library[name], f"qf/library/feature_sets/{name}.yml")
        return None

    def is_broken(self, name: str) -> bool:
        """Say whether a file of that name is wrong (its problem is told already)."""
        return name in self._broken

    def _read(self, path: Path, source: str) -> tuple[FeatureSetFile, Document] | None:
        try:
            document = read_document(path, source)
        except QuantflowError as error:
            self.problems.append(error)
            self._broken.add(path.stem)
            return None
        row, errors = try_validate(FeatureSetFile, document, "a feature set")
        self.problems.extend(errors)
        if row is None:
            self._broken.add(path.stem)
            return None
        return row, document


def resolve_sets(
    entries: Sequence[FeatureEntry], document: Document, book: SetBook, context: Context
) -> tuple[FeatureSet, ...]:
    """Return the project's feature sets; what is wrong goes to the context's problems."""
    sets: dict[str, FeatureSet] = {}
    for number, entry in enumerate(entries):
        path: Path_ = ("feature_engine", "features", number)
        if entry.name in sets:
            line = sets[entry.name].place.line
            context.problems.append(
                NAME_TWICE(
                    what="feature set",
                    name=entry.name,
                    line=line,
                    place=document.place((*path, "name")),
                )
            )
            continue
        found = book.get(entry.type)
        if found is None:
            if not book.is_broken(entry.type):
                context.problems.append(
                    NO_DEFINITION(
                        name=entry.type,
                        near=nearest(entry.type, book.names()),
                        place=document.place((*path, "type")),
                    )
                )
            continue
        bar = entry.bar or found[0].parameters.bar.default
        if bar is None or bar not in context.bars:
            context.problems.append(
                _no_decision_clock(entry, bar, context, (path, document, found[1]))
            )
            continue
        resolver = _SetResolver(entry.name, bar, found[0], found[1], context)
        sets[entry.name] = FeatureSet(
            entry.name, entry.type, bar, resolver.features(), document.place(path)
        )
    return tuple(sets.values())


def _no_decision_clock(
    entry: FeatureEntry, bar: str | None, context: Context, at: tuple[Path_, Document, Document]
) -> QuantflowError:
    """Return the error of a set without a clock, or with one that nothing makes."""
    path, document, own = at
    if bar is None:
        return NO_BAR(name=entry.name, place=document.place((*path, "name")))
    place = document.place((*path, "bar"))
    if entry.bar is None:
        place = own.place(("parameters", "bar", "default"))
    return no_clock(f"feature set {entry.name}", bar, list(context.bars), place)


class _SetResolver:
    """Resolve the features of one set."""

    def __init__(
        self, name: str, bar: str, row: FeatureSetFile, document: Document, context: Context
    ) -> None:
        self.name, self.bar, self.row = name, bar, row
        self.document, self.context = document, context
        self.rows = [((f"{g}_features", n), g, r) for g, n, r in row.rows()]
        self.names = [row.name for _, _, row in self.rows]

    def features(self) -> tuple[Feature, ...]:
        """Return the features in the file's order."""
        found: dict[str, Feature] = {}
        lines: dict[str, int] = {}
        for path, group, row in self.rows:
            line = self.document.place((*path, "name")).line
            if row.name in lines:
                error = NAME_TWICE(what="feature", name=row.name, line=lines[row.name])
                self._problem(error, (*path, "name"))
                continue
            lines[row.name] = line
            feature = self._feature(path, group, row)
            if feature is not None:
                found[row.name] = feature
        self._check_graph(found)
        return tuple(found.values())

    def _feature(self, path: Path_, group: str, row: FeatureRow) -> Feature | None:
        types = self.context.types
        found = types.get(row.type)
        if found is None:
            if not types.is_broken(row.type):
                self._problem(types.unknown(row.type), (*path, "type"))
            return None
        before = len(self.context.problems)
        bar = row.bar or self.bar
        if bar not in self.context.bars:
            known = list(self.context.bars)
            self._problem(no_clock(f"feature {row.name}", bar, known), (*path, "bar"))
        bindings = self._bindings(path, row, found)
        params = self._tried(
            lambda: bind_parameters(found, row.params, self.document, (*path, "params"))
        )
        aggregation = row.bar_aggregation or self.row.bar_aggregation
        self._op(aggregation, "aggregations", (*path, "bar_aggregation"))
        normalization = self._normalization(path, row.normalization)
        staleness = self._staleness(path, row.staleness or self.row.staleness)
        self._check_tables(path, row, found, bar)
        if len(self.context.problems) > before or params is None:
            return None
        mode = "bar" if "bar" in (row.mode or self.row.mode, found.mode) or bindings else "tick"
        warmups = (row.normalization.warmup_bars, self.row.normalization.warmup_bars)
        return Feature(
            name=row.name,
            feature_set=self.name,
            type=found,
            group=group,
            params=params,
            bindings=bindings,
            bar=bar,
            mode=mode,
            aggregation=aggregation,
            normalization=normalization,
            warmup_bars=next((w for w in warmups if w is not None), 0),
            staleness=staleness,
            place=self.document.place((*path, "name")),
        )

    def _bindings(self, path: Path_, row: FeatureRow, found: Any) -> dict[str, str]:
        """Return placeholder -> feature, in the order of `inputs`. Errors: QF242, QF243."""
        features = []
        for number, name in enumerate(row.inputs):
            if name in self.names:
                features.append(name)
            elif not (name in TABLES or (name.startswith("cdm_") and name.endswith("_bars"))):
                near = nearest(name, [*self.names, *TABLES])
                error = NO_INPUT(feature=row.name, name=name, near=near)
                self._problem(error, (*path, "inputs", number))
        wanted = found.placeholders
        if len(features) != len(wanted):
            self._problem(
                INPUT_COUNT(
                    feature=row.name,
                    type=found.name,
                    wanted=_count(len(wanted)),
                    given=_count(len(features)),
                    placeholders=", ".join(wanted) or "nothing",
                ),
                (*path, "inputs") if row.inputs else (*path, "name"),
            )
        return dict(zip(wanted, features, strict=False))

    def _normalization(self, path: Path_, row: NormalizationRow) -> Normalization:
        """Return the treatment with the set's defaults filled in. Errors: QF401-QF405, QF412."""
        default = self.row.normalization
        method = row.method or default.method or "none"
        clip = row.clip or default.clip
        at = (*path, "normalization")
        if not self._op(method, "normalizers", (*at, "method")):
            return Normalization(method, clip=clip)
        op = find(method, "normalizers")
        takes = {parameter.name: parameter.kind for parameter in op.signature.parameters}
        given: dict[str, Any] = {}
        for name in ("window", "exclude_current"):
            own, other = getattr(row, name), getattr(default, name)
            if own is not None or (name in takes and other is not None):
                given[name] = other if own is None else own
        window, exclude = given.get("window"), bool(given.get("exclude_current"))
        if "exclude_current" in given and takes.get("exclude_current") == "choice":
            given["exclude_current"] = "true" if exclude else "false"
        self._tried(lambda: placed(lambda: op.bind(**given), self.document, at))
        return Normalization(method, window, exclude, clip)

    def _staleness(self, path: Path_, row: StalenessRow | None) -> Staleness | None:
        """Return the contract. Errors: QF401-QF405, QF412."""
        at = (*path, "staleness")
        if row is None or not self._op(row.action, "staleness", (*at, "action")):
            return None
        given = {"ttl_ms": row.ttl_ms}
        if row.half_life_ms is not None:
            given["half_life_ms"] = row.half_life_ms
        op = find(row.action, "staleness")
        self._tried(lambda: placed(lambda: op.bind(**given), self.document, at))
        return Staleness(row.ttl_ms, row.action, row.half_life_ms or row.ttl_ms)

    def _check_tables(self, path: Path_, row: FeatureRow, found: Any, bar: str) -> None:
        """Refuse a column of another rule's bars. Errors: QF247."""
        tables = {name.split(".")[0] for name in found.required_inputs if "." in name}
        tables |= {name for name in row.inputs if name not in self.names}
        spec = self.context.bars.get(bar)
        for table in sorted(tables):
            if table.endswith("_bars") and spec is not None and table != spec.table:
                self._problem(
                    FIELD_OF_OTHER_BAR(feature=row.name, clock=bar, table=table), (*path, "inputs")
                )

    def _check_graph(self, found: dict[str, Feature]) -> None:
        """Refuse cycles and inputs on another clock. Errors: QF244, QF245."""
        for path, _, row in self.rows:
            feature = found.get(row.name)
            if feature is None:
                continue
            chain = _cycle(feature.name, found)
            if chain:
                error = CYCLE(feature=feature.name, chain=" -> ".join(chain))
                self._problem(error, (*path, "inputs"))
            for need in feature.needs:
                other = found.get(need)
                if other is not None and other.bar != feature.bar:
                    error = CLOCK_MIX(
                        feature=feature.name,
                        clock=feature.bar,
                        other=need,
                        other_clock=other.bar,
                    )
                    self._problem(error, (*path, "inputs", row.inputs.index(need)))

    def _op(self, name: str, family: str, path: Path_) -> bool:
        """Say whether a feature may name the op; where not, that is a problem at `path`."""
        known = [op.name for op in ops_of(family) if family != "aggregations" or _folds_a_value(op)]
        if name in known:
            return True
        what = family.rstrip("s").replace("aggregation", "bar aggregation")
        hint = f"one of: {', '.join(known)}"
        self._problem(UNKNOWN_OP(what=what, name=name, near=nearest(name, known), hint=hint), path)
        return False

    def _tried(self, work: Any) -> Any:
        """Return what `work` returns, or None where it raised a placed error."""
        try:
            return work()
        except QuantflowError as error:
            self.context.problems.append(error)
            return None

    def _problem(self, error: QuantflowError, path: Path_) -> None:
        self.context.problems.append(error.at(self.document.place(path)))


def _folds_a_value(op: Op) -> bool:
    """Say whether an aggregation makes one number of a bar; others carry ids, bits and joins."""
    inputs = [(each.name, each.kind) for each in op.signature.inputs]
    return inputs == [("x", "float"), ("first_row", "int"), ("close_row", "int")]


def _count(number: int) -> str:
    return {0: "no feature", 1: "one feature"}.get(number, f"{number} features")


def _cycle(start: str, found: Mapping[str, Feature]) -> list[str]:
    """Return the chain of names from `start` back to itself, or nothing."""

    def walk(name: str, chain: list[str]) -> list[str]:
        for need in found[name].needs if name in found else ():
            if need == start:
                return [*chain, need]
            if need not in chain:
                longer = walk(need, [*chain, need])
                if longer:
                    return longer
        return []

    return walk(start, [start])
