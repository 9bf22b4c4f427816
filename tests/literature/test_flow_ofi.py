"""Order flow imbalance on a simulated queue: equal to brute force, and it explains the price.

The queue of Cont and de Larrard (2013, SIAM J. Financial Mathematics 4): orders, cancels and
takers reach the two best queues one at a time; an empty queue moves both prices a tick.
"""

from __future__ import annotations

import numpy as np
import pytest

from qf.program import Program
from qf.schema import DEPTH, SNAPSHOT, TRADE
from tests.book.model import MS, tape_of
from tests.book.programs import enrich_plan

EVENTS, START, MIDDLE, TRADES_PER_ROW = 12_000, 1_700_000_000_000 * MS, 100_000, 20
BID, ASK = 1, -1


class Queues:
    """The two sides as dictionaries; `frames` is what a venue would have sent."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.bid, self.ask = MIDDLE, MIDDLE + 1
        self.sizes = {MIDDLE - k: self.size() for k in range(400)}
        self.sizes |= {MIDDLE + 1 + k: self.size() for k in range(400)}
        levels = [(BID if p <= MIDDLE else ASK, p, q) for p, q in self.sizes.items()]
        self.now, self.id = START, 1
        self.frames = [self.frame(kind=SNAPSHOT, levels=levels), self.change([])]
        self.tops = [self.top()]

    def size(self) -> int:
        return int(self.draw.integers(20, 60))

    def frame(self, **fields):
        self.now += MS
        times = {"received": self.now, "event_time": self.now}
        return {"first": self.id, "last": self.id, **times, **fields}

    def change(self, levels):
        self.id += 1
        return self.frame(kind=DEPTH, levels=levels)

    def top(self):
        return self.bid, self.sizes[self.bid], self.ask, self.sizes[self.ask]

    def step(self) -> None:
        """Let one order, cancel or taker come to one side."""
        side = BID if self.draw.random() < 0.5 else ASK
        kind, amount = self.draw.choice(3, p=[0.44, 0.28, 0.28]), int(self.draw.integers(1, 20))
        price = self.bid if side == BID else self.ask
        if kind == 2:
            taken = {"price": price, "size": min(amount, self.sizes[price]), "side": -side}
            self.frames.append(self.frame(kind=TRADE, **taken))
        left = self.sizes[price] + (amount if kind == 0 else -amount)
        self.sizes[price] = max(left, 0)
        levels = [(side, price, self.sizes[price])]
        if left <= 0:  # the queue is gone: the other side steps in
            self.sizes[price] = self.size()
            levels.append((-side, price, self.sizes[price]))
            self.bid -= side
            self.ask -= side
        self.frames.append(self.change(levels))
        self.tops.append(self.top())


def event_flow(before, after) -> float:
    """Return e of one change of the best quotes, term by term as the paper has it."""
    (bid, bid_size, ask, ask_size), (bid_1, bid_size_1, ask_1, ask_size_1) = before, after
    return (
        (bid_1 >= bid) * bid_size_1
        - (bid_1 <= bid) * bid_size
        - (ask_1 <= ask) * ask_size_1
        + (ask_1 >= ask) * ask_size
    )


@pytest.fixture(scope="module")
def queue():
    """Give the enriched trades of one long run, and the flow between them by brute force."""
    queues = Queues(seed=11)
    for _ in range(EVENTS):
        queues.step()
    made = Program(enrich_plan("spot", levels=3), 4096).push(tape_of(queues.frames))["tick"]
    flows, total, place = [], 0.0, 0
    for frame in queues.frames[2:]:
        if frame["kind"] == TRADE:
            flows.append(total)
            total = 0.0
        else:
            total += event_flow(queues.tops[place], queues.tops[place + 1])
            place += 1
    return made, np.array(flows)


def test_the_flow_between_trades_is_the_papers_sum_over_events(queue):
    made, flows = queue
    assert len(made["ofi_0"]) == len(flows) > 2_500
    assert np.array_equal(made["ofi_0"][1:], flows[1:])


def explained(flow, change) -> float:
    return float(np.corrcoef(flow, change)[0, 1] ** 2)


def test_the_flow_explains_more_than_half_of_the_price_and_its_imitations_do_not(queue):
    """R2 has a standard error of about 2 r (1 - r^2) / sqrt(n) = .05 on 150 intervals."""
    made, _ = queue
    rows = (len(made["mid"]) - 1) // TRADES_PER_ROW
    used = slice(1, 1 + rows * TRADES_PER_ROW)
    ends = np.arange(1, rows + 1) * TRADES_PER_ROW
    change = np.diff(made["mid"][np.r_[0, ends]])

    def summed(column):
        return column[used].reshape(rows, TRADES_PER_ROW).sum(axis=1)

    sizes = np.diff(made["bid_size_0"] - made["ask_size_0"], prepend=np.nan)
    sides = made["direction"] * made["size_lots"]
    found = {
        "ofi": explained(summed(made["ofi_0"]), change),
        "trades": explained(summed(sides.astype(float)), change),
        "sizes": explained(summed(sizes), change),
    }
    print({name: round(value, 3) for name, value in found.items()}, rows, "intervals")
    assert found["ofi"] > 0.5
    assert found["ofi"] > found["trades"] + 0.15
    assert found["sizes"] < 0.3
