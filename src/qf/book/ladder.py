"""The price ladder: every level of a book in flat int64 words, both sides alike.

Sides are k = 0 (bid) and 1 (ask). A level is a *signed tick* u: +ticks for bids, -ticks for asks,
so the best level of either side is the largest u. Levels near the best live in a dense
power-of-two ring with an occupancy bitmap; levels further out in a hash map. The ring's window
is (top - WIDTH, top]; every far level lies below it, and the window moves when the best comes
near its edge. All prices and sizes are exact.

Words from offset `at`: 0-1 best u per side (NO_LEVEL when empty), 2-3 top of the window,
4-5 far count, 6 far levels lost to a full map, 7-8 the last snapshot's worst u per side.
"""

from qf.intrinsics import count_bits, highest_bit
from qf.kernel import inlined
from qf.schema import LAST_ROW, PRICE, SIDE, SIZE

WIDTH = 1 << 15
MASK = WIDTH - 1
BITMAP = WIDTH >> 6
BITMAP_MASK = BITMAP - 1
FAR = 1 << 13
FAR_MASK = FAR - 1
FAR_LIMIT = FAR - (FAR >> 2)
MARGIN = WIDTH >> 2
NO_LEVEL = -(1 << 60)

HEAD = 16
RING = HEAD
OCCUPIED = RING + 2 * WIDTH
KEYS = OCCUPIED + 2 * BITMAP
SIZES = KEYS + 2 * FAR
LADDER_WORDS = SIZES + 2 * FAR

HASH = 0x9E3779B1


def ladder_clear(w, at):
    """Empty both sides."""
    for k in range(2):
        w[at + k] = NO_LEVEL
        w[at + 2 + k] = NO_LEVEL
        w[at + 7 + k] = NO_LEVEL
        for i in range(BITMAP):
            w[at + OCCUPIED + k * BITMAP + i] = 0
        if w[at + 4 + k] > 0:
            for i in range(FAR):
                w[at + KEYS + k * FAR + i] = 0
        w[at + 4 + k] = 0
    w[at + 6] = 0


def far_find(w, at, k, u):
    """Return the slot that holds u, or the empty slot where it would go."""
    slot = (u * HASH >> 8) & FAR_MASK
    keys = at + KEYS + k * FAR
    while w[keys + slot] != 0 and w[keys + slot] != u:
        slot = (slot + 1) & FAR_MASK
    return slot


def far_set(w, at, k, u, size):
    """Store, replace or (size 0) remove a far level; a full map counts the loss instead."""
    keys = at + KEYS + k * FAR
    sizes = at + SIZES + k * FAR
    slot = far_find(w, at, k, u)
    if w[keys + slot] == u:
        if size > 0:
            w[sizes + slot] = size
        else:
            far_drop(w, at, k, slot)
    elif size > 0:
        if w[at + 4 + k] >= FAR_LIMIT:
            w[at + 6] += 1
            return
        w[keys + slot] = u
        w[sizes + slot] = size
        w[at + 4 + k] += 1


def far_drop(w, at, k, slot):
    """Remove a slot and close the hole, so that no marker of the removed stays behind."""
    keys = at + KEYS + k * FAR
    sizes = at + SIZES + k * FAR
    w[at + 4 + k] -= 1
    hole = slot
    probe = slot
    while True:
        probe = (probe + 1) & FAR_MASK
        u = w[keys + probe]
        if u == 0:
            break
        home = (u * HASH >> 8) & FAR_MASK
        if ((probe - home) & FAR_MASK) >= ((probe - hole) & FAR_MASK):
            w[keys + hole] = u
            w[sizes + hole] = w[sizes + probe]
            hole = probe
    w[keys + hole] = 0


def far_best(w, at, k):
    """Return the largest far u, or NO_LEVEL."""
    best = NO_LEVEL
    if w[at + 4 + k] > 0:
        for slot in range(FAR):
            u = w[at + KEYS + k * FAR + slot]
            if u != 0 and u > best:
                best = u
    return best


def up_to(u):
    """Return the bits of a bitmap word that stand for tick u and the ticks below it."""
    return (2 << (u & 63)) - 1


def ring_next(w, at, k, u):
    """Return the largest occupied u' <= u inside the window, or NO_LEVEL."""
    low = w[at + 2 + k] - WIDTH + 1
    if u < low:
        return NO_LEVEL
    bits = at + OCCUPIED + k * BITMAP
    word = (u & MASK) >> 6
    high = u >> 6
    found = w[bits + word] & up_to(u)
    last = low >> 6
    while found == 0:
        high -= 1
        if high < last:
            return NO_LEVEL
        word = (word - 1) & BITMAP_MASK
        found = w[bits + word]
    best = high * 64 + highest_bit(found)
    return best if best >= low else NO_LEVEL


