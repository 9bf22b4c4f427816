"""entropy_lempel_ziv(x, window, bins): how many new words a sequence of symbols keeps making.

    L[t] = (words of the parse) / window

The last `window` values are told apart by equally wide bins between their lowest and highest. Read
from the oldest on, each word is the shortest that has not been made before; a rest at the end that
has been is no word. Low for a sequence that repeats itself, high for a random one. It falls with
the window (a coin makes about 0.2 words per row in 500 rows): compare equal windows only.
Null until `window` rows exist and while a row in the window is null. Unit: words per row. A row
costs a window.
Source: Ziv, Lempel (1978), IEEE Trans. Inf. Theory 24(5), 530-536; as in Lopez de Prado
(2018), Advances in Financial Machine Learning, 18.4.
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.symbols import spell, symbols_of

op = define(
    "entropy_lempel_ziv(x, window: 2..4096, bins: 2..16 = 2)",
    warmup=lambda window, bins: window - 1,
    lookback=lambda window, bins: window,
    ints=lambda window, bins: window + (window + 1) * bins + 1,
    tolerance=SUM,
    unit="1",
    example="entropy_lempel_ziv(direction > 0, 100)",
)
op.polars_missing("a parse of each window into words; the definition is its twin")


@op.definition
def definition(x, window, bins):
    rows = x[-window:]
    if any_missing(rows):
        return math.nan
    words, word = set(), ()
    for symbol in symbols_of(rows, bins):
        word = (*word, symbol)
        if word not in words:
            words.add(word)
            word = ()
    return len(words) / window


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window, bins = int(params[0]), int(params[1])
    tree = window  # node n's child by a symbol is ints[tree + n * bins + symbol]; 0 is none
    place = window + (window + 1) * bins
    known = ints[place]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        spell(x, t - window + 1, window, bins, ints)
        for k in range(bins):
            ints[tree + k] = 0
        made, node = 0, 0
        for i in range(window):
            child = tree + node * bins + ints[i]
            node = ints[child]
            if node == 0:  # a new word is a new node
                made += 1
                ints[child] = made
                for k in range(bins):
                    ints[tree + made * bins + k] = 0
        out[t] = made / window
    ints[place] = known
