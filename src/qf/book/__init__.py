"""The order book of one symbol: ladder, continuity of ids, quotes seen by trades, snapshots."""
