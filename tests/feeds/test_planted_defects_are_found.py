"""Every planted defect is found with its rule, and nothing else is."""

import random
from collections import Counter

import pytest

import qf.testing.defect_kinds
from feeds.captures import INSTRUMENTS, VENUES, lines, needs_data, unit
from qf.tape.capture import CaptureSource
from qf.tape.ingest import inspect
from qf.tape.screen import RULES
from qf.testing.defects import KINDS, plant

SEEDS = 200
SLICE = 320
assert qf.testing.defect_kinds


def _slice(venue, rng):
    everything = lines(venue)
    # One in four slices holds the capture's snapshot, which is near its beginning.
    start = 0 if rng.random() < 0.25 else rng.randrange(len(everything) - SLICE)
    return everything[start : start + SLICE]


def _inspect(found, venue, path):
    path.write_bytes(b"\n".join(found) + b"\n")
    source = CaptureSource("planted", venue, (path,), unit(venue), trades="trade")
    return inspect([source], INSTRUMENTS[venue])


@needs_data
def test_all_planted_defects_and_nothing_else_are_found(tmp_path):
    planted_kinds = Counter()
    for seed in range(SEEDS):
        rng = random.Random(seed)
        venue = VENUES[seed % 3]
        names = rng.sample(sorted(KINDS), 9)
        planted = plant(_slice(venue, rng), names, seed)
        found = _inspect(planted.lines, venue, tmp_path / "capture")
        assert set(found.findings) == planted.findings, (seed, venue, planted.kinds)
        assert {seq for seq, _, _ in found.refused} == planted.refused, (seed, planted.kinds)
        assert len(found.findings) == len(set(found.findings))
        planted_kinds.update(planted.kinds)
    assert len(planted_kinds) >= 20
    missing = set(KINDS) - set(planted_kinds)
    assert not missing, "kinds that were never planted"


@needs_data
@pytest.mark.parametrize("venue", VENUES)
def test_clean_slices_have_no_findings(venue, tmp_path):
    rng = random.Random(venue)
    for _ in range(3):
        assert _inspect(_slice(venue, rng), venue, tmp_path / "capture").findings == []


def test_every_rule_that_a_kind_expects_exists():
    assert {kind.rule for kind in KINDS.values() if kind.rule} <= set(RULES)
    assert len(KINDS) >= 20
