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
DECIDED, ROWS = CLOSES + 4 * CHUNK, CLOSES + 5 * CHUNK  # decided labels: their bars, their rows
HIGHS, LOWS = CLOSES + 6 * CHUNK, CLOSES + 7 * CHUNK
FAR = 2**40  # in place of the bar that touches a barrier


def place_close(word, n, entry, up, down, is_label):
    """Place the barriers of bar n's label, or none where the bar has no label."""
    word[UPPERS + n] = upper_of(entry, up) if is_label else NEVER_UP
    word[LOWERS + n] = lower_of(entry, down) if is_label else NEVER_DOWN
    word[METS + n] = 0 if is_label else NO_LABEL
    word[ENDS + n] = 0


def find_touches(word, high, low, start, count, bars):
    """Write to ENDS how many bars later, up to `bars`, each bar's label touches a barrier; 0: none.

    All labels look at the bar that is one further at once.
    """
    upper, lower = NEVER_UP, NEVER_DOWN
    for n in range(count):
        upper, lower = min(upper, word[UPPERS + n]), max(lower, word[LOWERS + n])
    if word[TOP] < upper and word[BOTTOM] > lower:
        return
    for n in range(count):
        word[HIGHS + n], word[LOWS + n] = high[start + n], low[start + n]
    for step in range(1, min(bars, count - 1) + 1):
        for n in range(count - step):
            t = n + step
            hit = (word[HIGHS + t] >= word[UPPERS + n]) | (word[LOWS + t] <= word[LOWERS + n])
            word[ENDS + n] = step if hit & (word[ENDS + n] == 0) else word[ENDS + n]


def settle_close(word, n, high, low, start, end, edge, count, view, tie):
    """Write to ENDS and METS how the label of bar n ends in the chunk, OPEN where it does not.

    `edge` is the first bar that is too late by time, `end` the one after the last by count.
    """
    t = n + word[ENDS + n] if word[ENDS + n] > 0 else FAR
    is_touched = t < min(end, edge, count)
    is_late = edge < min(end, count)
    seen = start + (t if is_touched else n)
    above, below = high[seen] >= word[UPPERS + n], low[seen] <= word[LOWERS + n]
    met = 1 if above else -1
    if above and below:
        met = met_by(BOTH, view, tie)
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
    edge = 0 if vertical_ns > 0 else count
    for n in range(count):
        view = position[start + n] if side == COLUMN else view
        if vertical_ns > 0:
            last = known_time[start + n] + vertical_ns
            edge = first_later(known_time, start + edge, stop, last) - start
        settle_close(word, n, high_ticks, low_ticks, start, n + 1 + bars, edge, count, view, tie)


def list_closes(word, count):
    """List the labels that end in the chunk, with their rows; return how many there are."""
    made = 0
    for n in range(count):
        when = word[ENDS + n]
        if when != OPEN and word[METS + n] != NO_LABEL:
            word[DECIDED + made], word[ROWS + made] = n, take_row(word, when)
            made += 1
    return made


def write_closes(
    word, start, count, end, params, bar, known_time, close_ticks, volatility, bar_id, feature_time,
    label_end, ret, barrier,
):  # fmt: skip
    """Write the listed labels of a chunk's own bars from row `end` on."""
    for j in range(count):
        r, n = end + word[ROWS + j], word[DECIDED + j]
        bar_id[r], feature_time[r] = bar[start + n], known_time[start + n]
        label_end[r] = known_time[start + word[ENDS + n]]
    unit, scale = int(params[2]), scale_of(params, volatility, start)
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    for j in range(count):
        r, n = end + word[ROWS + j], word[DECIDED + j]
        met, when = word[METS + n], start + word[ENDS + n]
        if unit == VOLATILITY:
            scale = volatility[start + n]
            up, down = billionths(params[0], scale), billionths(params[1], scale)
        last = close_ticks[when - 1] if met == LATE else close_ticks[when]
        ret[r] = gain_of(met, close_ticks[start + n], up, down, last)
        barrier[r] = met


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