def ring_put(w, at, k, u, size):
    """Store or (size 0) remove a level inside the window."""
    place = u & MASK
    word = at + OCCUPIED + k * BITMAP + (place >> 6)
    if size > 0:
        w[at + RING + k * WIDTH + place] = size
        w[word] |= 1 << (place & 63)
    else:
        w[word] &= ~(1 << (place & 63))


def move_window(w, at, k, top):
    """Set the top of the window: levels that fall out go far, far levels inside come in."""
    old = w[at + 2 + k]
    low = top - WIDTH + 1
    if old != NO_LEVEL and top > old:
        u = ring_next(w, at, k, min(low - 1, old))
        while u != NO_LEVEL:
            size = w[at + RING + k * WIDTH + (u & MASK)]
            ring_put(w, at, k, u, 0)
            far_set(w, at, k, u, size)
            u = ring_next(w, at, k, u - 1)
    w[at + 2 + k] = top
    if w[at + 4 + k] > 0 and (old == NO_LEVEL or top < old):
        keys = at + KEYS + k * FAR
        slot = 0
        while slot < FAR:
            u = w[keys + slot]
            if u != 0 and u >= low:
                size = w[at + SIZES + k * FAR + slot]
                far_drop(w, at, k, slot)
                ring_put(w, at, k, u, size)
            else:
                slot += 1


def ladder_set(w, at, k, u, size):
    """Set the absolute size of level u (0 removes it) and keep the best."""
    top = w[at + 2 + k]
    if u > top or u <= top - WIDTH:
        # The best may be a message old: the ring itself says whether something is nearer.
        if size == 0 or u < w[at + k] or (u < top and ring_next(w, at, k, top) != NO_LEVEL):
            if u < top:
                far_set(w, at, k, u, size)
            return
        # A new best outside the window, or the first level of an empty side: the window follows.
        move_window(w, at, k, u + MARGIN)
    ring_put(w, at, k, u, size)
    best = w[at + k]
    if size > 0:
        if u > best:
            w[at + k] = u
    elif u == best:
        best = ring_next(w, at, k, u - 1)
        if best == NO_LEVEL:
            best = far_best(w, at, k)
        w[at + k] = best
        if best != NO_LEVEL and best < w[at + 2 + k] - WIDTH + 1 + MARGIN:
            move_window(w, at, k, best + MARGIN)


def settle_best(w, at, k, changed):
    """Find the best of a side anew, where levels up to `changed` may have come or gone."""
    best = min(max(w[at + k], changed), w[at + 2 + k])
    if best != NO_LEVEL:
        # Whether it is still there nobody can predict; that it or one near it is, anybody can.
        # No level of the ring is above it: what the word holds up to it lies in the window.
        near = w[at + OCCUPIED + k * BITMAP + ((best & MASK) >> 6)] & up_to(best)
        if near != 0:
            best = (best & ~63) + highest_bit(near)
        else:
            best = ring_next(w, at, k, best)
            if best == NO_LEVEL:
                best = far_best(w, at, k)
    w[at + k] = best
    if best != NO_LEVEL and best < w[at + 2 + k] - WIDTH + 1 + MARGIN:
        move_window(w, at, k, best + MARGIN)


@inlined
def put_level(w, at, k, u, size):
    """Set the absolute size of level u (0 removes it); the best of the side is left as it was."""
    top = w[at + 2 + k]
    if (u <= top) & (u > top - WIDTH):
        place = u & MASK
        word = at + OCCUPIED + k * BITMAP + (place >> 6)
        full = 1 if size > 0 else 0
        w[at + RING + k * WIDTH + place] = size
        w[word] = (w[word] & ~(1 << (place & 63))) | (full << (place & 63))
    else:
        ladder_set(w, at, k, u, size)


def ladder_apply(w, at, source, count):
    """Set `count` levels (signed tick, size) that lie in w from `source`.

    Return the best tick that was set per side, NO_LEVEL where none was. Sides and sizes come in
    no order that a processor could guess, so the loop does not branch on them: the best is looked
    for once, at the end.
    """
    bid = NO_LEVEL
    ask = NO_LEVEL
    for i in range(source, source + 2 * count, 2):
        u = w[i]
        size = w[i + 1]
        k = -(u >> 63)
        bid = max(bid, NO_LEVEL if k == 1 else u)
        ask = max(ask, u if k == 1 else NO_LEVEL)
        put_level(w, at, k, u, size)
    settle_best(w, at, 0, bid)
    settle_best(w, at, 1, ask)
    return bid, ask


