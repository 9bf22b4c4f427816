"""The labels that wait to be decided, as int64 words, and the steps that decide them.

One label is FIELDS words; the open ones lie in the order of their bars from HEAD to TAIL, and the
last WAITING of them are still to reach the end of the bar they enter in. LEAST_UPPER and MOST_LOWER
bound every open barrier, so that bars which reach neither need no look at the labels. Bars are
taken CHUNK at a time, or FEW where labels need their trades.
"""

import math

from qf.schema import BIT

HEAD, TAIL, WAITING, LEAST_UPPER, MOST_LOWER, NEWEST = 0, 1, 2, 3, 4, 5
# Of the block in hand: the next trade to look at. Of the chunk: its extremes, its quality, the row
# from which that is the same, the labels passed over, and its first row.
RISE, TOP, BOTTOM, SEEN, ALIKE, CALM, SKIPPED, FIRST = 6, 7, 8, 9, 10, 11, 12, 13
CHUNK, FEW = 512, 32
COUNTS = 14  # per bar of the chunk: how many labels it decides, then where the next one is written
BUNDLE = 32  # bars of which the extremes are kept as well: from TOPS and from BOTTOMS on
TOPS, BOTTOMS = COUNTS + CHUNK, COUNTS + CHUNK + CHUNK // BUNDLE
CLOSES = BOTTOMS + CHUNK // BUNDLE  # see close_labels
SLOTS = CLOSES + 7 * CHUNK
FIELDS = 15
ID, TIME, KNOWN, START, ENTRY, UPPER, LOWER, UP, DOWN, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
BITS, FROM, MARK, WHEN, MET = 10, 11, 12, 13, 14
NO_ENTRY, NO_QUOTE = 0, -1  # ENTRY, in place of a price in ticks
INSIDE, NOT_YET = -1, 2**62  # FROM, in place of the entry trade's row: its bar is finished; unknown
ABOVE, BELOW, BOTH, BELOW_FIRST, NO_PATH = 1, 2, 3, 4, 8  # MARK: what a bar's trades have touched
OPEN, NEVER = -1, -2  # WHEN, in place of the bar that decided; NEVER: the bar has no label
NOTHING = -1  # SKIPPED, in place of a label
LATE, NULL_LABEL, NO_LABEL = 2, 3, 4  # MET, besides +1, -1 and 0 for the vertical barrier
SKIP_TIES, REPLAY_TIES = 1, 2  # the option `tie`, in signature order; then the other options'
CLOSE, BOOK, SHORT, COLUMN, SIGN, VOLATILITY, COST = 0, 2, 1, 2, 1, 1, 2
BILLION = 1_000_000_000
WIDEST = 9 * BILLION  # wider barriers are never met; the product below stays within an int64
BARELY_BILLIONTH = (1.0 - 2.0**-50) / BILLION  # too small by more than what rounding adds
NEVER_UP, NEVER_DOWN = 2**63 - 1, -(2**63)
UNDEFINED_BIT = BIT["undefined"]


def places(bars):
    """Return how many labels there is room for, where each ends within `bars` bars."""
    return 2 * (bars + 1) + FEW


def billionths(width, scale):
    """Return width · scale in whole billionths, at most WIDEST."""
    return int(min(math.floor(width * scale * 1e9 + 0.5), WIDEST))


def billions(number):
    """Return number // 1e9 for number >= 0, in steps that run on vectors, which cannot divide."""
    # the product, of floats, is the quotient or 1 less
    least = int(number * BARELY_BILLIONTH)
    return least + (number - least * BILLION >= BILLION)


def ticks_of(entry, part):
    """Return entry · part / 1e9 rounded up to a whole tick, within an int64 for entry < 2**60."""
    whole = billions(entry)
    return whole * part + billions((entry - whole * BILLION) * part + BILLION - 1)


def upper_of(entry, up):
    """Return the lowest tick that is at the upper barrier."""
    ticks = ticks_of(entry, up)
    return entry + ticks if (up > 0) & (entry > 0) else NEVER_UP


def lower_of(entry, down):
    """Return the highest tick that is at the lower barrier."""
    ticks = ticks_of(entry, down)
    return entry - ticks if (down > 0) & (entry > 0) else NEVER_DOWN


def view_of(params, position, t):
    """Return +1 for a long view of bar t, −1 for a short one."""
    return position[t] if params[8] == COLUMN else -1 if params[8] == SHORT else 1


def scale_of(params, volatility, t):
    """Return what the barriers of bar t are multiples of."""
    return volatility[t] if params[2] == VOLATILITY else params[3] if params[2] == COST else 1.0


