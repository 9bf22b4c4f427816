"""Judgements at the end of a campaign: accounts, what the queue dropped, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qf.schema import VERDICTS
from qf.simulator.memory import MOST_GROWTH, Memory
from qf.simulator.report import Report
from qf.tape.journal import Frame, read_note

Accounts = Mapping[str, Mapping[str, int]]


def judge_accounts(
    report: Report, accounts: Accounts, expected: Accounts, frames: Sequence[Frame]
) -> None:
    """Hold received = applied + … against the frames, and live counts against the batch's."""
    received = sum(row["received"] - row.get("conflated", 0) for row in accounts.values())
    journalled = sum(not frame.is_note for frame in frames)
    if received != journalled:
        report.wrong(f"the accounts know {received} frames, the journal {journalled}")
    for stream, row in expected.items():
        parts = sum(row.get(name, 0) for name in VERDICTS) + row.get("waiting", 0)
        if row["received"] != parts:
            report.wrong(f"{stream}: received {row['received']} is not {parts}")
        own = accounts.get(stream, {})
        for name in ("received", "quarantined", "ignored"):
            conflated = own.get("conflated", 0) if name == "received" else 0
            live, batch = own.get(name, 0) - conflated, row.get(name, 0)
            if live != batch:
                report.wrong(f"{stream}: {name} is {live} live, {batch} in batch")


def judge_dropped(
    report: Report, frames: Sequence[Frame], accounts: Accounts, dropped: int, one_life: bool
) -> None:
    """Hold the counts of what the full queue dropped against each other.

    What was dropped since the last group dies with a process, as the frames beside it do.
    """
    noted = sum(read_note(frame)[1] for frame in frames if frame.is_note)
    counted = sum(row.get("conflated", 0) for row in accounts.values())
    report.counts["conflated"] += noted
    if counted != noted or noted > dropped or (one_life and noted != dropped):
        told = f"{counted} in the accounts, {noted} in the journal, {dropped} in truth"
        report.wrong(f"frames that the queue dropped: {told}")


def judge_memory(report: Report, memory: Memory) -> None:
    """Hold what the session's parts hold at the end against the beginning, in long campaigns."""
    growth = memory.growth
    if growth is None:
        return
    report.most("held_megabytes", max(memory.samples) / 1e6)
    report.most("memory_growth_percent", 100 * growth)
    if growth > MOST_GROWTH:
        report.wrong(f"the session holds {growth:.1%} more memory at the end")
