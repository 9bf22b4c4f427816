"""Each kind of fault: noted with its place, seen by a client, gone again, the truth untouched."""

import itertools
import json
from collections import Counter

import pytest

from exchange.case import VENUES, Session, planned
from qf.errors import QuantflowError
from qf.exchange.fault_kinds import KINDS
from qf.exchange.listing import FAR_TICKS
from qf.exchange.plan import FaultPlan
from qf.feeds.record import Quarantine
from qf.seams import Closed

SPOILS = {  # by kind: the rules that a mapper or the screen gives, where a mapper sees it
    "garbage": {"not_json", "unknown_frame"},
    "cut_frame": {"not_json"},
    "lost_field": {"missing_field", "unknown_frame"},
    "other_type": {"wrong_type"},
}
WHERE = {kind: shape.where for kind, shape in KINDS.items()}
FRAME_KINDS = [kind for kind, where in WHERE.items() if where == "frame"]


def one(kind, venue="binance_spot", **more):
    """A minute of three streams with one fault."""
    shape = KINDS[kind]
    channel = shape.channels[0] if shape.channels else ""
    fault = planned(kind, 10.0, channel=channel, **{"seconds": shape.seconds[1], "draw": 5} | more)
    session = Session(venue, faults=[fault])
    return session.run(60, session.listen())


def quiet(venue="binance_spot"):
    session = Session(venue)
    return session.run(60, session.listen())


def refusals(session):
    found = []
    for at, frame in session.frames:
        try:
            session.mapper.parse(frame, at)
        except Quarantine as refused:
            found.append(set(refused.rules))
    return found


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", FRAME_KINDS)
def test_a_fault_of_a_message_is_noted_and_changes_just_what_the_client_reads(kind, venue):
    session, calm = one(kind, venue), quiet(venue)
    (note,) = session.exchange.notes
    assert (note.kind, note.symbol, note.planned) == (kind, "BTCUSDT", 0)
    assert note.stream.startswith("btcusdt@depth") and note.first_id <= note.last_id
    whole = [frame for _, frame in calm.frames]
    read = [frame for _, frame in session.frames]
    missing = Counter(whole) - Counter(read)
    assert read != whole and sum(missing.values()) <= (len(whole) if kind == "oversize" else 1)
    for frame in missing:
        if kind != "oversize":
            message = json.loads(frame)["data"]
            assert (message["U"], message["u"]) == (note.first_id, note.last_id)
    rules = refusals(session)
    assert all(found & SPOILS[kind] for found in rules) if kind in SPOILS else not rules
    assert len(rules) == (1 if kind in SPOILS else 0)
    last = session.exchange.listings["BTCUSDT"].update_id
    assert session.exchange.true_book("BTCUSDT", last) == calm.exchange.true_book("BTCUSDT", last)


def test_a_reordered_message_comes_after_the_next_of_its_stream():
    ids = [
        json.loads(frame)["data"]["u"]
        for _, frame in one("reorder").frames
        if b"depthUpdate" in frame
    ]
    steps = [after > before for before, after in itertools.pairwise(ids)]
    assert steps.count(False) == 1


def test_a_crossed_message_sets_a_bid_above_the_true_asks():
    session = one("crossed")
    (note,) = session.exchange.notes
    depths = [json.loads(frame)["data"] for _, frame in session.frames if b"depthUp" in frame]
    (message,) = [message for message in depths if message["u"] == note.last_id]
    book = session.exchange.true_book("BTCUSDT", note.last_id)
    assert round(float(message["b"][0][0]) * 100) > min(book.asks)


def test_an_oversize_message_ends_the_connection_before_it_is_held():
    ((_, closed),) = one("oversize").ends
    assert closed.code == 1009


def ids_of(session, event):
    name = "u" if event == "depthUpdate" else "t"
    found = [json.loads(frame)["data"] for _, frame in session.frames if event.encode() in frame]
    return [(message.get("U", message[name]), message[name]) for message in found]


@pytest.mark.parametrize("kind", ["gap", "trade_gap"])
def test_a_gap_is_a_hole_in_the_ids_of_every_client(kind):
    session = Session(faults=[planned(kind, 10.0, seconds=20.0)])
    session.run(60, session.listen(), session.listen())
    lost = {(note.first_id, note.last_id) for note in session.exchange.notes if note.first_id}
    event = "depthUpdate" if kind == "gap" else '"trade"'
    heard = set(ids_of(session, event))
    every = set(ids_of(quiet(), event))
    assert lost and not heard & lost and every <= heard | lost


