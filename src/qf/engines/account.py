"""What became of every frame, how directions were found, and what a user must be told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from qf.book.continuity import COUNTS
from qf.book.state import FOUND
from qf.label_spec import vertical_warning
from qf.program import Program
from qf.project.model import Project
from qf.schema import BBO, DEPTH, KINDS, MARK, SNAPSHOT, TRADE, VERDICTS
from qf.tape.tape_file import TapeFile

if TYPE_CHECKING:
    from qf.engines.run_result import SymbolResult
    from qf.engines.symbol_plan import SymbolPlan

METHODS = ("venue flag", "quote rule", "tick rule", "unknown")
TICK_RULE_LIMIT = 0.4  # Lee-Ready rests on quotes; beyond this share it rests on prices
# Streams that reach the state machine under another name of the tape's kinds.
KIND_OF_STREAM = {"agg_trade": "trade"}
KINDS_OF_SOURCE = {
    "trades": (TRADE,),
    "book": (DEPTH, SNAPSHOT),
    "bbo": (BBO,),
    "mark": (MARK,),
}


def kinds_left_out(sources: Iterable[str]) -> frozenset[int]:
    """Return the kinds of tape rows that a project does not take, by its `sources`."""
    given = set(sources)
    return frozenset(
        k for name, kinds in KINDS_OF_SOURCE.items() if name not in given for k in kinds
    )


def direction_counts(
    program: Program, planned: SymbolPlan, tape: TapeFile, left_out: frozenset[int]
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Return the accounting per stream, and how many directions each method found.

    A frame is `waiting` while the book it belongs to has no snapshot to be bridged to, or where it
    lies behind the end of the range.
    """
    state = program.ints_of("book")
    accounts = {}
    for stream, counted in tape.accounts.items():
        kind = KINDS.get(KIND_OF_STREAM.get(stream, stream))
        account = dict.fromkeys(("received", *VERDICTS), 0) | counted
        other_channel = kind == TRADE and stream != tape.trades
        # What is no event of the book goes to its own table, or is ignored.
        if kind in (None, MARK) or other_channel:
            account["applied"] = account["received"] - account["quarantined"] - account["ignored"]
        elif kind in left_out:
            account["ignored"] = account["received"] - account["quarantined"]
        else:
            at = COUNTS + 4 * kind
            account["applied"], account["superseded"] = int(state[at]), int(state[at + 1])
            account["duplicate"], account["holes"] = int(state[at + 2]), int(state[at + 3])
        account["waiting"] = account["received"] - sum(account[name] for name in VERDICTS)
        accounts[stream] = account
    found = state[FOUND : FOUND + 4]
    return accounts, dict(zip(METHODS, map(int, found), strict=True))


def account_lines(accounts: dict[str, dict[str, int]]) -> list[str]:
    """Return one line per stream: received = applied + …, only the terms that are not 0."""
    lines = []
    for stream, account in accounts.items():
        names = (*VERDICTS, "waiting")
        terms = [f"{name} {account[name]:,}" for name in names if account.get(name)]
        missing = account.get("holes", 0)
        holes = f"; {missing:,} hole{'s' * (missing > 1)} in the ids" if missing else ""
        lines.append(
            f"{stream}: received {account['received']:,} = {' + '.join(terms) or '0'}{holes}"
        )
    return lines


def warnings_of(result: SymbolResult, planned: SymbolPlan, project: Project) -> list[str]:
    """Return the sentences a run must not keep to itself."""
    lines = []
    for each in project.feature_sets:
        for feature in each.features:
            row = planned.builder.rows.get((each.name, feature.name))
            bars = result.bars.get(feature.bar, 0)
            if row is not None and bars <= row.warmup_bars:
                lines.append(
                    f"{result.symbol}: {feature.bar} closed {bars} bars; "
                    f"{feature.name} needs {row.warmup_bars}"
                )
    for (label, clock), parts in result.barriers.items():
        parameters = planned.label_rules[label, clock].parameters
        if "upper" not in parameters:
            continue  # a label without barriers meets none
        warning = vertical_warning(f"{label} on {clock}", np.concatenate(parts))
        if warning:
            lines.append(warning)
    counted = sum(result.directions.values())
    by_tick_rule = result.directions["tick rule"]
    if counted and by_tick_rule / counted > TICK_RULE_LIMIT:
        share = by_tick_rule / counted
        lines.append(
            f"{result.symbol}: {share:.0%} of the directions come from the tick rule; "
            "order flow built on them is a guess"
        )
    return lines
