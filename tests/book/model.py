"""A slow and obvious book: dictionaries and lists, the venue's procedure written as prose.

It shares no line with the kernels. Frames are dictionaries; `tape_of` turns them into the tape.
"""

from __future__ import annotations

import numpy as np

from qf.schema import BAD, BBO, DEPTH, NULL_INT, SNAPSHOT, TAPE, TRADE

MS = 1_000_000


def tape_of(frames):
    """Return the schema.TAPE columns of a list of frames."""
    rows = []
    for seq, frame in enumerate(frames):
        kind = frame["kind"]
        levels = frame.get("levels") or [
            (frame.get("side", 0), frame.get("price", 0), frame.get("size", 0))
        ]
        if kind in (DEPTH, SNAPSHOT) and not frame["levels"]:
            levels = [(0, 0, 0)]
        for place, (side, price, size) in enumerate(levels):
            rows.append(
                (
                    seq,
                    kind,
                    int(place == len(levels) - 1),
                    side,
                    price,
                    size,
                    frame.get("event_time", NULL_INT),
                    frame.get("venue_time", frame.get("event_time", NULL_INT)),
                    frame["received"],
                    frame.get("first", NULL_INT),
                    frame.get("last", NULL_INT),
                    frame.get("prev", NULL_INT),
                    frame.get("flags", 0),
                )
            )
    table = np.array(rows, np.int64).reshape(-1, len(TAPE))
    return {field.name: np.ascontiguousarray(table[:, i]) for i, field in enumerate(TAPE)}


class ModelBook:
    """Follow the procedure: buffer, load, bridge, apply, and break at a hole."""

    def __init__(self, rule):
        self.rule, self.state, self.last = rule, "unsynced", None
        self.sides = {1: {}, -1: {}}
        self.waiting = []

    def take(self, frame):
        """Take a frame; say what happened: applied, superseded, held, loaded, broken, ignored."""
        kind = frame["kind"]
        if kind == SNAPSHOT:
            return self._snapshot(frame)
        if kind == DEPTH:
            return self._difference(frame)
        if kind == BAD and frame["first"] == DEPTH and self.state in ("synced", "loaded"):
            self.state = "broken" if self.state == "synced" or self.was_broken else "unsynced"
            return "broken"
        return "ignored"

    was_broken = False

    def _snapshot(self, frame):
        if self.state == "synced":
            return "compared"
        self.was_broken = self.state == "broken" or (self.state == "loaded" and self.was_broken)
        self.sides = {1: {}, -1: {}}
        for side, price, size in frame["levels"]:
            self.sides[side][price] = size
        self.state, self.last = "loaded", frame["last"]
        waiting, self.waiting = self.waiting, []
        for place, held in enumerate(waiting):
            if self._difference(held) == "held":
                self.waiting = waiting[place:]
                break
        return "loaded"

    def _difference(self, frame):
        if self.state in ("unsynced", "broken"):
            self.waiting.append(frame)
            return "held"
        first, last, prev = frame["first"], frame["last"], frame.get("prev")
        if self.rule == "spot":
            repeat, chained = last <= self.last, first <= self.last + 1
        elif self.state == "synced":
            repeat, chained = last <= self.last, prev == self.last
        else:
            repeat, chained = last < self.last, first <= self.last or prev == self.last
        if repeat:
            return "superseded"
        if not chained:
            hole = "broken" if self.state == "synced" or self.was_broken else "unsynced"
            self.state = hole
            self.waiting.append(frame)
            return "held"
        for side, price, size in frame["levels"]:
            if size:
                self.sides[side][price] = size
            else:
                self.sides[side].pop(price, None)
        self.state, self.last = "synced", last
        return "applied"

    def best(self, side):
        """Return (price, size) of the best level, or None."""
        levels = self.sides[side]
        if not levels:
            return None
        price = max(levels) if side == 1 else min(levels)
        return price, levels[price]

    def top(self, side, count):
        """Return the first `count` levels, best first."""
        levels = self.sides[side]
        return [(p, levels[p]) for p in sorted(levels, reverse=side == 1)[:count]]


