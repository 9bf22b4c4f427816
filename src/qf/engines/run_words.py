"""What a run says of a symbol: what was computed, what was kept, and why."""

from __future__ import annotations

from collections.abc import Sequence

from qf.clock import format_time
from qf.engines.parts import ACCOUNTING, Part
from qf.engines.symbol_run import SymbolRun


def told(run: SymbolRun) -> list[str]:
    """Return what was computed of a symbol, what was kept, and why, in a few lines."""
    lines = []
    shown = [need for need in run.needs if need.part.maker != ACCOUNTING]
    kept = [part for part in run.kept if part.maker != ACCOUNTING]
    for why, sentence in _WHY.items():
        found = [need for need in shown if need.why == why]
        if not found:
            continue
        first = min(rows[0] for need in found for rows in need.rows)
        events = max(sum(high - low for low, high in need.rows) for need in found)
        time = run.time_of(first)
        since = "the end" if time is None else format_time(time)
        everything = len(found) == len(shown) and not kept
        what = "everything" if everything else summary([need.part for need in found])
        lines.append(sentence.format(what=what, since=since, events=events))
    if kept:
        what = summary(kept) if shown else "everything"
        lines.append(f"kept {what}: of the same definitions, code and input")
    for first, last in run.replayed:
        lines.append(f"passed over {last - first:,} events to get there: no nearer state is saved")
    return lines


_WHY = {
    "forced": "computed {what}: --force-refresh",
    "new": "computed {what}: not there before",
    "definition": "computed {what}: other definitions or code than before",
    "input": "computed {what} from {since} on: other input than before",
    "polars": "computed {what}: the Polars engine begins at the history's start every time",
    "rows": "went on with {what} at {since}: {events:,} new events",
}


def older_rows(run: SymbolRun) -> list[str]:
    """Return a warning where rows outside the range are of other definitions than those in it."""
    changed = []
    for need in run.needs:
        entry = run.ledger.parts.get(need.part.id)
        spans = entry.spans if entry is not None and need.why == "definition" else []
        if any(span.first < run.low or span.last > run.high for span in spans):
            changed.append(need.part)
    if not changed:
        return []
    return [
        f"{run.planned.instrument.symbol}: outside the range, {summary(changed)} are of older"
        " definitions or code; a run without dates makes them anew"
    ]


def summary(parts: Sequence[Part]) -> str:
    """Return parts in words: the tables, and of features and labels how many or which."""
    words: dict[str, list[str]] = {}
    for part in parts:
        constants = part.constants
        if part.group == "features":
            words.setdefault("feature", []).append(constants["feature_name"])
        elif part.group == "labels":
            words.setdefault("label", []).append(
                f"{constants['label_name']} on {constants['bar_clock']}"
            )
        elif part.group == "bars":
            words.setdefault("clock", []).append(constants["bar_clock"])
        elif part.table is not None:
            words.setdefault("", []).append(part.table.name)
    shown = []
    for kind, names in words.items():
        if not kind:
            shown += names
        elif len(names) <= 3:
            shown.append(f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}")
        else:
            shown.append(f"{len(names)} {kind}s")
    return ", ".join(shown)
