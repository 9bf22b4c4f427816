"""The decision takes the nearest row of a feature, before or after."""

from qf.engines import polars_engine

LEAKS = ["feature_vectors_chosen"]
ENGINE = "polars"
INSTANTS = 4


def plant(patch):
    """Join to the nearest."""
    join = polars_engine.pl.DataFrame.join_asof

    def leaking(self, other, **options):
        other = other.with_columns(known_row=other["known_row"] - 1).set_sorted("known_row")
        return join(self, other, **{**options, "strategy": "nearest"})

    patch.setattr(polars_engine.pl.DataFrame, "join_asof", leaking)
