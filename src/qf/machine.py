"""The one compiled loop: feed a block, call every instruction by address, hand out the rows.

Its state between calls is the header, so it can stop to let Python drain a full sink or enlarge a
clock and then go on at the same instruction; where it stops never changes a bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

from qf import kernel

# header: 0 instructions, 1 code, 2 clocks, 3 clock table, 4 feeds, 5 feed table, 6 sink table,
# 7 reads, 8 rows done, 9 rows given, 10 next instruction, 11 block, 12 clock short of room,
# 13 rows it needs, 14 columns, 15 buffer bases, 16 rows of the block in hand, 17 whether the root
# clock's columns are the feed itself, 18 whether the block in hand has begun
HEADER_WORDS = 32
# where: 0 in clock, 1.. out clocks, 8 number of out clocks that get rows, 16.. made, 32.. room,
# 48 which declared outputs anybody reads, 49.. which columns of each
WHERE_WORDS = 128
# What a step answers besides the clocks that made a row each: drain or grow (the loop's 1 and 2);
# a clock has made several rows; nothing was done, as the root clock is the feed itself, or as the
# row has not one word per feed.
DRAIN, GROW, SEVERAL, ON_FEED, WRONG_WIDTH = -1, -2, -3, -4, -5

_TEXT = '''"""Generated; do not edit."""
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# A sink of more words than this does not fit in a processor's own cache: its rows are written past
# it. A lock is taken before anybody reads them (the interpreter's own), which ends the writes.
CACHED_WORDS = 1 << 17
ANSWERS

@intrinsic
def words(typing, address):
    def build(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
    return types.CPointer(types.int64)(types.int64), build

@intrinsic
def copy(typing, target, source, count):
    def build(context, builder, signature, a):
        word = ir.IntType(64).as_pointer()
        to, start = builder.inttoptr(a[0], word), builder.inttoptr(a[1], word)
        cgutils.raw_memmove(builder, to, start, a[2], itemsize=8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), build

@intrinsic
def store_past_cache(typing, address, value):
    def build(context, builder, signature, arguments):
        word = ir.IntType(64)
        at = builder.inttoptr(arguments[0], word.as_pointer())
        store = builder.store(arguments[1], at)
        once = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        store.set_metadata("nontemporal", once)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), build

@intrinsic
def call(typing, address, clock, where, columns, params, state, ints):
    def build(context, builder, signature, a):
        word = ir.IntType(64).as_pointer()
        real = ir.DoubleType().as_pointer()
        kinds = [word, word, word, word, real.as_pointer(), word.as_pointer(), real, real, word]
        made = builder.add(a[2], ir.Constant(ir.IntType(64), 16 * 8))
        room = builder.add(a[2], ir.Constant(ir.IntType(64), 32 * 8))
        given = [a[1], a[2], made, room, a[3], a[3], a[4], a[5], a[6]]
        function = ir.FunctionType(ir.IntType(64), kinds)
        target = builder.inttoptr(a[0], function.as_pointer())
        return builder.call(target, [builder.inttoptr(v, k) for v, k in zip(given, kinds)])
    return types.int64(*[types.int64] * 7), build

@njit(error_model="numpy")
def move(target, source, count):
    """Copy words; one alone without a call."""
    if count == 1:
        words(target)[0] = words(source)[0]
    else:
        copy(target, source, count)

@njit(error_model="numpy")
def copy_past_cache(target, source, count):
    """Copy words that are not read soon: the lines they go to need not be fetched first."""
    given = words(source)
    for k in range(count):
        store_past_cache(target + 8 * k, given[k])

@njit(error_model="numpy")
def compact(clocks, bases, c):
    """Move a clock's history to the front of its buffer; the block in hand must be empty, and
    every row before it flushed."""
    lo = clocks[8 * c]
    cap = clocks[8 * c + 3]
    tail = clocks[8 * c + 4]
    base = bases[2 * c]
    for k in range(bases[2 * c + 1]):
        copy(base + 8 * k * cap, base + 8 * (k * cap + lo - tail), tail)
    clocks[8 * c] = tail
    clocks[8 * c + 5] = tail

@njit(error_model="numpy")
def begin(h):
    """Close the block before, make room, and copy the next rows of the feed in.

    A root clock that is the feed itself needs neither room nor copy.
    """
    n_clocks = h[2]
    clocks = words(h[3])
    bases = words(h[15])
    done = h[8]
    m = min(h[9] - done, h[11])
    h[16] = m
    if h[17] == 1:
        clocks[2] += clocks[1] - clocks[0]
        clocks[0] = done
        clocks[1] = done + m
    for c in range(h[17], n_clocks):
        lo = clocks[8 * c + 1]
        clocks[8 * c + 2] += lo - clocks[8 * c]
        clocks[8 * c] = lo
        # Who makes rows asks for room itself.
        if c == 0 and clocks[3] - lo < m:
            compact(clocks, bases, c)
        clocks[8 * c + 1] = clocks[8 * c]
    if h[17] == 0:
        feeds = words(h[5])
        lo = clocks[0]
        for k in range(h[4]):
            move(feeds[2 * k + 1] + 8 * lo, feeds[2 * k] + 8 * done, m)
        clocks[1] = lo + m

@njit(error_model="numpy")
def flush(h, c):
    """Append a clock's rows that still wait to its sink; 1 when that has no room for them."""
    clocks = words(h[3])
    sinks = words(h[6])
    handed = clocks[8 * c + 5]
    rows = clocks[8 * c + 1] - handed
    fill = sinks[4 * c]
    columns = sinks[4 * c + 3]
    if columns > 0 and rows > 0:
        if fill + rows > sinks[4 * c + 1]:
            sinks[4 * c + 2] = rows
            return 1
        reads = words(h[7])
        first = clocks[8 * c + 6]
        large = columns * sinks[4 * c + 1] > CACHED_WORDS
        for k in range(first, first + columns):
            target, source = reads[2 * k + 1] + 8 * fill, reads[2 * k] + 8 * handed
            if large:
                copy_past_cache(target, source, rows)
            else:
                move(target, source, rows)
        sinks[4 * c] = fill + rows
    clocks[8 * c + 5] = clocks[8 * c + 1]
    return 0

