"""A program fed one row per call gives the bits it gives for the whole tape at once."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from qf.bar_clock import add_bars, bar_clocks
from qf.errors import QuantflowError
from qf.op import find
from qf.plan import Plan
from qf.program import Program
from qf.testing.contract_bars import FLOATS, INTS, UNITS, random_tape

ENTRIES = (
    {"type": "tick", "count": 3},
    {"type": "volume", "threshold": 4, "overflow": "split"},  # several bars on one trade
)
NEVER_FREED: list[np.ndarray] = []  # what Python takes for an object


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(ENTRIES)


def plan_of(entries) -> Plan:
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int") for name in INTS}
    tick |= {name: plan.feed(name) for name in FLOATS}
    plan.read("smooth", plan.one(find("rolling_mean", "ops"), [tick["x"]], window=5))
    for clock in bar_clocks(entries, UNITS):
        for name, column in add_bars(plan, clock, tick).items():
            plan.read(name, column)
    return plan


def rows_of(plan: Plan, tape: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the tape's rows as a step takes them: one word per feed, int64 as its bits."""
    words = [np.ascontiguousarray(tape[name]).view(np.float64) for name, _ in plan.feeds]
    return list(np.ascontiguousarray(np.array(words).T))


def joined(program: Program, parts: list[dict[str, np.ndarray]]) -> dict[str, bytes]:
    clocks = {name for part in parts for name in part}
    return {c: np.concatenate([p[c] for p in parts if c in p], axis=1).tobytes() for c in clocks}


def copied(made: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {clock: matrix.copy() for clock, matrix in made.items()}


def test_steps_equal_one_push(plan):
    tape = random_tape(3)
    whole = Program(plan, 64)
    expected = joined(whole, [whole.advance(tape)])
    live = Program(plan, 1)
    made = joined(live, [copied(live.step(row)) for row in rows_of(plan, tape)])
    assert len(expected) == 3
    assert made == expected


@pytest.mark.parametrize("done", [0, 1, 40])
def test_a_push_of_no_rows_makes_nothing_and_changes_nothing(plan, done):
    tape = random_tape(3)
    whole = Program(plan, 64)
    expected = joined(whole, [whole.advance(tape)])
    program = Program(plan, 64)
    parts = [program.advance({name: column[:done] for name, column in tape.items()})]
    saved = program.save()
    assert program.advance({name: column[done:done] for name, column in tape.items()}) == {}
    assert program.save() == saved
    parts.append(program.advance({name: column[done:] for name, column in tape.items()}))
    assert joined(program, parts) == expected


def test_steps_and_pushes_may_take_turns(plan):
    tape = random_tape(4)
    whole = Program(plan, 64)
    expected = joined(whole, [whole.advance(tape)])
    mixed, parts, at = Program(plan, 7), [], 0
    for size in (1, 10, 1, 1, 30, 1, 76):
        piece = {name: column[at : at + size] for name, column in tape.items()}
        if size == 1:
            parts.append(copied(mixed.step(rows_of(plan, piece)[0])))
        else:
            parts.append(mixed.advance(piece))
        at += size
    assert at == len(tape["seq"])
    assert joined(mixed, parts) == expected


def test_a_row_of_another_kind_is_refused(plan):
    with pytest.raises(TypeError):
        Program(plan, 1).step(np.zeros(len(plan.feeds), np.int64))


@pytest.mark.parametrize("given", [None, 1.5, "1", [0.0] * 5, (0.0,), memoryview(b"12345678")])
def test_what_is_no_array_is_refused(plan, given):
    with pytest.raises(TypeError, match=type(given).__name__):
        Program(plan, 1).step(given)


def test_what_only_looks_like_an_array_is_refused(plan):
    row = np.zeros(len(plan.feeds))
    words = np.frombuffer(ctypes.string_at(id(row), np.ndarray.__basicsize__), np.int64).copy()
    (kind,) = np.flatnonzero(words == id(np.ndarray))
    words[kind] = id(object)
    NEVER_FREED.append(words)
    made = ctypes.cast(words.ctypes.data, ctypes.py_object).value
    with pytest.raises(TypeError, match="not object"):
        Program(plan, 1).step(made)


@pytest.mark.parametrize("of", ["float32", "complex128", "datetime64[ns]", ">f8", "object"])
def test_a_row_of_other_words_is_refused(plan, of):
    with pytest.raises(TypeError, match="float64"):
        Program(plan, 1).step(np.zeros(len(plan.feeds), "int64").astype(of))


def test_a_row_of_a_subclass_or_with_a_dtype_of_its_own_is_read(plan):
    class Row(np.ndarray):
        pass

    rows = rows_of(plan, random_tape(3))
    own = np.dtype("float64", metadata={"of": "a user"})
    whole = Program(plan, 1)
    expected = joined(whole, [copied(whole.step(row)) for row in rows])
    for given in ([row.view(Row) for row in rows], [row.view(own) for row in rows]):
        live = Program(plan, 1)
        assert joined(live, [copied(live.step(row)) for row in given]) == expected


def test_a_step_keeps_no_row_and_leaks_none(plan):
    program = Program(plan, 1)
    row = rows_of(plan, random_tape(3))[0].copy()
    before = sys.getrefcount(row)
    for _ in range(100):
        program.step(row)
    assert sys.getrefcount(row) == before


@pytest.mark.parametrize("shape", [(1, 5), (2, 2), ()])
def test_what_is_no_row_is_refused(plan, shape):
    with pytest.raises(TypeError):
        Program(plan, 1).step(np.zeros(shape))


@pytest.mark.parametrize("more", [-1, 1])
def test_a_row_of_another_width_is_refused_and_changes_nothing(plan, more):
    program = Program(plan, 1)
    program.step(rows_of(plan, random_tape(3))[0])
    saved = program.save()
    with pytest.raises(QuantflowError) as caught:
        program.step(np.zeros(len(plan.feeds) + more))
    assert caught.value.code == "QF432"
    assert program.save() == saved


def test_a_row_may_lie_with_gaps(plan):
    rows = rows_of(plan, random_tape(3))
    spread = [np.repeat(row, 3)[::3] for row in rows]
    backwards = [row[::-1].copy()[::-1] for row in rows]
    whole = Program(plan, 1)
    expected = joined(whole, [copied(whole.step(row)) for row in rows])
    for given in (spread, backwards):
        assert not given[0].flags.c_contiguous
        live = Program(plan, 1)
        assert joined(live, [copied(live.step(row)) for row in given]) == expected


def test_a_clock_with_several_rows_is_not_taken_for_another():
    plan, tape = plan_of(ENTRIES[::-1]), random_tape(5)
    whole, live = Program(plan, 64), Program(plan, 1)
    expected = joined(whole, [whole.advance(tape)])
    assert joined(live, [copied(live.step(row)) for row in rows_of(plan, tape)]) == expected


def test_one_row_may_make_more_than_there_is_room_for():
    plan, tape = plan_of(ENTRIES), random_tape(3)
    tape["size_lots"][40] *= 20_000
    whole, live = Program(plan, 64), Program(plan, 1)
    expected = joined(whole, [whole.advance(tape)])
    steps = [copied(live.step(row)) for row in rows_of(plan, tape)]
    assert max(matrix.shape[1] for made in steps for matrix in made.values()) > 2_000
    assert joined(live, steps) == expected
