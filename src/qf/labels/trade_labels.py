"""Labels that look at the trades inside bars: entered by one, or with ties told by their order."""

import math

from qf.labels.open_labels import (
    ABOVE,
    BELOW,
    BELOW_FIRST,
    BITS,
    BOOK,
    BOTH,
    CALM,
    CLOSE,
    ENTRY,
    FIELDS,
    FROM,
    HEAD,
    INSIDE,
    KNOWN,
    LEAST_UPPER,
    LOWER,
    MARK,
    MET,
    MOST_LOWER,
    NEWEST,
    NO_ENTRY,
    NO_LABEL,
    NO_PATH,
    NO_QUOTE,
    OPEN,
    REPLAY_TIES,
    RISE,
    SIDE,
    SLOTS,
    START,
    TAIL,
    TIME,
    UPPER,
    WHEN,
    billionths,
    count_row,
    ended,
    enter,
    extremes,
    first_later,
    first_touch,
    open_label,
    pass_over,
    path_bits,
    scale_of,
    view_of,
)


def open_chunk(
    word, start, stop, offset, params, bar, known_time, known_row, close_ticks, bar_quality,
    volatility, position,
):  # fmt: skip
    """Open the labels of some bars; bar t is the absolute row offset + t."""
    for t in range(start, stop):
        view = view_of(params, position, t)
        scale = scale_of(params, volatility, t)
        if scale > 0.0 and abs(view) == 1 and (params[6] != CLOSE or close_ticks[t] > 0):
            up, down = billionths(params[0], scale), billionths(params[1], scale)
            at = SLOTS + FIELDS * word[TAIL]
            number, bits = offset + t, bar_quality[t]
            open_label(word, at, bar[t], known_time[t], known_row[t], number, view, up, down, bits)
            word[TAIL] += 1
            if params[6] == CLOSE:
                enter(word, at, INSIDE, close_ticks[t], 0)


def quote_ticks(quote, price, ticks):
    """Return a quote in ticks, given a price in the same currency and in ticks; 0 for a null."""
    return math.floor(quote * ticks / price + 0.5) if quote > 0.0 else 0


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


def enter_by_trade(word, at, kind, stop, base, ticks, time, bits, price, bid, ask):
    """Enter a label, where the trade it enters by is among those before index `stop`."""
    known = base + word[at + KNOWN]
    if kind != BOOK and known + 1 < stop:
        enter(word, at, known + 1 - base, ticks[known + 1], 0)
    if kind == BOOK:
        t = first_rise(word, time, known, stop)
        if t < stop:
            quote = ask[t] if word[at + SIDE] > 0 else bid[t]
            enter(word, at, t - base, quote_ticks(quote, price[t], ticks[t]), bits[t])


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


def walk(word, at, high, low, first, close, ticks, begin, stop, base, oldest, tie):
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
    upper, lower = word[at + UPPER], word[at + LOWER]
    t, mark = first_touch(word, high, low, upper, lower, t, stop)
    if mark == BOTH and tie == REPLAY_TIES:
        index, end = max(oldest, base + first[t]), base + close[t] + 1
        mark = replay(ticks, index, end, upper, lower, word[at + MARK])
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


def judge_open(
    word, start, stop, offset, params, known_time, first_row, close_row, high_ticks, low_ticks,
    bar_quality, ticks, time, bits, price, bid, ask, oldest, newest, base,
):  # fmt: skip
    """Find how each open label ends in the bars start..stop-1, or that it does not."""
    bars, vertical_ns, kind, tie = int(params[4]), int(params[5]), int(params[6]), int(params[7])
    edge, k = start if vertical_ns > 0 else stop, word[HEAD]
    while k < word[TAIL]:
        at = SLOTS + FIELDS * k
        end = word[at + START] - offset + 1 + bars
        if vertical_ns > 0:
            edge = first_later(known_time, edge, stop, word[at + TIME] + vertical_ns)
        if k < word[CALM] and edge == stop and end > stop:  # nor are those after it due
            k = pass_over(word, k)
            continue
        begin = max(end - bars, start)
        if word[at + ENTRY] == NO_ENTRY:
            enter_by_trade(word, at, kind, newest, base, ticks, time, bits, price, bid, ask)
        t, mark = walk(
            word, at, high_ticks, low_ticks, first_row, close_row, ticks, begin,
            min(end, edge, stop), base, oldest, tie,
        )  # fmt: skip
        when, met = ended(t, stop, mark, edge, end, word[at + SIDE], tie)
        if mark == 0 and word[at + FROM] != INSIDE:
            met = NO_LABEL  # no trade came in time to enter by
        word[at + WHEN], word[at + MET] = when, met
        word[at + BITS] |= path_bits(word, bar_quality, begin, stop if when == OPEN else when + 1)
        count_row(word, when - start, met)
        k += 1