@njit(error_model="numpy")
def hand_out(h, least):
    """Flush the root clock, and every other that has at least so many rows waiting."""
    clocks = words(h[3])
    for c in range(h[2]):
        if clocks[8 * c + 1] - clocks[8 * c + 5] >= (1 if c == 0 else least):
            if flush(h, c) == 1:
                return 1
    return 0

@njit(cache=True, nogil=True, error_model="numpy")
def run(header):
    h = words(header)
    code = words(h[1])
    clocks = words(h[3])
    n = h[0]
    while True:
        if h[18] == 0:
            if h[8] >= h[9]:
                return hand_out(h, 1)
            begin(h)
            h[18] = 1
        while h[10] < n:
            p = 6 * h[10]
            where = words(code[p + 1])
            outs = where[8]
            source = where[0]
            if outs > 0:
                for k in range(outs):
                    c = where[1 + k]
                    where[16 + k] = 0
                    where[32 + k] = clocks[8 * c + 3] - clocks[8 * c]
            elif clocks[8 * source] == clocks[8 * source + 1] and where[1] == source:
                h[10] += 1
                continue
            given = (code[p + 1], code[p + 2], code[p + 3], code[p + 4], code[p + 5])
            need = call(code[p], h[3], *given)
            if need != 0:
                moved = 0
                for k in range(outs):
                    c = where[1 + k]
                    asked = where[16 + k] if need < 0 else need
                    if clocks[8 * c + 3] - clocks[8 * c] < asked:
                        if flush(h, c) == 1:
                            return 1
                        if clocks[8 * c + 3] - clocks[8 * c + 4] < asked:
                            h[12] = c
                            h[13] = asked
                            return 2
                        # An out clock has no rows yet in this block, so its history may move.
                        compact(clocks, words(h[15]), c)
                        clocks[8 * c + 1] = clocks[8 * c]
                        moved = 1
                if moved == 1:
                    continue
            for k in range(outs):
                c = where[1 + k]
                clocks[8 * c + 1] = clocks[8 * c] + where[16 + k]
            h[10] += 1
        if hand_out(h, 192) == 1:
            return 1
        h[8] += h[16]
        h[10] = 0
        h[18] = 0

@njit("int64(int64, float64[:])", cache=True, error_model="numpy")
def step(header, row):
    """Feed one row that lies in `row`, one word per feed, with every sink empty.

    Say which clocks have made one row each, as bits; or what else has come, as one of the answers
    below 0: to drain or to grow as `run` says it, or nothing has been done.
    """
    h = words(header)
    if h[17] == 1:
        return ON_FEED
    if row.size != h[4]:
        return WRONG_WIDTH
    feeds = words(h[5])
    for k in range(h[4]):
        feeds[2 * k] = row.ctypes.data + row.strides[0] * k
    sinks = words(h[6])
    for c in range(h[2]):
        sinks[4 * c] = 0
    h[8] = 0
    h[9] = 1
    h[10] = 0
    h[18] = 0
    stopped = run(header)
    if stopped != 0:
        return -stopped
    made = 0
    for c in range(h[2]):
        fill = sinks[4 * c]
        if fill > 1 or (fill == 1 and c > 61):
            return SEVERAL
        made |= fill << c
    return made
'''


@cache
def load_machine() -> tuple[Callable[..., int], Callable[..., int]]:
    """Return the compiled loop and its form for one row.

    The header's address in, a status out: 0 done, 1 drain, 2 grow. The second takes the row too,
    and is called past numba's look at its types: they must be right.
    """
    answers = f"SEVERAL, ON_FEED, WRONG_WIDTH = {SEVERAL}, {ON_FEED}, {WRONG_WIDTH}"
    text = _TEXT.replace("ANSWERS", answers)
    key = f"machine_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    module = kernel.load_generated(key, text)
    return module.run, next(iter(module.step.overloads.values())).entry_point
