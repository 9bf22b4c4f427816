"""The hash of a table: the same for any order of its rows, another for any other content."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.store.arrow import batch_of
from qf.store.duck import Store
from qf.store.hashing import hash_batches
from store.tables import TRADES, columns, fill

WORDS = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, 1.0, 5e-324]), st.floats(allow_nan=False, width=64)
)
ROWS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1) | st.none(),
        WORDS,
        st.sampled_from(["a", "b", "", "ab"]) | st.none(),
        st.lists(WORDS, max_size=3) | st.none(),
        st.booleans() | st.none(),
    ),
    max_size=12,
)
SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("s", pa.string()),
        ("l", pa.list_(pa.float64())),
        ("b", pa.bool_()),
    ]
)


def hash_of(rows, sizes=(1000,)):
    arrays = [pa.array([row[k] for row in rows], field.type) for k, field in enumerate(SCHEMA)]
    whole = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
    pieces, at = [], 0
    while at < len(rows):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(whole.slice(at, size))
        at += size
    return hash_batches(SCHEMA, pieces)


def exact(row):
    """Return what tells two rows apart: repr keeps the sign of zero."""
    return repr(row)


@settings(max_examples=25)
@given(ROWS, st.randoms(use_true_random=False), st.lists(st.integers(1, 5), min_size=1))
def test_order_and_cuts_change_nothing(rows, random, sizes):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert hash_of(shuffled, tuple(sizes)) == hash_of(rows)


@settings(max_examples=40)
@given(ROWS, ROWS)
def test_two_tables_have_one_hash_only_if_they_hold_the_same_rows(left, right):
    same = sorted(map(exact, left)) == sorted(map(exact, right))
    assert (hash_of(left) == hash_of(right)) == same


@settings(max_examples=25)
@given(ROWS.filter(len), st.data())
def test_one_changed_value_changes_it(rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(ROWS.filter(len))[0]
    place = data.draw(st.integers(0, len(SCHEMA) - 1))
    changed = (*rows[at][:place], other[place], *rows[at][place + 1 :])
    after = [*rows[:at], changed, *rows[at + 1 :]]
    assert (hash_of(after) == hash_of(rows)) == (exact(changed) == exact(rows[at]))


def test_swapping_two_columns_or_two_list_elements_changes_it():
    names = ["x", "y"]
    first, second = pa.array([1.0, 2.0]), pa.array([3.0, 4.0])
    schema = pa.schema([(name, pa.float64()) for name in names])
    straight = hash_batches(schema, [pa.RecordBatch.from_arrays([first, second], names)])
    swapped = hash_batches(schema, [pa.RecordBatch.from_arrays([second, first], names)])
    assert straight != swapped
    assert hash_of([(1, 1.0, "a", [1.0, 2.0], True)]) != hash_of([(1, 1.0, "a", [2.0, 1.0], True)])


def test_a_row_that_is_there_twice_counts_twice():
    row = (1, 1.0, "a", [1.0], True)
    assert len({hash_of([row] * count) for count in range(5)}) == 5


def test_uniform_lists_hash_as_ragged_ones_do():
    """Lists of one length take a shorter way: it must lead to the same place."""
    uniform = [(k, 0.0, "", [1.0 * k, 2.0, None], None) for k in range(20)]
    ragged = (99, 0.0, "", [1.0], None)
    assert hash_of([*uniform, ragged]) == hash_of([*uniform, ragged], (20, 1))


def test_a_slice_hashes_as_a_copy_does():
    made = columns(TRADES, 100)
    batch = batch_of(TRADES, made, {"venue": "v", "symbol": "s"}, 100)
    part = batch.slice(37, 41)
    copied = pa.RecordBatch.from_pylist(part.to_pylist(), schema=part.schema)
    assert hash_batches(part.schema, [part]) == hash_batches(copied.schema, [copied])


def test_the_order_of_writing_does_not_matter_in_the_file():
    made = columns(TRADES, 400)
    with Store(":memory:", "p") as store, Store(":memory:", "p") as other:
        fill(store, TRADES, made)
        fill(store, TRADES, made, symbol="ETHUSDT")
        fill(other, TRADES, made, symbol="ETHUSDT")
        fill(other, TRADES, made)
        assert store.hashes() == other.hashes()
        one_bit = dict(made)
        one_bit["mid"] = made["mid"].copy()
        one_bit["mid"][200] = np.nextafter(60_000.0, 1e9)
        fill(other, TRADES, one_bit)
        assert store.hashes() != other.hashes()
