"""The machine's own promises: state belongs to its plan, equal work is done once, edits count."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tests.book.model import MS, random_frames, tape_of
from tests.book.programs import book_plan, enrich_plan, read_all

from qf import kernel
from qf.errors import QuantflowError
from qf.op import BOOK, find
from qf.program import Plan, Program
from qf.schema import MARK, TRADE


def plan_of(window=20):
    """Return a plan of two instructions over one column."""
    plan = Plan()
    plan.clock("rows")
    x = plan.feed("x")
    lagged = plan.one(find("lag", "ops"), [x], rows=3)
    plan.read("y", plan.one(find("rolling_sum", "ops"), [lagged], window=window))
    return plan


def test_equal_instructions_are_one():
    plan = plan_of()
    again = plan.one(find("lag", "ops"), [plan.feeds[0][1]], rows=3)
    assert len(plan.instructions) == 2
    assert again == plan.instructions[0].outputs[0]


def test_a_state_loads_only_into_its_own_plan():
    saved = Program(plan_of(20)).save()
    with pytest.raises(QuantflowError) as caught:
        Program(plan_of(21)).restore(saved)
    assert caught.value.code == "QF430"


@pytest.mark.parametrize("damage", ["torn", "zeroed", "flipped", "other"])
def test_a_damaged_state_is_refused_and_changes_nothing(damage):
    x = np.arange(100.0)
    program = Program(plan_of())
    program.push({"x": x})
    saved = program.save()
    bad = {
        "torn": saved[:-40],
        "zeroed": saved[:200] + bytes(len(saved) - 200),
        "flipped": saved[:-9] + bytes([saved[-9] ^ 1]) + saved[-8:],
        "other": b"PK" + saved[2:],
    }[damage]
    with pytest.raises(QuantflowError) as caught:
        program.restore(bad)
    assert caught.value.code == "QF431"
    assert program.save() == saved


def test_a_wrong_feed_is_refused_by_name():
    with pytest.raises(QuantflowError) as caught:
        Program(plan_of()).push({"y": np.zeros(3)})
    assert caught.value.code == "QF432"
    assert "x" in str(caught.value)


@pytest.mark.parametrize("rows", [2, 1_000])
def test_columns_of_unequal_length_are_refused(rows):
    plan = Plan()
    plan.clock("rows")
    plan.feed("x"), plan.feed("y")
    with pytest.raises(QuantflowError) as caught:
        Program(plan).push({"x": np.zeros(rows), "y": np.zeros(rows - 1)})
    assert caught.value.code == "QF433"
    assert f"x {rows:,}" in str(caught.value)


def test_few_rows_and_many_in_any_turn_give_what_all_at_once_gives():
    x = np.random.default_rng(5).normal(size=1_000)
    whole = Program(plan_of(20), 64).push({"x": x})["rows"]
    program, parts, at = Program(plan_of(20), 64), [], 0
    for size in (1, 64, 65, 1, 300, 2, 63, 66, 438):
        parts.append(program.push({"x": x[at : at + size]})["rows"])
        at += size
    assert at == len(x)
    for name, column in whole.items():
        assert np.concatenate([part[name] for part in parts]).tobytes() == column.tobytes()


def test_a_feed_that_is_read_where_it_lies_gives_the_bits_of_its_copy():
    plan = Plan()
    plan.clock("rows")
    x, y = plan.feed("x"), plan.feed("y")
    plan.read("x", x)
    plan.read("before", plan.one(find("lag", "ops"), [x], rows=150))
    plan.read("together", plan.one(find("rolling_corr", "ops"), [x, y], window=50))
    given = np.random.default_rng(7).normal(size=(2, 9_000))
    copied, lent, at = Program(plan, 64), Program(plan, 64), 0
    expected = [copied.push(dict(zip("xy", given[:, k : k + 50], strict=True)))["rows"]
                for k in range(0, given.shape[1], 50)]  # fmt: skip
    parts = []
    for turn, size in enumerate((302, 1_000, 30, 100, 1, 504, 2_500, 4_563)):
        piece = given[:, at : at + size].copy()
        if size == 1:
            made = lent.step(piece[:, 0])
            parts.append({k: v.copy() for k, v in lent.named("rows", made["rows"]).items()})
        else:
            parts.append(lent.push({"x": piece[0], "y": piece[1]})["rows"])
        piece[:] = np.nan  # whoever fed it may do with it what he likes
        at += size
        saved, lent = lent.save(), Program(plan, 64) if turn % 3 == 0 else lent
        lent.restore(saved)
    assert at == given.shape[1]
    for name in expected[0]:
        whole = np.concatenate([part[name] for part in expected])
        assert np.concatenate([part[name] for part in parts]).tobytes() == whole.tobytes()


def test_a_push_that_breaks_off_leaves_nothing_pointing_at_its_feed():
    class Full(Program):
        """A program that gets no more memory while `full` holds."""

        full = False

        def _grow_clock(self, clock, rows):
            if self.full:
                raise MemoryError
            super()._grow_clock(clock, rows)

    frames = random_frames(3, "spot", count=400)
    tape = tape_of(frames)
    evenly = dict(zip(tape, np.stack(list(tape.values())), strict=True))
    plan = enrich_plan("spot")
    whole = Program(plan, 512).push(evenly)
    program = Full(plan, 512)
    empty, program.full = program.save(), True
    with pytest.raises(MemoryError):
        program.push({name: column.copy() for name, column in evenly.items()})
    program.full = False
    program.restore(empty)
    parts = [program.push({name: column[k : k + 60].copy() for name, column in tape.items()})
             for k in range(0, len(tape["seq"]), 60)]  # fmt: skip
    for clock in ("tick", "prints"):
        for name, column in whole[clock].items():
            made = np.concatenate([part[clock][name] for part in parts])
            assert made.tobytes() == column.tobytes(), name


def test_steps_around_a_push_that_needs_another_sink_give_their_own_rows():
    x = np.random.default_rng(6).normal(size=30_000)
    whole = Program(plan_of(20)).push({"x": x})["rows"]["y"]
    program = Program(plan_of(20))
    parts = [program.step(x[row : row + 1])["rows"][0].copy() for row in range(30)]
    parts.append(program.push({"x": x[30:29_970]})["rows"]["y"])
    parts += [program.step(x[row : row + 1])["rows"][0].copy() for row in range(29_970, 30_000)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("inputs", [0, 2])
def test_an_op_is_wired_to_what_it_takes_or_not_at_all(inputs):
    plan = Plan()
    plan.clock("rows")
    columns = [plan.feed("x"), plan.feed("y")][:inputs]
    with pytest.raises(QuantflowError) as caught:
        plan.add(find("lag", "ops"), columns, {"rows": 3}, row_clock=0)
    assert caught.value.code == "QF435"


def test_what_nobody_reads_belongs_to_the_plans_identity():
    plan, columns = book_plan("spot")
    other, _ = book_plan("spot")
    plan.read("mid", dict(zip(*columns["tick"], strict=True))["mid"])
    other.read("ofi_0", dict(zip(*columns["tick"], strict=True))["ofi_0"])
    assert plan.hash() != other.hash()


def test_how_the_fed_columns_lie_changes_no_bit():
    frames = random_frames(3, "spot", count=200)
    tape = tape_of(frames)
    rows = len(tape["seq"])
    apart = {name: column.copy() for name, column in tape.items()}
    evenly = dict(zip(tape, np.stack(list(tape.values())), strict=True))
    plan = enrich_plan("spot")
    whole = Program(plan, 64).push(evenly)
    mixed, parts = Program(plan, 16), []
    for turn, low in enumerate(range(0, rows, 97)):
        piece = slice(low, min(low + 97, rows))
        if turn % 4 == 3:
            for row in np.stack([column[piece] for column in tape.values()], axis=1):
                made = mixed.step(np.ascontiguousarray(row).view(np.float64))
                parts.append({k: {n: c.copy() for n, c in mixed.named(k, made.get(k)).items()}
                              for k in ("tick", "prints")})  # fmt: skip
        else:
            given = (evenly, apart, evenly)[turn % 4]
            parts.append(mixed.push({name: column[piece] for name, column in given.items()}))
    for name, column in whole["tick"].items():
        joined = np.concatenate([part["tick"][name] for part in parts])
        assert joined.tobytes() == column.tobytes(), name
    assert mixed.rows["events"] == rows
    assert mixed.save() == fed(plan, tape).save()


def fed(plan, tape):
    """Return a program that was fed the whole tape at once."""
    program = Program(plan, 512)
    program.push(tape)
    return program


def test_an_edit_of_a_kernel_is_a_new_kernel(tmp_path):
    text = (
        "from qf.op import define\n"
        "op = define('planted_edit(x)')\n"
        "@op.kernel\n"
        "def kernel(x, lo, hi, out):\n"
        "    for t in range(lo, hi):\n"
        "        out[t] = x[t] + 1.0\n"
    )
    found = []
    for place, body in enumerate((text, text.replace("+ 1.0", "+ 2.0"))):
        file = tmp_path / f"planted_edit_{place}.py"
        file.write_text(body)
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        try:
            spec.loader.exec_module(module)
            plan = Plan()
            plan.clock("rows")
            plan.read("y", plan.one(module.op, [plan.feed("x")]))
            made = Program(plan).push({"x": np.zeros(1)})["rows"]["y"][0]
            found.append((made, kernel.kernel_hash(module.op)))
        finally:
            BOOK.pop("ops.planted_edit", None)
            sys.modules.pop(file.stem, None)
    assert [value for value, _ in found] == [1.0, 2.0]
    assert found[0][1] != found[1][1]


def test_a_kernel_cache_that_others_can_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("QF_KERNEL_CACHE", str(tmp_path))
    folder = kernel.cache_folder()
    folder.chmod(0o777)
    with pytest.raises(QuantflowError) as caught:
        kernel.cache_folder()
    assert caught.value.code == "QF420"


def test_a_second_process_finds_the_kernels_compiled(tmp_path):
    script = (
        "import sys, time; from qf.op import find; from qf import kernel;"
        "op = find('lag', 'ops'); was = kernel.is_cached(op); kernel.address(op);"
        "print(was, kernel.is_cached(op))"
    )
    env = {"QF_KERNEL_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["False", "True"], ["True", "True"]]


def test_a_block_size_changes_no_bit():
    x = np.random.default_rng(3).normal(size=5_000)
    whole = Program(plan_of(), 4096).push({"x": x})["rows"]["y"]
    for block in (1, 7, 97, 65_536):
        assert Program(plan_of(), block).push({"x": x})["rows"]["y"].tobytes() == whole.tobytes()
    assert Path(kernel.__file__).name == "kernel.py"


def kept_bytes(made):
    """Return the memory that rows which are kept keep, over their own."""
    whole = made if made.base is None else made.base
    return whole.nbytes / made.nbytes


def test_rows_that_are_kept_keep_little_memory_beside_them():
    plan = plan_of()
    for place in range(9):
        plan.read(f"y{place}", plan.feeds[0][1])
    program = Program(plan)
    sizes = []
    for rows in (60_000, 5_000, *[20_000] * 8):
        (made,) = program.advance({"x": np.arange(float(rows))}).values()
        sizes.append(kept_bytes(made))
    assert max(sizes[1:]) < 1.1
    assert len(set(sizes[-4:])) == 1  # equal pieces find equal room, however many came


def test_a_program_that_has_handed_out_its_rows_holds_no_memory_for_the_next():
    x, held = np.arange(100_000.0), []
    tracemalloc.start()
    try:
        program = Program(plan_of())
        for _ in range(3):
            program.push({"x": x})
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(held) < x.nbytes // 4


def test_rows_of_a_clock_that_has_grown_rare_are_copied():
    plan, columns = book_plan("futures", levels=3)
    read_all(plan, *columns["tick"])
    program, sizes, number = Program(plan), [], 0
    for trades in (20_000, 20_000, 3_000):
        frames = []
        for place in range(20_000):
            time = 1_700_000_000_000 * MS + (number := number + 1) * MS
            trade = {"kind": TRADE, "levels": [(1, 100, 1)], "first": number, "last": number}
            frame = trade if place < trades else {"kind": MARK, "side": 2}
            frames.append(frame | {"event_time": time, "received": time})
        made = program.advance(tape_of(frames))["tick"]
        assert made.shape[1] == trades
        sizes.append(kept_bytes(made))
    assert sizes[1] > 1  # a sink itself
    assert sizes[2] == 1  # most of it was empty
