"""Labels entered at their bar's close, a chunk of bars at a time: most of them end in it.

1. place_closes   the barriers of every bar's label
2. find_touches   how many bars in a row touch neither, for LANES labels at once
3. settle         the bar in which each label ends, and what it has met
4. count_closes   how many labels each bar decides, and at which close their paths end
5. earn_closes    what each label earns
6. write_closes   the rows, where place_rows has put them; keep_closes: what is still open

Each step is a loop over the chunk without a branch that depends on prices, and all but those that
follow a label to the bar where it ends run on vectors; looking for the first touch of one label
after the other costs a mispredicted branch each. An array of the chunk holds a word per bar, at its
number within the chunk. The lower barriers and the lows are mirrored (~), so that both barriers are
met from below.
"""

from qf.intrinsics import (
    EVERY_LANE,
    LANES,
    STEPS,
    bits_of_float,
    count_below,
    float_of_bits,
    prefetch,
)
from qf.labels.open_labels import (
    BOTTOM,
    CHUNK,
    CLOSES,
    COLUMN,
    COUNTS,
    FIELDS,
    INSIDE,
    LATE,
    NEVER_UP,
    NO_LABEL,
    OPEN,
    SHORT,
    SKIP_TIES,
    SLOTS,
    TAIL,
    TOP,
    VOLATILITY,
    billionths,
    enter,
    first_later,
    first_reach,
    gain_of,
    keep_label,
    lower_of,
    open_label,
    path_bits,
    scale_of,
    take_row,
    upper_of,
    view_of,
)

UPPERS, LOWERS, VIEWS = CLOSES, CLOSES + CHUNK, CLOSES + 2 * CHUNK
RISES, FALLS = CLOSES + 3 * CHUNK, CLOSES + 4 * CHUNK  # bars before each barrier is met
HIGHS, LOWS = CLOSES + 5 * CHUNK, CLOSES + 6 * CHUNK
METS, ENDS, LASTS, GAINS = VIEWS, RISES, LOWERS, UPPERS  # take the place of what is read no more
LONG = 64  # bars of a path; in a longer one it pays to pass over those that meet no barrier at all
LINE = 8  # words that memory brings together


def place_closes(word, start, count, params, close_ticks, volatility, position):
    """Place the barriers of the bars' labels; write their sides to VIEWS, 0 for no label."""
    unit, side, scale = int(params[2]), int(params[8]), scale_of(params, volatility, start)
    for n in range(count):
        view = position[start + n] if side == COLUMN else -1 if side == SHORT else 1
        scale = volatility[start + n] if unit == VOLATILITY else scale
        is_label = (scale > 0.0) & (abs(view) == 1) & (close_ticks[start + n] > 0)
        word[VIEWS + n] = view if is_label else 0
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    if unit != VOLATILITY:  # a loop by itself: inside one loop, the choice keeps it off the vectors
        for n in range(count):
            place_close(word, n, close_ticks[start + n], up, down)
        return
    for n in range(count):
        scale = volatility[start + n]
        up, down = billionths(params[0], scale), billionths(params[1], scale)
        place_close(word, n, close_ticks[start + n], up, down)


def place_close(word, n, entry, up, down):
    """Place the barriers of bar n's label."""
    word[UPPERS + n], word[LOWERS + n] = upper_of(entry, up), ~lower_of(entry, down)


def fetch(columns, row):
    """Ask for the rows from `row` on that LANES labels of the next chunk will read.

    A chunk passes over one column after the other, each for a moment: too short for the processor
    to see where it leads.
    """
    for column in columns:
        for line in range(row, row + LANES, LINE):
            prefetch(column, line)


def find_touches(word, high, low, start, count, bars, columns):
    """Write to RISES and FALLS how many bars from the next on stay below and above the barriers.

    Of a label's two numbers only the smaller is exact, as far as its path and the chunk go.
    """
    upper, lower = NEVER_UP, NEVER_UP
    for n in range(count):
        word[HIGHS + n], word[LOWS + n] = high[start + n], ~low[start + n]
        word[RISES + n], word[FALLS + n] = count, count
        upper, lower = min(upper, word[UPPERS + n]), min(lower, word[LOWERS + n])
    if word[TOP] < upper and ~word[BOTTOM] < lower:
        return
    for n in range(0, count, LANES):
        fetch(columns, start + n + CHUNK)
        free = count_free(word, high, low, start, n, count) if bars > LONG else 0
        for lane in range(n, n + LANES):
            word[RISES + lane], word[FALLS + lane] = free, free
        above, below, step, most = EVERY_LANE, EVERY_LANE, free + 1, min(bars, count - 1 - n)
        while above & below != 0 and step <= most:
            above = count_below(word, UPPERS + n, HIGHS + n + step, RISES + n, above)
            below = count_below(word, LOWERS + n, LOWS + n + step, FALLS + n, below)
            step += STEPS


