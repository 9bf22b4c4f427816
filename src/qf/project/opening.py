"""Open a project: read every file it is made of, resolve every name, hand out one frozen record.

1. document.py reads the YAML strictly and keeps its marks;
2. validate.py holds it against the structs;
3. bar_specs, feature_types, regime_files, feature_specs, label_specs, providers and local resolve
   the names;
4. everything wrong is collected with its place: `open_project` raises the first, `read_project`
   returns them all (that is `qf check`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from qf.clock import SECOND_NS, parse_time
from qf.errors import QuantflowError, diagnostic, nearest
from qf.project.bar_specs import resolve_bars
from qf.project.cross_model import CrossSet
from qf.project.cross_specs import CrossBook
from qf.project.document import Document, read_document
from qf.project.feature_specs import Context, SetBook, resolve_sets
from qf.project.feature_types import TypeBook, library_files
from qf.project.label_specs import LabelBook
from qf.project.local import read_local
from qf.project.local_config import LocalConfig
from qf.project.model import (
    Costs,
    EngineChoice,
    EnrichOptions,
    FeatureSet,
    Later,
    Paths,
    Project,
    SnapshotSpec,
)
from qf.project.project_ops import load_project_ops
from qf.project.providers import INSTRUMENTS_FILE, NO_INSTRUMENT, ProviderBook, read_instruments
from qf.project.regime_files import read_regimes, regime_notes
from qf.project.structs.project_file import ProjectFile
from qf.project.validate import try_validate

NOT_A_PROJECT = diagnostic(
    "QF280",
    "{folder} is not a project: it has no quantflow_project.yml",
    hint="change to the project's folder, name it with --project, or make one: qf init NAME",
)
NO_ENGINE = diagnostic(
    "QF281",
    "engine_backends names {name!r}, which .local_config.yml does not configure",
    hint="add it under engine, or take: {known}",
)

PROJECT_FILE = "quantflow_project.yml"
# What a broken bar brings with it: a clock that nothing makes.
FOLLOWS_FROM_BARS = ("QF220", "QF250", "QF251")


def open_project(
    folder: str | Path,
    *,
    trusted: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Project:
    """Return the project in `folder`. Errors: every QF2xx, the first in the order of reading."""
    project, problems = read_project(folder, trusted=trusted, environment=environment)
    if problems:
        raise problems[0]
    assert project is not None
    return project


def read_project(
    folder: str | Path,
    *,
    trusted: bool = False,
    environment: Mapping[str, str] | None = None,
) -> tuple[Project | None, list[QuantflowError]]:
    """Return the project, or None, with every problem found."""
    folder = Path(folder).expanduser().resolve()
    environment = os.environ if environment is None else environment
    if not (folder / PROJECT_FILE).exists():
        return None, [NOT_A_PROJECT(folder=folder)]
    problems: list[QuantflowError] = []
    try:
        load_project_ops(folder, environment, trusted)
        document = read_document(folder / PROJECT_FILE, PROJECT_FILE)
    except QuantflowError as error:
        return None, [error]
    file, errors = try_validate(ProjectFile, document, PROJECT_FILE)
    problems.extend(errors)
    if file is None:
        _read_the_rest(folder, environment, problems)
        return None, problems
    project = _Reader(folder, file, document, environment, problems).project()
    return project, problems


def _read_the_rest(
    folder: Path, environment: Mapping[str, str], problems: list[QuantflowError]
) -> None:
    """Check the other files alone, so that one look shows every problem."""
    TypeBook(folder, problems)
    SetBook(folder, problems)
    read_regimes(folder, problems)
    ProviderBook(folder, problems)
    read_instruments(folder, problems)
    read_local(folder, environment, problems)


class _Reader:
    """Resolve one project file with everything it names."""

    def __init__(
        self,
        folder: Path,
        file: ProjectFile,
        document: Document,
        environment: Mapping[str, str],
        problems: list[QuantflowError],
    ) -> None:
        self.folder, self.file, self.document = folder, file, document
        self.environment, self.problems = environment, problems
        self.notes: list[str] = []

    def project(self) -> Project:
        """Return the record; what is wrong is in the problems."""
        file, document, problems = self.file, self.document, self.problems
        costs = Costs(file.costs.taker_fee, file.costs.slippage_bps)
        bars = resolve_bars(file.state_engine.bars, document, problems)
        bars_are_broken = bool(problems)
        by_clock = {spec.clock: spec for spec in bars}
        types = TypeBook(self.folder, problems)
        book = SetBook(self.folder, problems)
        regimes, regime_files = read_regimes(self.folder, problems)
        self.notes += regime_notes(regimes, file.symbols)
        sets = resolve_sets(
            file.feature_engine.features, document, book, Context(types, by_clock, problems)
        )
        made = LabelBook(document, by_clock, costs, problems, self.notes)
        labels = made.resolve(file.label_engine.labels)
        providers = ProviderBook(self.folder, problems)
        active = providers.active(file.feed_providers, document)
        instruments, _ = read_instruments(self.folder, problems)
        local = read_local(self.folder, self.environment, problems)
        self._check_instruments(active, {(row.venue, row.symbol) for row in instruments})
        self._check_engines(local)
        if bars_are_broken:
            problems[:] = [each for each in problems if each.code not in FOLLOWS_FROM_BARS]
        files = self._files([*types.files, *book.files, *regime_files, *providers.files])
        state = file.state_engine
        return Project(
            folder=self.folder,
            name=file.name,
            version=file.version,
            symbols=file.symbols,
            sources=file.sources,
            providers=active,
            instruments=instruments,
            engine_backends=file.engine_backends.model_dump(),
            bars=bars,
            snapshots=SnapshotSpec(
                round(state.snapshots.period_seconds * SECOND_NS), state.snapshots.depth_levels
            ),
            enrich=EnrichOptions(**state.enrich.model_dump()),
            force_refresh=state.force_refresh,
            micro_batch_size=state.micro_batch_size,
            history_start_ns=self._history_start(),
            labels=labels,
            feature_sets=sets,
            cross_sets=self._cross(types, sets),
            feature_types=types.used(),
            engine=_engine_choice(file),
            costs=costs,
            tables=frozenset(file.tables),
            sinks=self._later("sinks"),
            detectors=self._later("detectors"),
            alerts=self._later("alerts"),
            paths=_paths(self.folder, local),
            local=local,
            definitions_hash=_hash(self.folder, files, types),
            files=tuple(files),
            notes=(*types.notes, *self.notes),
            regimes=regimes,
        )

    def _cross(self, types: TypeBook, sets: tuple[FeatureSet, ...]) -> tuple[CrossSet, ...]:
        by_name, symbols = {each.name: each for each in sets}, self.file.symbols
        book = CrossBook(self.document, types, by_name, symbols, self.problems)
        return book.resolve(self.file.feature_engine.cross)

    def _history_start(self) -> int | None:
        text = self.file.state_engine.history_start
        if text is None:
            return None
        try:
            return parse_time(text, self.document.place(("state_engine", "history_start")))
        except QuantflowError as error:
            self.problems.append(error)
            return None

    def _check_instruments(self, active: tuple, written: set[tuple[str, str]]) -> None:
        """Require a tick and a lot for every symbol of every provider. Errors: QF272."""
        for provider in active:
            if provider.kind == "simulated":
                continue  # the simulated market knows its own grid
            for symbol in provider.symbols or self.file.symbols:
                if (provider.venue, symbol) not in written:
                    near = [s for v, s in written if v == provider.venue]
                    self.problems.append(
                        NO_INSTRUMENT(
                            symbol=symbol,
                            venue=provider.venue,
                            near=nearest(symbol, near),
                            place=self.document.place(("symbols",)),
                        )
                    )

    def _check_engines(self, local: LocalConfig) -> None:
        """Require that a backend is built in or configured. Errors: QF281."""
        known = ["local", "duckdb", *(row.name for row in local.engines)]
        for job, name in self.file.engine_backends.model_dump().items():
            if name not in known:
                place = self.document.place(("engine_backends", job))
                near = nearest(name, known)
                self.problems.append(
                    NO_ENGINE(name=name, known=", ".join(known), near=near, place=place)
                )

    def _later(self, section: str) -> tuple[Later, ...]:
        rows = getattr(self.file, section)
        return tuple(
            Later(row.name, row.type, row.free, self.document.place((section, number)))
            for number, row in enumerate(rows)
        )

    def _files(self, found: list[Path]) -> list[Path]:
        ops = sorted((self.folder / ".definitions" / "ops").glob("*"))
        fixed = [self.folder / PROJECT_FILE, self.folder / INSTRUMENTS_FILE]
        return [path for path in (*fixed, *found, *ops) if path.is_file()]


def _engine_choice(file: ProjectFile) -> EngineChoice:
    features, labels = file.feature_engine, file.label_engine
    return EngineChoice(
        features.historical_feature_engine,
        features.realtime_feature_engine,
        labels.historical_label_engine,
        labels.realtime_label_engine,
    )


def _paths(folder: Path, local: LocalConfig) -> Paths:
    """Return where things are kept; the database may be moved by the local configuration."""
    data = folder / ".data"
    duckdb = local.engine("duckdb")
    database = str(duckdb.options["database"]) if duckdb else ".data/db/quantflow.duckdb"
    return Paths(
        data=data,
        database=folder / Path(database).expanduser(),
        parquet=data / "parquet",
        tape=folder / Path(local.cache_path).expanduser() / "tape",
        state=data / "state",
        lock=lock_path(folder),
    )


def lock_path(folder: Path) -> Path:
    """Return the file that one writer at a time holds."""
    return folder / ".data" / "project.lock"


def _hash(folder: Path, files: list[Path], types: TypeBook) -> str:
    """Return the content hash of every definition in use; secrets are no part of it."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for name, found in sorted(types.used().items()):
        if found.library:
            text = found.formula_place.document.text
            digest.update(name.encode() + b"\0" + hashlib.sha256(text.encode()).digest())
    for path in library_files("regimes"):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