@pytest.mark.parametrize(
    ("kind", "code"), [("disconnect", 1006), ("close", 1013), ("shutdown", 1001), ("outage", 1006)]
)
def test_a_connection_ends_as_the_fault_says_and_a_new_one_goes_on(kind, code):
    session = one(kind, seconds=5.0)
    ended, closed = session.ends[0]
    assert closed.code == code and 10e9 < ended < 16e9
    assert session.frames[-1][0] > 58e9
    later = [at for at, frame in session.frames if at > ended]
    assert len(later) > 50
    if kind == "outage":
        assert len(session.ends) > 5 and later[0] > 15e9


def test_a_stall_loses_messages_while_pings_go_on_and_a_delay_loses_nothing():
    calm = [frame for _, frame in quiet().frames]
    session = one("stall", seconds=20.0)
    silent = [at for at, _ in session.frames if 10.1e9 < at < 29.9e9]
    assert not silent and session.sockets[0].pings == 2 and not session.ends
    assert 0 < len(session.frames) < len(calm)
    delayed = one("delay", seconds=20.0)
    assert [frame for _, frame in delayed.frames] == calm
    assert not [at for at, _ in delayed.frames if 10.1e9 < at < 29.9e9]


def test_a_black_hole_is_silent_for_ever_pings_too():
    session = one("black_hole")
    assert max(at for at, _ in session.frames) < 10.1e9
    assert session.sockets[0].pings == 0 and not session.ends


def test_a_halt_stops_a_symbol_and_a_burst_hurries_it():
    halted, calm = one("halt", seconds=30.0), quiet()
    # what was drawn already still happens: at most two seconds of a quiet market
    assert not [at for at, _ in halted.frames if 12.2e9 < at < 39.9e9]
    assert [at for at, _ in halted.frames if at > 40e9]
    burst = one("burst", seconds=8.0)
    hurried, usual = (
        len([at for at, _ in session.frames if 10e9 < at < 19e9]) for session in (burst, calm)
    )
    assert hurried > 3 * usual


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("draw", [1, 5])
def test_a_side_leaves_the_book_and_comes_back_in_part_far_away(draw, venue):
    session = one("one_sided", venue, seconds=20.0, draw=draw)
    told = [(at, json.loads(frame)["data"]) for at, frame in session.frames]
    depth = [(at, each) for at, each in told if each.get("e") == "depthUpdate"]
    updates = [(at, each["b"], each["a"]) for at, each in depth]
    place = next(n for n, (_, *sides) in enumerate(updates) if max(map(len, sides)) > 60)
    (at, *left), (again, *back) = updates[place : place + 2]
    side = max((0, 1), key=lambda each: len(left[each]))
    assert {float(size) for _, size in left[side]} == {0.0}
    assert at < 12e9 and again > 29.9e9  # nothing happens in between
    tick = 10.0 ** -session.exchange.listings["BTCUSDT"].settings.face.price_decimals
    gone, here = ({round(float(price) / tick) for price, _ in each[side]} for each in (left, back))
    out = {price + (2 * side - 1) * FAR_TICKS for price in gone}
    assert 10 < len(here & out) < len(here & gone)
    (note,) = session.exchange.notes
    assert (note.kind, note.until_ns - note.at_ns) == ("one_sided", 20_000_000_000)
    last = session.exchange.listings["BTCUSDT"].update_id
    assert len(session.exchange.true_book("BTCUSDT", last)[side]) > 60


def test_ids_begin_anew_far_below_and_each_still_names_its_book():
    session = one("id_reset")
    ids = [last for _, last in ids_of(session, "depthUpdate")]
    backwards = [n for n, (a, b) in enumerate(itertools.pairwise(ids)) if b < a]
    assert len(backwards) == 1
    before, after = ids[backwards[0]], ids[-1]
    exchange, calm = session.exchange, quiet().exchange
    assert exchange.true_book("BTCUSDT", before) == calm.true_book("BTCUSDT", before)
    own = exchange.listings["BTCUSDT"].own_id(after)
    assert own > before and exchange.true_book("BTCUSDT", after) == calm.true_book("BTCUSDT", own)


def test_the_venues_clock_jumps_and_comes_back():
    session = one("clock_jump", seconds=20.0)

    def wrong(low, high):
        start = session.settings.start_ns
        return [
            abs(json.loads(frame)["data"]["E"] * 1_000_000 - start - at) > 90e6
            for at, frame in session.frames
            if b'"E":' in frame and low < at < high
        ]

    assert all(wrong(10.2e9, 30e9)) and not any(wrong(31e9, 60e9)) and not any(wrong(0, 10e9))


# --- requests -------------------------------------------------------------------------------------


def ask(kind, **more):
    """Ask for a snapshot every two seconds, with one fault of requests."""
    session, failures = Session(faults=[planned(kind, 10.0, **more)]), []

    async def asking():
        while True:
            try:
                await session.get("depth", symbol="BTCUSDT", limit=1000)
            except Closed as closed:
                failures.append((session.clock.monotonic_ns(), closed))
            await session.clock.sleep(2.0)

    session.run(60, asking())
    statuses = [answer.status for _, answer in session.answers]
    return session, statuses, failures


