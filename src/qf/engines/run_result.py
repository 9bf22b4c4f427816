"""What a run came to: per symbol and in all, as a person and as a script read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qf.clock import format_time
from qf.engines.account import account_lines
from qf.tape.tape_file import TapeFile

if TYPE_CHECKING:
    from qf.engines.polars_run import Agreement


@dataclass
class SymbolResult:
    """What one symbol's run came to."""

    symbol: str
    tape: TapeFile
    bars: dict[str, int]
    accounts: dict[str, dict[str, int]]
    directions: dict[str, int]
    agreements: list[Agreement] = field(default_factory=list)  # with the Polars engine only
    barriers: dict[tuple[str, str], list[np.ndarray]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    did: list[str] = field(default_factory=list)  # what was computed, what was kept, and why
    plan_hash: str = ""


@dataclass
class RunResult:
    """What a run did: rows by table, bars by clock, the accounting and the warnings."""

    run_id: str
    database: Path
    counts: dict[str, int] = field(default_factory=dict)
    symbols: list[SymbolResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the summary a person reads."""
        lines = []
        for each in self.symbols:
            span = f"{format_time(each.tape.first_time)} to {format_time(each.tape.last_time)}"
            lines.append(f"{each.symbol}: {each.tape.frames:,} frames, {span} ({each.tape.origin})")
            lines += [f"  {line}" for line in (*each.did, *account_lines(each.accounts))]
            found = ", ".join(f"{name} {n:,}" for name, n in each.directions.items() if n)
            lines.append(f"  direction from: {found or 'no trade'}")
            for clock, bars in each.bars.items():
                lines.append(f"  {clock}: {bars:,} bars")
            if each.agreements:
                from qf.engines.polars_run import agreement_lines

                lines += [f"  {line}" for line in agreement_lines(each.agreements)]
        width = max((len(name) for name in self.counts), default=0)
        lines += [f"{name:<{width}} {rows:>12,} rows" for name, rows in self.counts.items()]
        lines += self.notes
        lines.append(f"in {self.database}")
        return lines

    def json(self) -> dict[str, Any]:
        """Return the summary a script reads."""
        return {
            "run_id": self.run_id,
            "database": str(self.database),
            "tables": dict(self.counts),
            "symbols": [
                {
                    "symbol": each.symbol,
                    "frames": each.tape.frames,
                    "first_time": each.tape.first_time,
                    "last_time": each.tape.last_time,
                    "cached": each.tape.cached,
                    "kept_files": each.tape.kept_files,
                    "did": each.did,
                    "bars": each.bars,
                    "accounts": each.accounts,
                    "directions": each.directions,
                    "agreements": [asdict(agreement) for agreement in each.agreements],
                }
                for each in self.symbols
            ],
            "warnings": self.warnings,
        }
