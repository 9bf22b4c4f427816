"""The venue's list of what it trades, with the filters that clients read their grids from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qf.exchange.face import Face
from qf.exchange.listing import Listing

QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "USD")
ORDER_TYPES = ("LIMIT", "MARKET")
NEVER_MS = 4_133_404_800_000  # when a perpetual is delivered


def exchange_info(face: Face, listings: Sequence[Listing], now_ns: int) -> dict[str, Any]:
    """Return the body of exchangeInfo."""
    limits = [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": face.weight_limit,
        }
    ]
    row = _contract if face.futures else _pair
    return {
        "timezone": "UTC",
        "serverTime": now_ns // 1_000_000,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [row(listing, listing.halted_until > now_ns) for listing in listings],
    }


def _names(symbol: str) -> tuple[str, str]:
    quote = next((quote for quote in QUOTES if symbol.endswith(quote)), symbol[-3:])
    return symbol.removesuffix(quote), quote


def _filters(listing: Listing, notional: dict[str, Any]) -> list[dict[str, Any]]:
    frames = listing.frames
    lots = {"minQty": frames.size(1), "maxQty": "9000.00000000", "stepSize": frames.size(1)}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": frames.price(1),
            "maxPrice": "1000000.00000000",
            "tickSize": frames.price(1),
        },
        {"filterType": "LOT_SIZE", **lots},
        {"filterType": "MARKET_LOT_SIZE", **lots},
        notional,
    ]


def _pair(listing: Listing, halted: bool) -> dict[str, Any]:
    base, quote = _names(listing.symbol)
    return {
        "symbol": listing.symbol,
        "status": "BREAK" if halted else "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(listing, {"filterType": "NOTIONAL", "minNotional": "5.00000000"}),
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _contract(listing: Listing, halted: bool) -> dict[str, Any]:
    face, pair = listing.settings.face, listing.symbol.partition("_")[0]
    base, quote = _names(pair)
    state = "SETTLING" if halted else "TRADING"
    told = {"status": state}
    if face.inverse:
        told = {"contractStatus": state, "contractSize": listing.settings.contract_usd}
    return {
        "symbol": listing.symbol,
        "pair": pair,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_MS,
        "onboardDate": 1_569_398_400_000,
        **told,
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": base if face.inverse else quote,
        "pricePrecision": face.price_decimals,
        "quantityPrecision": face.size_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "orderTypes": ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK"],
        "filters": _filters(listing, {"filterType": "MIN_NOTIONAL", "notional": "5"}),
    }