def random_frames(seed, rule, count=400, spread=60, faults=True):
    """Return frames of a true book that lives by `rule`, with losses, repeats and snapshots."""
    rng = np.random.default_rng(seed)
    true = {1: {}, -1: {}}
    mid, update_id, clock, trade_id = 100_000, 1_000, 1_700_000_000_000 * MS, 50
    for step in range(1, 40):
        true[1][mid - step] = int(rng.integers(1, 50))
        true[-1][mid + step] = int(rng.integers(1, 50))
    frames, previous = [], update_id
    for _ in range(count):
        clock += int(rng.integers(0, 40)) * MS
        received = clock + 5 * MS
        draw = rng.random()
        if draw < 0.08 or not frames:
            levels = [
                (s, p, q) for s in (1, -1) for p, q in sorted(true[s].items(), reverse=s == 1)
            ]
            frames.append(
                {"kind": SNAPSHOT, "levels": levels, "first": update_id, "last": update_id,
                 "event_time": clock, "received": received}
            )  # fmt: skip
            continue
        if draw < 0.3:
            trade_id += 1
            side = int(rng.choice([-1, 1]))
            price = max(true[1]) if side < 0 else min(true[-1])
            frames.append(
                {"kind": TRADE, "side": side, "price": price, "size": int(rng.integers(1, 9)),
                 "first": trade_id, "last": trade_id, "event_time": clock, "received": received}
            )  # fmt: skip
            continue
        # A far jump now and then moves the ladder's window and fills its far map.
        jump = rng.random() < 0.03
        mid += int(rng.integers(-40_000, 40_000)) if jump else int(rng.integers(-3, 4))
        mid = max(mid, 50_000)
        changes = {}
        for side in (1, -1):
            crossed = [p for p in true[side] if (p >= mid if side == 1 else p <= mid)]
            changes |= {(side, p): 0 for p in crossed}
            for _ in range(int(rng.integers(0, 4))):
                price = mid - side * int(rng.integers(1, spread))
                changes[side, price] = int(rng.choice([0, 1, 2, 30], p=[0.4, 0.2, 0.2, 0.2]))
            changes[side, mid - side * int(rng.integers(1, 5))] = int(rng.integers(1, 40))
        for (side, price), size in changes.items():
            if size:
                true[side][price] = size
            else:
                true[side].pop(price, None)
        first = update_id + 1
        update_id += int(rng.integers(1, 6))
        frame = {
            "kind": DEPTH, "levels": [(s, p, q) for (s, p), q in changes.items()], "first": first,
            "last": update_id, "event_time": clock, "received": received,
        }  # fmt: skip
        if rule == "futures":
            frame |= {"prev": previous, "first": first + int(rng.integers(0, 2))}
        previous = update_id
        fault = rng.random() if faults else 1.0
        if fault < 0.03:
            continue  # lost on the way
        if fault < 0.04:
            frames.append({"kind": BAD, "first": DEPTH, "received": received})
            continue
        frames.append(frame)
        if fault < 0.07:
            frames.append(dict(frame))
        if rng.random() < 0.3:
            bid, ask = max(true[1]), min(true[-1])
            frames.append(
                {"kind": BBO, "levels": [(1, bid, true[1][bid]), (-1, ask, true[-1][ask])],
                 "first": update_id, "last": update_id, "event_time": clock, "received": received}
            )  # fmt: skip
    return frames


def trade_times(frames, patience=64):
    """Yield for every trade its seq, the time it may look up to, and whether it lies behind it."""
    newest, behind = 0, []
    for seq, frame in enumerate(frames):
        if frame["kind"] != TRADE:
            continue
        late = frame["event_time"] < newest
        behind = [*behind, frame["event_time"]] if late else []
        newest = max(newest, frame["event_time"])
        if len(behind) == patience:
            newest, behind = max(behind), []
        yield seq, newest, late
