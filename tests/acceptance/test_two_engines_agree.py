"""The Polars engine computes the same fifteen features from an independent implementation."""

from __future__ import annotations

import pytest

from tests.acceptance.projects import KINDS, make_project, run_folder


@pytest.mark.parametrize("kind", KINDS)
def test_polars_agrees_within_the_declared_tolerances(shared, shared_data, tmp_path, kind):
    source = shared / "walkthrough" / "breakout_alpha"
    folder = make_project(tmp_path / "breakout_alpha", shared_data, kind, source)
    each = run_folder(folder, engine="polars")
    (symbol,) = each.result.symbols
    features = [row for row in symbol.agreements if row.form == "features"]
    assert len(features) == 15
    for row in symbol.agreements:
        print(kind, row.form, row.line())
        assert row.agrees, row.line()
    assert each.reader.tables()["features"] == sum(row.rows for row in features)
