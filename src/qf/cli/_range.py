"""The range of dates that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from qf.errors import diagnostic

EMPTY_RANGE = diagnostic(
    "QF710",
    "the range from {start} to {end} is empty",
    hint="the end date is included; the end of a timestamp range is not",
)


def range_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--start-date` and `--end-date`."""
    first = "First day (2024-08-08) or instant (2024-08-08T23:54:00Z)."
    last = "Last day, included, or the instant before which to stop."
    return click.option("--start-date", help=first)(click.option("--end-date", help=last)(function))


def read_range(start_date: str | None, end_date: str | None) -> tuple[int | None, int | None]:
    """Return [start, end) in ns; a date as end includes its whole day. Errors: QF001, QF710."""
    from qf.engines.session import span_of

    start, end = span_of(start_date, end_date)
    if start is not None and end is not None and start >= end:
        raise EMPTY_RANGE(start=start_date, end=end_date)
    return start, end