def ladder_take(w, at, tape, stride0, t, hi):
    """Set the levels of the tape's rows from t on, up to the last of their message or to hi.

    Return the row after them, and what `ladder_apply` does.
    """
    bid = NO_LEVEL
    ask = NO_LEVEL
    last = 0
    while t < hi and last == 0:
        side = tape[SIDE * stride0 + t]
        last = tape[LAST_ROW * stride0 + t]
        u = side * tape[PRICE * stride0 + t]
        k = (1 - side) >> 1
        bid = max(bid, NO_LEVEL if k == 1 else u)
        ask = max(ask, u if k == 1 else NO_LEVEL)
        put_level(w, at, k, u, tape[SIZE * stride0 + t])
        t += 1
    settle_best(w, at, 0, bid)
    settle_best(w, at, 1, ask)
    return t, bid, ask


def ladder_read(w, at, k, u, ticks, sizes, count, levels):
    """Copy levels at and behind u, best first, to ticks + count.. and sizes + count.. of w.

    Stop at `levels` and return how many there are then; u need not be a level.
    """
    low = w[at + 2 + k] - WIDTH + 1
    ring = at + RING + k * WIDTH
    bits = at + OCCUPIED + k * BITMAP
    high = u >> 6
    found = 0
    if u != NO_LEVEL and u >= low:
        found = w[bits + (high & BITMAP_MASK)] & up_to(u)
        while count < levels:
            while found == 0 and high > low >> 6:
                high -= 1
                found = w[bits + (high & BITMAP_MASK)]
            if found == 0:
                break
            place = highest_bit(found)
            found ^= 1 << place
            here = high * 64 + place
            if here < low:
                break
            w[ticks + count] = here
            w[sizes + count] = w[ring + (here & MASK)]
            count += 1
    if count < levels and w[at + 4 + k] > 0 and u != NO_LEVEL:
        here = next_far(w, at, k, min(u, low - 1))
        while here != NO_LEVEL and count < levels:
            w[ticks + count] = here
            w[sizes + count] = level_size(w, at, k, here)
            count += 1
            here = next_far(w, at, k, here - 1)
    return count


def ladder_holds(w, at, k, u, worst, enough):
    """Say whether at least `enough` levels lie at and behind u and not behind `worst`."""
    behind = (u - 64) & ~63
    if behind < max(w[at + 2 + k] - WIDTH + 1, worst):
        return count_levels(w, at, k, u, worst, enough) >= enough
    # Where there are as many, they mostly lie near: two words tell without a branch.
    bits = at + OCCUPIED + k * BITMAP
    near = count_bits(w[bits + ((u & MASK) >> 6)] & up_to(u))
    near += count_bits(w[bits + ((behind & MASK) >> 6)])
    return near >= enough or count_levels(w, at, k, u, worst, enough) >= enough


def count_levels(w, at, k, u, worst, most):
    """Return how many levels lie at and behind u and not behind `worst`, or a number >= `most`."""
    count, here = 0, ring_next(w, at, k, u)
    while here != NO_LEVEL and here >= worst and count < most:
        count += 1
        here = ring_next(w, at, k, here - 1)
    if here != NO_LEVEL or w[at + 4 + k] == 0:
        return count
    for slot in range(FAR):
        other = w[at + KEYS + k * FAR + slot]
        count += 1 if other != 0 and worst <= other <= u else 0
    return count


def level_size(w, at, k, u):
    """Return the size at level u, 0 where there is none."""
    top = w[at + 2 + k]
    if u <= top - WIDTH:
        slot = far_find(w, at, k, u)
        return w[at + SIZES + k * FAR + slot] if w[at + KEYS + k * FAR + slot] == u else 0
    place = u & MASK
    if u > top or (w[at + OCCUPIED + k * BITMAP + (place >> 6)] >> (place & 63)) & 1 == 0:
        return 0
    return w[at + RING + k * WIDTH + place]


def next_far(w, at, k, u):
    """Return the best far level at or behind u (outward), or NO_LEVEL."""
    best = NO_LEVEL
    for slot in range(FAR):
        other = w[at + KEYS + k * FAR + slot]
        if other != 0 and best < other <= u:
            best = other
    return best