def open_label(word, at, bar, time, row, number, view, up, down, bits):
    """Write a label without entry to the place `at`."""
    word[at + ID], word[at + TIME], word[at + KNOWN], word[at + START] = bar, time, row, number
    word[at + UP], word[at + DOWN], word[at + SIDE], word[at + BITS] = up, down, view, bits
    word[at + ENTRY], word[at + FROM], word[at + MARK], word[at + WHEN] = NO_ENTRY, NOT_YET, 0, OPEN
    word[at + UPPER], word[at + LOWER] = NEVER_UP, NEVER_DOWN


def enter(word, at, row, price, bits):
    """Enter a label at the trade of some row: at `price`, or at nothing where that is not > 0.

    `bits` are the trade's own; its bar, which is on the path, brings them to the label.
    """
    word[at + FROM] = row
    if price <= 0 and bits == 0:
        word[at + BITS] |= UNDEFINED_BIT
    word[at + ENTRY] = price if price > 0 else NO_QUOTE
    word[at + UPPER] = upper_of(price, word[at + UP])
    word[at + LOWER] = lower_of(price, word[at + DOWN])


def begin_chunk(word, bars, high, low, bits, start, stop):
    """Make room for the labels of another chunk, and find those that no barrier of it concerns.

    The labels before CALM touch nothing in the bars start..stop-1 and have their entry.
    """
    for k in range(COUNTS, COUNTS + stop - start):
        word[k] = 0
    new = stop - start  # labels at most; of more than FEW bars, only those still open in the end
    if word[TAIL] + (new if new <= FEW else min(new, bars + 1)) > places(bars):
        shift = FIELDS * word[HEAD]
        for k in range(SLOTS + shift, SLOTS + FIELDS * word[TAIL]):
            word[k - shift] = word[k]
        word[TAIL] -= word[HEAD]
        word[HEAD] = 0
    keep_extremes(word, high, low, start, stop)
    if word[TOP] < word[LEAST_UPPER] and word[BOTTOM] > word[MOST_LOWER]:
        word[CALM] = word[TAIL] - word[WAITING]
    else:
        word[CALM] = word[HEAD]
        word[LEAST_UPPER], word[MOST_LOWER] = NEVER_UP, NEVER_DOWN
    word[SKIPPED] = NOTHING
    word[SEEN], word[ALIKE] = spread_bits(bits, start, stop)


def extremes(high, low, start, stop):
    """Return the highest and the lowest tick of some rows."""
    top, bottom = NEVER_DOWN, NEVER_UP
    for t in range(start, stop):
        top, bottom = max(top, high[t]), min(bottom, low[t])
    return top, bottom


def keep_extremes(word, high, low, start, stop):
    """Keep the extremes of the chunk, and those of its bundles."""
    highest, lowest, at = NEVER_DOWN, NEVER_UP, 0
    for t in range(start, stop, BUNDLE):
        top, bottom = extremes(high, low, t, min(t + BUNDLE, stop))
        word[TOPS + at], word[BOTTOMS + at] = top, bottom
        highest, lowest, at = max(highest, top), min(lowest, bottom), at + 1
    word[FIRST], word[TOP], word[BOTTOM] = start, highest, lowest


def bits_of(bits, start, stop):
    """Return the quality bits of some rows."""
    seen = 0
    for t in range(start, stop):
        seen |= bits[t]
    return seen


def spread_bits(bits, start, stop):
    """Return the quality bits of some rows, and the first of the rows from which all are alike."""
    seen, alike = bits_of(bits, start, stop), start
    if seen != 0:
        for t in range(start, stop):
            alike = t if bits[t] != bits[alike] else alike
    return seen, alike


def path_bits(word, bits, start, stop):
    """Return the quality bits of a path within the chunk."""
    if start >= stop:
        return 0
    return bits[start] if start >= word[ALIKE] else bits_of(bits, start, stop)


def pass_over(word, k):
    """Leave the labels from k to CALM as they are, but for the quality of their path."""
    word[SKIPPED] = k
    if word[SEEN] != 0:
        for label in range(k, word[CALM]):
            word[SLOTS + FIELDS * label + BITS] |= word[SEEN]
    return word[CALM]


def first_later(time, start, stop, deadline):
    """Return the first row after a deadline, `stop` where none is."""
    t = start
    while t < stop and time[t] <= deadline:
        t += 1
    return t


