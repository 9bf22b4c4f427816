"""entropy_plug_in(x, window, bins, word, newest): how surprising words of symbols are, in bits.

    H[t] = -sum over words p log2(p) / word,  p = share of the word among the overlapping words

The last `window` values are told apart by equally wide bins between their lowest and highest. A
word is `word` symbols in a row. The source leaves the newest word out, so that '11100001' has
0.985 and not 1; `newest="in"` counts it, and with a word of 1 is `rolling_entropy`. Between 0 and
log2(bins); in short windows below the truth, by about (words - 1) / (2 ln(2) window word). Null
until `window` rows exist and while a row in the window is null. Unit: bits. A row costs a window.
Source: Lopez de Prado (2018), Advances in Financial Machine Learning, 18.3.
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.symbols import spell, symbols_of

WORDS = 4096  # bins ** word at most

op = define(
    "entropy_plug_in(x, window: 8..10000, bins: 2..8 = 2, word: 1..4 = 1, newest: out|in = out)",
    warmup=lambda window, **_: window - 1,
    lookback=lambda window, **_: window,
    ints=lambda window, **_: window + WORDS + 1,
    tolerance=SUM,
    unit="1",
    example='entropy_plug_in(direction > 0, 100, word=3, newest="in")',
)
op.polars_missing("counts words of several rows inside each window; the definition is its twin")


@op.definition
def definition(x, window, bins, word, newest):
    rows = x[-window:]
    if any_missing(rows):
        return math.nan
    symbols = symbols_of(rows, bins)
    count = window - word + (1 if newest == "in" else 0)
    words = [tuple(symbols[i : i + word]) for i in range(count)]
    shares = [words.count(one) / count for one in set(words)]
    return abs(math.fsum(share * math.log(share) for share in shares)) / math.log(2.0) / word


def word_at(ints, first, word, bins):
    """Return the number of the word whose symbols begin at ints[first]."""
    code = 0
    for k in range(word):
        code = code * bins + ints[first + k]
    return code


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window, bins, word = int(params[0]), int(params[1]), int(params[2])
    count = window - word + int(params[3])
    known = ints[window + WORDS]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        spell(x, t - window + 1, window, bins, ints)
        for i in range(count):  # all counts are 0 between rows
            ints[window + word_at(ints, i, word, bins)] += 1
        total = 0.0
        for i in range(count):
            place = window + word_at(ints, i, word, bins)
            if ints[place] > 0:
                share = ints[place] / count
                total += share * math.log(share)
                ints[place] = 0
        out[t] = abs(total) / math.log(2.0) / word
    ints[window + WORDS] = known
