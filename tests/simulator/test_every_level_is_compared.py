"""The comparison of books: whatever differs in one level of either side is found and named."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.book.ladder import (
    LADDER_WORDS,
    MARGIN,
    MASK,
    NO_LEVEL,
    OCCUPIED,
    RING,
    TOP_U,
    WIDTH,
    WORST_U,
    far_set,
    side_at,
)
from qf.simulator.books import compare, first_difference, is_same, side_of

BEST = 1_000_000
DEPTHS = st.one_of(st.integers(0, 40), st.integers(WIDTH - 40, WIDTH + 40), st.integers(0, 10**5))
SIDES = st.dictionaries(DEPTHS, st.integers(1, 5), max_size=12)


def book_of(bids, asks):
    """Lay a book into words, as the ladder does: a ring below the top, a map beyond it."""
    words = np.zeros(LADDER_WORDS, np.int64)
    bits = words.view(np.uint64)
    for side, sign, levels in ((0, 1, bids), (1, -1, asks)):
        signed = {sign * price: size for price, size in levels.items()}
        at = side_at(0, side)
        words[at + TOP_U] = top = max(signed) + MARGIN if signed else NO_LEVEL
        words[at + WORST_U] = NO_LEVEL
        for level, size in signed.items():
            if level <= top - WIDTH:
                far_set(words, at, level, size)
                continue
            place = level & MASK
            words[at + RING + place] = size
            bits[at + OCCUPIED + (place >> 6)] |= np.uint64(1 << (place & 63))
    return words


@settings(max_examples=100, deadline=None)
@given(SIDES, SIDES, st.integers(0, 1), DEPTHS, st.integers(0, 5))
def test_a_level_that_differs_is_found_and_an_equal_book_is_equal(bids, asks, side, depth, size):
    truth = (
        {BEST - each: lots for each, lots in bids.items()},
        {BEST + 1 + each: lots for each, lots in asks.items()},
    )
    words = book_of(*truth)
    assert compare(words, 0, *truth) == ""
    price = BEST - depth if side == 0 else BEST + 1 + depth
    others = (dict(truth[0]), dict(truth[1]))
    others[side].pop(price, None)
    if size:
        others[side][price] = size
    if others == truth:
        return
    name = "bid" if side == 0 else "ask"
    told = f"{name} {price}: ours {truth[side].get(price, 0)}, true {size}"
    assert compare(words, 0, *others) == told
    at = side_at(0, side)
    assert not is_same(words, at, side, others[side])
    assert first_difference(*side_of(words, at)[:1], others[side], NO_LEVEL, side) == told
