"""Draw a series as a small SVG: one line, its highest and lowest value, the line of zero.

Coordinates are whole numbers, so two machines whose last bits differ draw the same picture, or one
that differs by a unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

STEP, HEIGHT, MARGIN = 2, 40, 4
INK, GREY = "#2f7ed8", "#8a8f98"
MAX_BYTES = 2_048
_POINT = re.compile(r"([ML])(-?\d+) (-?\d+)")


def draw(values: Sequence[float]) -> str:
    """Return the picture of a series; a missing value (NaN) is a gap."""
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    width = STEP * (len(values) - 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 66}" height="{HEIGHT}" '
        f'viewBox="-2 0 {width + 66} {HEIGHT}" fill="none" font-family="sans-serif" font-size="9">'
    ]
    if low < 0.0 < high:
        zero = _height(0.0, low, high)
        lines.append(f'<path d="M0 {zero}H{width}" stroke="{GREY}" stroke-dasharray="2 3"/>')
    if known:
        lines.append(
            f'<path d="{_path(values, low, high)}" stroke="{INK}" stroke-width="1.2" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )
        for value, height in ((high, 9), (low, HEIGHT - 2)):
            text = f'<text x="{width + 5}" y="{height}" fill="{GREY}">{_short(value)}</text>'
            lines.append(text)
    return "\n".join([*lines, "</svg>", ""])


def points_of(picture: str) -> list[tuple[int, int]]:
    """Return the points of the line that a picture shows."""
    return [(int(x), int(y)) for _, x, y in _POINT.findall(picture)]


def _path(values: Sequence[float], low: float, high: float) -> str:
    """Return the path's text: `M` begins a stretch of known values."""
    parts, pen = [], "M"
    for place, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        parts.append(f"{pen}{STEP * place} {_height(value, low, high)}")
        parts.append("h0" if pen == "M" else "")  # a value alone is a dot
        pen = "L"
    return "".join(parts)


def _height(value: float, low: float, high: float) -> int:
    """Return the row of a value: small numbers are at the top of an SVG."""
    if high <= low:
        return HEIGHT // 2
    return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / (high - low))


def _short(value: float) -> str:
    if 1_000.0 <= abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value + 0.0:.3g}".replace("e-0", "e-").replace("e+0", "e")
