"""Bad data and a busy project: a clear error, the right exit code, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from edge.cli_case import qf
from qf.store.lock import project_lock
from qf.store.read import Reader
from qf.testing.market import Market, MarketSettings

CAPTURE = "--capture 'capture_*.gz' --venue binance_spot --symbol BTCUSDT"


@pytest.fixture(scope="module")
def lines():
    market = Market(MarketSettings(seed=3, intensity=5.0))
    return b"".join(market.lines(20.0))


@pytest.fixture
def project(lines, tmp_path):
    (tmp_path / "capture_1.gz").write_bytes(gzip.compress(lines))
    made = qf(f"init made --template blank {CAPTURE}", tmp_path)
    assert made.code == 0, made.err
    return tmp_path / "made"


def tables(project):
    database = project / ".data" / "db" / "quantflow.duckdb"
    return database.read_bytes() if database.exists() else None


def refused(project, code, exit_code, command="run"):
    """Check that the command fails with that code and leaves the tables as they were."""
    before = tables(project)
    asked = qf(command, project)
    assert asked.err.splitlines()[-1] != "" and f"{code} " in asked.err, asked.err
    assert asked.code == exit_code and "Traceback" not in asked.err and asked.out == ""
    assert tables(project) == before
    return asked.err


def test_a_sound_capture_runs_and_the_day_after_it_is_empty(project):
    asked = qf("run --json", project)
    assert asked.code == 0 and '"cdm_trade_enriched"' in asked.out
    said = refused(project, "QF510", 3, "run --start-date 2031-01-01")
    assert "the tape runs from 2024-08-0" in said


def test_a_truncated_gz_names_the_byte_and_can_be_accepted(project, lines):
    whole = gzip.compress(lines)
    (project.parent / "capture_1.gz").write_bytes(whole[: len(whole) // 2])
    said = refused(project, "QF315", 3)
    assert "ends inside its gzip stream at byte" in said and "truncated: accept" in said
    provider = project / ".definitions/feed_providers/btcusdt_capture.yml"
    provider.write_text(provider.read_text() + "truncated: accept\n")
    assert qf("run", project).code == 0


def test_a_wrong_time_unit_names_the_right_one(project):
    provider = project / ".definitions/feed_providers/btcusdt_capture.yml"
    provider.write_text(provider.read_text().replace("time_unit: ns", "time_unit: us"))
    said = refused(project, "QF314", 2)
    assert "write `time_unit: ns`" in said


def test_a_file_that_went_away_is_named(project):
    (project.parent / "capture_1.gz").unlink()
    assert "capture_*.gz" in refused(project, "QF312", 2)


def test_a_second_process_is_told_who_owns_the_project(project):
    with project_lock(project, 1_723_000_000_000_000_000, project / ".data" / "project.lock"):
        said = refused(project, "QF610", 3)
        asked = qf("doctor", project)
    assert "in use by process" in said and "since 2024-08-07" in said
    assert "held by process" in asked.out
    assert qf("run", project).code == 0


def test_check_says_where_the_time_alone_is_no_key(project, lines):
    stamps = [line.partition(b" ") for line in lines.splitlines(keepends=True)]
    rounded = b"".join(stamp[:-9] + b" " + rest for stamp, _, rest in stamps)
    (project.parent / "capture_1.gz").write_bytes(gzip.compress(rounded))
    provider = project / ".definitions/feed_providers/btcusdt_capture.yml"
    provider.write_text(provider.read_text().replace("time_unit: ns", "time_unit: s"))
    path = project / "quantflow_project.yml"
    every = "state_engine:\n  bars:\n    - { type: tick, count: 1 }\n"
    path.write_text(re.sub(r"state_engine:\n(?: .*\n)+", every, path.read_text()))
    assert qf("run", project).code == 0
    told = json.loads(qf("check --json", project).out)["notes"]
    frame = Reader(project / ".data/db/quantflow.duckdb", "made").bars("tick_k_1").collect()
    share = 100 * frame["feature_time"].is_duplicated().mean()
    assert share > 50
    line = f"BTCUSDT: {share:.0f} % of the bars of tick_k_1 share their feature_time with another"
    assert told == [f"{line}: join on bar_id"]
    assert line in qf("check", project).out


def test_check_names_a_clock_that_is_too_short(project):
    path = project / "quantflow_project.yml"
    path.write_text(
        path.read_text().replace("count: 50", "count: 5000")
        + "feature_engine:\n  features:\n"
        + "    - { name: mine, type: mine }\n"
    )
    (project / ".definitions/features/mine.yml").write_text(
        "name: mine\nnormalization: { warmup_bars: 100 }\n"
        "signal_features:\n  - { name: volatility, type: realized_volatility }\n"
        "parameters: { bar: { default: tick_k_5000 } }\n"
    )
    assert qf("run", project).code == 0
    asked = qf("check", project)
    assert asked.code == 0
    assert "tick_k_5000 closed 0 bars; volatility needs 100" in asked.err
