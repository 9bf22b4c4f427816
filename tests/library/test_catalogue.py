"""`qf features` and `qf ops` find one thing among very many."""

from __future__ import annotations

import json
import re

import pytest

from edge.cli_case import qf
from house.walk import ROOT
from qf.cli.features import DIMENSIONS
from qf.project.feature_types import library_files
from qf.project.structs.feature_files import DIMENSIONS as KNOWN


def rows(out: str) -> list[str]:
    return [line.split("(")[0].strip() for line in out.splitlines() if line.startswith("  ")]


def test_the_command_knows_the_dimensions_without_loading_them():
    assert DIMENSIONS == KNOWN


def test_the_catalogue_counts_every_type_once(tmp_path):
    asked = qf("features", tmp_path)
    names = rows(asked.out)
    assert sorted(names) == sorted(path.stem for path in library_files("feature_types"))
    assert f"\n{len(names)} feature types: " in asked.out


def test_a_dimension_and_a_search_narrow_it(tmp_path):
    told = qf("features --dimension execution", tmp_path)
    assert told.out.startswith("execution: ") and "signal: " not in told.out
    found = rows(qf("features --search 'ROLL spread'", tmp_path).out)
    assert "roll_spread" in found and "rsi" not in found
    assert "0 of" in qf("features --search nothing_of_the_kind", tmp_path).out
    asked = json.loads(qf("features --dimension technical --json", tmp_path).out)
    assert {each["dimension"] for each in asked["types"]} == {"technical"}


@pytest.mark.parametrize("wrong", ["--dimension weather", "--dimension"])
def test_a_wrong_dimension_is_told(wrong, tmp_path):
    asked = qf(f"features {wrong}", tmp_path)
    assert asked.code == 2 and asked.err.startswith("QF700")


def test_the_readme_promises_no_more_types_than_there_are():
    promised = re.search(r"over (\d+) feature\s+types", (ROOT / "README.md").read_text())
    assert promised and int(promised[1]) < len(library_files("feature_types"))


def test_ops_are_counted_by_family_and_searched(tmp_path):
    asked = qf("ops --family bars", tmp_path)
    assert asked.out.startswith("bars: ") and "  dollar(" in asked.out
    found = rows(qf("ops --search 'amihud'", tmp_path).out)
    assert found == ["amihud"]


def test_the_page_of_a_type_leads_to_its_variants(tmp_path):
    asked = qf("features ofi", tmp_path)
    assert "qf explain ofi --variants" in asked.out
