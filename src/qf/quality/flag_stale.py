"""flag_stale(quality, age_ns, ttl_ms): a value older than its time to live carries `stale`.

    y[t] = quality[t] | (stale where age_ns[t] > ttl_ms)

Null rule: a missing age is no age and flags nothing. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import BIT, NULL_INT

STALE_BIT = BIT["stale"]

op = define(
    "flag_stale(quality: int, age_ns: int, ttl_ms: 0.0..1e12) -> out: int",
    unit="bits",
    example="flag_stale(quality, age_ns, 500)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, age_ns, ttl_ms):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    return bits | (STALE_BIT if age_ns[-1] > ttl_ms * 1e6 else 0)


@op.kernel
def kernel(quality, age_ns, lo, hi, out, params):
    ttl_ns = params[0] * 1e6
    for t in range(lo, hi):
        bits = 0 if quality[t] == NULL_INT else quality[t]
        out[t] = bits | STALE_BIT if age_ns[t] > ttl_ns else bits
