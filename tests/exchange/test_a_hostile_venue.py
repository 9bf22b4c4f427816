"""Harm done to one client: it is seen on the wire, ends with the client, and hurts nobody else."""

import asyncio

import pytest

from exchange.test_over_real_sockets import make
from qf.errors import QuantflowError
from qf.exchange.hostile import HARMS
from qf.exchange.server import ExchangeServer
from qf.live.real import RealNetwork
from qf.seams import Closed

CAP = 1 << 20
PATIENT = {"slow_drip", "silence", "malformed_json"}  # a client must notice these by itself


async def read_until_the_end(socket, seconds):
    count = 0
    try:
        while True:
            payload = await asyncio.wait_for(socket.receive(), seconds)
            assert len(payload) <= CAP
            count += 1
    except (Closed, TimeoutError) as end:
        return count, end


@pytest.mark.parametrize("name", sorted(HARMS))
def test_a_harm_ends_one_connection_and_the_other_flows_on(name):
    async def whole():
        server, network = ExchangeServer(make(), speed=20.0), RealNetwork()
        await server.start()
        try:
            url = f"{server.ws_url}/stream?streams=btcusdt@trade/btcusdt@bookTicker"
            hurt = await network.connect(url, CAP)
            well = await network.connect(url, CAP)
            await asyncio.gather(hurt.receive(), well.receive())
            assert server.hurt(1, name) and not server.hurt(99, name)
            reading = asyncio.ensure_future(read_until_the_end(hurt, 20.0))
            for _ in range(50):
                await asyncio.wait_for(well.receive(), 20.0)
            if name in PATIENT:
                reading.cancel()
            else:
                _, end = await reading
                assert isinstance(end, Closed)
            await hurt.close()
            await asyncio.wait_for(well.receive(), 20.0)
            await well.close()
        finally:
            await network.close()
            await server.stop()

    asyncio.run(whole())


def test_an_unknown_harm_is_refused_with_a_near_name():
    with pytest.raises(QuantflowError) as caught:
        ExchangeServer(make()).hurt_everybody("huge_frames", 1.0)
    assert caught.value.code == "QF857" and "huge_frame" in caught.value.near
