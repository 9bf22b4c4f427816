"""The labels that wait to be decided, as int64 words, and the steps that decide them.

One label is FIELDS words; the open ones lie in the order of their bars from HEAD to TAIL, and the
last WAITING of them are still to reach the end of the bar they enter in. LEAST_UPPER and MOST_LOWER
bound every open barrier, so that bars which reach neither need no look at the labels. Bars are
taken CHUNK at a time.
"""

import math

from qf.schema import BIT

HEAD, TAIL, WAITING, LEAST_UPPER, MOST_LOWER, NEWEST = 0, 1, 2, 3, 4, 5
RISE, CALM, SKIPPED = 6, 7, 8  # of the block in hand: the next trade to look at, and `pass_over`
CHUNK = 128
COUNTS = 10  # per bar of the chunk: how many labels it decides, then where the next one is written
TOPS, BOTTOMS = COUNTS + CHUNK, COUNTS + 2 * CHUNK  # per bar: the extremes of WIDE bars from it on
WIDE = 8
SLOTS = BOTTOMS + CHUNK
FIELDS = 15
ID, TIME, KNOWN, START, ENTRY, UPPER, LOWER, UP, DOWN, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
BITS, FROM, MARK, WHEN, MET = 10, 11, 12, 13, 14
NO_ENTRY, NO_QUOTE = 0, -1  # ENTRY, in place of a price in ticks
INSIDE, NOT_YET = -1, 2**62  # FROM, in place of the entry trade's row: its bar is finished; unknown
ABOVE, BELOW, BOTH, BELOW_FIRST, NO_PATH = 1, 2, 3, 4, 8  # MARK: what a bar's trades have touched
OPEN = -1  # WHEN, in place of the bar that decided
NOTHING = -1  # SKIPPED, in place of a label
LATE, NULL_LABEL, NO_LABEL = 2, 3, 4  # MET, besides +1, -1 and 0 for the vertical barrier
SKIP_TIES, REPLAY_TIES = 1, 2  # the option `tie`, in signature order
BILLION = 1_000_000_000
WIDEST = 9 * BILLION  # wider barriers are never met; the product below stays within an int64
SMALL = 2**31  # the product of two such numbers fits an int64
NEVER_UP, NEVER_DOWN = 2**63 - 1, -(2**63)
UNDEFINED_BIT = BIT["undefined"]


def words_of(bars):
    """Return how many words the labels need that end within `bars` bars."""
    return SLOTS + FIELDS * (2 * (bars + 1) + CHUNK)


def billionths(width, scale):
    """Return width · scale in whole billionths, at most WIDEST."""
    return int(min(math.floor(width * scale * 1e9 + 0.5), WIDEST))


def ticks_of(entry, part):
    """Return entry · part / 1e9 rounded up to a whole tick, within an int64 for entry < 2**60."""
    if entry < SMALL and part < SMALL:
        return (entry * part + BILLION - 1) // BILLION
    return entry // BILLION * part - (-(entry % BILLION * part) // BILLION)


def place_barriers(word, at, entry):
    """Write the entry price of the label at `at` and the ticks at which it is decided."""
    up, down = word[at + UP], word[at + DOWN]
    word[at + ENTRY] = entry
    word[at + UPPER] = entry + ticks_of(entry, up) if up > 0 and entry > 0 else NEVER_UP
    word[at + LOWER] = entry - ticks_of(entry, down) if down > 0 and entry > 0 else NEVER_DOWN


def open_label(word, bar, time, row, number, view, up, down, bits):
    """Append a label without entry; return its place."""
    at = SLOTS + FIELDS * word[TAIL]
    word[at + ID], word[at + TIME], word[at + KNOWN], word[at + START] = bar, time, row, number
    word[at + UP], word[at + DOWN], word[at + SIDE], word[at + BITS] = up, down, view, bits
    word[at + ENTRY], word[at + FROM], word[at + MARK], word[at + WHEN] = NO_ENTRY, NOT_YET, 0, OPEN
    word[at + UPPER], word[at + LOWER] = NEVER_UP, NEVER_DOWN
    word[TAIL] += 1
    return at


def begin_chunk(word, bars, high, low, start, stop):
    """Make room for the labels of another chunk, and find those that no barrier of it concerns.

    The labels before CALM touch nothing in the bars start..stop-1 and have their entry.
    """
    for k in range(COUNTS, COUNTS + stop - start):
        word[k] = 0
    if word[TAIL] > 2 * (bars + 1):
        shift = FIELDS * word[HEAD]
        for k in range(SLOTS + shift, SLOTS + FIELDS * word[TAIL]):
            word[k - shift] = word[k]
        word[TAIL] -= word[HEAD]
        word[HEAD] = 0
    widen(word, high, low, start, stop)
    top, bottom = extremes(high, low, start, stop)
    if top < word[LEAST_UPPER] and bottom > word[MOST_LOWER]:
        word[CALM] = word[TAIL] - word[WAITING]
    else:
        word[CALM] = word[HEAD]
        word[LEAST_UPPER], word[MOST_LOWER] = NEVER_UP, NEVER_DOWN
    word[SKIPPED] = NOTHING


