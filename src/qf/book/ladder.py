"""The price ladder: every level of a book in flat int64 words, both sides alike.

Sides are k = 0 (bid) and 1 (ask). A level is a *signed tick* u: +ticks for bids, -ticks for asks,
so the best level of either side is the largest u. Levels near the best live in a dense
power-of-two ring with an occupancy bitmap; levels further out in a hash map. The ring's window
is (top - WIDTH, top]; every far level lies below it, and the window moves when the best comes
near its edge. All prices and sizes are exact.

A ladder is two sides alike, one behind the other; `s` is where the words of a side begin.
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
SIGN = -(1 << 63)
BEHIND_WORDS = 3  # of the bitmap, behind that of the best: most levels that are asked for lie there

# Words of a side: the best u (NO_LEVEL when empty), the top of the window, how many levels are far
# and how many were lost to a full map, the worst u of the last snapshot; then the levels.
BEST_U, TOP_U, FAR_COUNT, FAR_LOST, WORST_U = range(5)
RING = 8
OCCUPIED = RING + WIDTH
KEYS = OCCUPIED + BITMAP
SIZES = KEYS + FAR
SIDE_WORDS = SIZES + FAR
LADDER_WORDS = 2 * SIDE_WORDS

HASH = 0x9E3779B1


def side_at(at, k):
    """Return where side k of the ladder at `at` begins."""
    return at + k * SIDE_WORDS


def ladder_clear(w, at):
    """Empty both sides."""
    for s in (at, side_at(at, 1)):
        w[s + BEST_U] = NO_LEVEL
        w[s + TOP_U] = NO_LEVEL
        w[s + WORST_U] = NO_LEVEL
        w[s + FAR_LOST] = 0
        for i in range(BITMAP):
            w[s + OCCUPIED + i] = 0
        if w[s + FAR_COUNT] > 0:
            for i in range(FAR):
                w[s + KEYS + i] = 0
        w[s + FAR_COUNT] = 0


def far_find(w, s, u):
    """Return the slot that holds u, or the empty slot where it would go."""
    slot = (u * HASH >> 8) & FAR_MASK
    keys = s + KEYS
    while w[keys + slot] != 0 and w[keys + slot] != u:
        slot = (slot + 1) & FAR_MASK
    return slot


def far_set(w, s, u, size):
    """Store, replace or (size 0) remove a far level; a full map counts the loss instead."""
    keys = s + KEYS
    sizes = s + SIZES
    slot = far_find(w, s, u)
    if w[keys + slot] == u:
        if size > 0:
            w[sizes + slot] = size
        else:
            far_drop(w, s, slot)
    elif size > 0:
        if w[s + FAR_COUNT] >= FAR_LIMIT:
            w[s + FAR_LOST] += 1
            return
        w[keys + slot] = u
        w[sizes + slot] = size
        w[s + FAR_COUNT] += 1


def far_drop(w, s, slot):
    """Remove a slot and close the hole, so that no marker of the removed stays behind."""
    keys = s + KEYS
    sizes = s + SIZES
    w[s + FAR_COUNT] -= 1
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


def far_best(w, s):
    """Return the largest far u, or NO_LEVEL."""
    best = NO_LEVEL
    if w[s + FAR_COUNT] > 0:
        for slot in range(FAR):
            u = w[s + KEYS + slot]
            if u != 0 and u > best:
                best = u
    return best


def up_to(u):
    """Return the bits of a bitmap word that stand for tick u and the ticks below it."""
    return (2 << (u & 63)) - 1


def ring_next(w, s, u):
    """Return the largest occupied u' <= u inside the window, or NO_LEVEL."""
    low = w[s + TOP_U] - WIDTH + 1
    if u < low:
        return NO_LEVEL
    bits = s + OCCUPIED
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


def ring_put(w, s, u, size):
    """Store or (size 0) remove a level inside the window."""
    place = u & MASK
    word = s + OCCUPIED + (place >> 6)
    if size > 0:
        w[s + RING + place] = size
        w[word] |= 1 << (place & 63)
    else:
        w[word] &= ~(1 << (place & 63))


