"""The texts that comparisons of symbols are written of: sums over the members that have a value.

Members are names; what they stand for is put in their place (language/passes/across.py).
"""

from __future__ import annotations

from collections.abc import Sequence


def number_of(members: Sequence[str]) -> str:
    """Return the text of how many members have a value."""
    return " + ".join(f"where(is_null({name}), 0, 1)" for name in members) or "0"


def total(members: Sequence[str]) -> str:
    """Return the text of the members' sum; those without a value add 0."""
    return " + ".join(f"coalesce({name}, 0)" for name in members) or "0"