def place_rows(word, count, row):
    """Turn the counts of decided labels per bar into the rows they start at; return the end."""
    for k in range(COUNTS, COUNTS + count):
        made = word[k]
        word[k] = row
        row += made
    return row


def keep_label(word, at, to):
    """Move an open label forward to `to`, and let the bounds of all barriers hold its own."""
    if to != at:
        for k in range(FIELDS):
            word[to + k] = word[at + k]
    word[LEAST_UPPER] = min(word[LEAST_UPPER], word[to + UPPER])
    word[MOST_LOWER] = max(word[MOST_LOWER], word[to + LOWER])


def widen(word, high, low, start, stop):
    """Write the extremes of WIDE bars from each bar of the chunk on, where there are so many."""
    count = stop - start
    for k in range(count):
        word[TOPS + k], word[BOTTOMS + k] = high[start + k], low[start + k]
    step = 1
    while step < WIDE:
        for k in range(count - 2 * step + 1):
            word[TOPS + k] = max(word[TOPS + k], word[TOPS + k + step])
        for k in range(count - 2 * step + 1):
            word[BOTTOMS + k] = min(word[BOTTOMS + k], word[BOTTOMS + k + step])
        step *= 2


def reaches(word, k, upper, lower):
    """Say whether one of WIDE bars from bar k of the chunk on reaches a barrier."""
    return (word[TOPS + k] >= upper) | (word[BOTTOMS + k] <= lower)


def extremes(high, low, start, stop):
    """Return the highest and the lowest tick of some rows."""
    top, bottom = NEVER_DOWN, NEVER_UP
    for t in range(start, stop):
        top, bottom = max(top, high[t]), min(bottom, low[t])
    return top, bottom


def bits_of(bits, start, stop):
    """Return the quality bits of some rows."""
    seen = 0
    for t in range(start, stop):
        seen |= bits[t]
    return seen


def spread_bits(bits, start, stop):
    """Return the quality bits of some rows, and the first of the rows from which all are alike."""
    seen, alike = 0, start
    for t in range(start, stop):
        if bits[t] != bits[alike]:
            alike = t
        seen |= bits[t]
    return seen, alike


def add_bits(word, at, bits, start, stop, alike):
    """Give a label the quality bits of some rows; from the row `alike` on, all are the same."""
    if start < stop:
        word[at + BITS] |= bits[start] if start >= alike else bits_of(bits, start, stop)


def pass_over(word, k, bits):
    """Leave the labels from k to CALM as they are, but for the quality of their path."""
    word[SKIPPED] = k
    if bits != 0:
        for label in range(k, word[CALM]):
            word[SLOTS + FIELDS * label + BITS] |= bits
    return word[CALM]


def first_later(time, start, stop, deadline):
    """Return the first row after a deadline, `stop` where none is."""
    t = start
    while t < stop and time[t] <= deadline:
        t += 1
    return t


def first_rise(word, time, known, stop):
    """Return the first trade after `known` of a later venue time than every trade before it.

    Trades before RISE are in NEWEST, the latest venue time so far.
    """
    t, newest = word[RISE], word[NEWEST]
    while t <= known:
        newest = max(newest, time[t])
        t += 1
    while t < stop and time[t] <= newest:
        t += 1
    word[RISE], word[NEWEST] = t, newest
    return t


def end_block(word, time, stop):
    """Take the block's trades up to `stop` into NEWEST, those that are not yet."""
    for t in range(word[RISE], stop):
        word[NEWEST] = max(word[NEWEST], time[t])
    word[RISE] = 0


def quote_ticks(quote, price, ticks):
    """Return a quote in ticks, given a price in the same currency and in ticks; 0 for a null."""
    return math.floor(quote * ticks / price + 0.5) if quote > 0.0 else 0


def enter(word, at, row, price, bits):
    """Enter a label at the trade of some row: at `price`, or at nothing where that is not > 0."""
    word[at + FROM] = row
    word[at + BITS] |= bits
    if price <= 0 and bits == 0:
        word[at + BITS] |= UNDEFINED_BIT
    place_barriers(word, at, price if price > 0 else NO_QUOTE)


def first_touch(word, at, high, low, start, begin, stop):
    """Return the first bar in begin..stop-1 that reaches a barrier and its mark; stop and 0: none.

    `start` is the first bar of the chunk.
    """
    upper, lower = word[at + UPPER], word[at + LOWER]
    t = begin
    while t + WIDE <= stop and not reaches(word, t - start, upper, lower):
        t += WIDE
    if (
        stop - WIDE >= begin
        and t > stop - WIDE
        and not reaches(word, stop - WIDE - start, upper, lower)
    ):
        return stop, 0
    while t < stop and high[t] < upper and low[t] > lower:
        t += 1
    if t == stop:
        return stop, 0
    return t, (ABOVE if high[t] >= upper else 0) + (BELOW if low[t] <= lower else 0)