def count_free(word, high, low, start, n, count):
    """Return how many bars in a row from the next on surely meet no barrier of LANES labels."""
    upper, lower = NEVER_UP, NEVER_UP
    for lane in range(n, n + LANES):
        upper, lower = min(upper, word[UPPERS + lane]), min(lower, word[LOWERS + lane])
    t = first_reach(word, high, low, upper, ~lower, start + n + 1, start + count)
    return max(t - start - n - LANES, 0)


def settle(word, n, end, edge, count, tie):
    """Write to ENDS and METS how the label of bar n ends in the chunk, OPEN where it does not.

    `edge` is the first bar that is too late by time, `end` the one after the last by count.
    """
    rise, fall, view = word[RISES + n], word[FALLS + n], word[VIEWS + n]
    t, tied = n + 1 + min(rise, fall), NO_LABEL if tie == SKIP_TIES else -view
    is_touched, is_late = t < min(end, edge, count), edge < min(end, count)
    touched = tied if rise == fall else 1 if rise < fall else -1
    met = touched if is_touched else LATE if is_late else 0
    when = edge if is_late else end - 1 if end <= count else OPEN
    word[ENDS + n] = t if is_touched else when
    word[METS + n] = met if view != 0 else NO_LABEL


def count_closes(word, start, count, close_ticks):
    """Count the labels that each bar decides; write to LASTS the closes where their paths end."""
    for n in range(count):
        when, met = word[ENDS + n], word[METS + n]
        if when != OPEN and met != NO_LABEL:
            word[COUNTS + when] += 1
            word[LASTS + n] = close_ticks[start + when - (met == LATE)]


def earn_closes(word, start, count, params, close_ticks, volatility):
    """Write to GAINS the decided labels' returns, as the bits of floats."""
    unit, scale = int(params[2]), scale_of(params, volatility, start)
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    for n in range(count):
        if unit == VOLATILITY:
            scale = volatility[start + n]
            up, down = billionths(params[0], scale), billionths(params[1], scale)
        gain = gain_of(word[METS + n], close_ticks[start + n], up, down, word[LASTS + n])
        word[GAINS + n] = bits_of_float(gain)


def judge_closes(
    word, start, stop, params, bar, known_time, high_ticks, low_ticks, close_ticks, bar_quality,
    volatility, position,
):  # fmt: skip
    """Find how the labels that the bars start..stop-1 open at their close end among them."""
    bars, vertical_ns, tie, count = int(params[4]), int(params[5]), int(params[7]), stop - start
    columns = (bar, known_time, high_ticks, low_ticks, close_ticks, bar_quality)
    place_closes(word, start, count, params, close_ticks, volatility, position)
    find_touches(word, high_ticks, low_ticks, start, count, bars, columns)
    edge = 0
    if vertical_ns > 0:
        for n in range(count):
            last = known_time[start + n] + vertical_ns
            edge = first_later(known_time, start + edge, stop, last) - start
            settle(word, n, n + 1 + bars, edge, count, tie)
    else:
        for n in range(count):
            settle(word, n, n + 1 + bars, count, count, tie)
    count_closes(word, start, count, close_ticks)
    earn_closes(word, start, count, params, close_ticks, volatility)


def write_closes(
    word, start, count, end, bar, known_time, bar_quality, bar_id, feature_time, label_end, ret,
    barrier, quality,
):  # fmt: skip
    """Write the labels of a chunk's own bars that it decided, from row `end` on."""
    for n in range(count):
        when, met, t = word[ENDS + n], word[METS + n], start + n
        if when == OPEN or met == NO_LABEL:
            continue
        r, ends = end + take_row(word, when), start + when
        bar_id[r], feature_time[r], label_end[r] = bar[t], known_time[t], known_time[ends]
        ret[r], barrier[r] = float_of_bits(word[GAINS + n]), met
        quality[r] = path_bits(word, bar_quality, t, ends + 1)


def keep_closes(
    word, start, stop, offset, params, bar, known_time, known_row, close_ticks, bar_quality,
    volatility, position,
):  # fmt: skip
    """Open the labels of a chunk's own bars that it did not decide."""
    for t in range(max(start, stop - int(params[4])), stop):  # those before end by count
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
