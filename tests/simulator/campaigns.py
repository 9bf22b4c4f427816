"""Many seeds without a broken oracle, and what they looked at."""

from __future__ import annotations

from collections.abc import Iterable

from qf.simulator.report import Totals
from qf.simulator.schedule import draw_course
from qf.simulator.seeds import run_course

MINUTES = 30.0


def clean(seeds: Iterable[int], profile: str) -> Totals:
    """Run seeds and return their totals; a broken oracle fails the test with the seed's number."""
    totals = Totals()
    for seed in seeds:
        report = run_course(draw_course(seed, MINUTES, profile))
        assert report.problems == [], f"seed {seed}, profile {profile}"
        totals.add(report)
    assert totals.counts["wrong_books"] == totals.counts["rows_wrong"] == 0
    assert totals.counts["comparisons"] > 200 * totals.seeds
    return totals