def first_reach(word, high, low, upper, lower, begin, stop):
    """Return the first bar in begin..stop-1 that reaches a barrier, `stop` where none does."""
    t = begin
    while t < stop:
        bundle = (t - word[FIRST]) // BUNDLE
        end = min(word[FIRST] + BUNDLE * (bundle + 1), stop)
        if word[TOPS + bundle] >= upper or word[BOTTOMS + bundle] <= lower:
            while t < end and high[t] < upper and low[t] > lower:
                t += 1
            if t < end:
                return t
        t = end
    return t


def first_touch(word, high, low, upper, lower, begin, stop):
    """Return the first bar in begin..stop-1 that reaches a barrier, and its mark.

    `stop` and 0 where none does. The bars are of the chunk that TOP and BOTTOM are the extremes of.
    """
    if word[TOP] < upper and word[BOTTOM] > lower:
        return stop, 0
    t = first_reach(word, high, low, upper, lower, begin, stop)
    if t == stop:
        return stop, 0
    return t, (ABOVE if high[t] >= upper else 0) + (BELOW if low[t] <= lower else 0)


def met_by(mark, side, tie):
    """Return MET of a label that touched a barrier, or found no quote to enter at."""
    met = ABOVE + BELOW - 2 * (mark & BOTH)  # +1 above, -1 below
    if mark & BOTH == BOTH:
        met = -side
        if tie == REPLAY_TIES:
            met = -1 if mark & BELOW_FIRST else 1
        elif tie == SKIP_TIES:
            met = NO_LABEL
    return NULL_LABEL if mark == NO_PATH else met


def ended(t, stop, mark, edge, end, side, tie):
    """Return WHEN and MET of a label that touched `mark` in bar t, or nothing (0) before `stop`.

    `edge` is the first bar that is too late by time, `end` the one after the last by count.
    """
    if mark > 0:
        return t, met_by(mark, side, tie)
    if edge < min(end, stop):
        return edge, LATE
    if end <= stop:
        return end - 1, 0
    return OPEN, 0


def count_row(word, bar, met):
    """Count a label that bar number `bar` of the chunk decided, unless it is none."""
    if bar >= 0 and met != NO_LABEL:
        word[COUNTS + bar] += 1


def place_rows(word, count, row):
    """Turn the counts of decided labels per bar into the rows they start at; return the end."""
    for k in range(COUNTS, COUNTS + count):
        made = word[k]
        word[k] = row
        row += made
    return row


def take_row(word, bar):
    """Return where the next label that bar number `bar` of the chunk decided is written."""
    row = word[COUNTS + bar]
    word[COUNTS + bar] = row + 1
    return row


def keep_label(word, at, to):
    """Move an open label forward to `to`; count it, and let the bounds hold its barriers."""
    if to != at:
        for k in range(FIELDS):
            word[to + k] = word[at + k]
    word[WAITING] += 1 if word[to + FROM] != INSIDE else 0
    word[LEAST_UPPER] = min(word[LEAST_UPPER], word[to + UPPER])
    word[MOST_LOWER] = max(word[MOST_LOWER], word[to + LOWER])


def write_open(
    word, start, end, known_time, close_ticks, bar_id, feature_time, label_end, ret, barrier,
    quality,
):  # fmt: skip
    """Write the open labels that a chunk decided from row `end` on, and keep the others."""
    k = word[HEAD]
    to, word[WAITING] = k, 0
    while k < word[TAIL]:
        if k == word[SKIPPED]:
            word[HEAD] = k
            k = word[CALM]
            to = k
            continue
        at = SLOTS + FIELDS * k
        when, met = word[at + WHEN], word[at + MET]
        if when == OPEN:
            keep_label(word, at, SLOTS + FIELDS * to)
            to += 1
        elif met != NO_LABEL:
            r = end + take_row(word, when - start)
            last = close_ticks[when - 1] if met == LATE else close_ticks[when]
            ret[r] = gain_of(met, word[at + ENTRY], word[at + UP], word[at + DOWN], last)
            barrier[r] = met
            bar_id[r], feature_time[r], label_end[r] = (
                word[at + ID],
                word[at + TIME],
                known_time[when],
            )
            quality[r] = word[at + BITS]
        k += 1
    word[TAIL] = to


def gain_of(met, entry, up, down, last):
    """Return a decided label's return from its entry; `last` is the close where its path ended."""
    # no branch on which barrier it was: nobody can predict it
    most = up if met == 1 else -down if met == -1 else last - entry
    gain = most / (entry if (met == 0) | (met == LATE) else BILLION)
    return math.nan if met == NULL_LABEL else gain
