"""Programs nobody thought of give one set of bits: in batch, row by row, cut, killed, in any block.

Ops of all families, bars, aggregations and labels are wired at random from the registries, so a
new file takes part without a new test.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from proof.prove_plans import random_plan
from qf.plan import Plan
from qf.proof.prove_find import Difference, call_of, first_difference, trails_of
from qf.proof.prove_path import Rows, outputs
from qf.proof.prove_schedule import Effort, Leg, Way, draw_ways
from qf.testing.contract_bars import random_tape

ROWS = 260
SEEDS = st.integers(0, 10**9)


def parted(plan: Plan, way: Way, seed: int) -> str:
    """Say where a way's columns first part from those of one push, "" where they never do."""
    tape = random_tape(seed, ROWS)
    whole = outputs(plan, (Leg(ROWS),), Rows([tape]))
    pushed = outputs(plan, way.legs, Rows([tape]), way.dirty)
    found = first_difference(plan, trails_of(plan, whole, pushed))
    return "" if found is None else said(plan, way, *found)


def said(plan: Plan, way: Way, place: int, at: Difference) -> str:
    instruction = plan.instructions[place]
    return f"{way.name}: {instruction.op.family}.{call_of(instruction)}, {at}"


@settings(max_examples=60)
@given(SEEDS)
def test_one_row_at_a_time_gives_the_bits_of_one_push(seed):
    way = Way("by row", "", (Leg(ROWS, by_row=True),), dirty=True)
    assert parted(random_plan(seed), way, seed) == ""


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 65_536))
def test_any_block_and_any_batch_give_the_bits_of_one_push(seed, block):
    batch = random.Random(seed).randint(1, ROWS)
    way = Way(f"block {block}", "", (Leg(ROWS, block, batch),), dirty=True)
    assert parted(random_plan(seed), way, seed) == ""


@settings(max_examples=8)
@given(SEEDS)
def test_every_way_a_proof_draws_gives_the_bits_of_one_push(seed):
    plan = random_plan(seed)
    effort = Effort(cuts=6, restarts=0, by_row=90, threads=1, seed=seed)
    for way in draw_ways(ROWS, effort):
        if way.threads == 1:
            assert parted(plan, way, seed) == ""
