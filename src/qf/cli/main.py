"""The frame of `qf`: find the commands, run one, print an error once, leave with its exit code.

Exit codes: 0 ok, 1 refused by a gate, 2 usage or definition error, 3 runtime failure,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

import qf.cli
from qf.errors import Diagnostic, QuantflowError, RunError, diagnostic, nearest

USAGE = diagnostic("QF700", "{what}")
UNEXPECTED = diagnostic(
    "QF701",
    "an unexpected failure: {what}",
    RunError,
    "this is a defect: run again with QF_TRACEBACK=1 and report what it prints",
)
NO_COMMAND = diagnostic("QF702", "there is no command {name!r}", hint="all of them: qf --help")
DISK = diagnostic("QF703", "{what}", RunError, "check the disk and the permissions, then run again")

STOPPED = 130


class Commands(click.Group):
    """Every module of qf.cli but this one, imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        names = (module.name for module in pkgutil.iter_modules(qf.cli.__path__))
        return sorted(name for name in names if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return importlib.import_module(f"qf.cli.{cmd_name}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names. Errors: QF702."""
        known = self.list_commands(ctx)
        if args[0] not in known:
            raise NO_COMMAND(name=args[0], near=nearest(args[0], known))
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"qf {version('qf')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and leave.",
)
def commands() -> None:
    """Crypto microstructure features, from research to production without a rewrite."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are printed once, to stderr."""
    with _interrupts() as interrupted:
        try:
            words = list(sys.argv[1:] if arguments is None else arguments)
            # Not commands.main(): it turns a reader that left into exit code 1.
            with commands.make_context("qf", words) as context:
                commands.invoke(context)
            sys.stdout.flush()
        except click.exceptions.Exit as leave:
            return leave.exit_code
        except KeyboardInterrupt:
            return _stopped()
        except Exception as error:
            # What Ctrl-C broke on its way (a query, a pipe to a worker) is no failure of its own.
            return _stopped() if interrupted else _failed(error)
    return 0


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yield a list that holds the signal once Ctrl-C was pressed."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _stopped() -> int:
    click.echo("stopped; run the same command again to go on", err=True)
    return STOPPED


def _failed(error: Exception) -> int:
    """Say what went wrong, once, and return the exit code."""
    if isinstance(error, QuantflowError):
        return _say(error)
    if isinstance(error, click.exceptions.Abort):
        return _stopped()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if isinstance(error, click.ClickException):
        return _say(_usage(error))
    if isinstance(error, BrokenPipeError):
        # The reader left (qf ops | head): nothing is wrong, and nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError):
        where = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        return _unexpected(error, DISK, where)
    return _unexpected(error, UNEXPECTED, f"{type(error).__name__}: {error}")


def _unexpected(error: Exception, kind: Diagnostic, what: str) -> int:
    if os.environ.get("QF_TRACEBACK"):
        raise error
    return _say(kind(what=what))


def _usage(error: click.ClickException) -> QuantflowError:
    """Return a mistake in the command's words as a diagnostic."""
    text = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "qf"
    text = text[0].lower() + text[1:] if text else "wrong usage"
    near = tuple(getattr(error, "possibilities", None) or ())
    for tail in ("(Possible options", "Did you mean"):
        text = text.split(tail)[0].strip(" .(")
    return USAGE(what=text, near=near, hint=f"{command} --help")


def _say(error: QuantflowError) -> int:
    click.echo(str(error), err=True)
    return error.exit_code


__all__ = ["commands", "main", "run"]
