"""What is computed of one symbol: which rows of the tape every part was made of, and from what.

A span of tape rows holds up to its last mark that is still true: a mark is a row and the hash of
everything before it on the tape. Spans are in rows, not in times: rows of one instant may come in
two runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

Rows = tuple[int, int]  # first, behind the last
Marks = Callable[[int], str]  # the hash of everything before a row of the tape as it is now
MOST_MARKS = 400  # of one span; the oldest but the last few go first


@dataclass
class Span:
    """Tape rows from `first` to the row of the last mark; the marks are rows with their hashes."""

    first: int
    marks: list[tuple[int, str]]

    @property
    def last(self) -> int:
        """Return the row behind the last."""
        return self.marks[-1][0]

    def valid(self, marks: Marks) -> Span | None:
        """Return what of the span is made of the tape as it is now."""
        kept = list(self.marks)
        while kept and marks(kept[-1][0]) != kept[-1][1]:
            kept.pop()
        return Span(self.first, kept) if kept else None


@dataclass
class Covered:
    """The rows of one part: what made them, and which tape rows they answer for."""

    key: str
    table: str
    constants: dict[str, str]
    spans: list[Span] = field(default_factory=list)
    until: str = ""  # for rows beside the tape: the tape and the end that were asked for
    vertical: tuple[int, int] = (0, 0)  # labels: met the vertical barrier, of how many


@dataclass
class Ledger:
    """Everything that the next run of a symbol goes on from."""

    parts: dict[str, Covered] = field(default_factory=dict)
    states: list[tuple[int, str, str]] = field(default_factory=list)  # row, mark, file
    wrote: dict[str, dict[str, Any]] = field(default_factory=dict)  # table -> segments.Version
    facts: dict[str, Any] = field(default_factory=dict)  # accounts, directions, bars
    tape: str = ""

    @classmethod
    def read(cls, told: dict[str, Any] | None) -> Ledger:
        """Return the ledger that `row` wrote; an empty one for None."""
        if not told:
            return cls()
        parts = {}
        for name, row in told["parts"].items():
            spans = [
                Span(each["first"], [(at, mark) for at, mark in each["marks"]])
                for each in row["spans"]
            ]
            vertical = (row["vertical"][0], row["vertical"][1])
            parts[name] = Covered(**{**row, "spans": spans, "vertical": vertical})
        states = [(row, mark, file) for row, mark, file in told["states"]]
        return cls(parts, states, told["wrote"], told["facts"], told["tape"])

    def row(self) -> dict[str, Any]:
        """Return the ledger as JSON values."""
        return asdict(self)

    def valid(self, part: str, key: str, marks: Marks) -> list[Span]:
        """Return what a part of this key need not be made of again."""
        found = self.parts.get(part)
        if found is None or found.key != key:
            return []
        return [span for each in found.spans if (span := each.valid(marks)) is not None]

    def is_clean(self, part: str, key: str, marks: Marks) -> bool:
        """Say whether every row there is of a part is one of this key and of the tape as it is."""
        found = self.parts.get(part)
        return found is not None and self.valid(part, key, marks) == found.spans

    def cover(self, part: str, entry: Covered, made: Iterable[Rows], marks: Marks) -> None:
        """Let a part answer for the rows just made, beside those it answered for and still does."""
        spans = self.valid(part, entry.key, marks)
        spans += [Span(first, [(last, marks(last))]) for first, last in made if first < last]
        self.parts[part] = entry
        entry.spans = union(spans)


def subtract(wanted: Rows, spans: Iterable[Rows]) -> list[Rows]:
    """Return the parts of `wanted` that lie in none of the spans, in order."""
    left, at = [], wanted[0]
    for first, last in sorted(spans):
        if first > at:
            left.append((at, min(first, wanted[1])))
        at = max(at, last)
        if at >= wanted[1]:
            break
    if at < wanted[1]:
        left.append((at, wanted[1]))
    return [(first, last) for first, last in left if first < last]


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch joined with all their marks."""
    joined: list[Span] = []
    for each in sorted(spans, key=lambda span: (span.first, span.last)):
        if joined and each.first <= joined[-1].last:
            marks = sorted({*joined[-1].marks, *each.marks})
            joined[-1] = Span(joined[-1].first, marks[-MOST_MARKS:])
        else:
            joined.append(each)
    return joined
