"""adwin(x, confidence, clock): adaptive window: is the older part of it unlike the newer?

    score[t] = max over splits of abs(mean old - mean new) / e,  alarm[t]: a part was dropped
    e = sqrt(2/m v L) + 2/(3m) L,  L = ln(2 ln n / confidence),  1/m = 1/n old + 1/n new

The window of n rows, of mean and variance v, grows until some split of it at the edge of a bucket
has score > 1; then its oldest bucket is dropped, until none has. It is kept as buckets of 1, 2, 4 …
rows, at most five of a size, and looked at every `clock` rows; score stands still in between. The
bound is proved for independent x within [0, 1]: scale a feature into it, such as by rolling_rank.
A window has at most 5 * 2^20 rows; it begins anew after a null.

Values: score, alarm, mean and rows of the window. Null where x is; score and alarm also until two
parts of five rows were compared. Unit: mean that of x, the others none; alarm is a condition.
Source: Bifet, Gavalda (2007), SIAM Conference on Data Mining, 443-448, ADWIN2.
"""

import math

from qf.op import MOMENT, define
from qf.resumed import resumed

BUCKETS, LEVELS, SHORTEST = 5, 20, 5  # buckets of a size, sizes, rows of a part
PLACES = BUCKETS + 1  # one more while a bucket is being put in
NEAR, SCORE, MIDDLE, MEANS = 0, 1, 2, 3
SQUARES = MEANS + LEVELS * PLACES
WORDS = SQUARES + LEVELS * PLACES
ROWS, COMPARED, HELD, COUNTS = 0, 1, 2, 3  # words of ints

op = define(
    "adwin(x, confidence: 1e-9..0.5 = 0.002, clock: 1..1024 = 32) -> score, alarm, mean, rows",
    memory=lambda confidence, clock: 0,
    slots=lambda confidence, clock: WORDS,
    ints=lambda confidence, clock: COUNTS + LEVELS,
    tolerance=MOMENT,
    unit="1, bool, x, 1",
    example="adwin.alarm(spread_bps, 0.002)",
)
op.polars_missing("a window whose length depends on what it holds: a state machine")


def joined(one, other):
    """Return (rows, mean, squares) of two parts together (Chan, Golub, LeVeque 1983)."""
    n = one[0] + other[0]
    gap = other[1] - one[1]
    mean = one[1] + gap * (other[0] / n)
    return n, mean, one[2] + other[2] + gap * gap * (one[0] * other[0] / n)


def compared(buckets, confidence):
    """Return the largest ratio of a difference to its bound over all splits; missing: none."""
    whole = (0, 0.0, 0.0)
    for each in buckets:
        whole = joined(whole, each)
    largest, old = math.nan, (0, 0.0, 0.0)
    n = whole[0]
    for each in buckets[:-1]:
        old = joined(old, each)
        new = n - old[0]
        if old[0] < SHORTEST or new < SHORTEST:
            continue
        length = math.log(2.0 * math.log(n) / confidence)
        share = 1.0 / old[0] + 1.0 / new
        bound = math.sqrt(2.0 * share * (whole[2] / n) * length) + 2.0 / 3.0 * share * length
        ratio = abs(whole[1] - old[1]) * (n / new) / bound
        largest = ratio if not ratio <= largest else largest
    return largest


@op.definition
def definition(x, confidence, clock):
    start = ([], 0.0, 0, math.nan, 0.0)  # buckets, the oldest first, near, rows, score, alarm

    def step(state, value):
        buckets, near, seen, score, _ = state
        if value != value:
            return start
        near = near if seen else value
        buckets, seen, alarm = [*buckets, (1, value - near, 0.0)], seen + 1, 0.0
        size = 1
        while [each[0] for each in buckets].count(size) > BUCKETS:
            first = next(k for k, each in enumerate(buckets) if each[0] == size)
            merged = joined(buckets[first], buckets[first + 1])
            is_largest = size == 2 ** (LEVELS - 1)
            buckets[first : first + 2] = [buckets[first + 1] if is_largest else merged]
            size *= 2
        if seen % clock == 0:
            found = compared(buckets, confidence)
            score = found
            while found > 1.0:
                alarm, buckets = 1.0, buckets[1:]
                found = compared(buckets, confidence)
        return buckets, near, seen, score, alarm

    buckets, near, _, score, alarm = resumed(("adwin", confidence, clock), x, start, step)
    whole = (0, 0.0, 0.0)
    for each in buckets:
        whole = joined(whole, each)
    if not buckets:
        return (math.nan,) * 4
    return score, alarm if score == score else math.nan, near + whole[1], float(whole[0])


