"""What a campaign came to: what was wrong, and how much was looked at."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qf.errors import QuantflowError, RefusedError, diagnostic

FAILING = diagnostic(
    "QF873",
    "{count} of {seeds} seeds broke an oracle, the first is {seed}: {problem}",
    RefusedError,
    "the smallest course that shows it is in {path}",
)

CRASHES = ("kill", "kill_in_disk", "power_loss", "power_loss_in_disk")
MOST_PROBLEMS = 20


@dataclass
class Report:
    """One seed's result. `counts` adds up over seeds; `digest` names everything that happened."""

    seed: int
    minutes: float
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    largest: dict[str, float] = field(default_factory=dict)
    digest: str = ""

    def wrong(self, sentence: str) -> None:
        """Note something that must not be."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)

    def most(self, name: str, value: float) -> None:
        """Keep the largest value of something bounded."""
        self.largest[name] = max(self.largest.get(name, 0.0), value)

    @property
    def crashes(self) -> int:
        """Return how often the process died."""
        return sum(self.faults[name] for name in CRASHES)

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "problems": self.problems,
            "faults": dict(sorted(self.faults.items())),
            "counts": dict(sorted(self.counts.items())),
            "largest": dict(sorted(self.largest.items())),
            "digest": self.digest,
        }


@dataclass
class Totals:
    """Many seeds together."""

    seeds: int = 0
    minutes: float = 0.0
    failing: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    largest: dict[str, float] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Take one seed's result."""
        self.seeds += 1
        self.minutes += report.minutes
        self.counts += report.counts
        self.faults += report.faults
        for name, value in report.largest.items():
            self.largest[name] = max(self.largest.get(name, 0.0), value)
        if report.problems:
            self.failing.append(report.seed)

    @property
    def crashes(self) -> int:
        """Return how often a process died."""
        return sum(self.faults[name] for name in CRASHES)

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "seeds": self.seeds,
            "virtual_hours": round(self.minutes / 60, 3),
            "failing_seeds": self.failing,
            "faults": dict(sorted(self.faults.items())),
            "crashes": self.crashes,
            "counts": dict(sorted(self.counts.items())),
            "largest": dict(sorted(self.largest.items())),
        }

    def lines(self) -> list[str]:
        """Return the totals as a person reads them."""
        kinds = ", ".join(f"{name} {count:,}" for name, count in self.faults.most_common())
        counts = self.counts
        return [
            f"{self.seeds:,} seeds, {self.minutes / 60:,.1f} virtual hours",
            f"faults       {sum(self.faults.values()):,} ({kinds or 'none'})",
            f"crashes      {self.crashes:,}, recoveries {counts['recoveries']:,}",
            f"comparisons  {counts['comparisons']:,} of the whole book, "
            f"{counts['wrong_books']:,} wrong while valid; {counts['quotes']:,} quotes in rows",
            f"rows         {counts['rows']:,} in {counts['rows_handed_out']:,} hand-outs, "
            f"{counts['rows_wrong']:,} lost or changed",
            "longest      "
            + ", ".join(f"{name} {value:,.3g}" for name, value in sorted(self.largest.items())),
        ]


def digest_of(parts: list[bytes]) -> str:
    """Return one hash over everything given."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()[:32]


def failing(totals: Totals, problem: str, path: Path) -> QuantflowError:
    """Return QF873 for the first seed that failed."""
    return FAILING(
        count=len(totals.failing),
        seeds=totals.seeds,
        seed=totals.failing[0],
        problem=problem,
        path=path,
    )
