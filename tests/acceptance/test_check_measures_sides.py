"""`qf check` says, of the last run's tape, what each pairing of trades and quotes recovers."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from edge.cli_case import qf
from tests.acceptance.projects import KINDS

# (share with exchange_strict at least, share with arrival between)
EXPECTED = {
    "spot": (0.993, (0.45, 0.60)),
    "usdm": (0.994, (0.99, 1.0)),
    "coinm": (0.999, (0.99, 1.0)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_shares_are_those_of_the_captures(ran, kind):
    each = ran(kind)
    told = json.loads(qf("check --json", each.project.folder).out)
    (row,) = told["sides"]
    strict, (low, high) = EXPECTED[kind]
    print(kind, row)
    assert (row["symbol"], row["in_use"]) == (each.project.symbols[0], "exchange_strict")
    assert row["share"]["exchange_strict"] >= strict
    assert low <= row["share"]["arrival"] <= high
    shown = qf("check", each.project.folder)
    assert shown.code == 0
    line = rf"{row['symbol']}: of [\d,]+ trades of known side the quote rule recovers .* arrival\n"
    assert re.search(line, shown.out), shown.out


def test_without_a_run_or_its_tape_nothing_is_measured(ran, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(ran("coinm").project.folder, folder, ignore=shutil.ignore_patterns(".data"))
    assert json.loads(qf("check --json", folder).out)["sides"] == []
    shutil.copytree(ran("coinm").project.folder / ".data", folder / ".data")
    assert len(json.loads(qf("check --json", folder).out)["sides"]) == 1
    shutil.rmtree(folder / ".data" / ".local")
    assert json.loads(qf("check --json", folder).out)["sides"] == []
