"""The true book against ours: every level of both sides, after every update while ours is valid.

Our book is read out of the live program's words where they lie (book/ladder.py). A REST snapshot
may show less than the venue has: levels beyond its worst price are unknown until they are touched.
So within that price every level must be there and equal; beyond it, what is there must be equal.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qf.book.ladder import (
    BITMAP,
    FAR,
    KEYS,
    MASK,
    NO_LEVEL,
    OCCUPIED,
    RING,
    SIZES,
    WIDTH,
)

Levels = dict[int, int]  # lots by price in ticks


def side_of(words: np.ndarray, at: int, side: int) -> tuple[Levels, int]:
    """Return the levels of one side (0 bid, 1 ask), and the signed tick beyond which is unknown."""
    top = int(words[at + 2 + side])
    worst = int(words[at + 7 + side])
    if top == NO_LEVEL:
        return {}, worst
    start = at + OCCUPIED + side * BITMAP
    used = np.flatnonzero(words[start : start + BITMAP])  # few of the map's words are
    bits = np.unpackbits(words[start + used].view(np.uint8), bitorder="little")
    found = np.flatnonzero(bits.view(np.bool_))
    places = used[found >> 6] * 64 + (found & 63)
    ring = at + RING + side * WIDTH
    signed = top - ((top - places) & MASK)
    levels = dict(zip(np.abs(signed).tolist(), words[ring + places].tolist(), strict=True))
    if words[at + 4 + side]:
        keys = words[at + KEYS + side * FAR : at + KEYS + (side + 1) * FAR]
        sizes = words[at + SIZES + side * FAR : at + SIZES + (side + 1) * FAR]
        taken = np.flatnonzero(keys)
        levels |= dict(zip(np.abs(keys[taken]).tolist(), sizes[taken].tolist(), strict=True))
    return levels, worst


def first_difference(ours: Levels, truth: Mapping[int, int], worst: int, side: int) -> str:
    """Return the best level that differs, in words; "" where the sides are equal."""
    if ours == truth:
        return ""
    sign = 1 if side == 0 else -1
    for price in sorted({*ours, *truth}, key=lambda price: -sign * price):
        known = worst == NO_LEVEL or sign * price >= worst or price in ours
        if known and ours.get(price, 0) != truth.get(price, 0):
            name = "bid" if side == 0 else "ask"
            return f"{name} {price}: ours {ours.get(price, 0)}, true {truth.get(price, 0)}"
    return ""


def is_same(words: np.ndarray, at: int, side: int, truth: Mapping[int, int]) -> bool:
    """Say whether a side holds every true level with its size, and no other.

    False also where it is not so plain: a level lies outside the ring, or the sides differ.
    """
    top, count = int(words[at + 2 + side]), len(truth)
    if top == NO_LEVEL or words[at + 4 + side] or not count:
        return False
    prices = np.fromiter(truth, np.int64, count)
    signed = prices if side == 0 else -prices
    if signed.max() > top or signed.min() <= top - WIDTH:
        return False
    places = signed & MASK
    start = at + OCCUPIED + side * BITMAP
    used = words[start : start + BITMAP].view(np.uint64)
    if np.bitwise_count(used).sum() != count:  # as many levels as there truly are, and these
        return False
    ring = at + RING + side * WIDTH
    sizes = np.fromiter(truth.values(), np.int64, count)
    there = words[start + (places >> 6)] >> (places & 63)
    return bool((there & 1).all() and (words[ring + places] == sizes).all())


def compare(words: np.ndarray, at: int, bids: Mapping[int, int], asks: Mapping[int, int]) -> str:
    """Return the first level at which a book in `words` is not the true one, "" for none."""
    for side, truth in ((0, bids), (1, asks)):
        if is_same(words, at, side, truth):
            continue
        ours, worst = side_of(words, at, side)
        difference = first_difference(ours, truth, worst, side)
        if difference:
            return difference
    return ""
