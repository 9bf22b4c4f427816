"""What the commands print, how they leave, and that a script can read them."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys

import click
import pytest

from edge.cli_case import qf
from qf.cli import main
from qf.cli._reference import commands_page
from qf.op import family
from qf.project.scaffold import draft_project, write_project

ROOT = click.Context(main.commands, info_name="qf")
NAMES = main.commands.list_commands(ROOT)


@pytest.fixture
def crypto(tmp_path):
    folder = tmp_path / "crypto_project"
    write_project(folder, draft_project(folder.name, "crypto"))
    return folder


def test_the_commands_are_the_files_of_the_folder():
    promised = {"init", "run", "check", "ops", "features", "explain", "trust", "demo", "doctor"}
    assert promised <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_is_documented(name, tmp_path):
    command = main.commands.get_command(ROOT, name)
    assert command is not None and command.help and command.short_help
    assert f"## qf {name}" in commands_page()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help and parameter.help.endswith((".", "…"))
            assert parameter.opts[0] in commands_page()
    asked = qf(f"{name} --help", tmp_path)
    assert asked.code == 0 and "Usage: qf" in asked.out and asked.err == ""


def test_help_names_every_command_and_its_sentence(tmp_path):
    asked = qf("--help", tmp_path)
    assert asked.code == 0
    assert all(f"\n  {name} " in asked.out for name in NAMES)


def test_without_a_command_the_help_is_shown_and_it_is_a_usage_error(tmp_path):
    asked = qf([], tmp_path)
    assert asked.code == 2 and "Usage: qf" in asked.err


def test_version(tmp_path):
    assert qf("--version", tmp_path).out.startswith("qf ")


def test_a_sound_project_passes_the_check(crypto):
    asked = qf("check", crypto)
    assert asked.code == 0 and "no problem" in asked.out
    assert "clip at 20 cannot bind" in asked.err and "at most 9.9" in asked.err


def test_check_for_a_script(crypto):
    path = crypto / "quantflow_project.yml"
    asked = qf("check --json", crypto)
    found = json.loads(asked.out)
    assert asked.code == 0 and found["problems"] == [] and found["warnings"]
    path.write_text(path.read_text().replace("symbols:", "symbls:"))
    asked = qf("check --json", crypto)
    (problem,) = json.loads(asked.out)["problems"]
    assert asked.code == 2 and asked.err == ""
    assert (problem["code"], problem["line"], problem["near"]) == ("QF210", 8, ["symbols"])


def test_check_warns_of_a_barrier_below_the_cost(crypto):
    path = crypto / "quantflow_project.yml"
    path.write_text(path.read_text().replace("lower_barrier: 0.004", "lower_barrier: 0.001"))
    asked = qf("check", crypto)
    assert "lower_barrier 0.001 (10 bp) is below the round-trip cost 0.003 (30 bp)" in asked.err


def test_check_warns_of_inputs_that_no_feed_brings(crypto):
    path = crypto / "quantflow_project.yml"
    path.write_text(path.read_text().replace("sources: [trades, book, bbo]", "sources: [trades]"))
    asked = qf("check", crypto)
    assert "spread_bps reads the order book, and sources leave it out" in asked.err


OP = '''"""twice(x): two times x.

    y = 2 x

