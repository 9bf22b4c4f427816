"""Feed provider files and the instruments file, resolved against what the project names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qf.clock import parse_time
from qf.errors import QuantflowError, diagnostic, nearest
from qf.project.document import Document, read_document
from qf.project.feature_types import TYPE_TWICE, definition_files
from qf.project.model import InstrumentSpec, ProviderSpec
from qf.project.structs.definition_files import (
    ABOUT,
    AnyProvider,
    InstrumentsFile,
    provider_options,
)
from qf.project.validate import try_validate

NO_PROVIDER = diagnostic(
    "QF270",
    "unknown feed provider {name!r}",
    hint="put it under .definitions/feed_providers; there is: {known}",
)
INSTRUMENT_TWICE = diagnostic(
    "QF271", "instrument {symbol} of {venue} is written twice with one valid_from"
)
NO_INSTRUMENT = diagnostic(
    "QF272",
    "no instrument says the tick and lot of {symbol} on {venue}",
    hint="add it to .definitions/instruments.yml (qf init --capture proposes the values)",
)
BAD_STEP = diagnostic("QF273", "{key} of {symbol} must be greater than zero")

INSTRUMENTS_FILE = ".definitions/instruments.yml"


class ProviderBook:
    """Every feed provider file of a project, by name."""

    def __init__(self, folder: Path, problems: list[QuantflowError]) -> None:
        self.problems = problems
        self.files = definition_files(folder, "feed_providers")
        self.specs: dict[str, ProviderSpec] = {}
        self._broken: set[str] = set()
        for path in self.files:
            self._read(path, path.relative_to(folder).as_posix())

    def active(self, names: Sequence[str], document: Document) -> tuple[ProviderSpec, ...]:
        """Return the providers that the project names, in its order. Errors: QF270."""
        found = []
        for number, name in enumerate(names):
            if name in self.specs:
                found.append(self.specs[name])
            elif name not in self._broken:
                known = ", ".join(self.specs) or "none"
                place = document.place(("feed_providers", number))
                near = nearest(name, self.specs)
                self.problems.append(NO_PROVIDER(name=name, known=known, near=near, place=place))
        return tuple(found)

    def _read(self, path: Path, source: str) -> None:
        try:
            document = read_document(path, source)
        except QuantflowError as error:
            self.problems.append(error)
            self._broken.add(path.stem)
            return
        row, errors = try_validate(AnyProvider, document, "a feed provider")
        if row is not None and getattr(row, "start", None):
            try:
                parse_time(row.start, document.place(("start",)))
            except QuantflowError as error:
                errors.append(error)
        self.problems.extend(errors)
        if row is None or errors:
            self._broken.add(path.stem)
            return
        if row.name in self.specs:
            first = self.specs[row.name].place.source
            self.problems.append(
                TYPE_TWICE(what="feed provider", name=row.name, first=first, second=source)
            )
            return
        self.specs[row.name] = _spec(row, document)


def _spec(row: Any, document: Document) -> ProviderSpec:
    return ProviderSpec(
        name=row.name,
        kind=row.kind,
        venue=row.venue,
        symbols=row.symbols,
        channels=row.channels,
        path=getattr(row, "path", None) or "",
        time_unit=getattr(row, "time_unit", None) or "ns",
        ordering=getattr(row, "ordering", "arrival"),
        trades=getattr(row, "trades", None),
        truncated=getattr(row, "truncated", "refuse"),
        options=provider_options(row),
        settings={key: value for key, value in document.value.items() if key not in ABOUT},
        place=document.place(("name",)),
        path_place=document.place(("path",) if "path" in document.value else ("name",)),
    )


def read_instruments(
    folder: Path, problems: list[QuantflowError]
) -> tuple[tuple[InstrumentSpec, ...], Document | None]:
    """Return the rows of instruments.yml (none where the file is absent). Errors: QF271, QF273."""
    path = folder / INSTRUMENTS_FILE
    if not path.exists():
        return (), None
    try:
        document = read_document(path, INSTRUMENTS_FILE)
    except QuantflowError as error:
        problems.append(error)
        return (), None
    file, errors = try_validate(InstrumentsFile, document, "instruments.yml")
    problems.extend(errors)
    specs: dict[tuple[str, str, str | None], InstrumentSpec] = {}
    for number, row in enumerate(file.instruments if file else ()):
        place = document.place(("instruments", number, "symbol"))
        key = (row.venue, row.symbol, row.valid_from)
        if key in specs:
            problems.append(INSTRUMENT_TWICE(symbol=row.symbol, venue=row.venue, place=place))
        for name in ("tick_size", "lot_size", "contract_size"):
            value = getattr(row, name)
            if value is not None and not float(value) > 0:
                at = document.place(("instruments", number, name))
                problems.append(BAD_STEP(key=name, symbol=row.symbol, place=at))
        specs[key] = InstrumentSpec(place=place, **row.model_dump())
    return tuple(specs.values()), document
