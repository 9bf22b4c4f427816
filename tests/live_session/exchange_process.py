"""A simulated exchange in a process of its own: prints its address, serves until it is killed."""

import asyncio
import sys
import time

from qf.exchange.exchange import Exchange
from qf.exchange.server import ExchangeServer
from qf.exchange.settings import ExchangeSettings


async def main(port: int, intensity: float) -> None:
    settings = ExchangeSettings(intensity=intensity, start_ns=time.time_ns())
    server = ExchangeServer(Exchange(settings, 7), port=port)
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
