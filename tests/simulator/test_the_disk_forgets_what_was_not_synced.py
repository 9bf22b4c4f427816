"""The simulated disk: what is durable survives everything; what is not may be lost in any way."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qf.simulator.disk import BLOCK, Platter
from qf.simulator.process import Killed, Process


def mounted(seed: int = 0, capacity: int = 1 << 20):
    platter = Platter(random.Random(seed), capacity)
    process = Process("one")
    return platter, process, platter.mount(process)


@given(st.integers(0, 10_000), st.lists(st.binary(min_size=1, max_size=3 * BLOCK), max_size=12))
def test_a_synced_prefix_survives_and_only_unsynced_bytes_change(seed, pieces):
    platter, _, disk = mounted(seed)
    chance = random.Random(seed)
    file = disk.appender("journal/a")
    written, synced = b"", 0
    for piece in pieces:
        file.append(piece)
        written += piece
        if chance.random() < 0.4:
            file.sync()
            synced = len(written)
    assert disk.read("journal/a") == written
    assert platter.durable("journal/a") == written[:synced]
    platter.power_loss()
    disk = platter.mount(Process("two"))
    if disk.size("journal/a") is None:
        assert synced == 0
        return
    after = disk.read("journal/a")
    assert after[:synced] == written[:synced]
    assert len(after) <= len(written)
    for at in range(synced, len(after)):
        assert after[at] in (written[at], 0) or after[at] in written[:synced]


def fates(seed: int) -> str:
    """Name what a power loss made of five blocks that were never synced."""
    platter, _, disk = mounted(seed)
    file = disk.appender("a")
    file.sync()
    data = b"x" * BLOCK * 5
    file.append(data)
    platter.power_loss()
    after = bytes(platter.files["a"].data)
    if after == data:
        return "whole"
    if not after:
        return "lost"
    if b"x" not in after:
        return "zeros"
    return "holes" if len(after) == len(data) else "torn"


def test_every_way_of_losing_a_tail_happens():
    assert {fates(seed) for seed in range(60)} == {"whole", "lost", "zeros", "holes", "torn"}


def test_a_kill_loses_nothing_and_the_dead_are_refused():
    platter, process, disk = mounted()
    file = disk.appender("a")
    file.append(b"not synced")
    process.alive = False
    for act in (file.sync, lambda: file.append(b"x"), lambda: disk.write("b", b""), file.size):
        with pytest.raises(Killed):
            act()
    assert platter.mount(Process("two")).read("a") == b"not synced"


def test_a_new_name_may_be_lost_and_a_removed_one_may_come_back():
    lost, back = set(), set()
    for seed in range(30):
        platter, _, disk = mounted(seed)
        disk.appender("never synced").append(b"x")
        disk.write("removed", b"y")
        disk.remove("removed")
        platter.power_loss()
        lost.add("never synced" in platter.files)
        back.add("removed" in platter.files)
    assert lost == back == {True, False}


def test_a_whole_write_is_all_or_nothing_even_when_one_dies_inside_it():
    seen = set()
    for seed in range(40):
        platter, process, disk = mounted(seed)
        disk.write("a", b"old")
        platter.fuse = 1
        with pytest.raises(Killed):
            disk.write("a", b"new")
        assert not process.alive
        platter.power_loss()
        seen.add(bytes(platter.files["a"].data))
    assert seen == {b"old", b"new"}


def test_a_fuse_cuts_an_append_short():
    lengths = set()
    for seed in range(20):
        platter, _, disk = mounted(seed)
        file = disk.appender("a")
        file.append(b"12345")
        platter.fuse = 2
        file.append(b"67890")
        with pytest.raises(Killed):
            file.append(b"abcde")
        lengths.add(len(platter.files["a"].data))
    assert min(lengths) == 10 and max(lengths) == 15


def test_a_full_disk_takes_what_fits_and_says_so():
    _, _, disk = mounted(capacity=10)
    file = disk.appender("a")
    with pytest.raises(OSError, match="space"):
        file.append(b"123456789012")
    assert file.size() == 10
    with pytest.raises(OSError, match="space"):
        disk.write("b", b"1")
    assert disk.size("b") is None


def test_a_failed_sync_is_told_once_and_its_bytes_are_not_durable():
    zeroed = set()
    for seed in range(20):
        platter, _, disk = mounted(seed)
        file = disk.appender("a")
        file.append(b"one")
        file.sync()
        file.append(b"two")
        platter.sync_fails = 1
        with pytest.raises(OSError, match="sync"):
            file.sync()
        assert platter.durable("a") == b"one"
        zeroed.add(disk.read("a"))
    assert zeroed == {b"onetwo", b"one\0\0\0"}


def test_those_who_watch_see_what_is_written_and_what_is_synced():
    platter, _, disk = mounted()
    seen = []
    platter.watchers.append(lambda operation, path, data: seen.append((operation, path, data)))
    file = disk.appender("a")
    file.append(b"x")
    file.sync()
    disk.write("b", b"y")
    assert seen == [("append", "a", b"x"), ("sync", "a", b""), ("write", "b", b"y")]
