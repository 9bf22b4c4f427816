"""A feature of a bar counts as known at the last trade of the bar, though the next closed it."""

from qf.engines.features import FeatureBuilder

LEAKS = ["feature_vectors_chosen"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Join on the last member in place of the trade that made the bar exist."""
    see = FeatureBuilder._see

    def leaking(self, row, decision):
        clock = self.state.bars[row.feature.bar]
        kept, clock["known_row"] = clock["known_row"], clock["close_row"]
        found = see(self, row, decision)
        clock["known_row"] = kept
        return found

    patch.setattr(FeatureBuilder, "_see", leaking)
