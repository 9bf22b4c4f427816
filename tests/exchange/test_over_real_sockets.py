"""The same exchange, and recorded captures, over sockets of the loopback and from the command."""

import asyncio
import json
import signal
import subprocess
import sys

import aiohttp
import pytest

from exchange.case import VENUES, Session, planned
from qf.errors import QuantflowError
from qf.exchange.exchange import Exchange
from qf.exchange.plan import FaultPlan
from qf.exchange.recording import Recording
from qf.exchange.replay import ReplayNetwork
from qf.exchange.server import ExchangeServer
from qf.exchange.settings import ExchangeSettings
from qf.seams import Closed


def serve(talk, exchange, **options):
    """Run `talk(client session, server)` beside a server, and return what it returns."""

    async def whole():
        server = ExchangeServer(exchange, **options)
        await server.start()
        try:
            async with aiohttp.ClientSession() as client:
                return await talk(client, server)
        finally:
            await server.stop()

    return asyncio.run(whole())


def make(venue="binance_spot", faults=(), **settings):
    settings = {"intensity": 30.0, "levels": 40, "latency_ms": 0.0, "jitter_ms": 0.0} | settings
    return Exchange(ExchangeSettings(venue=venue, **settings), 4, FaultPlan(tuple(faults)))


@pytest.mark.parametrize("venue", VENUES)
def test_frames_over_a_socket_are_those_in_process(venue):
    streams = "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker"
    session = Session(venue, seed=4, intensity=30.0, levels=40)
    session.run(30, session.listen(streams.split("/")))
    wanted = [frame for _, frame in session.frames][:200]

    async def talk(client, server):
        async with client.ws_connect(f"{server.ws_url}/stream?streams={streams}") as socket:
            return [(await socket.receive()).data.encode() for _ in wanted]

    assert serve(talk, make(venue), speed=50.0, hold=True) == wanted


def test_a_client_that_subscribes_by_message_hears_raw_payloads_and_rest_answers_beside():
    async def talk(client, server):
        async with client.ws_connect(f"{server.ws_url}/ws") as socket:
            await socket.send_str('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":9}')
            first = await socket.receive_json()
            then = await socket.receive_json()
            async with client.get(f"{server.url}/api/v3/depth?symbol=BTCUSDT&limit=5") as answer:
                body, used = await answer.json(), answer.headers["x-mbx-used-weight-1m"]
            async with client.get(f"{server.url}/api/v3/depth?symbol=NO") as answer:
                return first, then, body, used, answer.status

    first, then, body, used, status = serve(talk, make(), speed=20.0)
    assert first == {"result": None, "id": 9} and then["e"] == "trade"
    assert len(body["bids"]) == len(body["asks"]) == 5 and used == "5" and status == 400


@pytest.mark.parametrize(("kind", "closes"), [("disconnect", 1006), ("close", 1013)])
def test_connections_end_over_a_socket_as_the_fault_says(kind, closes):
    async def talk(client, server):
        async with client.ws_connect(f"{server.ws_url}/stream?streams=btcusdt@trade") as socket:
            async for _ in socket:
                pass
            return socket.close_code

    assert serve(talk, make(faults=[planned(kind, 2.0)]), speed=20.0, hold=True) == closes


def test_answers_break_off_and_no_connection_opens_in_an_outage():
    async def talk(client, server):
        with pytest.raises(aiohttp.ClientError):
            async with client.get(f"{server.url}/api/v3/exchangeInfo") as answer:
                await answer.read()
        await asyncio.sleep(0.3)
        with pytest.raises(aiohttp.ClientError):
            await client.ws_connect(f"{server.ws_url}/ws")
        return True

    faults = [planned("lost_answer", 0.0), planned("outage", 1.0, seconds=1_000.0)]
    assert serve(talk, make(faults=faults), speed=10.0)


def test_a_port_that_is_taken_is_named():
    async def talk(client, server):
        with pytest.raises(QuantflowError) as caught:
            await ExchangeServer(make(), port=server.port).start()
        return caught.value

    error = serve(talk, make())
    assert error.code == "QF854" and "--port" in error.hint


# --- recorded captures ----------------------------------------------------------------------------

