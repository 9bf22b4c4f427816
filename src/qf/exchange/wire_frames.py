"""Websocket frames of a server as bytes (RFC 6455): unmasked, never fragmented."""

from __future__ import annotations

import struct

from qf.exchange.connection import CLOSE, PING, TEXT, Message

OPCODES = {TEXT: 0x81, PING: 0x89, CLOSE: 0x88}


def wire_frame(message: Message) -> bytes:
    """Return a message as it goes over the socket."""
    payload = message.payload
    if message.kind == CLOSE:
        payload = struct.pack(">H", message.code) + payload[:120]
    return frame_head(OPCODES[message.kind], len(payload)) + payload


def frame_head(first: int, length: int) -> bytes:
    """Return a frame's head: its first byte, and its length in the shortest form."""
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return struct.pack(">BBH", first, 126, length)
    return struct.pack(">BBQ", first, 127, length)
