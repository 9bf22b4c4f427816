"""How far back a value reaches: rows, then perhaps ns, then rows again, from the newest outward.

rolling_sum(window_sum(x, "5s"), 20) at row t reads 19 rows back, and from there 5 s more. A bit
that marks a row as doubtful is therefore OR-ed over the last step first: over 5 s, then 20 rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Memory:
    """Extents, alternating: extra rows, ns, extra rows, ns …; `unbounded` where it never ends."""

    extents: tuple[int, ...] = ()
    unbounded: bool = False

    @property
    def rows(self) -> int:
        """Return the rows in reach, the row itself included; 0 is unbounded."""
        return 0 if self.unbounded else 1 + sum(self.extents[0::2])

    @property
    def ns(self) -> int:
        """Return the nanoseconds in reach besides the rows."""
        return sum(self.extents[1::2])

    @property
    def steps(self) -> tuple[tuple[str, int], ...]:
        """Return the windows to OR quality over, in the order nearest to the value first."""
        if self.unbounded:
            return (("rows", 0),)
        named = [
            ("ns", extent) if place % 2 else ("rows", extent + 1)
            for place, extent in enumerate(self.extents)
            if extent
        ]
        return tuple(named)

    def behind_rows(self, rows: int) -> Memory:
        """Return the memory of an op that takes in `rows` rows of such values (0: all rows)."""
        if self.unbounded or rows == 0:
            return Memory((), True)
        first, *rest = self.extents or (0,)
        return _trim((first + rows - 1, *rest))

    def behind_ns(self, ns: int) -> Memory:
        """Return the memory of an op that takes in the last `ns` of such values."""
        if self.unbounded:
            return self
        if self.extents and self.extents[0] == 0 and len(self.extents) > 1:
            return _trim((0, self.extents[1] + ns, *self.extents[2:]))
        return _trim((0, ns, *self.extents))


NOW = Memory()  # the row itself


def join(memories: list[Memory]) -> Memory:
    """Return a memory that reaches at least as far as each of them."""
    if any(memory.unbounded for memory in memories):
        return Memory((), True)
    return _trim(
        tuple(max(each) for each in zip_longest(*(m.extents for m in memories), fillvalue=0))
    )


def _trim(extents: tuple[int, ...]) -> Memory:
    while extents and extents[-1] == 0:
        extents = extents[:-1]
    return Memory(extents)
