"""The seeded market's frames: deterministic, chained like the venue's, and true to its book."""

import itertools
import json
from dataclasses import replace

import pytest

from qf.testing.market import NO_FAULTS, FaultRates, Market, MarketSettings

MANY_FAULTS = FaultRates(
    silence=20, burst=20, gap=60, trade_gap=60, duplicate=120, clock_step=12, non_market=40
)
VENUES = ["binance_spot", "binance_usdm"]


def make(venue="binance_spot", **changes):
    settings = {"seed": 5, "intensity": 20.0, "faults": MANY_FAULTS} | changes
    return Market(MarketSettings(venue=venue, **settings))


def kind_of(message):
    if "lastUpdateId" in message:
        return "snapshot"
    if "openInterest" in message:
        return "openInterest"
    return message["stream"].split("@")[1]


def read(market, seconds):
    """Return (receive time, kind, payload) per frame."""
    for receive_ns, frame in market.frames(seconds):
        message = json.loads(frame)
        yield receive_ns, kind_of(message), message.get("data", message)


@pytest.fixture(scope="module", params=VENUES)
def session(request):
    """A market that has run for twenty minutes, and every frame it sent."""
    market = make(request.param)
    return market, list(read(market, 1_200))


@pytest.mark.parametrize("venue", VENUES)
def test_the_same_seed_gives_the_same_bytes(venue):
    first = list(make(venue).frames(120))
    assert first == list(make(venue).frames(120))
    assert first != list(make(venue, seed=6).frames(120))


@pytest.mark.parametrize("venue", VENUES)
def test_reading_in_pieces_changes_no_byte(venue):
    whole = list(make(venue).frames(300))
    market, pieces = make(venue), []
    while len(pieces) < len(whole):
        pieces += market.frames(0.1)
    assert pieces == whole


def test_forgetting_the_truth_changes_no_byte():
    assert list(make().frames(60)) == list(make(keep_truth=False).frames(60))


def units(venue):
    return (100, 100_000) if venue == "binance_spot" else (10, 1_000)


def levels(rows, venue):
    price_unit, size_unit = units(venue)
    return {round(float(p) * price_unit): round(float(q) * size_unit) for p, q in rows}


class Recorder:
    """Rebuild the book from frames as the venue's documentation says, with plain dicts."""

    def __init__(self, venue):
        self.venue, self.futures = venue, venue != "binance_spot"
        self.buffer, self.bids, self.asks = [], {}, {}
        self.snapshot = None
        self.update_id = None
        self.gaps = []

    def receive(self, kind, data):
        """Return True when the book stands and this frame changed it."""
        if kind == "snapshot":
            if self.update_id is None:
                self.snapshot = data
                buffered, self.buffer = self.buffer, []
                return [self._depth(frame) for frame in buffered][-1:] == [True]
            return False
        return kind == "depth" and self._depth(data)

    def _depth(self, data):
        if self.update_id is None and not self._bridge(data):
            return False
        if data["u"] <= self.update_id and not self.fresh:
            return False
        linked = data["pu"] == self.update_id if self.futures else data["U"] == self.update_id + 1
        if not (linked or self.fresh):
            self.gaps.append((self.update_id, data["U"]))
            self.update_id, self.snapshot, self.buffer = None, None, [data]
            return False
        self.fresh = False
        for side, book in (("b", self.bids), ("a", self.asks)):
            for price, size in levels(data[side], self.venue).items():
                if size:
                    book[price] = size
                else:
                    book.pop(price, None)
        self.update_id = data["u"]
        return True

    def _bridge(self, data):
        """Load the snapshot if this is the first frame that continues it."""
        if self.snapshot is None:
            self.buffer.append(data)
            return False
        last = self.snapshot["lastUpdateId"]
        if self.futures:
            bridges = data["U"] <= last <= data["u"] or data["pu"] == last
        else:
            bridges = data["U"] <= last + 1 <= data["u"]
        if not bridges:
            return False
        self.bids = levels(self.snapshot["bids"], self.venue)
        self.asks = levels(self.snapshot["asks"], self.venue)
        self.update_id, self.fresh = last, True
        return True


