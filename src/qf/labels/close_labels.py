"""Labels entered at their bar's close, a chunk of bars at a time: most of them end in it.

Each step is a loop over the chunk without a branch that depends on prices, so that it runs on
vectors; looking for the first touch of one label after the other costs a mispredicted branch each.
An array of the chunk holds a word per bar, at its number within the chunk.
"""

from qf.labels.open_labels import (
    BOTH,
    BOTTOM,
    CHUNK,
    CLOSES,
    COLUMN,
    COUNTS,
    FIELDS,
    INSIDE,
    LATE,
    NEVER_DOWN,
    NEVER_UP,
    NO_LABEL,
    OPEN,
    SHORT,
    SLOTS,
    TAIL,
    TOP,
    VOLATILITY,
    billionths,
    enter,
    first_later,
    gain_of,
    keep_label,
    lower_of,
    met_by,
    open_label,
    path_bits,
    scale_of,
    take_row,
    upper_of,
    view_of,
)

UPPERS, LOWERS, ENDS, METS = CLOSES, CLOSES + CHUNK, CLOSES + 2 * CHUNK, CLOSES + 3 * CHUNK
# The bars' own, then those of 2, 4 and 8 bars from each on, each HIGHS followed by its LOWS.
HIGHS, LOWS = CLOSES + 4 * CHUNK, CLOSES + 5 * CHUNK
FAR = 2**40  # in place of the bar that touches a barrier


def place_close(word, n, entry, up, down, is_label):
    """Place the barriers of bar n's label, or none where the bar has no label."""
    word[UPPERS + n] = upper_of(entry, up) if is_label else NEVER_UP
    word[LOWERS + n] = lower_of(entry, down) if is_label else NEVER_DOWN
    word[METS + n] = 0 if is_label else NO_LABEL
    word[ENDS + n] = 0


def widen(word, wide, narrow, bars, count, sign):
    """Write to `wide` the extreme of 2 · bars bars from each on; `narrow` holds those of `bars`.

    sign is +1 for the highest, −1 for the lowest.
    """
    for n in range(count - 2 * bars + 1):
        one, other = word[narrow + n], word[narrow + n + bars]
        word[wide + n] = max(one, other) if sign > 0 else min(one, other)


def find_touches(word, high, low, start, count, bars):
    """Write to ENDS how many bars later, up to `bars`, each bar's label touches a barrier; 0: none.

    The extremes of 2, 4 and 8 bars from each on say how many bars in a row touch nothing, without
    a look at each and without a branch.
    """
    upper, lower = NEVER_UP, NEVER_DOWN
    for n in range(count):
        upper, lower = min(upper, word[UPPERS + n]), max(lower, word[LOWERS + n])
    if word[TOP] < upper and word[BOTTOM] > lower:
        return
    for n in range(count):
        word[HIGHS + n], word[LOWS + n] = high[start + n], low[start + n]
    for level in range(3):
        at, step = 2 * level * CHUNK, 1 << level
        widen(word, HIGHS + at + 2 * CHUNK, HIGHS + at, step, count, 1)
        widen(word, LOWS + at + 2 * CHUNK, LOWS + at, step, count, -1)
    for n in range(count):
        upper, lower, most = word[UPPERS + n], word[LOWERS + n], min(bars, count - 1 - n)
        t, end = n + 1, n + 1 + most
        for _ in range(most >> 3):
            t += 8 * is_free(word, 6 * CHUNK + t, upper, lower)
        t += 4 * (is_free(word, 4 * CHUNK + t, upper, lower) & (t + 4 <= end))
        t += 2 * (is_free(word, 2 * CHUNK + t, upper, lower) & (t + 2 <= end))
        t += 1 * (is_free(word, t, upper, lower) & (t < end))
        word[ENDS + n] = t - n if t < end else 0


def is_free(word, at, upper, lower):
    """Say whether extremes that lie `at` words after the first touch neither barrier."""
    return (word[HIGHS + at] < upper) & (word[LOWS + at] > lower)


def touched(word, n, high, low, seen, view, tie):
    """Return MET of bar n's label, which has touched a barrier in row `seen`."""
    above, below = high[seen] >= word[UPPERS + n], low[seen] <= word[LOWERS + n]
    return met_by(BOTH, view, tie) if above & below else 2 * above - 1


