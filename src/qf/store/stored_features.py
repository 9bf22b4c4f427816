"""Features that are stored already, read from the project's Parquet files: what a worker can see.

While a run owns the database nobody else can open it; the files beside it hold what the last commit
left, and none of them changes before the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qf.errors import RunError, diagnostic
from qf.schema import NULL_INT
from qf.store.segments import read_list

UNREADABLE = diagnostic(
    "QF626",
    "the Parquet file {path} cannot be read: {why}",
    RunError,
    "remove the folder .data/parquet: the next run writes it anew from the database",
)

COLUMNS = ("bar_id", "value", "quality")


class StoredFeatures:
    """The stored rows of one symbol's features."""

    def __init__(self, folder: Path, project: str, venue: str, symbol: str) -> None:
        self._folder, self._project, self._where = Path(folder), project, f"{venue}/{symbol}"
        self._read: dict[tuple[str, ...], dict[str, np.ndarray]] = {}

    def feature_rows(
        self, constants: Mapping[str, str], ids: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Return bar_id, value and quality of a feature's bars from the first to the last id.

        Errors: QF626.
        """
        key = tuple(constants.values())
        if key not in self._read:
            self._read[key] = self._all(constants)
        rows = self._read[key]
        low = int(np.searchsorted(rows["bar_id"], ids[0], "left"))
        high = int(np.searchsorted(rows["bar_id"], ids[1], "right"))
        return {name: column[low:high] for name, column in rows.items()}

    def _all(self, constants: Mapping[str, str]) -> dict[str, np.ndarray]:
        listed = read_list(self._folder, self._project).get("features", {}).get("rows", {})
        chosen = pc.scalar(True)
        for name in ("bar_clock", "feature_set", "feature_name"):
            chosen = chosen & (pc.field(name) == constants[name])
        parts = []
        for file in listed.get(self._where, {}).get("files", ()):
            path = self._folder / file
            try:
                parts.append(pq.read_table(path, columns=list(COLUMNS), filters=chosen))
            except (OSError, pa.ArrowException) as problem:
                raise UNREADABLE(path=path, why=str(problem).splitlines()[0]) from None
        if not parts:
            empty = np.zeros(0, np.int64)
            return {"bar_id": empty, "value": np.zeros(0), "quality": empty}
        table = pa.concat_tables(parts).sort_by("bar_id")
        return {
            "bar_id": table.column("bar_id").to_numpy(),
            "value": table.column("value").to_numpy(),  # null is NaN
            "quality": pc.fill_null(table.column("quality"), NULL_INT).to_numpy(),
        }
