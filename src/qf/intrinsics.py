"""What kernels do that plain Python cannot say well: an instruction each, or a few, by its name."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# What `count_below` takes together, and how far it goes before it says who still waits: two of the
# widest vectors keep a processor busy, and horizons are mostly multiples of 5. On a processor of
# narrower vectors LLVM takes more of them.
LANES, STEPS = 16, 5
EVERY_LANE = (1 << LANES) - 1

# A span is as many words on end, rows of a column mostly: one of the widest vectors.
SPAN = 8


def _test_of_span(name: str, given: str, flags: str) -> str:
    """Return the text of an intrinsic that answers a bit per word of a span."""
    return f"""@intrinsic
def {name}(typing, word, {given}):
    def build(context, builder, signature, arguments):
        word, {given} = arguments
        span = ir.VectorType(ir.IntType(64), {SPAN})

        def words(at):
            place = builder.bitcast(builder.gep(word, [at]), span.as_pointer())
            return builder.load(place, align=8)

        def every(value):
            one = builder.insert_element(ir.Constant(span, ir.Undefined), value, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), {SPAN}), [0] * {SPAN})
            return builder.shuffle_vector(one, one, zeros)

        flags = {flags}
        return builder.zext(builder.bitcast(flags, ir.IntType({SPAN})), ir.IntType(64))
    return types.int64(word, *[types.int64] * {given.count(",") + 1}), build
"""


# The text that replaces the function of the same name in a generated kernel.
INTRINSICS = {
    "float_of_bits": """@intrinsic
def float_of_bits(typing, bits):
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())
    return types.float64(types.int64), build
""",
    "bits_of_float": """@intrinsic
def bits_of_float(typing, number):
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))
    return types.int64(types.float64), build
""",
    "highest_bit": """@intrinsic
def highest_bit(typing, word):
    def build(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)
    return types.int64(types.uint64), build
""",
    "count_bits": """@intrinsic
def count_bits(typing, word):
    def build(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])
    return types.int64(types.uint64), build
""",
    "prefetch": """@intrinsic
def prefetch(typing, column, row):
    def build(context, builder, signature, arguments):
        word, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [word, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch.p0", [], kind)
        at = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), word)
        builder.call(fetch, [at, *(ir.Constant(number, given) for given in (0, 3, 1))])
        return context.get_dummy_value()
    return types.void(column, types.int64), build
""",
    "count_below": f"""@intrinsic
def count_below(typing, word, limit, value, count, waiting):
    def build(context, builder, signature, arguments):
        base, limit, value, count, waiting = arguments
        number, bits = ir.IntType(64), ir.IntType({LANES})
        numbers, flags = ir.VectorType(number, {LANES}), ir.VectorType(ir.IntType(1), {LANES})

        def place(at):
            return builder.bitcast(builder.gep(base, [at]), numbers.as_pointer())

        def every(value):
            return ir.Constant(numbers, [value] * {LANES})

        limits, below = builder.load(place(limit), align=8), every({STEPS})
        for step in reversed(range({STEPS})):
            at = builder.add(value, ir.Constant(number, step))
            reached = builder.icmp_signed(">=", builder.load(place(at), align=8), limits)
            below = builder.select(reached, every(step), below)
        waits = builder.bitcast(builder.trunc(waiting, bits), flags)
        below = builder.select(waits, below, every(0))
        counts = builder.load(place(count), align=8)
        builder.store(builder.add(counts, below), place(count), align=8)
        still = builder.icmp_signed("==", below, every({STEPS}))
        return builder.zext(builder.bitcast(still, bits), number)
    return types.int64(word, *[types.int64] * 4), build
""",
    "span_equal": _test_of_span(
        "span_equal",
        "at, first, step",
        "builder.icmp_signed('==', words(at), builder.add(every(first), builder.mul(every(step),"
        f" ir.Constant(span, [*range({SPAN})]))))",
    ),
    "span_at_least": _test_of_span(
        "span_at_least", "at, least", "builder.icmp_signed('>=', words(at), every(least))"
    ),
    "span_apart": _test_of_span(
        "span_apart",
        "at, other, least",
        "builder.icmp_signed('>=', builder.sub(words(at), words(other)), every(least))",
    ),
    "span_copy": f"""@intrinsic
def span_copy(typing, to, row, column, start):
    def build(context, builder, signature, arguments):
        to, row, column, start = arguments
        span = ir.VectorType(to.type.pointee, {SPAN}).as_pointer()
        words = builder.load(builder.bitcast(builder.gep(column, [start]), span), align=8)
        place = builder.bitcast(builder.gep(to, [row]), span)
        builder.store(words, place, align=8)
        return context.get_dummy_value()
    return types.void(to, types.int64, column, types.int64), build
""",
    "span_fill": f"""@intrinsic
