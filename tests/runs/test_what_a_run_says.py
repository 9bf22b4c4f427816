"""What a run tells of itself: of shared times, of older rows, of an empty tape, in its record."""

from __future__ import annotations

import gzip
import json

import pytest

from qf.errors import RunError
from qf.project import open_project
from qf.store.read import Reader
from qf.store.segments import exported
from tests.runs.projects import MINUTE, copied, edit, make, run


@pytest.fixture(scope="module")
def ran(captures, ready, tmp_path_factory):
    """Give a project after a run, and what the run came to."""
    folder = make(tmp_path_factory.mktemp("said") / "small", captures, ready)
    edit(folder, "quantflow_project.yml", "tables: [raw, bbo, enriched", "tables: [enriched")
    return folder, run(folder)


def reader_of(folder):
    project = open_project(folder)
    return Reader(project.paths.database, project.name, project.paths.parquet)


def test_quotes_have_their_table_wherever_a_provider_carries_them(ran):
    folder, result = ran
    assert result.counts["cdm_bbo"] > 100
    assert "cdm_trades" not in reader_of(folder).tables()


def test_the_record_says_how_trades_were_paired_with_the_book(ran):
    folder, _ = ran
    record = reader_of(folder).frame("qf_runs", ["quote_asof", "quote_lag_ms"])
    assert set(record.rows()) == {("exchange_strict", 0.0)}


def test_a_run_says_of_which_clocks_bars_share_a_time(captures, tmp_path):
    lines = gzip.decompress(min(captures.glob("*.gz")).read_bytes()).splitlines(keepends=True)
    mine = tmp_path / "captures"
    mine.mkdir()
    slow = (b"%d %s" % (int(line[:19]) // 10**9 * 10**9, line[20:]) for line in lines)
    (mine / "btcusdt_00.gz").write_bytes(gzip.compress(b"".join(slow)))
    folder = make(tmp_path / "small", mine)
    edit(folder, "quantflow_project.yml", "count: 50", "count: 1")
    edit(folder, "quantflow_project.yml", "bar: tick_k_50", "bar: tick_k_1")
    told = [line for line in run(folder, stages=["state"]).lines() if "feature_time" in line]
    assert len(told) == 1
    assert "of the bars of tick_k_1 share their feature_time with another" in told[0]
    assert "join on bar_id" in told[0]


def test_a_range_of_changed_definitions_warns_of_the_rows_outside(ready, tmp_path):
    folder = copied(ready, tmp_path / "small")
    first = run(folder)
    edit(folder, ".definitions/features/small.yml", "window: 20", "window: 22")
    start = first.symbols[0].tape.first_time + 20 * MINUTE
    (warning,) = [each for each in run(folder, start=start).warnings if "outside" in each]
    assert "feature pressure" in warning and "older definitions" in warning
    assert not [each for each in run(folder).warnings if "outside" in each]
    edit(folder, ".definitions/features/small.yml", "window: 22", "window: 21")
    assert not [each for each in run(folder).warnings if "outside" in each]


def test_an_empty_tape_says_which_symbols_there_are(captures, tmp_path):
    folder = make(tmp_path / "small", captures)
    alone = tmp_path / "one.gz"
    alone.write_bytes(gzip.compress(b"".join(_lines("ETHUSDT", "SOLUSDT"))))
    provider = next((folder / ".definitions/feed_providers").glob("*capture*.yml"))
    text = provider.read_text()
    path = next(line for line in text.splitlines() if line.startswith("path:"))
    provider.write_text(text.replace(path, f"path: {json.dumps(str(alone))}"))
    with pytest.raises(RunError, match=r"QF513.*BTCUSDT hold no frame") as refused:
        run(folder)
    assert refused.value.hint == "the frames there are of: ETHUSDT, SOLUSDT"


def _lines(*symbols):
    for number, symbol in enumerate(symbols):
        data = {"e": "trade", "E": 1, "s": symbol, "t": 1, "p": "1", "q": "1", "T": 1, "m": True}
        frame = json.dumps({"stream": f"{symbol.lower()}@trade", "data": data})
        yield f"{1_723_161_253_000_000_000 + number} {frame}\n".encode()


def test_the_parquet_files_can_be_switched_off_and_on_again(ready, tmp_path):
    folder = copied(ready, tmp_path / "small")
    project = open_project(folder)
    assert exported(project.name, project.paths.parquet)
    local = folder / ".local_config.yml"
    text = local.read_text()
    local.write_text(text.replace("  - name: duckdb\n", "  - name: duckdb\n    parquet: false\n"))
    run(folder)
    assert not exported(project.name, project.paths.parquet)
    assert not list(project.paths.parquet.rglob("*.parquet"))
    local.write_text(text)
    run(folder)
    assert exported(project.name, project.paths.parquet)["features"]
