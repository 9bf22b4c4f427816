"""What was synced is there after any death; what was not may go, from the end, and it is said."""

from __future__ import annotations

import random

import pytest

from qf.errors import QuantflowError
from qf.simulator.disk import Platter
from qf.simulator.process import Killed, Process
from qf.tape import journal as journal_file
from qf.tape.journal import HEADER_BYTES, Frame, Journal
from qf.tape.session_source import JournalSource


def frames_of(count: int, seed: int) -> list[Frame]:
    chance = random.Random(seed)
    return [
        Frame(
            1_700_000_000_000_000_000 + place,
            chance.choice(("", "BTCUSDT", "ETH-Ü")),
            chance.randbytes(chance.choice((0, 1, 30, 900))),
            chance.choice(("ws", "rest")),
        )
        for place in range(count)
    ]


@pytest.fixture
def small(monkeypatch):
    """Let segments and buffers be small, so that a test sees many of them."""
    monkeypatch.setattr(journal_file, "SEGMENT_BYTES", 4_000)
    monkeypatch.setattr(journal_file, "BUFFER_BYTES", 700)


@pytest.mark.parametrize("way", ["kill", "power"])
def test_what_was_synced_survives_and_the_rest_is_a_prefix(small, way):
    frames, torn = frames_of(300, 1), 0
    for seed in range(60):
        chance, platter, promised = random.Random(seed), Platter(random.Random(seed)), 0
        for life in range(6):
            platter.fuse = chance.randrange(1, 40)
            process = Process(str(life))
            try:
                journal = Journal(platter.mount(process), session=b"here")
                torn += journal.torn
                assert promised <= journal.end
                assert list(journal.read()) == frames[: journal.end]
                for frame in frames[journal.end :]:
                    journal.append(frame)
                    if chance.random() < 0.2:
                        journal.sync()
                        promised = journal.durable
            except Killed:
                process.alive = False
            if way == "power":
                platter.power_loss()
        platter.fuse = 0
        journal = Journal(platter.mount(Process("last")))
        assert journal.end >= promised
        middle = journal.end // 2
        assert list(journal.read(middle)) == frames[middle : journal.end]
    assert torn > 0


def test_the_batch_reader_and_the_owner_read_the_same(small, tmp_path):
    frames, platter = frames_of(120, 2), Platter(random.Random(0))
    journal = Journal(platter.mount(Process("one")))
    for frame in frames:
        journal.append(frame)
        journal.sync()
    for path, held in platter.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(bytes(held.data))
    assert len(platter.files) > 5
    source = JournalSource("live", "binance_spot", tmp_path / "journal", "BTCUSDT")
    wanted = [(f.processed_time, f.payload, f.symbol) for f in frames if f.symbol != "ETH-Ü"]
    assert list(source.arrivals()) == wanted
    assert len(source.identity()["segments"]) == len(platter.files)


def test_damage_that_no_crash_explains_is_named(small):
    frames, platter = frames_of(200, 3), Platter(random.Random(0))
    journal = Journal(platter.mount(Process("one")))
    for frame in frames:
        journal.append(frame)
        journal.sync()
    names = sorted(platter.files)
    whole = {name: bytes(platter.files[name].data) for name in names}
    platter.files[names[1]].data[HEADER_BYTES + 30] ^= 1
    with pytest.raises(QuantflowError, match=r"damaged.*its checksum is wrong") as refused:
        list(Journal(platter.mount(Process("two"))).read())
    assert refused.value.code == "QF340"
    platter.files[names[1]].data[:] = whole[names[1]][:-1]
    with pytest.raises(QuantflowError, match="it breaks off"):
        list(Journal(platter.mount(Process("three"))).read())
    del platter.files[names[1]]
    with pytest.raises(QuantflowError, match="it is not there"):
        list(Journal(platter.mount(Process("four"))).read())
    last = platter.files[names[-1]].data
    last[:HEADER_BYTES] = bytes(HEADER_BYTES)
    with pytest.raises(QuantflowError, match="its header is wrong"):
        Journal(platter.mount(Process("five")))
    last[:] = journal_file._HEAD.pack(journal_file.MAGIC, 9, bytes(16), 0)
    last += journal_file._CRC.pack(journal_file.zlib.crc32(bytes(last)))
    with pytest.raises(QuantflowError, match="version 9"):
        Journal(platter.mount(Process("six")))


def test_every_bit_of_a_record_counts(small):
    platter = Platter(random.Random(0))
    journal = Journal(platter.mount(Process("one")))
    frames = frames_of(3, 4)
    for frame in frames:
        journal.append(frame)
    journal.sync()
    (name,) = platter.files
    data = bytes(platter.files[name].data)
    for place in range(8 * HEADER_BYTES, 8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        found = journal_file.read_segment(name, bytes(changed))
        assert found is not None
        assert found.frames == frames[: len(found.frames)]
        assert len(found.frames) < 3
