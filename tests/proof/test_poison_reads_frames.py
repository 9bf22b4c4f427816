"""Poison spoils the frames themselves: what lies beside the tape, and the runs that go on."""

import json
from dataclasses import replace

import pytest

from feeds.captures import INSTRUMENTS
from qf.errors import QuantflowError
from qf.feeds.record import Record
from qf.proof.frame_garbage import KINDS
from qf.proof.poison import ENGINES, poison
from qf.proof.poison_frames import Given, poison_frames
from qf.proof.poison_growth import holds_frames
from qf.tape.draft import Draft

START = 1_680_566_400_000_000_000
INSTRUMENT = INSTRUMENTS["binance_usdm"]


def frame(channel, **data):
    return json.dumps({"stream": f"btcusdt@{channel}", "data": {"s": "BTCUSDT", **data}}).encode()


def market(count=600):
    """Return marks, forced orders, trades and bad frames in turn."""
    items = []
    for number in range(count):
        time = START + number * 50_000_000
        ms = time // 1_000_000
        kind = number % 4
        if kind == 0:
            body = frame("markPrice@1s", e="markPriceUpdate", E=ms, p=f"{60000 + number}.5",
                         P="60001", i="59999.5", r=f"0.000{number % 7}1", T=ms)  # fmt: skip
        elif kind == 1:
            order = {"s": "BTCUSDT", "S": "SELL", "q": "0.014", "p": f"{9000 + number}",
                     "ap": "9911", "X": "FILLED", "T": ms}  # fmt: skip
            body = frame("forceOrder", e="forceOrder", E=ms, o=order)
        elif kind == 2:
            body = frame("trade", e="trade", E=ms, T=ms, t=number, p="60000.0", q="0.5", m=True)
        else:
            body = b"{not json %d" % number
        items.append((time, body, ""))
    return Given("market", "binance_usdm", "arrival", None, tuple(items))


def changes(source, seeds=range(3), places=2):
    return [
        change
        for seed in seeds
        for change in poison_frames(source, INSTRUMENT, places, seed, lambda *_: None)[0]
    ]


def test_marks_forced_orders_and_refused_frames_do_not_know_what_follows():
    assert changes(market()) == []
    _, rows, runs = poison_frames(market(), INSTRUMENT, 4, 0, lambda *_: None)
    assert runs == 4
    assert rows > 1_000


@pytest.mark.parametrize(
    ("column", "place"), [("funding_rate", -2), ("next_funding_time", -1), ("mark_price", 0)]
)
def test_a_funding_row_that_is_filled_from_the_next_is_named(monkeypatch, column, place):
    real, held = Draft.add_side_row, {}

    def leaking(self, seq, time, record):
        if record.stream != "mark":
            return real(self, seq, time, record)
        if self in held:
            before = held[self]
            values = list(before[2].values)
            values[place] = record.values[place]
            real(self, *before[:2], before[2]._replace(values=tuple(values)))
        held[self] = (seq, time, record)

    monkeypatch.setattr(Draft, "add_side_row", leaking)
    found = {(change.table, change.column) for change in changes(market())}
    assert found & {("funding", column), ("funding", "seq")}


def test_every_kind_of_garbage_is_other_frames():
    import numpy as np

    items = market().items
    for name, kind in KINDS.items():
        made = kind(items, np.random.default_rng(1))
        assert len(made) == len(items), name
        assert list(made) != list(items), name
        assert all(isinstance(item[1], bytes) for item in made), name


def test_an_archive_is_left_out_of_growth():
    source = market(8)
    record = Record("trade", "BTCUSDT", START, START, 1, 1, bids=(("1", "1"),))
    assert holds_frames(source)
    assert not holds_frames(replace(source, items=((START, record, ""), *source.items)))


def test_an_engine_that_is_none_is_refused_with_those_there_are():
    project = type("Nothing", (), {"symbols": ()})()
    with pytest.raises(QuantflowError, match="QF541") as refused:
        poison(project, engines=["frame"])
    assert refused.value.near == ("frames",)
    assert all(name in refused.value.hint for name in ENGINES)
