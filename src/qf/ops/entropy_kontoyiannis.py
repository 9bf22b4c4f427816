"""entropy_kontoyiannis(x, window, bins): entropy rate by how far back symbols repeat, in bits.

    H[t] = mean of log2(i + 1) / L[i],  i = 1 .. window // 2
    L[i] = 1 + the longest word from place i (at most i symbols) that also begins before i

The last `window` values are told apart by equally wide bins between their lowest and highest. It
needs no word length: long repeats make it small. It nears the truth slowly, from below (a coin has
about 0.86 in 200 rows): compare equal windows only. Null until `window` rows exist and while a row
in the window is null. Unit: bits per row. A row costs the square of a window.
Source: Kontoyiannis, Algoet, Suhov, Wyner (1998), IEEE Trans. Inf. Theory 44(3), 1319-1327 (the
growing window); as in Lopez de Prado (2018), 18.5.
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.symbols import spell, symbols_of

op = define(
    "entropy_kontoyiannis(x, window: 2..512, bins: 2..16 = 2)",
    warmup=lambda window, bins: window - 1,
    lookback=lambda window, bins: window,
    ints=lambda window, bins: window + 1,
    tolerance=SUM,
    unit="1",
    example="entropy_kontoyiannis(direction > 0, 64)",
)
op.polars_missing("a search for repeats inside each window; the definition is its twin")


@op.definition
def definition(x, window, bins):
    rows = x[-window:]
    if any_missing(rows):
        return math.nan
    text = symbols_of(rows, bins)
    terms = []
    for i in range(1, window // 2 + 1):
        seen = [k for k in range(1, i + 1) for j in range(i) if text[i : i + k] == text[j : j + k]]
        terms.append(math.log(i + 1.0) / (1 + max(seen, default=0)))
    return math.fsum(terms) / len(terms) / math.log(2.0)


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window, bins = int(params[0]), int(params[1])
    known = ints[window]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        spell(x, t - window + 1, window, bins, ints)
        total = 0.0
        for i in range(1, window // 2 + 1):
            longest = 0
            for j in range(i):
                k = 0
                while k < i and ints[i + k] == ints[j + k]:
                    k += 1
                longest = max(longest, k)
            total += math.log(i + 1.0) / (1.0 + longest)
        out[t] = total / (window // 2) / math.log(2.0)
    ints[window] = known
