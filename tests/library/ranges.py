"""Read the range that a feature type declares.

`any`, `>= 0`, `> -1`, `[0, 1)`, `[0, ln(bins)]`, `[1, window]`, `-1, 0 or 1`, `{0, 1, 2}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_ONE_SIDED = re.compile(r"(>=|>|<=|<) *(\S+)")
_BOTH = re.compile(r"([\[(]) *([^,]+), *([^,]+) *([\])])")
_STATES = re.compile(r"\{([^{}]+)\}")
_CHOICES = re.compile(r"([^\[\](),]+(?:, [^\[\](),]+)*) or (\S+)")
SLACK = 1e-9  # relative: what rounding may do at an edge


class Range:
    """The values a type may have."""

    def __init__(self, text: str, params: Mapping[str, object] | None = None) -> None:
        self.low, self.high, self.low_open, self.high_open = -math.inf, math.inf, False, False
        self.choices: tuple[float, ...] = ()
        known = dict(params or {})
        text = text.strip()
        if text == "any":
            return
        if found := _ONE_SIDED.fullmatch(text):
            sign, edge = found[1], _edge(found[2], known)
            if sign.startswith(">"):
                self.low, self.low_open = edge, sign == ">"
            else:
                self.high, self.high_open = edge, sign == "<"
        elif found := _BOTH.fullmatch(text):
            self.low, self.high = _edge(found[2], known), _edge(found[3], known)
            self.low_open, self.high_open = found[1] == "(", found[4] == ")"
        elif found := _STATES.fullmatch(text):
            self.choices = tuple(_edge(part, known) for part in found[1].split(","))
        elif found := _CHOICES.fullmatch(text):
            self.choices = tuple(_edge(part, known) for part in (*found[1].split(","), found[2]))
        else:
            raise ValueError(f"no range: {text!r}")
        if self.low > self.high:
            raise ValueError(f"an empty range: {text!r}")

    def outside(self, values) -> list[float]:
        """Return up to three of the finite values that lie outside."""
        found = [value for value in values if math.isfinite(value) and not self.holds(value)]
        return found[:3]

    def holds(self, value: float) -> bool:
        """Say whether a value lies inside; at a closed edge rounding is forgiven."""
        if self.choices:
            return value in self.choices
        low_slack = SLACK * max(1.0, abs(self.low)) if math.isfinite(self.low) else 0.0
        high_slack = SLACK * max(1.0, abs(self.high)) if math.isfinite(self.high) else 0.0
        above = value > self.low if self.low_open else value >= self.low - low_slack
        below = value < self.high if self.high_open else value <= self.high + high_slack
        return above and below


def _edge(text: str, params: Mapping[str, object]) -> float:
    """Return an edge: a number, a parameter, its logarithm or root, or an infinity."""
    text = text.strip()
    negative = text.startswith("-")
    bare = text.lstrip("-+")
    if bare in ("inf", "infinity"):
        value = math.inf
    elif bare in params:
        value = float(str(params[bare]))
    elif found := re.fullmatch(r"(ln|log2|sqrt)\((\w+)\)", bare):
        function = {"ln": math.log, "log2": math.log2, "sqrt": math.sqrt}[found[1]]
        value = function(_edge(found[2], params))
    else:
        value = float(bare)
    return -value if negative else value
