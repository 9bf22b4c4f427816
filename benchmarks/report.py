"""The result as a table: on the terminal, and as benchmarks/README.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timing import DESIGN_NS, Row

PAGE = Path(__file__).with_name("README.md")

HEAD = """# Benchmarks

`make bench` measures ours and the peers on the same data in the same run and rewrites this page.
Figures are process CPU time on one core, the median of {repeats} runs after a warm-up (3 where one
takes seconds), in nanoseconds per element; a run of less than 10 ms is timed right after others
like it, whoever's it is. `ratio` is the peer's time over ours. `must` is what
this version has to reach, `target` what the design aims at; beside the peer that they were set
with, they are given as ratios too, which hold on any machine.

The machine is shared and its speed wanders by a factor of two within minutes. So a fixed loop
(`benchmarks/yardstick.py`) is timed between the repeats of every job: `×` is ours in multiples of
its event, and `there` what ours would take where the loop takes {design} ns, which is where the
targets were set. Hold `there` against `must` and `target`. The loop is the design's own one pass,
so a job that waits for memory or for another library converts less well than one that computes.

The data is a seeded synthetic day (`benchmarks/day.py`): {events:,} tape rows, half trades, half
book levels, 7 levels per difference message, five times as many from end to end; and, where they
lie beside the repository, real captures (`../shared/data/binance_raw`). Peers with pins of their
own run in `.bench/<name>`, made from `requirements/bench-<name>.txt`. Pages of their own: how
memory and time grow with the tape's length ([memory.md](memory.md)), how long a start takes
([start.md](start.md)), what two threads and processes bring ([symbols.md](symbols.md)), what a
deployed session bears ([live_load.md](live_load.md)) and what it keeps over a day
([live_memory.md](live_memory.md)).

Last run on: {machine}.

| job | per | ours ns | × | there ns | must | target | peer | peer ns | ratio |
|---|---|---|---|---|---|---|---|---|---|
"""

FOOT = """
## What each job makes

"""


def bounded(bound_ns: float | None, ratio: float | None) -> str:
    """Return a bound, and the ratio that meets one beside the row's peer."""
    own = [f"≤ {bound_ns:,.0f}"] if bound_ns is not None else []
    return ", ".join([*own, f"{ratio:.1f} ×"] if ratio else own)


def cells(row: Row) -> tuple[str, ...]:
    """Return one line of the table."""
    job = row.job
    bound = bounded(job.bound_ns, row.ratio_for(job.bound_ns))
    target = bounded(job.target_ns, row.target_ratio)
    peer = "" if row.peer_ns is None else f"{row.peer_ns:,.1f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
    ours = (f"{row.ours_ns:,.1f}", f"{row.yards:,.2f}", f"{row.there_ns:,.1f}")
    return job.name, job.unit, *ours, bound, target, row.peer, peer, ratio


def line(row: Row) -> str:
    """Return one line for the terminal."""
    name, unit, ours, _, there, bound, target, peer, theirs, ratio = cells(row)
    told = f"{name:<56} {ours:>10} ns/{unit}, there {there:>8}"
    told += f" (must {bound})" if bound else ""
    told += f" (target {target})" if target else ""
    return told + (f"   {peer}: {theirs} ns, ratio {ratio}" if theirs else "")


def write_page(rows: list[Row], texts: list[str], events: int, repeats: int, machine: str) -> None:
    """Rewrite benchmarks/README.md; `texts` are what was measured but does not fit the table."""
    text = HEAD.format(repeats=repeats, events=events, machine=machine, design=DESIGN_NS)
    for row in rows:
        text += "| " + " | ".join(cells(row)) + " |\n"
    for each in texts:
        text += f"\n{each}\n"
    text += FOOT
    for job in {row.job.name: row.job for row in rows}.values():
        note = f" ({job.note})" if job.note else ""
        text += f"- **{job.name}**: {job.makes}{note}\n"
    PAGE.write_text(text, encoding="utf-8")