def move_window(w, s, top):
    """Set the top of the window: levels that fall out go far, far levels inside come in."""
    old = w[s + TOP_U]
    low = top - WIDTH + 1
    if old != NO_LEVEL and top > old:
        u = ring_next(w, s, min(low - 1, old))
        while u != NO_LEVEL:
            size = w[s + RING + (u & MASK)]
            ring_put(w, s, u, 0)
            far_set(w, s, u, size)
            u = ring_next(w, s, u - 1)
    w[s + TOP_U] = top
    if w[s + FAR_COUNT] > 0 and (old == NO_LEVEL or top < old):
        keys = s + KEYS
        slot = 0
        while slot < FAR:
            u = w[keys + slot]
            if u != 0 and u >= low:
                size = w[s + SIZES + slot]
                far_drop(w, s, slot)
                ring_put(w, s, u, size)
            else:
                slot += 1


def ladder_set(w, s, u, size):
    """Set the absolute size of level u (0 removes it) and keep the best."""
    top = w[s + TOP_U]
    if u > top or u <= top - WIDTH:
        # The best may be a message old: the ring itself says whether something is nearer.
        if size == 0 or u < w[s + BEST_U] or (u < top and ring_next(w, s, top) != NO_LEVEL):
            if u < top:
                far_set(w, s, u, size)
            return
        # A new best outside the window, or the first level of an empty side: the window follows.
        move_window(w, s, u + MARGIN)
    ring_put(w, s, u, size)
    best = w[s + BEST_U]
    if size > 0:
        if u > best:
            w[s + BEST_U] = u
    elif u == best:
        best = ring_next(w, s, u - 1)
        if best == NO_LEVEL:
            best = far_best(w, s)
        w[s + BEST_U] = best
        if best != NO_LEVEL and best < w[s + TOP_U] - WIDTH + 1 + MARGIN:
            move_window(w, s, best + MARGIN)


def find_best(w, s, changed):
    """Find the best of a side anew, where levels up to `changed` may have come or gone."""
    best = min(max(w[s + BEST_U], changed), w[s + TOP_U])
    if best != NO_LEVEL:
        # Whether it is still there nobody can predict; that it or one near it is, anybody can.
        # No level of the ring is above it: what the word holds up to it lies in the window.
        near = w[s + OCCUPIED + ((best & MASK) >> 6)] & up_to(best)
        if near != 0:
            best = (best & ~63) + highest_bit(near)
        else:
            best = ring_next(w, s, best)
            if best == NO_LEVEL:
                best = far_best(w, s)
    w[s + BEST_U] = best
    return best


def settle_best(w, s, changed):
    """Find the best of a side anew; the window follows it."""
    best = find_best(w, s, changed)
    if best != NO_LEVEL and best < w[s + TOP_U] - WIDTH + 1 + MARGIN:
        move_window(w, s, best + MARGIN)


@inlined
def put_level(w, s, u, size):
    """Set the absolute size of level u (0 removes it); the best of the side is left as it was."""
    if (w[s + TOP_U] - u) & ~MASK == 0:  # at or behind the window's top, and less than WIDTH
        place = u & MASK
        word = s + OCCUPIED + (place >> 6)
        full = 1 if size > 0 else 0
        w[s + RING + place] = size
        w[word] = (w[word] & ~(1 << (place & 63))) | (full << (place & 63))
    else:
        ladder_set(w, s, u, size)


def best_set(bid, ask):
    """Return the best tick that was set per side, NO_LEVEL where none was.

    `bid` and `ask` are the largest u and the largest u ^ SIGN of all.
    """
    return bid if bid > 0 else NO_LEVEL, ask ^ SIGN if ask > 0 else NO_LEVEL


def settle_sides(w, at, bid, ask):
    """Find the best of both sides anew, where levels up to `bid` and `ask` (u ^ SIGN) were set.

    Return the best that was set per side, NO_LEVEL where none was.
    """
    bid, ask = best_set(bid, ask)
    settle_best(w, at, bid)
    settle_best(w, side_at(at, 1), ask)
    return bid, ask


