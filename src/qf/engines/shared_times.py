"""Which clocks have bars that share their feature_time: rows of those join on bar_id alone."""

from __future__ import annotations

from collections.abc import Iterator

from qf.errors import QuantflowError
from qf.project.model import BarSpec, Project
from qf.store.read import Reader


def shared_times(project: Project) -> list[str]:
    """Return, per symbol and stored clock, how many bars share their feature_time with another.

    Nothing is said of clocks whose times are unique, and of tables that cannot be read.
    """
    lines: list[str] = []
    if not project.paths.database.exists():
        return lines
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    try:
        with reader.held():
            known = reader.tables()
            for spec in project.bars:
                if spec.table in known:
                    lines += _shared(reader, project, spec)
    except QuantflowError:
        return lines
    return lines


def _shared(reader: Reader, project: Project, spec: BarSpec) -> Iterator[str]:
    query = (
        "select symbol, sum(n), sum(n) filter (where n > 1) from (select symbol,"
        f' count(*) as n from "{project.cdm_schema}"."{spec.table}" where bar_clock = ?'
        " and trade_count > 0 group by symbol, feature_time)"
        " group by symbol order by symbol"
    )
    for symbol, bars, shared in reader.sql(query, [spec.clock]).rows():
        if shared:
            share = 100 * float(shared) / float(bars)
            yield (
                f"{symbol}: {share:.0f} % of the bars of {spec.clock} share their"
                " feature_time with another: join on bar_id"
            )
