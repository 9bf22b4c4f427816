"""A live session: the venues of a project's providers, driven by one loop over time.

`Session(world, project, engine)` subscribes to what the project's websocket providers name; `run`
goes on until it is cancelled or a venue's task fails. Every 100 ms it looks at time and books. What
is computed, is the engine's: the session only brings frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from qf.errors import QuantflowError, RunError, diagnostic, nearest
from qf.feeds.live_face import LiveFace
from qf.feeds.venue import Mapper, find_venue
from qf.live.venue_session import Heart, VenuePlan, VenueSession
from qf.project.model import Project, ProviderSpec
from qf.seams import World

TICK_S = 0.1
SOURCE_KINDS = {"trade": "trades", "agg_trade": "trades", "depth": "book", "bbo": "bbo"}
SOURCE_KINDS |= {"partial_depth": "book", "mark": "mark", "liquidation": "mark"}

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
TWO_VENUES = diagnostic(
    "QF584",
    "{symbol} is streamed by two providers, {first!r} and {second!r}",
    RunError,
    "give each provider its own `symbols`",
)


class Session:
    """All venues of one project."""

    def __init__(
        self, world: World, project: Project, engine: Heart, symbols: Sequence[str] | None = None
    ) -> None:
        """Plan every venue. Errors: QF300, QF580-QF584."""
        self._world = world
        plans = venue_plans(project, symbols)
        self.venues = [VenueSession(world, plan, engine) for plan in plans]

    async def run(self) -> None:
        """Bring frames until cancelled."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(venue.run()) for venue in self.venues]
        tasks.append(loop.create_task(self._watch()))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def status(self) -> dict[str, Any]:
        """Return every venue's state, by provider, as plain data."""
        return {venue.plan.name: venue.status() for venue in self.venues}

    async def _watch(self) -> None:
        while True:
            await self._world.clock.sleep(TICK_S)
            for venue in self.venues:
                await venue.check()


def venue_plans(project: Project, symbols: Sequence[str] | None = None) -> list[VenuePlan]:
    """Return what each websocket provider subscribes to. Errors: QF300, QF580-QF584."""
    wanted = tuple(symbols or project.symbols)
    plans, brought_by = [], {}
    for provider in live_providers(project):
        own = tuple(s for s in wanted if not provider.symbols or s in provider.symbols)
        for symbol in own:
            if symbol in brought_by:
                first = brought_by[symbol]
                raise TWO_VENUES(
                    symbol=symbol, first=first, second=provider.name, place=provider.place
                )
            brought_by[symbol] = provider.name
        if own:
            plans.append(_plan(project, provider, own))
    return plans


def live_providers(project: Project) -> list[ProviderSpec]:
    """Return the providers that stream. Errors: QF580 where none does."""
    found = [provider for provider in project.providers if provider.kind == "websocket"]
    if not found and project.providers:
        provider = project.providers[0]
        example = f"{provider.venue}_live" if provider.venue else "binance_spot_live"
        raise NOT_LIVE(
            name=provider.name, kind=provider.kind, example=example, place=provider.place
        )
    return found


def live_face(mapper: Mapper) -> LiveFace:
    """Return a venue's live side. Errors: QF581."""
    face = getattr(mapper, "LIVE", None)
    if face is None:
        raise NO_STREAMS(venue=mapper.VENUE, known=", ".join(streamed_venues()))
    return face


def streamed_venues() -> list[str]:
    """Return the venues that can be streamed."""
    from qf.feeds.venue import venues

    return sorted(name for name, mapper in venues().items() if hasattr(mapper, "LIVE"))


def _plan(project: Project, provider: ProviderSpec, symbols: tuple[str, ...]) -> VenuePlan:
    mapper = find_venue(provider.venue)
    face = live_face(mapper)
    options = provider.options
    speed = str(options.get("depth_speed") or face.speeds[0])
    trades = provider.trades or ("trade" if "agg_trade" not in provider.channels else "agg_trade")
    if speed not in face.speeds:
        raise NO_SPEED(
            venue=mapper.VENUE, speed=speed, known=", ".join(face.speeds), place=provider.place
        )
    kinds = _kinds(project, provider, mapper.VENUE, face, trades)
    return VenuePlan(
        name=provider.name,
        mapper=mapper,
        face=face,
        ws_url=str(options.get("ws_url") or face.ws_url),
        rest_url=str(options.get("rest_url") or face.rest_url),
        symbols=symbols,
        kinds=kinds,
        speed=speed,
        trades=trades,
        book="depth" in kinds and "book" in project.sources,
    )


def _kinds(
    project: Project, provider: ProviderSpec, venue: str, face: LiveFace, trades: str
) -> tuple[str, ...]:
    """Return the channels to subscribe to: those named, or all that the project's sources need."""
    for channel in provider.channels:
        if channel not in face.kinds and channel != "snapshot":
            raise _no_channel(provider, venue, channel, face)
    named = [kind for kind in provider.channels if kind in face.kinds]
    if not named:
        taken = (trades, "depth", "bbo", "mark", "liquidation")
        named = [k for k in taken if k in face.kinds and SOURCE_KINDS[k] in project.sources]
    elif provider.trades and provider.trades not in named:
        named = [provider.trades, *(kind for kind in named if kind not in ("trade", "agg_trade"))]
    return tuple(dict.fromkeys(named))


def _no_channel(provider: ProviderSpec, venue: str, channel: str, face: LiveFace) -> QuantflowError:
    known = ", ".join(face.kinds)
    near = nearest(channel, face.kinds)
    return NO_CHANNEL(venue=venue, channel=channel, known=known, near=near, place=provider.place)