def settle_close(word, n, high, low, start, last, count, view, tie):
    """Write to ENDS and METS how the label of bar n ends in the chunk, OPEN where it does not.

    `last` is the last bar of its path.
    """
    after = word[ENDS + n]
    met = touched(word, n, high, low, start + n + after, view, tie)
    met = met if after > 0 else 0
    met = NO_LABEL if word[METS + n] == NO_LABEL else met
    when = n + after if after > 0 else last if last < count else OPEN
    word[ENDS + n], word[METS + n] = when, met
    if when != OPEN and met != NO_LABEL:
        word[COUNTS + when] += 1


def settle_timed(word, n, high, low, start, end, edge, count, view, tie):
    """Do what `settle_close` does for a label that is bounded by time as well.

    `edge` is the first bar that is too late by time, `end` the one after the last by count.
    """
    t = n + word[ENDS + n] if word[ENDS + n] > 0 else FAR
    is_touched = t < min(end, edge, count)
    is_late = edge < min(end, count)
    met = touched(word, n, high, low, start + (t if is_touched else n), view, tie)
    when = edge if is_late else end - 1 if end <= count else OPEN
    met = met if is_touched else LATE if is_late else 0
    when = t if is_touched else when
    met = NO_LABEL if word[METS + n] == NO_LABEL else met
    word[ENDS + n], word[METS + n] = when, met
    if when != OPEN and met != NO_LABEL:
        word[COUNTS + when] += 1


def judge_closes(
    word, start, stop, params, known_time, high_ticks, low_ticks, close_ticks, volatility, position
):
    """Find how the labels that the bars start..stop-1 open at their close end among them."""
    bars, vertical_ns, tie, count = int(params[4]), int(params[5]), int(params[7]), stop - start
    unit, side = int(params[2]), int(params[8])
    scale, view = scale_of(params, volatility, start), -1 if side == SHORT else 1
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    for n in range(count):
        if unit == VOLATILITY:
            scale = volatility[start + n]
            up, down = billionths(params[0], scale), billionths(params[1], scale)
        view = position[start + n] if side == COLUMN else view
        entry = close_ticks[start + n]
        place_close(word, n, entry, up, down, scale > 0.0 and abs(view) == 1 and entry > 0)
    find_touches(word, high_ticks, low_ticks, start, count, bars)
    edge = 0
    for n in range(count):
        view = position[start + n] if side == COLUMN else view
        if vertical_ns > 0:
            last = known_time[start + n] + vertical_ns
            edge = first_later(known_time, start + edge, stop, last) - start
            settle_timed(
                word, n, high_ticks, low_ticks, start, n + 1 + bars, edge, count, view, tie
            )
        else:
            settle_close(word, n, high_ticks, low_ticks, start, n + bars, count, view, tie)


def write_closes(
    word, start, count, end, params, bar, known_time, close_ticks, bar_quality, volatility, bar_id,
    feature_time, label_end, ret, barrier, quality,
):  # fmt: skip
    """Write the labels of a chunk's own bars that it decided, from row `end` on."""
    unit, scale = int(params[2]), scale_of(params, volatility, start)
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    for n in range(count):
        when, met, t = word[ENDS + n], word[METS + n], start + n
        if when == OPEN or met == NO_LABEL:
            continue
        r, ends = end + take_row(word, when), start + when
        bar_id[r], feature_time[r], label_end[r] = bar[t], known_time[t], known_time[ends]
        if unit == VOLATILITY:
            scale = volatility[t]
            up, down = billionths(params[0], scale), billionths(params[1], scale)
        last = close_ticks[ends - 1] if met == LATE else close_ticks[ends]
        ret[r], barrier[r] = gain_of(met, close_ticks[t], up, down, last), met
        quality[r] = path_bits(word, bar_quality, t, ends + 1)


def keep_closes(
    word, start, stop, offset, params, bar, known_time, known_row, close_ticks, bar_quality,
    volatility, position,
):  # fmt: skip
    """Open the labels of a chunk's own bars that it did not decide."""
    for t in range(start, stop):
        if word[ENDS + t - start] == OPEN and word[METS + t - start] != NO_LABEL:
            at, view = SLOTS + FIELDS * word[TAIL], view_of(params, position, t)
            scale, bits = scale_of(params, volatility, t), path_bits(word, bar_quality, t, stop)
            up, down = billionths(params[0], scale), billionths(params[1], scale)
            open_label(
                word, at, bar[t], known_time[t], known_row[t], offset + t, view, up, down, bits
            )
            enter(word, at, INSIDE, close_ticks[t], 0)
            keep_label(word, at, at)
            word[TAIL] += 1
