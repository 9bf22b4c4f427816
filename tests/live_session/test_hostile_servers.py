"""Real sockets to a server that means harm: bounded memory, a clean end, nothing escapes."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from qf.live.real import MOST_WAITING_BYTES, RealNetwork
from qf.seams import Closed

CAP = 1_000_000


def head(code, size, fin=True, compressed=False):
    first = (0x80 if fin else 0) | (0x40 if compressed else 0) | code
    if size < 126:
        return bytes([first, size])
    if size < 1 << 16:
        return bytes([first, 126]) + size.to_bytes(2, "big")
    return bytes([first, 127]) + size.to_bytes(8, "big")


async def one_huge_frame(transport):
    transport.write(head(1, 1 << 40) + b"x" * 1_000)


async def too_large(transport):
    transport.write(head(1, CAP + 1) + b"x" * (CAP + 1))


async def endless_fragments(transport):
    transport.write(head(1, 1_000, fin=False) + b"x" * 1_000)
    while not transport.is_closing():
        transport.write(head(0, 1_000, fin=False) + b"y" * 1_000)
        await asyncio.sleep(0)


async def endless_empty_fragments(transport):
    transport.write(head(1, 0, fin=False))
    while not transport.is_closing():
        transport.write(head(0, 0, fin=False) * 100)
        await asyncio.sleep(0)


async def a_deflate_bomb(transport):
    packed = zlib.compress(bytes(50_000_000), 9)[2:]
    transport.write(head(1, len(packed), compressed=True) + packed)


async def no_websocket_at_all(transport):
    transport.write(b"HTTP/1.1 200 OK\r\n\r\nhello" * 100)


async def gone(transport):
    transport.abort()


HARM = [
    one_huge_frame,
    too_large,
    endless_fragments,
    endless_empty_fragments,
    a_deflate_bomb,
    no_websocket_at_all,
    gone,
]


@asynccontextmanager
async def serving(harm, handle=None):
    async def websocket(request):
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await harm(request.transport)
        await asyncio.sleep(5)
        return socket

    app = web.Application()
    app.router.add_get("/stream", websocket)
    app.router.add_get("/rest", handle or websocket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    network = RealNetwork()
    try:
        yield network, f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await network.close()
        await runner.cleanup()


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_a_hostile_websocket_ends_in_closed_and_nothing_else(harm):
    async def run():
        async with serving(harm) as (network, place):
            socket = await network.connect(f"ws://{place}/stream", CAP)
            with pytest.raises(Closed):
                await asyncio.wait_for(socket.receive(), 20)
            held = sum(map(len, socket._part)) + sum(map(len, socket._waiting))
            assert held <= 2 * CAP
            await socket.close()
            await socket.close()

    asyncio.run(run())


def test_a_flood_is_taken_as_fast_as_it_is_read():
    message = head(1, 1_000) + b"z" * 1_000
    count = 120_000

    async def flood(transport):
        for _ in range(count // 100):
            transport.write(message * 100)
            while transport.get_write_buffer_size() > 1 << 20:
                await asyncio.sleep(0.001)
        transport.close()

    async def run():
        async with serving(flood) as (network, place):
            socket = await network.connect(f"ws://{place}/stream", CAP)
            await asyncio.sleep(0.5)  # nobody reads
            assert socket._bytes <= MOST_WAITING_BYTES + 2 * CAP
            taken = 0
            with pytest.raises(Closed):
                while True:
                    assert len(await socket.receive()) == 1_000
                    taken += 1
            assert taken == count

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["too long", "drip", "redirect", "packed", "cut off"])
def test_a_hostile_answer_ends_in_closed_or_in_what_it_is(kind):
    async def answer(request):
        if kind == "redirect":
            raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        if kind == "packed":
            packed = zlib.compress(bytes(10_000_000))
            return web.Response(body=packed, headers={"Content-Encoding": "deflate"})
        response = web.StreamResponse()
        if kind == "cut off":
            response.content_length = 100
        await response.prepare(request)
        while kind != "cut off":
            await response.write(b"z" * (10 if kind == "drip" else 100_000))
            await asyncio.sleep(0.05 if kind == "drip" else 0)
        await response.write(b"part")
        request.transport.close()
        return response

    async def run():
        async with serving(gone, answer) as (network, place):
            asked = network.get(f"http://{place}/rest", (("a", "b"),), 1.0, CAP)
            if kind in ("redirect", "packed"):
                found = await asked
                assert found.status == {"redirect": 302, "packed": 200}[kind]
                assert len(found.body) < 100_000
            else:
                with pytest.raises(Closed):
                    await asked

    asyncio.run(run())


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/x", "nonsense", "ws://", "http://127.0.0.1:1"])
def test_an_address_that_leads_nowhere_is_closed(url):
    async def run():
        network = RealNetwork()
        with pytest.raises(Closed):
            await network.connect(url, CAP)
        with pytest.raises(Closed):
            await network.get(url, (), 1.0, CAP)
        await network.close()

    asyncio.run(run())
