"""`published` equals a dictionary over the side tables: newest values, and sums since a trade."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from qf.book.published import op
from qf.engines.columns import add_state
from qf.engines.sources import open_tape
from qf.program import Program
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.schema import MARK, PUBLISHED
from tests.acceptance.projects import make_project

MARKS = ("mark_price", "index_price", "settle_price", "funding_rate")
TTL_NS = {**dict.fromkeys(MARKS, 10_000_000_000), "open_interest": 60_000_000_000}


def simulated(folder, minutes=8):
    """Write a project over a futures market."""
    write_project(folder, draft_project(folder.name, "crypto", None, None))
    path = folder / ".definitions/feed_providers/simulated_market.yml"
    market = {"name": "simulated_market", "kind": "simulated", "venue": "binance_usdm", "seed": 5}
    market |= {"minutes": minutes, "intensity": 20}
    path.write_text(json.dumps(market))
    return folder


@pytest.fixture(scope="module", params=["simulated", "usdm"])
def given(request, tmp_path_factory):
    """Give a project of a contract and its tape."""
    folder = tmp_path_factory.mktemp("published") / request.param
    if request.param == "simulated":
        simulated(folder)
    else:
        shared, data = (request.getfixturevalue(n) for n in ("shared", "shared_data"))
        make_project(folder, data, "usdm", shared / "walkthrough/breakout_alpha")
    project = open_project(folder)
    return project, open_tape(project, project.symbols[0])


def outputs(project, tape, rows):
    """Return seq, processed_time and the published columns of the tick clock."""
    state = add_state(project, tape.instrument, tape.continuity, 5, marks=True)
    wanted = ("seq", "processed_time", *PUBLISHED)
    for name in wanted:
        state.plan.read(name, state.tick[name])
    program = Program(state.plan)
    parts = [program.push(block).get("tick") for block in tape.blocks(rows)]
    return {name: np.concatenate([p[name].copy() for p in parts if p]) for name in wanted}


def model(tape, seqs, times):
    """Return the same from the tables as published: slowly, by the words of the docstring."""
    found = {name: [] for name in PUBLISHED}
    tables = {name: _rows(tape, name) for name in ("funding", "liquidations", "open_interest")}
    events = [
        (row["seq"], row["processed_time"], name, row[name])
        for table, names in (("funding", MARKS), ("open_interest", ("open_interest",)))
        for row in tables[table]
        for name in names
        if row[name] is not None
    ]
    events += [
        (row["seq"], 0, f"forced_{'buy' if row['direction'] > 0 else 'sell'}_volume", row["size"])
        for row in tables["liquidations"]
    ]
    events.sort(key=lambda event: event[0])
    newest, place = {}, 0
    for seq, time in zip(seqs.tolist(), times.tolist(), strict=True):
        forced = dict.fromkeys(("forced_buy_volume", "forced_sell_volume"), 0.0)
        while place < len(events) and events[place][0] < seq:
            _, at, name, value = events[place]
            if name in forced:
                forced[name] += value
            else:
                newest[name] = (at, value)
            place += 1
        for name, ttl in TTL_NS.items():
            at, value = newest.get(name, (0, None))
            found[name].append(value if value is not None and time - at <= ttl else np.nan)
        for name, value in forced.items():
            found[name].append(value)
    return found


def _rows(tape, name):
    parts = [pa.Table.from_batches([batch]) for batch in tape.table(name)]
    if not parts:
        return []
    table = pa.concat_tables(parts)
    columns = {
        field.name: table[field.name].cast(
            pa.int64() if pa.types.is_timestamp(field.type) else field.type
        )
        for field in table.schema
    }
    return pa.table(columns).to_pylist()


def test_every_value_is_the_models(given):
    project, tape = given
    made = outputs(project, tape, 65_536)
    expected = model(tape, made["seq"], made["processed_time"])
    for name in PUBLISHED:
        assert np.array_equal(made[name], expected[name], equal_nan=True), name
    known = {name: int(np.isfinite(made[name]).sum()) for name in PUBLISHED}
    assert known["mark_price"] > 100 and known["funding_rate"] > 100
    if project.name == "simulated":
        assert known["open_interest"] > 500
        assert made["forced_buy_volume"].any() and made["forced_sell_volume"].any()


def test_pieces_change_no_bit(given):
    project, tape = given
    whole = outputs(project, tape, 65_536)
    for rows in (997, 13) if project.name == "simulated" else (997,):
        pieces = outputs(project, tape, rows)
        for name, column in whole.items():
            assert column.tobytes() == pieces[name].tobytes(), (name, rows)


def test_a_value_lives_as_long_as_its_kind(given):
    project, tape = given
    (block,) = tape.blocks(tape.rows)
    marks = block["kind"] == MARK
    last = block["processed_time"][marks][marks.sum() // 2]
    kept = ~marks | (block["processed_time"] <= last)
    state = add_state(project, tape.instrument, tape.continuity, 5, marks=True)
    for name in ("processed_time", "mark_price", "open_interest"):
        state.plan.read(name, state.tick[name])
    made = Program(state.plan).push({name: column[kept] for name, column in block.items()})["tick"]
    age = made["processed_time"] - last
    assert (age > TTL_NS["mark_price"]).any()
    assert np.isfinite(made["mark_price"][(age >= 0) & (age <= TTL_NS["mark_price"])]).all()
    assert np.isnan(made["mark_price"][age > TTL_NS["mark_price"]]).all()
    assert np.isnan(made["open_interest"][age > TTL_NS["open_interest"]]).all()


def test_a_row_of_no_known_value_is_passed_over(given):
    project, tape = given
    (block,) = tape.blocks(tape.rows)
    marks = np.flatnonzero(block["kind"] == MARK)
    assert set(block["side"][marks]) <= {0, *PUBLISHED.values()}
    state = add_state(project, tape.instrument, tape.continuity, 5, marks=True)
    assert [each for each in state.plan.instructions if each.op is op]
    state.plan.read("mark_price", state.tick["mark_price"])
    after = []
    for sides in ([0], [-9, 8, 2**62]):
        wild = {name: column.copy() for name, column in block.items()}
        wild["side"][marks] = np.resize(np.array(sides), len(marks))
        program = Program(state.plan)
        last = np.flatnonzero(block["kind"] != MARK)[-1] + 1
        made = program.push({name: column[:last] for name, column in wild.items()})
        assert np.isnan(made["tick"]["mark_price"]).all()
        after.append(program.save())
    assert after[0] == after[1]  # nor is anything written beside the values
