"""The decision takes the next row of a feature instead of the newest."""

from qf.engines import polars_engine

LEAKS = ["feature_vectors_chosen"]
ENGINE = "polars"
INSTANTS = 4


def plant(patch):
    """Join forwards."""
    join = polars_engine.pl.DataFrame.join_asof

    def leaking(self, other, **options):
        return join(self, other, **{**options, "strategy": "forward"})

    patch.setattr(polars_engine.pl.DataFrame, "join_asof", leaking)
