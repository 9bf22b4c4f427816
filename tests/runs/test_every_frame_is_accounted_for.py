"""received = applied + superseded + duplicate + quarantined + conflated + ignored, per stream."""

from types import SimpleNamespace

import numpy as np

from qf.book.continuity import COUNTS
from qf.engines.account import account_lines, direction_counts
from qf.schema import TRADE, VERDICTS


def accounted(trades, accounts):
    """Return the accounts of a tape after a book that applied 7 trades."""
    state = np.zeros(4096, np.int64)
    state[COUNTS + 4 * TRADE] = 7
    program = SimpleNamespace(ints_of=lambda name: state)
    tape = SimpleNamespace(accounts=accounts, trades=trades)
    return direction_counts(program, None, tape, frozenset())[0]


def row(received, quarantined=0, ignored=0):
    return {"received": received, "quarantined": quarantined, "ignored": ignored}


def test_the_trades_channel_that_is_not_used_is_ignored_and_nothing_else():
    found = accounted("trade", {"trade": row(8, 1), "agg_trade": row(5, 0, 5)})
    for account in found.values():
        assert account["received"] == sum(account[name] for name in VERDICTS)
        assert account["waiting"] == 0
    assert account_lines(found)[1] == "agg_trade: received 5 = ignored 5"


def test_aggregated_trades_are_applied_where_they_make_the_trades():
    found = accounted("agg_trade", {"trade": row(5, 0, 5), "agg_trade": row(8, 1)})
    assert found["agg_trade"]["applied"] == 7
    assert found["trade"]["applied"] == 0
    assert all(account["waiting"] == 0 for account in found.values())