Null where x is null. Unit: the unit of x. Source: definition.
"""

from qf.op import define

op = define("twice(x)", example="twice(price)")


@op.definition
def definition(x):
    return 2.0 * x[-1]


@op.polars
def polars(x):
    return x * 2.0


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = {value}
'''


def test_check_holds_the_projects_own_ops_to_the_contract(crypto):
    path = crypto / ".definitions" / "ops" / "twice.py"
    path.write_text(OP.replace("{value}", "2.0 * x[t]"))
    sound = qf("check", crypto, {"QF_TRUST": "1"})
    assert sound.code == 0, sound.err
    path.write_text(OP.replace("{value}", "2.0 * x[t + 1] if t + 1 < hi else 0.0"))
    broken = qf("check", crypto, {"QF_TRUST": "1"})
    assert broken.code >= 1 and "QF820" in broken.err and "twice" in broken.err


def test_trust_lets_an_op_run_until_it_changes(crypto, tmp_path):
    home = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    path = crypto / ".definitions" / "ops" / "twice.py"
    path.write_text(OP.replace("{value}", "2.0 * x[t]"))
    assert qf("ops twice", crypto, home).code == 2
    assert "twice.py" in qf("trust", crypto, home).out
    asked = qf("ops twice", crypto, home)
    assert asked.code == 0 and "two times x" in asked.out
    assert str(crypto) in qf("trust --list", tmp_path, home).out
    path.write_text(path.read_text() + "\n")
    assert "changed since" in qf("ops twice", crypto, home).err
    assert qf("trust --forget", crypto, home).code == 0
    assert "not trusted yet" in qf("ops twice", crypto, home).err


def test_the_catalogue_lists_every_op(tmp_path):
    asked = qf("ops", tmp_path)
    for name in ("ops", "bars", "normalizers", "staleness", "labels"):
        for op in family(name):
            assert f"  {op.name}(" in asked.out
    rows = json.loads(qf("ops --family bars --json", tmp_path).out)
    dollar = next(row for row in rows if row["name"] == "dollar")
    assert "threshold: " in dollar["signature"], "in the user's own units"


def test_the_page_of_an_op_shows_its_text(tmp_path):
    asked = qf("ops rolling_std", tmp_path)
    assert asked.code == 0
    assert "signature" in asked.out and "tolerance" in asked.out and "Source" in asked.out


def test_the_catalogue_of_features(crypto, tmp_path):
    asked = qf("features", tmp_path)
    assert asked.code == 0 and "realized_volatility(window)" in asked.out
    asked = qf("features", crypto)
    assert "momentum_autocorr" in asked.out
    assert "10 * lag" in qf("features autocorrelation", tmp_path).out
    found = json.loads(qf("features cumulative_delta --json", crypto).out)
    assert found["features"][0]["staleness"] == {"ttl_ms": 5000, "action": "decay"}


def test_explain_of_a_feature_a_type_and_a_formula(crypto, tmp_path):
    asked = qf("explain cumulative_delta", crypto)
    assert asked.code == 0
    for word in ("imbalance_k_10", "rolling_sum", "look-back", "warm-up", "state", "program"):
        assert word in asked.out
    asked = qf("explain autocorrelation", tmp_path)
    assert asked.code == 0 and "lag=10, window=100" in asked.out
    asked = qf(["explain", "rolling_mean(close, 20)", "--bar", "dollar_k_50000"], crypto)
    assert asked.code == 0 and "dollar_k_50000" in asked.out
    asked = qf(["explain", "rolling_mean(close, 20)", "--bar", "dollar_k_5"], crypto)
    assert asked.code == 2 and "QF220" in asked.err


def test_doctor_reports_on_machine_and_project(crypto):
    found = json.loads(qf("doctor --json", crypto).out)
    by_name = {row["name"]: row for row in found}
    for name in ("python", "numpy", "kernel cache", "disk", "clock", "definitions", "lock"):
        assert name in by_name
    assert by_name["permissions"]["state"] == "ok"
    (crypto / ".local_config.yml").chmod(0o644)
    asked = qf("doctor", crypto)
    assert asked.code == 1 and "chmod 600" in asked.out


def test_doctor_finds_secrets_in_git(crypto):
    def git(*words):
        subprocess.run(["git", "-C", str(crypto), *words], check=True, capture_output=True)

    local = crypto / ".local_config.yml"
    local.write_text("feed_provider_credentials:\n  - { provider: v, key: canary-55ab12 }\n")
    git("init")
    git("add", "-A")
    asked = qf("doctor", crypto)
    assert asked.code == 0 and "canary" not in asked.out
    (crypto / "README.md").write_text("key is canary-55ab12\n")
    git("add", "-f", ".local_config.yml")
    git("add", "README.md")
    asked = qf("doctor", crypto)
    assert asked.code == 1 and "canary" not in asked.out + asked.err
    assert "tracked" in asked.out and "README.md" in asked.out


def test_init_from_a_capture_finds_unit_and_steps(tmp_path):
    stamp = 1_723_161_253_937_085
    lines = []
    for n in range(50):
        at = (stamp + n * 1000) // 1000
        event = {"e": "trade", "E": at, "s": "BTCUSDT", "t": n + 1, "T": at, "m": True, "M": True}
        frame = {
            "stream": "btcusdt@trade",
            "data": {**event, "p": f"61837.{n:02d}", "q": "0.00100"},
        }
        lines.append(f"{stamp + n * 1000} {json.dumps(frame)}\n")
    (tmp_path / "capture.txt").write_text("".join(lines))
    asked = qf("init made --capture capture.txt --venue binance_spot --symbol BTCUSDT", tmp_path)
    assert asked.code == 0, asked.err
    provider = (tmp_path / "made/.definitions/feed_providers/btcusdt_capture.yml").read_text()
    assert "time_unit: us" in provider, "the unit is found by magnitude"
    assert "trades: trade" in provider, "which channel makes the trades is written down"
    instruments = (tmp_path / "made/.definitions/instruments.yml").read_text()
    assert 'tick_size: "0.01"' in instruments and 'lot_size: "0.001"' in instruments
    assert "+feed_providers: [btcusdt_capture]" in asked.err
    again = qf("init made", tmp_path)
    assert again.code == 2 and "QF283" in again.err


def test_an_unexpected_failure_is_one_line_with_a_code(tmp_path, monkeypatch):
    def fail(*words):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("qf.project.feature_types.TypeBook.names", fail)
    asked = qf("features", tmp_path)
    assert asked.code == 3 and asked.err.startswith("QF701") and "Traceback" not in asked.err
    with pytest.raises(ZeroDivisionError):
        qf("features", tmp_path, {"QF_TRACEBACK": "1"})


def test_a_reader_that_leaves_is_no_failure(tmp_path):
    call = f"{shlex.quote(sys.executable)} -c 'from qf.cli.main import main; main()' ops"
    line = f"{call} | head -1; echo ${{PIPESTATUS[0]}}"
    asked = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert asked.stdout.splitlines()[-1] == "0" and asked.stderr == ""


def test_ctrl_c_is_clean(crypto):
    started = subprocess.Popen(
        [sys.executable, "-c", WAITING], stderr=subprocess.PIPE, text=True, cwd=crypto
    )
    assert started.stderr is not None and started.stderr.readline() == "waiting\n"
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == main.STOPPED
    assert said == "stopped; run the same command again to go on\n"


WAITING = """
import sys, time
import qf.project
from qf.cli.main import main

def wait(folder):
    print("waiting", file=sys.stderr, flush=True)
    while True:
        time.sleep(0.05)

qf.project.open_project = wait
main(["run"])
"""


def test_progress_is_plain_lines_in_a_pipe(capsys):
    from qf.cli._terminal import Progress

    shown = Progress()
    for done in range(5):
        shown("state", done, 4)
    shown("label", 0, 0, "nothing to do")
    said = capsys.readouterr().err.splitlines()
    assert said == ["state: started", "state: done", "label: started - nothing to do"]