def test_snapshot_and_differences_rebuild_the_true_book_at_every_update_id(session):
    market, frames = session
    recorder, compared = Recorder(market.settings.venue), 0
    for _, kind, data in frames:
        if recorder.receive(kind, data):
            truth = market.book(recorder.update_id)
            assert (recorder.bids, recorder.asks) == (truth.bids, truth.asks)
            compared += 1
    assert compared > 5_000
    planted = [fault for fault in market.faults if fault.kind == "gap"]
    assert len(planted) >= 3
    assert len(recorder.gaps) <= len(planted)
    for before, after in recorder.gaps:
        assert any(before < fault.last_id < after for fault in planted)


def test_every_ticker_shows_the_best_of_the_true_book_and_it_is_never_crossed(session):
    market, frames = session
    seen = 0
    price_unit, size_unit = units(market.settings.venue)
    for _, kind, data in frames:
        if kind == "bookTicker":
            bids, asks = market.book(data["u"])
            bid, ask = max(bids), min(asks)
            assert bid < ask
            assert (bid, bids[bid]) == (
                round(float(data["b"]) * price_unit), round(float(data["B"]) * size_unit),
            )  # fmt: skip
            assert (ask, asks[ask]) == (
                round(float(data["a"]) * price_unit), round(float(data["A"]) * size_unit),
            )  # fmt: skip
            seen += 1
    assert seen > 1_000


def test_id_chains_break_exactly_where_a_fault_was_planted(session):
    market, frames = session
    venue = market.settings.venue
    depth = [(at, data) for at, (_, kind, data) in enumerate(frames) if kind == "depth"]
    trades = [(at, data) for at, (_, kind, data) in enumerate(frames) if kind == "trade"]
    broken = {"gap": set(), "trade_gap": set(), "duplicate": set(), "non_market": set()}
    for (_, before), (at, after) in itertools.pairwise(depth):
        if after["u"] == before["u"]:
            broken["duplicate"].add(at)
        elif (after["pu"] if "pu" in after else after["U"] - 1) != before["u"]:
            broken["gap"].add(at)
    for (_, before), (at, after) in itertools.pairwise(trades):
        if after["t"] == before["t"]:
            broken["duplicate"].add(at)
        elif after["t"] != before["t"] + 1:
            broken["trade_gap"].add(at)
    broken["non_market"] = {at for at, data in trades if data.get("X", "MARKET") != "MARKET"}
    for kind, places in broken.items():
        planted = {fault.frame for fault in market.faults if fault.kind == kind}
        assert places == planted, kind
        assert planted or (kind == "non_market" and venue == "binance_spot")


def test_the_receive_clock_steps_back_only_where_planted(session):
    market, frames = session
    back = {at for at in range(1, len(frames)) if frames[at][0] < frames[at - 1][0]}
    planted = {fault.frame for fault in market.faults if fault.kind == "clock_step"}
    assert back == planted and planted


def test_only_planted_silences_last_longer_than_a_book_may_be_old():
    market = make(intensity=1.0, faults=replace(NO_FAULTS, silence=20))
    frames = list(read(market, 2 * 3_600))
    planted = {fault.frame for fault in market.faults}
    times = [receive_ns for receive_ns, _, _ in frames]
    assert {at for at in range(1, len(times)) if times[at] - times[at - 1] > 3e9} == planted
    assert len(planted) > 15


def test_the_maker_flag_is_the_true_aggressor(session):
    market, frames = session
    for _, kind, data in frames:
        if kind == "trade":
            assert market.aggressor(data["t"]) == (-1 if data["m"] else 1)
    assert market.trade_count > 200


def test_a_flash_crash_falls_and_recovers():
    market = make(flash_crash_s=120.0, intensity=10.0, faults=NO_FAULTS)
    prices = [
        (receive_ns, float(data["p"])) for receive_ns, kind, data in read(market, 600)
        if kind == "trade"
    ]  # fmt: skip
    start = prices[0][0]
    before = [p for t, p in prices if t - start < 100e9]
    during = [p for t, p in prices if 120e9 < t - start < 300e9]
    after = [p for t, p in prices if t - start > 500e9]
    assert min(during) < 0.965 * min(before)
    assert sum(after) / len(after) > 1.015 * min(during)
