"""What kernels do that plain Python cannot say well: one instruction each, by its name."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# The text that replaces the function of the same name in a generated kernel.
INTRINSICS = {
    "float_of_bits": """@intrinsic
def float_of_bits(typing, bits):
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())
    return types.float64(types.int64), build
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
}


def float_of_bits(bits: int) -> float:
    """Return the float64 whose 64 bits an int64 holds."""
    return struct.unpack("<d", struct.pack("<q", bits))[0]


def highest_bit(word: int) -> int:
    """Return the place (0..63) of the highest set bit of a uint64; -1 for 0."""
    return int(word).bit_length() - 1


def count_bits(word: int) -> int:
    """Return how many bits of a uint64 are set."""
    return int(word).bit_count()


def prefetch(column: Sequence[float], row: int) -> None:
    """Ask the processor for a word that will be read soon; it may lie behind the column's end."""
