"""A venue that means harm: what a server may write into an open websocket to hurt its client.

Each harm is handed the transport of a websocket that spoke properly until then, and goes on until
the client leaves. Nothing here holds more than a few megabytes itself.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable

from qf.errors import diagnostic, nearest
from qf.exchange.wire_frames import frame_head

UNKNOWN_HARM = diagnostic("QF857", "the exchange knows no harm called {name!r}")

TEXT, CONTINUED, FINAL, COMPRESSED = 0x01, 0x00, 0x80, 0x40
PIECE = 65_536
AHEAD = 1 << 20  # bytes that may wait in the socket before more are written
BOMB = 64 << 20  # bytes that a bomb becomes when it is inflated

Harm = Callable[[asyncio.Transport], Awaitable[None]]
HARMS: dict[str, Harm] = {}


def harm(function: Harm) -> Harm:
    """Register a harm under its name."""
    HARMS[getattr(function, "__name__", "")] = function
    return function


def find_harm(name: str) -> Harm:
    """Return a harm by name. Errors: QF857."""
    if name not in HARMS:
        raise UNKNOWN_HARM(name=name, near=nearest(name, HARMS))
    return HARMS[name]


@harm
async def huge_frame(transport: asyncio.Transport) -> None:
    """Announce a message of a terabyte and send it."""
    transport.write(frame_head(FINAL | TEXT, 1 << 40))
    await _for_ever(transport, bytes(PIECE))


@harm
async def endless_fragments(transport: asyncio.Transport) -> None:
    """Send a message in fragments of which none is the last."""
    transport.write(frame_head(TEXT, 4) + b'{"a"')
    await _for_ever(transport, frame_head(CONTINUED, 1_000) + bytes(1_000))


@harm
async def empty_fragments(transport: asyncio.Transport) -> None:
    """Send a message in fragments that hold nothing."""
    transport.write(frame_head(TEXT, 0))
    await _for_ever(transport, frame_head(CONTINUED, 0) * 4_096)


@harm
async def deflate_bomb(transport: asyncio.Transport) -> None:
    """Send a small compressed message that becomes a large one, though nobody agreed to that."""
    packer = zlib.compressobj(1, wbits=-15)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(BOMB >> 20)]
    packed = b"".join(pieces) + packer.flush()
    transport.write(frame_head(FINAL | COMPRESSED | TEXT, len(packed)) + packed)
    await _until_gone(transport)


@harm
async def slow_drip(transport: asyncio.Transport) -> None:
    """Send a message byte by byte, one every tenth of a second."""
    transport.write(frame_head(FINAL | TEXT, 100_000))
    while not transport.is_closing():
        transport.write(b" ")
        await asyncio.sleep(0.1)


@harm
async def malformed_json(transport: asyncio.Transport) -> None:
    """Send messages that are no JSON, or JSON that nobody should follow to its end."""
    bodies = (b"{", b'{"e":', b"\xff\xfe\x00", b"[" * 50_000, b'{"e":"trade","t":1e999}', b"")
    frames = b"".join(frame_head(FINAL | TEXT, len(body)) + body for body in bodies)
    await _for_ever(transport, frames, pause_s=0.01)


@harm
async def wrong_opcode(transport: asyncio.Transport) -> None:
    """Send a frame of a kind that does not exist."""
    transport.write(frame_head(FINAL | 0x07, 5) + b"hello")
    await _until_gone(transport)


@harm
async def long_ping(transport: asyncio.Transport) -> None:
    """Send pings longer than a control frame may be."""
    await _for_ever(transport, frame_head(FINAL | 0x09, 60_000) + bytes(60_000))


@harm
async def silence(transport: asyncio.Transport) -> None:
    """Say nothing any more."""
    await _until_gone(transport)


async def _for_ever(transport: asyncio.Transport, piece: bytes, pause_s: float = 0.0) -> None:
    """Write a piece again and again, as fast as the client takes it."""
    while not transport.is_closing():
        if transport.get_write_buffer_size() < AHEAD:
            transport.write(piece)
            await asyncio.sleep(pause_s)
        else:
            await asyncio.sleep(0.005)


async def _until_gone(transport: asyncio.Transport) -> None:
    while not transport.is_closing():
        await asyncio.sleep(0.05)


__all__ = ["HARMS", "Harm", "find_harm"]