def is_whole(body):
    try:
        return bool(json.loads(body))
    except ValueError:
        return False


def test_a_stale_snapshot_is_true_at_its_own_id():
    session, statuses, _ = ask("stale_snapshot", seconds=8.0)
    bodies = [json.loads(answer.body) for _, answer in session.answers]
    ids = [body["lastUpdateId"] for body in bodies]
    stale = [n for n, (a, b) in enumerate(itertools.pairwise(ids)) if b < a]
    assert len(stale) == 1 and set(statuses) == {200}
    body = bodies[stale[0] + 1]
    book = session.exchange.true_book("BTCUSDT", body["lastUpdateId"])
    assert {round(float(p) * 100): round(float(q) * 1e5) for p, q in body["asks"]} == book.asks


def test_answers_are_cut_slow_lost_or_no_json_and_then_well_again():
    session, statuses, _ = ask("cut_snapshot", draw=3)
    whole = [is_whole(answer.body) for _, answer in session.answers]
    assert whole.count(False) == 1 and whole[-1] and set(statuses) == {200}
    _, statuses, failures = ask("lost_answer")
    assert len(failures) == 1 and set(statuses) == {200}
    _, _, failures = ask("slow_answer", seconds=15.0)
    assert [closed.why for _, closed in failures] == ["no answer in time"]
    _, statuses, _ = ask("server_error", count=3)
    assert statuses.count(503) == 3 and statuses[-1] == 200


@pytest.mark.parametrize(("kind", "status"), [("too_many", 429), ("banned", 418)])
def test_a_ban_says_how_long_it_lasts_and_counts_who_goes_on(kind, status):
    session, statuses, _ = ask(kind, seconds=7.0)
    first = statuses.index(status)
    assert int(session.answers[first][1].headers["retry-after"]) == 7
    assert statuses[first : first + 4] == [status] * 4 and statuses[-1] == 200
    assert len(session.exchange.offences) == 3


# --- plans ----------------------------------------------------------------------------------------


def test_a_plan_is_its_seeds_alone_and_survives_being_written():
    plan = FaultPlan.draw(4, 2.0, ("BTCUSDT", "ETHUSDT"))
    assert plan == FaultPlan.draw(4, 2.0, ("BTCUSDT", "ETHUSDT"))
    assert plan != FaultPlan.draw(5, 2.0, ("BTCUSDT", "ETHUSDT"))
    assert FaultPlan.from_json(plan.to_json()) == plan and 60 < len(plan.faults) < 200
    assert len(plan.without([0, 3]).faults) == len(plan.faults) - 2
    assert FaultPlan.from_json(FaultPlan().to_json()) == FaultPlan()


def test_every_kind_is_drawn_by_some_seed_and_no_seed_draws_the_same_ones():
    drawn = [frozenset(f.kind for f in FaultPlan.draw(s, 5, ("B",)).faults) for s in range(40)]
    assert frozenset.union(*drawn) == set(KINDS) and len(set(drawn)) > 30


@pytest.mark.parametrize("text", ["[", '[{"kind": "drop"}]', '{"kind": 1}'])
def test_a_plan_that_is_none_is_refused(text):
    with pytest.raises(QuantflowError) as caught:
        FaultPlan.from_json(text)
    assert caught.value.code == "QF853"


def test_an_unknown_fault_is_refused_with_a_near_name():
    with pytest.raises(QuantflowError) as caught:
        FaultPlan.draw(1, 1.0, ("BTCUSDT",), kinds=["garbge"])
    assert caught.value.code == "QF852" and "garbage" in caught.value.near


@pytest.mark.parametrize("venue", VENUES)
def test_everything_at_once_ends_in_no_error_and_gives_the_same_bytes(venue):
    # not those that silence the client for so long that others have no chance
    kinds = sorted({*KINDS} - {"banned", "too_many", "black_hole", "oversize"})

    def heard():
        plan = FaultPlan.draw(9, 0.12, ("BTCUSDT",), per_hour=2_400, kinds=kinds)
        session = Session(venue, faults=plan.faults)

        async def asking():
            while True:
                try:
                    await session.get("depth", symbol="BTCUSDT", limit=100)
                except Closed:
                    await session.clock.sleep(1.0)
                await session.clock.sleep(2.0)

        return session.run(440, session.listen(), asking())

    first, second = heard(), heard()
    assert first.frames == second.frames and first.exchange.notes == second.exchange.notes
    assert {note.kind for note in first.exchange.notes} == set(kinds)
