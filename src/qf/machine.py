"""The one compiled loop: feed a block, call every instruction by address, hand out the rows.

Its state between calls is the header, so it can stop to let Python drain a full sink or enlarge a
clock and then go on at the same instruction; where it stops never changes a bit.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from qf import kernel
from qf.machine_code import load

# header: 0 instructions, 1 code, 2 clocks, 3 clock table, 4 feeds, 5 feed table, 6 sink table,
# 7 reads, 8 rows done, 9 rows given, 10 next instruction, 11 block, 12 clock short of room,
# 13 rows it needs, 14 columns, 15 buffer bases, 16 rows of the block in hand, 17 whether the feed
# is read where it lies, 18 whether the block in hand has begun, 19 the type and 20 the dtype that a
# step's row must have, 21 how many addresses point at fed columns, 22 where they and the columns'
# places in the feed are written, 23 the stride of a feed that is read where it lies
HEADER_WORDS = 32
# where: 0 in clock, 1.. out clocks, 8 number of out clocks that get rows, 16.. made, 32.. room,
# 48 which declared outputs anybody reads, 49.. which columns of each
WHERE_WORDS = 128
# What a step answers besides the clocks that made a row each: drain or grow (the loop's 1 and 2);
# a clock has made several rows; nothing was done, as the row has not one word per feed, or as it is
# no plain row of float64.
DRAIN, GROW, SEVERAL, WRONG_WIDTH, WRONG_KIND = -1, -2, -3, -4, -5

_TEXT = '''"""Generated; do not edit."""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from qf.kernel_compiler import part, whole

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
def python_int(typing, value):
    def build(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        make = cgutils.get_or_insert_function(builder.module, kind, "PyLong_FromLongLong")
        return builder.call(make, arguments)
    return types.int64(types.int64), build

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

@part
def move(target, source, count):
    """Copy words; one or two without a call."""
    if count > 2:
        copy(target, source, count)
    elif count > 0:
        given, put = words(source), words(target)
        first, last = given[0], given[count - 1]
        put[0] = first
        put[count - 1] = last

@part
def copy_past_cache(target, source, count):
    """Copy words that are not read soon: the lines they go to need not be fetched first."""
    given = words(source)
    for k in range(count):
        store_past_cache(target + 8 * k, given[k])

@part
def compact(clocks, bases, c):
    """Move a clock's history to the front of its buffer; the block in hand must be empty, and
    every row before it flushed."""
    lo = clocks[8 * c]
    cap = clocks[8 * c + 3]
    tail = clocks[8 * c + 4]
    base = bases[2 * c]
    for k in range(bases[2 * c + 1]):
        move(base + 8 * k * cap, base + 8 * (k * cap + lo - tail), tail)
    clocks[8 * c] = tail
    clocks[8 * c + 5] = tail

@part
def begin(h):
    """Close the block before, make room, and copy the next rows of the feed in.

    A feed that is read where it lies is copied only while its rows have history elsewhere.
    """
    clocks = words(h[3])
    bases = words(h[15])
    done = h[8]
    m = min(h[9] - done, h[11])
    h[16] = m
    for c in range(h[2]):
        lo = clocks[8 * c + 1]
        clocks[8 * c + 2] += lo - clocks[8 * c]
        clocks[8 * c] = lo
        # Who makes rows asks for room itself.
        if c == 0 and clocks[3] - lo < m:
            compact(clocks, bases, c)
        clocks[8 * c + 1] = clocks[8 * c]
    lo = clocks[0]
    clocks[1] = lo + m
    if h[17] == 0 or done < clocks[4]:
        feeds = words(h[5])
        for k in range(h[4]):
            move(feeds[2 * k + 1] + 8 * lo, feeds[2 * k] + 8 * done, m)

@part
def lend(h):
    """Point everybody who reads a fed column at the feed, so that row lo is the next to be done."""
    clocks = words(h[3])
    feeds = words(h[5])
    readers = words(h[22])
    ahead = 8 * (h[8] - clocks[0])
    for k in range(h[21]):
        words(readers[2 * k])[0] = feeds[2 * readers[2 * k + 1]] + ahead
    clocks[7] = h[23]

@part
def give_back(h):
    """Point everybody at the root clock's own columns again; they keep the feed's last rows."""
    clocks = words(h[3])
    feeds = words(h[5])
    readers = words(h[22])
    for k in range(h[21]):
        words(readers[2 * k])[0] = feeds[2 * readers[2 * k + 1] + 1]
    clocks[7] = clocks[3]
    tail = clocks[4]
    for k in range(h[4]):
        copy(feeds[2 * k + 1] + 8 * (clocks[1] - tail), feeds[2 * k] + 8 * (h[8] - tail), tail)
    h[17] = 0

@part
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

@part
def hand_out(h, least):
    """Flush the root clock, and every other that has at least so many rows waiting."""
    clocks = words(h[3])
    for c in range(h[2]):
        if clocks[8 * c + 1] - clocks[8 * c + 5] >= (1 if c == 0 else least):
            if flush(h, c) == 1:
                return 1
    return 0

@part
def drive(h):
    code = words(h[1])
    clocks = words(h[3])
    n = h[0]
    while True:
        if h[18] == 0:
            if h[8] >= h[9]:
                if h[17] == 1:
                    give_back(h)
                return hand_out(h, 1)
            begin(h)
            h[18] = 1
        if h[17] == 1 and h[8] >= clocks[4]:  # again where Python has written addresses anew
            lend(h)
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
            need = call(
                code[p], h[3], code[p + 1], code[p + 2], code[p + 3], code[p + 4], code[p + 5]
            )
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

@whole(types.int64, types.int64)
def run(header):
    return drive(words(header))

@part
def one(h, row):
    """Feed one row, one word per feed, with every sink empty; say what came of it."""
    # An array: its head, data, dimensions' number, their sizes, strides, owner, type of a value.
    array = words(row)
    if array[HEAD - 1] != h[19] or array[HEAD + 5] != h[20] or array[HEAD + 1] & 0xFFFFFFFF != 1:
        return WRONG_KIND
    if words(array[HEAD + 2])[0] != h[4]:
        return WRONG_WIDTH
    data = array[HEAD]
    step = words(array[HEAD + 3])[0]
    feeds = words(h[5])
    for k in range(h[4]):
        feeds[2 * k] = data + step * k
    sinks = words(h[6])
    for c in range(h[2]):
        sinks[4 * c] = 0
    h[8] = 0
    h[9] = 1
    h[10] = 0
    h[18] = 0
    stopped = drive(h)
    if stopped != 0:
        return -stopped
    made = 0
    for c in range(h[2]):
        fill = sinks[4 * c]
        if fill > 1 or (fill == 1 and c > 61):
            return SEVERAL
        made |= fill << c
    return made

@whole(types.int64, types.int64, types.int64)
def step(header, row):
    """Be a method of Python's with one argument: the header's array and that of the row."""
    return python_int(one(words(words(header)[HEAD]), row))
'''


class _Method(ctypes.Structure):
    """A PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("call", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("about", ctypes.c_char_p),
    )


