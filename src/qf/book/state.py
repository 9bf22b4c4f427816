"""The words of the book kernel's int64 state: continuity, settings, what trades brought, two books.

Two books are kept of one stream: ARRIVED, as the messages come in, and VISIBLE, as far as a trade
may see. Three queues follow them: frames held back until a snapshot, and differences and tickers
that wait until a trade may see them.
"""

from qf.book.frames import QUEUE_HEAD
from qf.book.top import BOOK_WORDS_HELD

# 0..47 belong to the continuity machine; 8..15 are free there.
HELD, HELD_ROOM, DEPTHS, DEPTHS_ROOM, TICKERS, TICKERS_ROOM = range(8, 14)
# RULE is word 48 (top.py).
ASOF, LAG_NS, LEVELS, TTL_NS, PERIOD_NS, DEPTH_LEVELS = range(49, 55)
# EAGER: refresh the view at every frame, because somebody reads the order flow. SEES, SHOWS:
# whether anybody reads trades, and book rows or snapshots. DEEP: whether anybody reads a level of
# the visible book behind its best.
EAGER, SEES, SHOWS, NEXT_SNAPSHOT, MARKED, DEEP = range(55, 61)
# Whether one ladder may be that of both books; whether somebody outside the kernel reads the
# arrived book after every frame; whether the books took a snapshot differently (one_ladder.py).
SHARES, OBSERVED, DISAGREE = 61, 62, 63
TRADE_TIME, OFFSET, OFFSET_KNOWN = 64, 65, 66
OPEN_ROWS, SEEABLE = 67, 68  # of the frame that is being read
REPLAYING = 69  # frames held back are being let go
BEHIND, BEHIND_TIME = 70, 71  # trades on end behind TRADE_TIME, and the largest of their times
DEPTH_TIME, TICKER_TIME = 82, 83  # venue times of the newest messages in the visible book
FOUND = 72  # how directions were found: venue flag, quote rule, tick rule, unknown
LAST_PRICE, LAST_DIRECTION, TRADED = 76, 77, 78
BID_DEPTH, ASK_DEPTH = 80, 81
# Of the messages that wait for a trade, from the oldest: how many words of them the one ladder
# holds already, and where the last of these begins. Lately: how many levels were swapped in, and
# how many trades could see; below 0, so many are to come before one ladder is tried again.
AHEAD, AHEAD_LAST, SWAPPED, TAKEN = range(88, 92)
# The levels of the newest snapshot: how many a side, where their prices and sizes begin among the
# float64 slots, and per side up to 1,000 of them in ticks and lots.
SHOWN_COUNT, SHOWN_AT = 84, 86
SHOWN_U, SHOWN_LOTS, SHOWN_ROOM = 96, 2144, 1024
ARRIVED = SHOWN_LOTS + 2 * SHOWN_ROOM
VISIBLE = ARRIVED + BOOK_WORDS_HELD
QUEUES = VISIBLE + BOOK_WORDS_HELD
STRICT, ARRIVAL = 0, 1


def state_words(held_words, depth_words, ticker_words):
    """Return the size of the whole state."""
    return QUEUES + 3 * QUEUE_HEAD + held_words + depth_words + ticker_words


def place_queues(w, held_words, depth_words, ticker_words):
    """Write where the queues begin and how many words they have."""
    w[HELD] = QUEUES
    w[HELD_ROOM] = held_words
    w[DEPTHS] = w[HELD] + QUEUE_HEAD + held_words
    w[DEPTHS_ROOM] = depth_words
    w[TICKERS] = w[DEPTHS] + QUEUE_HEAD + depth_words
    w[TICKERS_ROOM] = ticker_words
