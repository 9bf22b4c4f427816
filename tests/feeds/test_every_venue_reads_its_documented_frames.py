"""Every venue that is found: its frames in the documented format, and its constants.

`<venue>/frames.jsonl` holds frames, `frames.expected.jsonl` the records of each: a list with the
fields that are not at their default, or an object with the rules of a refusal.
"""

import json
from pathlib import Path

import pytest

from qf.errors import DefinitionError
from qf.feeds.file_format import FIELDS, OPTIONAL, find_format, formats
from qf.feeds.record import STREAMS, Quarantine, Record
from qf.feeds.venue import find_venue, venues
from qf.tape.screen import RULES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TIME = 1_340_285_400_190_226_476  # LOBSTER frames take their time from the reader
DEFAULT = Record("")


def recorded():
    for name in sorted(venues()):
        frames = (HERE / name / "frames.jsonl").read_bytes().splitlines()
        answers = (HERE / name / "frames.expected.jsonl").read_text().splitlines()
        assert len(frames) == len(answers)
        for number, (frame, answer) in enumerate(zip(frames, answers, strict=True), 1):
            yield pytest.param(name, frame, json.loads(answer), id=f"{name}-{number}")


def plain(record):
    changed = {
        name: value
        for name, value in record._asdict().items()
        if name == "stream" or value != getattr(DEFAULT, name)
    }
    return json.loads(json.dumps({k: v for k, v in changed.items() if v != []}))


@pytest.mark.parametrize(("venue", "frame", "expected"), list(recorded()))
def test_a_frame_becomes_the_expected_records(venue, frame, expected):
    mapper = find_venue(venue)
    try:
        found = [plain(record) for record in mapper.parse(frame, TIME)]
    except Quarantine as bad:
        found = {"rules": list(bad.rules), "stream": bad.stream, "symbol": bad.symbol}
        assert set(bad.rules) <= set(RULES)
    assert found == expected


@pytest.mark.parametrize("name", sorted(venues()))
def test_a_venue_says_what_it_is(name):
    mapper = find_venue(name)
    assert name == mapper.VENUE
    assert mapper.ASSET_TYPE in ("spot", "linear", "inverse")
    assert mapper.CONTINUITY in ("spot", "futures", "none")
    subscribed = mapper.channels(["BTCUSDT", "ETHUSDT"])
    assert len(set(subscribed)) == len(subscribed)
    assert mapper.parse.__doc__ and mapper.channels.__doc__


@pytest.mark.parametrize("name", sorted(venues()))
def test_every_channel_that_a_venue_subscribes_to_is_read(name):
    """A frame of the channel with an empty payload is refused as such, never ignored."""
    mapper = find_venue(name)
    for channel in mapper.channels(["BTCUSDT"]):
        frame = json.dumps({"stream": channel, "data": {}}).encode()
        with pytest.raises(Quarantine) as caught:
            mapper.parse(frame, TIME)
        assert caught.value.rules == ("missing_field",)
        assert STREAMS[caught.value.stream] or caught.value.stream == "liquidation"


@pytest.mark.parametrize("name", sorted(formats()))
def test_a_format_declares_known_fields_only(name):
    for table in find_format(name):
        assert set(table.fields) <= {*FIELDS[table.stream], *OPTIONAL}
        assert set(FIELDS[table.stream]) <= set(table.fields)
        assert set(table.values) <= set(table.fields)


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(DefinitionError, match="binance_sport") as caught:
        find_venue("binance_sport")
    assert caught.value.near[0] == "binance_spot"
    with pytest.raises(DefinitionError, match="lobstr"):
        find_format("lobstr")


def test_the_document_names_every_venue_format_and_rule():
    text = (ROOT / "docs" / "venues.md").read_text()
    for name in (*venues(), *formats(), *RULES, *STREAMS):
        assert f"`{name}`" in text, name
