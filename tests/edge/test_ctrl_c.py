"""Ctrl-C ends a command as a stop, whatever it broke on its way."""

import signal

import pytest

from qf.cli import main as cli


def pressed(failure):
    """Return a command that is interrupted, and makes of it what a library makes of it."""

    def invoke(context):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if failure is None:
                raise
            raise failure from None

    return invoke


@pytest.mark.parametrize(
    "failure",
    [None, RuntimeError("Query interrupted"), BrokenPipeError(32, "a worker ended"), OSError()],
    ids=["as it is", "in a query", "in a pipe", "in a file"],
)
def test_an_interrupted_command_says_how_to_go_on(failure, monkeypatch, capsys):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background: ignored
    try:
        monkeypatch.setattr(cli.commands, "invoke", pressed(failure))
        assert cli.run(["ops"]) == cli.STOPPED
        assert capsys.readouterr().err == "stopped; run the same command again to go on\n"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_failure_without_ctrl_c_is_told_as_one(monkeypatch, capsys):
    def fail(context):
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(cli.commands, "invoke", fail)
    assert cli.run(["ops"]) == 3
    assert "QF701" in capsys.readouterr().err
