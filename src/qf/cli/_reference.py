"""Write docs/cli.md from the commands themselves."""

from __future__ import annotations

import inspect

import click

from qf.cli.main import commands

HEAD = """# Commands

Every command works in the project's folder, or with `--project DIR`. Errors go to stderr, once, in
the form of `docs/errors.md`.

| exit code | means |
|---|---|
| 0 | done |
| 1 | a gate refused: the work is sound, the answer is no |
| 2 | a definition, a file or the command line is wrong |
| 3 | data, disk or an engine failed |
| 130 | stopped by Ctrl-C; the same command goes on |
"""


def commands_page() -> str:
    """Return docs/cli.md: one section per command, in the order of `qf --help`."""
    root = click.Context(commands, info_name="qf", help_option_names=["-h", "--help"])
    parts = [HEAD]
    for name in commands.list_commands(root):
        found = commands.get_command(root, name)
        assert found is not None
        parts += _sections(found, click.Context(found, info_name=name, parent=root))
    return "".join(parts)


def _sections(found: click.Command, context: click.Context) -> list[str]:
    """Return a command's section, and those of the commands below it."""
    usage = " ".join([context.command_path, *found.collect_usage_pieces(context)])
    rows = [
        record
        for parameter in found.get_params(context)
        if (record := parameter.get_help_record(context)) is not None and record[1]
    ]
    table = ["| option | does |", "|---|---|"]
    table += [f"| `{_cell(left)}` | {_cell(right)} |" for left, right in rows]
    about = inspect.cleandoc(found.help or "")
    head = f"\n## {context.command_path}\n\n    {usage}\n\n{about}\n\n"
    parts = [head + "\n".join(table) + "\n"]
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            assert below is not None
            parts += _sections(below, click.Context(below, info_name=name, parent=context))
    return parts


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