@dataclass(frozen=True)
class Machine:
    """The compiled loop: `run` takes the header's address, `step` makes what takes one row.

    `run` lets other threads of Python go on meanwhile. It answers 0 done, 1 drain, 2 grow.
    """

    run: Callable[[int], int]
    method: _Method

    def step(self, header: np.ndarray) -> Callable[[Any], int]:
        """Return what takes a row and says which clocks made one, or one of the answers below 0."""
        header[19:21] = id(np.ndarray), id(np.dtype(np.float64))
        new = ctypes.pythonapi.PyCFunction_NewEx
        new.restype = ctypes.py_object
        new.argtypes = (ctypes.POINTER(_Method), ctypes.py_object, ctypes.c_void_p)
        return new(ctypes.byref(self.method), header, None)


@cache
def load_machine() -> Machine:
    """Return the compiled loop."""
    head = object.__basicsize__ // 8
    answers = "SEVERAL, WRONG_WIDTH, WRONG_KIND, HEAD = "
    answers += f"{SEVERAL}, {WRONG_WIDTH}, {WRONG_KIND}, {head}"
    text = _TEXT.replace("ANSWERS", answers)
    key = f"machine_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    run, step = (load(kernel.compiled(key, text, name)) for name in ("run", "step"))
    takes_one = 8  # METH_O
    return Machine(
        ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(run),
        _Method(b"step", step, takes_one, b"Feed one row."),
    )