def ladder_apply(w, at, source, count):
    """Set `count` levels (signed tick, size) that lie in w from `source`.

    Return the best tick that was set per side, NO_LEVEL where none was. Sides and sizes come in
    no order that a processor could guess, so the loop does not branch on them: the best is looked
    for once, at the end. An ask's tick without its sign is above 0, a bid's below.
    """
    bid, ask = NO_LEVEL, NO_LEVEL
    for i in range(source, source + 2 * count, 2):
        u = w[i]
        bid, ask = max(bid, u), max(ask, u ^ SIGN)
        put_level(w, side_at(at, -(u >> 63)), u, w[i + 1])
    return settle_sides(w, at, bid, ask)


def ladder_take(w, at, tape, stride0, t, hi):
    """Set the levels of the tape's rows from t on, up to the last of their message or to hi.

    Return the row after them, and what `ladder_apply` does.
    """
    bid, ask, last = NO_LEVEL, NO_LEVEL, 0
    while t < hi and last == 0:
        last = tape[LAST_ROW * stride0 + t]
        u = tape[SIDE * stride0 + t] * tape[PRICE * stride0 + t]
        bid, ask = max(bid, u), max(ask, u ^ SIGN)
        put_level(w, side_at(at, -(u >> 63)), u, tape[SIZE * stride0 + t])
        t += 1
    bid, ask = settle_sides(w, at, bid, ask)
    return t, bid, ask


def ladder_read(w, s, u, ticks, sizes, count, levels):
    """Copy levels at and behind u, best first, to ticks + count.. and sizes + count.. of w.

    Stop at `levels` and return how many there are then; u need not be a level.
    """
    low = w[s + TOP_U] - WIDTH + 1
    ring = s + RING
    bits = s + OCCUPIED
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
    if count < levels and w[s + FAR_COUNT] > 0 and u != NO_LEVEL:
        here = next_far(w, s, min(u, low - 1))
        while here != NO_LEVEL and count < levels:
            w[ticks + count] = here
            w[sizes + count] = level_size(w, s, here)
            count += 1
            here = next_far(w, s, here - 1)
    return count


def ladder_holds(w, s, u, worst, enough):
    """Say whether at least `enough` levels lie at and behind u and not behind `worst`."""
    if (u & ~63) - 64 * BEHIND_WORDS < max(w[s + TOP_U] - WIDTH + 1, worst):
        return count_levels(w, s, u, worst, enough) >= enough
    # Where there are as many, they mostly lie near: a few words tell without a branch.
    bits = s + OCCUPIED
    near = count_bits(w[bits + ((u & MASK) >> 6)] & up_to(u))
    for word in range(1, 1 + BEHIND_WORDS):
        near += count_bits(w[bits + (((u - 64 * word) & MASK) >> 6)])
    return near >= enough or count_levels(w, s, u, worst, enough) >= enough


def count_levels(w, s, u, worst, most):
    """Return how many levels lie at and behind u and not behind `worst`, or a number >= `most`."""
    count, here = 0, ring_next(w, s, u)
    while here != NO_LEVEL and here >= worst and count < most:
        count += 1
        here = ring_next(w, s, here - 1)
    if here != NO_LEVEL or w[s + FAR_COUNT] == 0:
        return count
    for slot in range(FAR):
        other = w[s + KEYS + slot]
        count += 1 if other != 0 and worst <= other <= u else 0
    return count


def level_size(w, s, u):
    """Return the size at level u, 0 where there is none."""
    top = w[s + TOP_U]
    if u <= top - WIDTH:
        slot = far_find(w, s, u)
        return w[s + SIZES + slot] if w[s + KEYS + slot] == u else 0
    place = u & MASK
    if u > top or (w[s + OCCUPIED + (place >> 6)] >> (place & 63)) & 1 == 0:
        return 0
    return w[s + RING + place]


def next_far(w, s, u):
    """Return the best far level at or behind u (outward), or NO_LEVEL."""
    best = NO_LEVEL
    for slot in range(FAR):
        other = w[s + KEYS + slot]
        if other != 0 and best < other <= u:
            best = other
    return best