def put_in(value, state, ints):
    """Put a row in; where a size has one bucket too many, its two oldest become one of the next."""
    mean, square = value, 0.0
    level = 0
    size = 1.0
    while level < LEVELS:
        at = MEANS + level * PLACES
        far = at + SQUARES - MEANS
        count = ints[COUNTS + level]
        state[at + count], state[far + count] = mean, square
        ints[COUNTS + level] = count + 1
        if count < BUCKETS:
            return
        gap = state[at + 1] - state[at]
        mean = state[at] + gap * 0.5
        square = state[far] + state[far + 1] + gap * gap * (0.5 * size)
        drop = 2 if level < LEVELS - 1 else 1
        for k in range(count + 1 - drop):
            state[at + k], state[far + k] = state[at + k + drop], state[far + k + drop]
        ints[COUNTS + level] = count + 1 - drop
        level += 1
        size *= 2.0


def window_moments_of(state, ints):
    """Return rows, mean and squares of the whole window."""
    n, mean, square = 0.0, 0.0, 0.0
    size = 2.0 ** (LEVELS - 1)
    for level in range(LEVELS - 1, -1, -1):
        for k in range(ints[COUNTS + level]):
            at = MEANS + level * PLACES + k
            gap = state[at] - mean
            both = n + size
            mean += gap * (size / both)
            square += state[at + SQUARES - MEANS] + gap * gap * (n * size / both)
            n = both
        size *= 0.5
    return n, mean, square


def largest_gap(state, ints, confidence):
    """Return the largest ratio of a difference to its bound over all splits; missing: none."""
    n, mean, square = window_moments_of(state, ints)
    length = math.log(2.0 * math.log(n) / confidence) if n > 2.0 else 1.0
    largest, old, old_mean = math.nan, 0.0, 0.0
    size = 2.0 ** (LEVELS - 1)
    for level in range(LEVELS - 1, -1, -1):
        for k in range(ints[COUNTS + level]):
            both = old + size
            old_mean += (state[MEANS + level * PLACES + k] - old_mean) * (size / both)
            old = both
            new = n - old
            if old >= SHORTEST and new >= SHORTEST:
                share = 1.0 / old + 1.0 / new
                bound = math.sqrt(2.0 * share * (square / n) * length) + 2.0 / 3.0 * share * length
                ratio = abs(mean - old_mean) * (n / new) / bound
                largest = ratio if not ratio <= largest else largest
        size *= 0.5
    return largest


def drop_bucket(state, ints):
    """Drop the oldest bucket of the largest size."""
    level = LEVELS - 1
    while level > 0 and ints[COUNTS + level] == 0:
        level -= 1
    at = MEANS + level * PLACES
    far = at + SQUARES - MEANS
    ints[COUNTS + level] -= 1
    for k in range(ints[COUNTS + level]):
        state[at + k], state[far + k] = state[at + k + 1], state[far + k + 1]


@op.kernel
def kernel(x, lo, hi, score, alarm, mean, rows, params, state, ints):
    confidence, clock = params[0], int(params[1])
    for t in range(lo, hi):
        score[t] = alarm[t] = mean[t] = rows[t] = math.nan
        if x[t] != x[t]:
            ints[ROWS] = ints[COMPARED] = ints[HELD] = 0
            for level in range(LEVELS):
                ints[COUNTS + level] = 0
            continue
        if ints[ROWS] == 0:
            state[NEAR] = x[t]  # means are kept about the first value: prices are far from 0
            state[MIDDLE] = 0.0
        value = x[t] - state[NEAR]
        put_in(value, state, ints)
        ints[ROWS] += 1
        ints[HELD] += 1
        state[MIDDLE] += (value - state[MIDDLE]) / ints[HELD]
        fires = 0.0
        if ints[ROWS] % clock == 0:
            found = largest_gap(state, ints, confidence)
            state[SCORE] = found
            ints[COMPARED] = 1 if found == found else 0
            while found > 1.0:
                fires = 1.0
                drop_bucket(state, ints)
                found = largest_gap(state, ints, confidence)
            n, middle, _ = window_moments_of(state, ints)
            ints[HELD] = int(n)
            state[MIDDLE] = middle
        mean[t] = state[MIDDLE] + state[NEAR]
        rows[t] = ints[HELD]
        if ints[COMPARED] == 1:
            score[t] = state[SCORE]
            alarm[t] = fires
