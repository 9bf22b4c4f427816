"""Where the real captures are, and what their symbols' integers mean."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

import pytest

from qf.tape.capture import CaptureSource
from qf.tape.instruments import Instrument

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("QF_SHARED", ROOT.parent / "shared")) / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real captures (QF_SHARED) are not on this machine"
)

_RAW = {
    "binance_spot": ("ns", "spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"),
    "binance_usdm": ("us", "usdm/btcusdt_20230404.dat.gz", "usdm/btcusdt_20230405.dat.gz"),
    "binance_coinm": ("ns", "coinm/btcusd_perp_20240808.gz", "coinm/btcusd_perp_20240809.gz"),
}
INSTRUMENTS = {
    "binance_spot": Instrument(
        "binance_spot", "BTCUSDT", "BTC", "USDT", "spot", "0.01", "0.00000001"
    ),
    "binance_usdm": Instrument("binance_usdm", "BTCUSDT", "BTC", "USDT", "linear", "0.1", "0.001"),
    "binance_coinm": Instrument(
        "binance_coinm", "BTCUSD_PERP", "BTC", "USD", "inverse", "0.1", "1", "100"
    ),
}
VENUES = tuple(_RAW)


def source(venue: str, **settings: object) -> CaptureSource:
    """Return the whole capture of a venue as a source."""
    unit, *names = _RAW[venue]
    paths = tuple(DATA / "binance_raw" / name for name in names)
    return CaptureSource("capture", venue, paths, unit, **settings)  # type: ignore[arg-type]


@cache
def lines(venue: str) -> list[bytes]:
    """Return every line of a venue's capture."""
    _, *names = _RAW[venue]
    found: list[bytes] = []
    for name in names:
        found += gzip.decompress((DATA / "binance_raw" / name).read_bytes()).splitlines()
    return found


def unit(venue: str) -> str:
    """Return the unit of a venue's receive times."""
    return _RAW[venue][0]
