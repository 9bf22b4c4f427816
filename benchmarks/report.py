"""The result as a table: on the terminal, and as benchmarks/README.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timing import Row

PAGE = Path(__file__).with_name("README.md")

HEAD = """# Benchmarks

`make bench` measures ours and the peers on the same data in the same run and rewrites this page.
Figures are process CPU time on one core, the median of {repeats} runs after a warm-up, in
nanoseconds per element. The machine is shared and noisy: read the ratios. `ratio` is the peer's
time over ours; `must` is what this version has to reach, `target` what the design aims at, both
set on a quieter and faster machine: beside the peer that they were set with, they are given as
ratios too, which hold on any machine.

The data is a seeded synthetic day (`benchmarks/day.py`): {events:,} tape rows, half trades, half
book levels, 7 levels per difference message. Peers with pins of their own (hftbacktest, screamer,
TA-Lib, bottleneck, river) run in `.bench/peers`, made from `requirements/bench.txt`.

Last run on: {machine}.

| job | per | ours ns | must | target | peer | peer ns | ratio |
|---|---|---|---|---|---|---|---|
"""

FOOT = """
## What each job makes

"""


def bounded(row: Row, bound_ns: float | None) -> str:
    """Return a bound, with the ratio that meets it where it was set beside the row's peer."""
    if bound_ns is None:
        return ""
    ratio = row.ratio_for(bound_ns)
    return f"≤ {bound_ns:,.0f}" + (f", {ratio:.1f} ×" if ratio else "")


def cells(row: Row) -> tuple[str, ...]:
    """Return one line of the table."""
    job = row.job
    bound, target = bounded(row, job.bound_ns), bounded(row, job.target_ns)
    peer = "" if row.peer_ns is None else f"{row.peer_ns:,.1f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
    return job.name, job.unit, f"{row.ours_ns:,.1f}", bound, target, row.peer, peer, ratio


def line(row: Row) -> str:
    """Return one line for the terminal."""
    name, unit, ours, bound, _, peer, theirs, ratio = cells(row)
    told = f"{name:<56} {ours:>10} ns/{unit}"
    told += f" ({bound})" if bound else ""
    return told + (f"   {peer}: {theirs} ns, ratio {ratio}" if theirs else "")


def write_page(rows: list[Row], events: int, repeats: int, machine: str) -> None:
    """Rewrite benchmarks/README.md."""
    text = HEAD.format(repeats=repeats, events=events, machine=machine)
    for row in rows:
        text += "| " + " | ".join(cells(row)) + " |\n"
    text += FOOT
    for job in {row.job.name: row.job for row in rows}.values():
        note = f" ({job.note})" if job.note else ""
        text += f"- **{job.name}**: {job.makes}{note}\n"
    PAGE.write_text(text, encoding="utf-8")
