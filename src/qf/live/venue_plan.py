"""What to subscribe to at a venue, and where: a provider's file, checked against the venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qf.errors import Place, RunError, diagnostic, nearest
from qf.feeds.live_face import LiveFace
from qf.feeds.venue import Mapper, find_venue, venues
from qf.project.model import Project, ProviderSpec

SOURCE_KINDS = {
    "trade": "trades",
    "agg_trade": "trades",
    "depth": "book",
    "partial_depth": "book",
    "bbo": "bbo",
    "mark": "mark",
    "liquidation": "mark",
    "open_interest": "mark",
}

NOT_LIVE = diagnostic(
    "QF580",
    "the provider {name!r} is of kind {kind}, which does not stream",
    hint="name a provider of kind websocket under feed_providers, such as {example}",
)
NO_STREAMS = diagnostic(
    "QF581", "the venue {venue} cannot be streamed", hint="venues that can: {known}"
)
NO_CHANNEL = diagnostic(
    "QF582", "the venue {venue} has no channel {channel!r}", hint="it has: {known}"
)
NO_SPEED = diagnostic(
    "QF583", "the venue {venue} has no depth speed {speed!r}", hint="it has: {known}"
)
TWO_PROVIDERS = diagnostic(
    "QF584",
    "{symbol} is streamed by two providers, {first!r} and {second!r}",
    RunError,
    "give each provider its own `symbols`",
)


@dataclass(frozen=True)
class VenuePlan:
    """What to subscribe to, and where."""

    name: str  # the provider's
    mapper: Mapper
    face: LiveFace
    ws_url: str
    rest_url: str
    symbols: tuple[str, ...]
    kinds: tuple[str, ...]  # channels, in order
    speed: str
    trades: str  # trade or agg_trade: the channel that makes the trades
    book: bool  # whether a book is kept, so that snapshots are asked for


def venue_plans(project: Project, symbols: Sequence[str] | None = None) -> list[VenuePlan]:
    """Return what each websocket provider subscribes to. Errors: QF300, QF580-QF584."""
    wanted = tuple(symbols or project.symbols)
    plans: list[VenuePlan] = []
    brought_by: dict[str, str] = {}
    for provider in live_providers(project):
        own = tuple(s for s in wanted if not provider.symbols or s in provider.symbols)
        for symbol in own:
            if symbol in brought_by:
                first, second = brought_by[symbol], provider.name
                raise TWO_PROVIDERS(symbol=symbol, first=first, second=second, place=provider.place)
            brought_by[symbol] = provider.name
        if own:
            plans.append(_of_provider(project, provider, own))
    return plans


def live_providers(project: Project) -> list[ProviderSpec]:
    """Return the providers that stream. Errors: QF580 where none does."""
    found = [provider for provider in project.providers if provider.kind == "websocket"]
    if not found and project.providers:
        first = project.providers[0]
        raise NOT_LIVE(
            name=first.name, kind=first.kind, example=f"{first.venue}_live", place=first.place
        )
    return found


def live_face(mapper: Mapper) -> LiveFace:
    """Return a venue's live side. Errors: QF581."""
    face = getattr(mapper, "LIVE", None)
    if face is None:
        known = sorted(name for name, each in venues().items() if hasattr(each, "LIVE"))
        raise NO_STREAMS(venue=mapper.VENUE, known=", ".join(known))
    return face


def plan_of(
    venue: str,
    symbols: Sequence[str],
    channels: Sequence[str],
    options: Mapping[str, Any],
    place: Place | None = None,
) -> VenuePlan:
    """Return the plan of these channels at a venue.

    `options` may hold name, ws_url, rest_url, depth_speed and trades. Where both trade channels are
    there, `trade` makes the trades. Errors: QF300, QF581-QF583.
    """
    mapper = find_venue(venue)
    face = live_face(mapper)
    known = ", ".join(face.kinds)
    for channel in channels:
        if channel not in face.kinds:
            near = nearest(channel, face.kinds)
            raise NO_CHANNEL(venue=venue, channel=channel, known=known, near=near, place=place)
    speed = str(options.get("depth_speed") or face.speeds[0])
    if speed not in face.speeds:
        raise NO_SPEED(venue=venue, speed=speed, known=", ".join(face.speeds), place=place)
    only_agg = "agg_trade" in channels and "trade" not in channels
    return VenuePlan(
        name=str(options.get("name") or venue),
        mapper=mapper,
        face=face,
        ws_url=str(options.get("ws_url") or face.ws_url),
        rest_url=str(options.get("rest_url") or face.rest_url),
        symbols=tuple(symbols),
        kinds=tuple(dict.fromkeys(channels)),
        speed=speed,
        trades=str(options.get("trades") or ("agg_trade" if only_agg else "trade")),
        book="depth" in channels,
    )


def _of_provider(project: Project, provider: ProviderSpec, symbols: tuple[str, ...]) -> VenuePlan:
    """Return a provider's plan: the channels it names, or all that the project's sources need."""
    known = live_face(find_venue(provider.venue)).kinds
    channels = [channel for channel in provider.channels if channel != "snapshot"]
    trades = provider.trades
    if not channels:
        wanted = (trades or "trade", "depth", "bbo", "mark", "liquidation", "open_interest")
        channels = [
            kind for kind in wanted if kind in known and SOURCE_KINDS[kind] in project.sources
        ]
    elif trades and trades not in channels:
        channels.insert(0, trades)
    if "book" not in project.sources:
        channels = [kind for kind in channels if SOURCE_KINDS.get(kind) != "book"]
    options = {**provider.options, "name": provider.name, "trades": trades}
    return plan_of(provider.venue, symbols, channels, options, provider.place)
