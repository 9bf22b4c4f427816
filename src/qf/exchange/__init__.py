"""The simulated exchange: a seeded market behind the faces of Binance spot and USD-M futures.

exchange = Exchange(ExchangeSettings(symbols=("BTCUSDT",)), seed=7)
network = ExchangeNetwork(exchange, clock)            # in process, under any asyncio loop
await serve(exchange, port=9321)                      # or real sockets on loopback
exchange.true_book("BTCUSDT", update_id), exchange.trades("BTCUSDT"), exchange.notes
"""