def span_fill(typing, to, row, value):
    def build(context, builder, signature, arguments):
        to, row, value = arguments
        span = ir.VectorType(to.type.pointee, {SPAN})
        one = builder.insert_element(ir.Constant(span, ir.Undefined), value, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), {SPAN}), [0] * {SPAN})
        place = builder.bitcast(builder.gep(to, [row]), span.as_pointer())
        builder.store(builder.shuffle_vector(one, one, zeros), place, align=8)
        return context.get_dummy_value()
    return types.void(to, types.int64, to.dtype), build
""",
    "note_nonzero": f"""@intrinsic
def note_nonzero(typing, word, start, places, at):
    def build(context, builder, signature, arguments):
        word, start, places, at = arguments
        number, bits = ir.IntType(64), ir.IntType({SPAN})
        numbers = ir.VectorType(number, {SPAN})
        flags = ir.VectorType(ir.IntType(1), {SPAN})

        def lanes(column, row):
            return builder.bitcast(builder.gep(column, [row]), numbers.as_pointer())

        zero = ir.Constant(numbers, [0] * {SPAN})
        said = builder.load(lanes(word, start), align=8)
        wanted = builder.icmp_signed("!=", said, zero)
        unset = ir.Constant(numbers, ir.Undefined)
        first = builder.insert_element(unset, start, ir.Constant(ir.IntType(32), 0))
        lane_0 = ir.Constant(ir.VectorType(ir.IntType(32), {SPAN}), [0] * {SPAN})
        starts = builder.shuffle_vector(first, unset, lane_0)
        rows = builder.add(starts, ir.Constant(numbers, list(range({SPAN}))))
        kind = ir.FunctionType(numbers, [numbers, flags, numbers])
        name = "llvm.experimental.vector.compress.v{SPAN}i64"
        pack = builder.module.declare_intrinsic(name, [], kind)
        builder.store(builder.call(pack, [rows, wanted, unset]), lanes(places, at), align=8)
        return builder.zext(builder.ctpop(builder.bitcast(wanted, bits)), number)
    return types.int64(word, types.int64, word, types.int64), build
""",
}


def float_of_bits(bits: int) -> float:
    """Return the float64 whose 64 bits an int64 holds."""
    return struct.unpack("<d", struct.pack("<q", bits))[0]


def bits_of_float(number: float) -> int:
    """Return the int64 whose 64 bits a float64 holds."""
    return struct.unpack("<q", struct.pack("<d", number))[0]


def highest_bit(word: int) -> int:
    """Return the place (0..63) of the highest set bit of a uint64; -1 for 0."""
    return int(word).bit_length() - 1


def count_bits(word: int) -> int:
    """Return how many bits of a uint64 are set."""
    return int(word).bit_count()


def prefetch(column: Sequence[float], row: int) -> None:
    """Ask the processor for a word that will be read soon; it may lie behind the column's end."""


def count_below(word: list[int], limit: int, value: int, count: int, waiting: int) -> int:
    """Count in each of LANES lanes how many of STEPS values stay below its limit; say which all do.

    Lane k has its limit at word[limit + k], its values from word[value + k] on, and at
    word[count + k] what it has counted so far. It takes part where bit k of `waiting` is set; bit k
    of the answer is set where it did and has not met its limit yet.
    """
    still = 0
    for lane in range(LANES):
        below = 0
        while waiting >> lane & 1 and below < STEPS:
            if word[value + lane + below] >= word[limit + lane]:
                break
            below += 1
        word[count + lane] += below
        still |= (below == STEPS) << lane
    return still


def span_equal(word: list[int], at: int, first: int, step: int) -> int:
    """Say by a bit each which words of the span at `at` are first, first + step, and so on."""
    return sum((word[at + i] == first + step * i) << i for i in range(SPAN))


def span_at_least(word: list[int], at: int, least: int) -> int:
    """Say by a bit each which words of the span at `at` are `least` or more."""
    return sum((word[at + i] >= least) << i for i in range(SPAN))


def span_apart(word: list[int], at: int, other: int, least: int) -> int:
    """Say by a bit each which words of the span at `at` exceed those at `other` by `least`.

    A difference that does not fit an int64 is taken modulo 2**64, as the processor does.
    """
    apart = (word[at + i] - word[other + i] for i in range(SPAN))
    return sum(((each + 2**63) % 2**64 - 2**63 >= least) << i for i, each in enumerate(apart))


def span_copy(to: list[int], row: int, column: list[int], start: int) -> None:
    """Copy the span of a column at `start` to the one of another at `row`."""
    for i in range(SPAN):
        to[row + i] = column[start + i]


def span_fill(to: list[float], row: int, value: float) -> None:
    """Write a value to every word of the span at `row`."""
    for i in range(SPAN):
        to[row + i] = value


def note_nonzero(word: list[int], start: int, places: list[int], at: int) -> int:
    """Write which words of the span at `start` are not 0, and say how many.

    They go to places[at] and after; the rest of the span there loses what it had.
    """
    found = [t for t in range(start, start + SPAN) if word[t] != 0]
    places[at : at + len(found)] = found
    return len(found)
