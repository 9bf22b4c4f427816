"""event_rate(window): rows per second over the last `window` of time.

    r[t] = count of rows in (time[t] - window, time[t]] / window in seconds

On ticks these are trades, on a bar clock bars. The window lies on processed time in tape order
(see `window_count`, whose limit of rows holds). Null never. Unit: 1/s. Written out when the formula
is compiled.
Source: definition.
"""

from qf.clock import SECOND_NS
from qf.op import define

op = define("event_rate(window: 1ms..7d)", unit="1/s", example='event_rate("5s")')


@op.expand
def expand(window):
    return f'rolling_count(1, "{window}ns") / {window / SECOND_NS!r}'
