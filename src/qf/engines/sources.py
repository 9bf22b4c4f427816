"""The ingest stage: every symbol's providers become one tape.

1. a provider's file becomes a source of frames (captures, files and journals from the tape's
   readers, the simulated market from its seed; a websocket is what its live sessions received);
2. the symbol's instrument is taken from the project, or from the simulated market itself;
3. the sources of one symbol are merged, screened and written once: the tape is a cache, keyed by
   the content of everything that went in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from qf.errors import QuantflowError, RunError, diagnostic
from qf.project.model import Project, ProviderSpec
from qf.tape.ingest import forget, ingest
from qf.tape.instruments import Instrument
from qf.tape.provider import JOURNAL_FOLDER, open_source
from qf.tape.session_source import JournalSource
from qf.tape.source import Source
from qf.tape.tape_file import TapeFile
from qf.testing.market import simulated_feed

NO_PROVIDER = diagnostic(
    "QF500",
    "no feed provider of the project brings {symbol}",
    hint="add one under feed_providers, or add the symbol to a provider's symbols",
)
NO_INSTRUMENT = diagnostic(
    "QF501",
    "the project does not say what {symbol} on {venue} is",
    hint="add it to .definitions/instruments.yml, or let qf init --capture propose it",
)
NOT_BATCH = diagnostic(
    "QF502",
    "the provider {name!r} is of kind {kind}, which a batch run cannot read",
    RunError,
    "record it to a capture first, or name a capture, files or simulated provider",
)
MIXED_VENUES = diagnostic(
    "QF503", "{symbol} comes from two venues, {first} and {second}: give each its own symbol"
)
BATCH_KINDS = ("capture", "files", "journal", "simulated", "websocket")

Progress = Callable[[int], None]


def providers_of(project: Project, symbol: str) -> list[ProviderSpec]:
    """Return the providers that bring a symbol. Errors: QF500, QF502, QF503."""
    found = [p for p in project.providers if not p.symbols or symbol in p.symbols]
    if not found:
        raise NO_PROVIDER(symbol=symbol)
    for provider in found:
        if provider.kind not in BATCH_KINDS:
            raise NOT_BATCH(name=provider.name, kind=provider.kind, place=provider.place)
        if provider.venue != found[0].venue:
            raise MIXED_VENUES(
                symbol=symbol,
                first=found[0].venue,
                second=provider.venue,
                place=provider.place,
            )
    return found


def open_tape(
    project: Project, symbol: str, progress: Progress | None = None, renew: bool = False
) -> TapeFile:
    """Return the tape of one symbol, from the cache unless `renew`. Errors: QF3xx, QF500-QF503."""
    sources, instrument = sources_of(project, symbol)
    if renew:
        forget(sources, instrument, project.paths.tape)
    return ingest(sources, instrument, project.paths.tape, progress)


def instrument_of(project: Project, symbol: str) -> Instrument:
    """Return what a symbol is. Errors: QF500-QF503."""
    return sources_of(project, symbol)[1]


def sources_of(project: Project, symbol: str) -> tuple[list[Source], Instrument]:
    """Return where a symbol's frames come from, and what it is. Errors: QF3xx, QF500-QF503."""
    providers = providers_of(project, symbol)
    sources: list[Source] = []
    instrument = _declared(project, providers[0].venue, symbol)
    for provider in providers:
        if provider.kind == "simulated":
            feed = simulated_feed(dict(provider.options), provider.venue, symbol)
            sources.append(feed.source(provider.name))
            instrument = instrument or feed.instrument()
        elif provider.kind == "websocket":
            journal = _journal(project, provider, symbol)
            if journal.is_there or len(providers) == 1:
                sources.append(journal)
        else:
            settings: dict[str, Any] = dict(provider.settings)
            try:
                sources.append(open_source(settings, project.folder, symbol))
            except QuantflowError as error:
                raise error if error.place else error.at(provider.path_place) from None
    if instrument is None:
        raise NO_INSTRUMENT(symbol=symbol, venue=providers[0].venue, place=providers[0].place)
    return sources, instrument


def _journal(project: Project, provider: ProviderSpec, symbol: str) -> JournalSource:
    """Return what live sessions of this project have received."""
    folder = project.folder / JOURNAL_FOLDER
    return JournalSource(provider.name, provider.venue, folder, symbol, provider.trades)


def _declared(project: Project, venue: str, symbol: str) -> Instrument | None:
    for row in project.instruments:
        if (row.venue, row.symbol) == (venue, symbol):
            given = asdict(row)
            given.pop("place")
            return Instrument(**given)
    return None