STREAMS = "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker"


@pytest.fixture(scope="module")
def capture():
    """Arrivals of a recorded session, a snapshot among them."""
    session = Session(seed=6, intensity=20.0)

    async def ask():
        await session.clock.sleep(1.0)
        answer = await session.get("depth", symbol="BTCUSDT", limit=100)
        session.frames.append((session.clock.monotonic_ns(), answer.body))

    session.run(20, session.listen(), ask())
    return [(1_700_000_000_000_000_000 + at, frame, "") for at, frame in session.frames]


async def read_all(network, streams, found):
    socket = await network.connect(f"ws://venue/stream?streams={streams}", 1 << 23)
    try:
        while True:
            frame = await socket.receive()
            found.append((network.clock.wall_ns(), frame))
    except Closed as closed:
        return closed.code


def test_a_replay_in_process_hands_out_every_frame_once_at_its_recorded_time(capture):
    session, found = Session(), []
    network = ReplayNetwork(capture, session.clock, clients=2)
    first, second = STREAMS.split("/", 1)
    session.run(5, read_all(network, first, found), read_all(network, second, found))
    assert found == [(at, frame) for at, frame, _ in capture] and network.is_over
    assert network.given == len(capture)


def test_a_replay_goes_on_after_so_many_frames(capture):
    session, found = Session(), []
    session.run(5, read_all(ReplayNetwork(capture, session.clock, after=50), STREAMS, found))
    assert found == [(at, frame) for at, frame, _ in capture[50:]]


def test_a_replay_keeps_the_recorded_distances_where_asked(capture):
    session, found = Session(), []
    network = ReplayNetwork(capture, session.clock, speed=2.0)
    session.run(5, read_all(network, STREAMS, found))
    assert 0 < len(found) < len(capture)
    assert found[-1][0] - capture[0][0] == pytest.approx(2 * 5e9, rel=0.1)


def test_a_capture_over_sockets_is_what_was_recorded_and_answers_with_its_snapshot(capture):
    recorded = [frame for _, frame, _ in capture if b"lastUpdateId" not in frame]
    (snapshot,) = (frame for _, frame, _ in capture if b"lastUpdateId" in frame)

    async def talk(client, server):
        found = []
        async with client.ws_connect(f"{server.ws_url}/stream?streams={STREAMS}") as socket:
            async for message in socket:
                found.append(message.data.encode())
            code = socket.close_code
        async with client.get(f"{server.url}/api/v3/depth?symbol=BTCUSDT&limit=100") as answer:
            return found, code, await answer.read()

    found, code, body = serve(talk, Recording(capture, "binance_spot"), speed=1e6, hold=True)
    assert (found, code, body) == (recorded, 1000, snapshot)


# --- the commands ---------------------------------------------------------------------------------


def run_command(words, talk):
    """Start a serving command, talk to the addresses it prints, stop it by Ctrl-C."""
    command = [sys.executable, "-c", "from qf.cli.main import main; main()", *words, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = iter(process.stdout.readline, b"}\n")
        told = json.loads(b"".join(lines) + b"}")
        found = asyncio.run(talk(told))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0 and errors.decode().endswith("stopped\n"), errors
    return found


async def first_frames(told, count=20):
    url = f"{told['ws_url']}/stream?streams={STREAMS}"
    async with aiohttp.ClientSession() as client, client.ws_connect(url) as socket:
        return [(await socket.receive()).data.encode() for _ in range(count)]


def test_the_exchange_is_served_by_a_command():
    words = ["exchange", "serve", "--seed", "3", "--speed", "20", "--faults", "10"]
    frames = run_command(words, first_frames)
    assert all(frame.startswith(b'{"stream":"btcusdt@') for frame in frames)


def test_a_capture_is_served_by_a_command(capture, tmp_path):
    path = tmp_path / "btcusdt.txt"
    path.write_bytes(b"".join(b"%d %b\n" % (at, frame) for at, frame, _ in capture))
    frames = run_command(["replay", str(path), "--speed", "0", "--after", "2"], first_frames)
    left = [frame for _, frame, _ in capture[2:] if b"lastUpdateId" not in frame]
    assert frames == left[:20]