def replay(ticks, start, stop, upper, lower, mark):
    """Return the mark of a bar after some more of its trades, in order."""
    for t in range(start, stop):
        if ticks[t] >= upper:
            mark |= ABOVE
        elif ticks[t] <= lower:
            mark |= BELOW if mark & ABOVE else BELOW | BELOW_FIRST
        if mark & BOTH == BOTH:
            break
    return mark


def walk(word, at, high, low, first, close, ticks, start, begin, stop, base, oldest, tie):
    """Return the bar in begin..stop-1 that decides a label entered by a trade, and its mark.

    Row k of the trades is ticks[base + k]; the trades before index `oldest` are in MARK.
    """
    t = begin
    if word[at + FROM] != INSIDE:  # the bar of the entry counts from the entry trade on
        while t < stop and close[t] < word[at + FROM]:
            t += 1
        if t == stop:
            return stop, 0
        index = max(oldest, base + word[at + FROM])
        word[at + FROM] = INSIDE
        if word[at + ENTRY] == NO_QUOTE:
            return t, NO_PATH
        mark = word[at + MARK]
        mark = replay(ticks, index, base + close[t] + 1, word[at + UPPER], word[at + LOWER], mark)
        if mark > 0:
            return t, mark
        t += 1
    t, mark = first_touch(word, at, high, low, start, t, stop)
    if mark == BOTH and tie == REPLAY_TIES:
        index, end = max(oldest, base + first[t]), base + close[t] + 1
        mark = replay(ticks, index, end, word[at + UPPER], word[at + LOWER], word[at + MARK])
    return t, mark


def mark_open_bar(word, ticks, start, stop, base, tie):
    """Remember what the trades of the unfinished bar have touched, in order."""
    top, bottom = extremes(ticks, ticks, start, stop)
    if top < word[LEAST_UPPER] and bottom > word[MOST_LOWER]:
        return
    for k in range(word[HEAD], word[TAIL]):
        at = SLOTS + FIELDS * k
        mark, upper, lower = word[at + MARK], word[at + UPPER], word[at + LOWER]
        asked = tie == REPLAY_TIES or word[at + FROM] != INSIDE
        news = (top >= upper and mark & ABOVE == 0) or (bottom <= lower and mark & BELOW == 0)
        if asked and news and word[at + ENTRY] > 0:
            begin = max(start, base + word[at + FROM])
            word[at + MARK] = replay(ticks, begin, stop, upper, lower, mark)


def decide(word, at, t, mark, tie):
    """Write that a label touched a barrier, or found no quote to enter at, in bar t."""
    met = ABOVE + BELOW - 2 * (mark & BOTH)  # +1 above, -1 below
    if mark & BOTH == BOTH:
        met = -word[at + SIDE]
        if tie == REPLAY_TIES:
            met = -1 if mark & BELOW_FIRST else 1
        elif tie == SKIP_TIES:
            met = NO_LABEL
    word[at + WHEN] = t
    word[at + MET] = NULL_LABEL if mark == NO_PATH else met


def expire(word, at, edge, end, stop):
    """Write how a label that touched nothing before bar `stop` ends there, if it does.

    `edge` is the first bar that is too late by time, `end` the one after the last by count.
    """
    if edge < min(end, stop):
        word[at + WHEN], word[at + MET] = edge, LATE
    elif end <= stop:
        word[at + WHEN], word[at + MET] = end - 1, 0
    if word[at + FROM] != INSIDE:
        word[at + MET] = NO_LABEL  # no trade came in time to enter by


def settle(word, at, t, mark, tie, edge, end, start, stop):
    """Write how a label ends in the bars start..stop-1, if it does; return where its path does."""
    if mark > 0:
        decide(word, at, t, mark, tie)
    else:
        expire(word, at, edge, end, stop)
    when = word[at + WHEN]
    if when == OPEN:
        return stop
    if word[at + MET] != NO_LABEL:
        word[COUNTS + when - start] += 1
    return when + 1


def take_row(word, bar):
    """Return where the next label that bar number `bar` of the chunk decided is written."""
    row = word[COUNTS + bar]
    word[COUNTS + bar] = row + 1
    return row


def gain_of(word, at, close, t):
    """Return a decided label's return from its entry."""
    met, entry = word[at + MET], word[at + ENTRY]
    if met == NULL_LABEL:
        return math.nan
    last = close[t - 1] if met == LATE else close[t]
    # no branch on which barrier it was: nobody can predict it
    most = word[at + UP] if met == 1 else -word[at + DOWN]
    most = most if met * met == 1 else last - entry
    return most / (BILLION if met * met == 1 else entry)
