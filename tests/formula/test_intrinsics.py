"""What kernels cannot say in plain Python: compiled, it does what its plain Python says."""

import ctypes
import hashlib
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf import intrinsics
from qf.intrinsics import INTRINSICS, LANES, SPAN, STEPS
from qf.kernel import compiled, load
from qf.schema import NULL_INT

ROOM = 4 * LANES
COUNTED = 2 * LANES + STEPS  # where `count_below` counts
HEAD = """
from numba import types
from llvmlite import ir
from numba.extending import intrinsic
from qf.kernel_compiler import whole
"""
ENTRY = """
@whole(types.int64, types.CPointer(types.int64), types.int64, types.int64, types.int64)
def entry(word, a, b, c):
"""
# By intrinsic: how a kernel calls it, and the same in plain Python.
CALLS = {
    "float_of_bits": (
        "return bits_of_float(float_of_bits(a) * 2.0)",
        lambda word, a, b, c: intrinsics.bits_of_float(intrinsics.float_of_bits(a) * 2.0),
    ),
    "bits_of_float": (
        "return bits_of_float(float(a))",
        lambda word, a, b, c: intrinsics.bits_of_float(float(a)),
    ),
    "highest_bit": ("return highest_bit(a)", lambda word, a, b, c: intrinsics.highest_bit(a)),
    "count_bits": ("return count_bits(a)", lambda word, a, b, c: intrinsics.count_bits(a)),
    "prefetch": (
        "prefetch(word, b)\nreturn 0",
        lambda word, a, b, c: intrinsics.prefetch(word, b) or 0,
    ),
    "count_below": (
        f"return count_below(word, 0, {LANES}, {COUNTED}, a)",
        lambda word, a, b, c: intrinsics.count_below(word, 0, LANES, COUNTED, a),
    ),
    "span_equal": (
        "return span_equal(word, b, a, c)",
        lambda word, a, b, c: intrinsics.span_equal(word, b, a, c),
    ),
    "span_at_least": (
        "return span_at_least(word, b, a)",
        lambda word, a, b, c: intrinsics.span_at_least(word, b, a),
    ),
    "span_apart": (
        "return span_apart(word, b, c, a)",
        lambda word, a, b, c: intrinsics.span_apart(word, b, c, a),
    ),
    "span_copy": (
        "span_copy(word, b, word, c)\nreturn 0",
        lambda word, a, b, c: intrinsics.span_copy(word, b, list(word), c) or 0,
    ),
    "span_fill": (
        "span_fill(word, b, a)\nreturn 0",
        lambda word, a, b, c: intrinsics.span_fill(word, b, a) or 0,
    ),
    "note_nonzero": (
        "return note_nonzero(word, b, word, c)",
        lambda word, a, b, c: intrinsics.note_nonzero(list(word), b, word, c),
    ),
}
SMALL = st.integers(-3, 3)
WORDS = st.lists(st.one_of(SMALL, SMALL, st.just(NULL_INT)), min_size=ROOM, max_size=ROOM)
PLACES = st.integers(0, ROOM - SPAN)
NUMBERS = {
    "float_of_bits": st.floats(-1e300, 1e300).map(intrinsics.bits_of_float),
    "bits_of_float": st.integers(-(2**53), 2**53),
    "highest_bit": st.integers(0, 2**63 - 1),
    "count_bits": st.integers(0, 2**63 - 1),
    "count_below": st.integers(0, intrinsics.EVERY_LANE),
}


def entry_of(name):
    names = [name, "bits_of_float"] if name == "float_of_bits" else [name]
    text = HEAD + "".join(INTRINSICS[each] for each in names) + ENTRY
    text += textwrap.indent(CALLS[name][0], "    ")
    key = f"test_{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"  # else the cache answers
    code = compiled(key, text, "entry")
    number = ctypes.c_longlong
    kind = ctypes.CFUNCTYPE(number, ctypes.POINTER(number), number, number, number)
    return kind(load(code))


@pytest.mark.parametrize("name", sorted(INTRINSICS))
def test_an_intrinsic_does_what_its_plain_python_says(name):
    entry = entry_of(name)

    @settings(max_examples=200, deadline=None)
    @given(WORDS, NUMBERS.get(name, SMALL), PLACES, PLACES if name != "span_equal" else SMALL)
    def same(words, a, b, c):
        plain, made = list(words), np.array(words, np.int64)
        told = entry(made.ctypes.data_as(ctypes.POINTER(ctypes.c_longlong)), a, b, c)
        assert told == CALLS[name][1](plain, a, b, c)
        # what `note_nonzero` has not found leaves its place open
        unsaid = range(c + told, c + SPAN) if name == "note_nonzero" else ()
        for n in set(range(ROOM)) - set(unsaid):
            assert made[n] == plain[n]

    same()
