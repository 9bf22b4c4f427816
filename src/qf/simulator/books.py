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
    FAR_COUNT,
    KEYS,
    MASK,
    NO_LEVEL,
    OCCUPIED,
    RING,
    SIZES,
    TOP_U,
    WIDTH,
    WORST_U,
    side_at,
)

Levels = dict[int, int]  # lots by price in ticks


def side_of(words: np.ndarray, at: int) -> tuple[Levels, int]:
    """Return the levels of the side at a place, and the signed tick beyond which is unknown."""
    top = int(words[at + TOP_U])
    worst = int(words[at + WORST_U])
    if top == NO_LEVEL:
        return {}, worst
    start = at + OCCUPIED
    used = np.flatnonzero(words[start : start + BITMAP])  # few of the map's words are
    bits = np.unpackbits(words[start + used].view(np.uint8), bitorder="little")
    found = np.flatnonzero(bits.view(np.bool_))
    places = used[found >> 6] * 64 + (found & 63)
    ring = at + RING
    signed = top - ((top - places) & MASK)
    levels = dict(zip(np.abs(signed).tolist(), words[ring + places].tolist(), strict=True))
    if words[at + FAR_COUNT]:
        keys = words[at + KEYS : at + KEYS + FAR]
        sizes = words[at + SIZES : at + SIZES + FAR]
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
    """Say whether side 0 (bid) or 1 (ask), at a place, holds every true level, and no other.

    False also where that is not plain: the side is empty, or a level beyond the window is near.
    """
    top, far = int(words[at + TOP_U]), int(words[at + FAR_COUNT])
    if top == NO_LEVEL or not truth:
        return False
    signed = np.fromiter(truth, np.int64, len(truth))
    signed = signed if side == 0 else -signed
    sizes = np.fromiter(truth.values(), np.int64, len(truth))
    if far:
        near = signed > top - WIDTH
        if not _is_far(words, at, _pairs(signed[~near], sizes[~near])):
            return False
        signed, sizes = signed[near], sizes[near]
    if not len(signed) or signed.max() > top or signed.min() <= top - WIDTH:
        return False
    places = signed & MASK
    start = at + OCCUPIED
    used = words[start : start + BITMAP].view(np.uint64)
    if np.bitwise_count(used).sum() != len(signed):  # as many levels as there are, and these
        return False
    ring = at + RING
    there = words[start + (places >> 6)] >> (places & 63)
    return bool((there & 1).all() and (words[ring + places] == sizes).all())


def _is_far(words: np.ndarray, at: int, truth: Mapping[int, int]) -> bool:
    """Say whether the map beyond the window holds these levels, by signed tick, and no other."""
    start, count = at + KEYS, len(truth)
    if int(words[at + FAR_COUNT]) != count:
        return False
    keys = words[start : start + FAR]
    taken = keys.astype(bool).nonzero()[0]
    sizes = words[at + SIZES + taken]
    return _pairs(keys[taken], sizes) == truth


def _pairs(keys: np.ndarray, values: np.ndarray) -> Levels:
    return dict(zip(keys.tolist(), values.tolist(), strict=True))


def compare(words: np.ndarray, at: int, bids: Mapping[int, int], asks: Mapping[int, int]) -> str:
    """Return the first level at which a book in `words` is not the true one, "" for none."""
    for side, truth in ((0, bids), (1, asks)):
        begins = side_at(at, side)
        if is_same(words, begins, side, truth):
            continue
        ours, worst = side_of(words, begins)
        difference = first_difference(ours, truth, worst, side)
        if difference:
            return difference
    return ""
