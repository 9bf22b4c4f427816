"""What a proof came to: hashes per way and table, what is stored, and the first differences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from qf.clock import format_time
from qf.errors import QuantflowError, RefusedError, diagnostic
from qf.proof.prove_find import Finding
from qf.proof.prove_path import Subject
from qf.proof.prove_schedule import Effort
from qf.proof.prove_stored import DIFFERENT, Stored

UNEQUAL = diagnostic(
    "QF551", "{what}: the tables depend on how they are computed", RefusedError, "{hint}"
)
STALE = diagnostic(
    "QF553",
    "stored rows differ from what the same definitions, program and input make now: {tables}",
    RefusedError,
    "find out what changed them, then write them anew with qf run",
)

RUN = "run"
SHOWN = 16  # digits of a hash that a person is shown; JSON has all


@dataclass(frozen=True)
class Tried:
    """One way of computing: what was done, the hash of every table, how long it took."""

    name: str
    does: str
    hashes: Mapping[str, str]
    seconds: float
    equal: bool
    error: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return one hash of all tables' hashes, "" where the way failed."""
        text = "".join(f"{name} {self.hashes[name]};" for name in sorted(self.hashes))
        return hashlib.blake2b(text.encode()).hexdigest()[:SHOWN] if text else ""


@dataclass(frozen=True)
class Proof:
    """The outcome for one project and range; `equal` is the answer."""

    project: str
    subjects: tuple[Subject, ...]
    effort: Effort
    tried: tuple[Tried, ...]
    stored: tuple[Stored, ...]
    findings: tuple[Finding, ...]

    @property
    def equal(self) -> bool:
        """Say whether every way, and everything stored that can be compared, is equal."""
        return all(each.equal for each in self.tried) and not self._stored_differ()

    def refuse(self) -> None:
        """Raise QF551 unless everything is equal."""
        if not self.equal:
            raise self._refusal()

    def lines(self) -> list[str]:
        """Return the proof as a person reads it."""
        lines = [f"project {self.project}, seed {self.effort.seed}"]
        for each in self.subjects:
            tape = each.tape
            span = f"{format_time(tape.first_time)} to {format_time(tape.last_time)}"
            lines.append(f"{each.planned.instrument.symbol}: {each.rows:,} rows of tape, {span}")
        lines += ["", *_aligned(self._table_rows()), "", *_aligned(self._way_rows())]
        for each in self.tried:
            if each.error:
                lines.append(f"{each.name} failed: {each.error}")
        lines += [finding.line() for finding in self.findings]
        if self.equal:
            count = len(self.tried)
            lines += ["", f"equal: {count} ways, {len(self.tried[0].hashes)} tables, one hash each"]
        return lines

    def json(self) -> dict[str, Any]:
        """Return the proof as a script reads it."""
        return {
            "project": self.project,
            "equal": self.equal,
            "seed": self.effort.seed,
            "cuts": self.effort.cuts,
            "symbols": {each.planned.instrument.symbol: each.rows for each in self.subjects},
            "ways": [asdict(each) for each in self.tried],
            "stored": [asdict(each) for each in self.stored],
            "findings": [each.json() for each in self.findings],
        }

    def _stored_differ(self) -> list[str]:
        return [each.table for each in self.stored if each.verdict == DIFFERENT]

    def _table_rows(self) -> list[Sequence[str]]:
        run = self.tried[0]
        verdicts = {each.table: each.verdict for each in self.stored}
        rows: list[Sequence[str]] = [("table", "rows", "hash", "stored")]
        rows += [
            (name, f"{run.rows[name]:,}", found[:SHOWN], verdicts.get(name, ""))
            for name, found in run.hashes.items()
        ]
        return rows

    def _way_rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("way", "seconds", "all tables", "", "what was done")]
        for each in self.tried:
            seconds = f"{each.seconds:.2f}"
            rows.append((each.name, seconds, each.digest, self._verdict(each), each.does))
            for name, found in self.tried[0].hashes.items():
                if each.hashes and each.hashes[name] != found:
                    rows.append(("", "", each.hashes[name][:SHOWN], "", f"is {name}"))
        return rows

    def _verdict(self, each: Tried) -> str:
        if each.name == RUN:
            return "the reference"
        if each.equal:
            return "equal"
        if each.error:
            return "failed"
        unequal = sum(each.hashes[name] != found for name, found in self.tried[0].hashes.items())
        return f"{unequal} of {len(each.hashes)} different"

    def _refusal(self) -> QuantflowError:
        wrong = [each.name for each in self.tried if not each.equal]
        if wrong:
            what = f"{len(wrong)} of {len(self.tried)} ways differ from a run ({', '.join(wrong)})"
            hint = "look at the op named above" if self.findings else "run it again with this seed"
            return UNEQUAL(what=what, hint=hint)
        return STALE(tables=", ".join(self._stored_differ()))


def _aligned(rows: list[Sequence[str]]) -> list[str]:
    """Return rows as columns of text; the second is of numbers."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(w) if n == 1 else cell.ljust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
