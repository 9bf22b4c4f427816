"""qf ops: the catalogue of everything that computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qf.cli._options import is_project, json_option, project_option


@click.command(short_help="List the functions and rules, or show one.")
@click.argument("name", required=False)
@click.option("--family", help="Only this family: ops, bars, normalizers, labels, …")
@click.option("--search", metavar="WORDS", help="Only those whose name or text holds every word.")
@project_option
@json_option
def command(
    name: str | None, family: str | None, search: str | None, folder: Path, as_json: bool
) -> None:
    """List every op by family with its signature, or show the page of NAME.

    Formulas call ops and detectors; docs/language.md has their whole text. In a project's folder
    its own ops are listed too.
    """
    import os

    from qf.cli._terminal import say, say_json
    from qf.errors import nearest
    from qf.op import FAMILIES, UNKNOWN_OP, load
    from qf.project.project_ops import load_project_ops

    if is_project(folder):
        load_project_ops(folder.expanduser().resolve(), os.environ)
    if family is not None and family not in FAMILIES:
        raise UNKNOWN_OP(what="family", name=family, near=nearest(family, FAMILIES))
    families = (family,) if family else tuple(f for f in FAMILIES if f != "book")
    book = load(*families)
    found = [op for _, op in sorted(book.items()) if op.family in families]
    if name is None:
        words = (search or "").lower().split()
        shown = [op for op in found if all(w in f"{op.name} {op.doc}".lower() for w in words)]
        _list(shown, families, as_json)
        return
    named = [op for op in found if op.name == name]
    if not named:
        raise UNKNOWN_OP(what="op", name=name, near=nearest(name, [op.name for op in found]))
    if as_json:
        say_json([_row(op) for op in named])
        return
    say("\n\n".join(_page(op) for op in named))


def _list(found: list[Any], families: tuple[str, ...], as_json: bool) -> None:
    from qf.cli._terminal import fitted, say, say_json, table

    if as_json:
        say_json([_row(op) for op in found])
        return
    for family in families:
        rows = [(f"  {op.signature.text}", _sentence(op)) for op in found if op.family == family]
        if rows:
            say(f"{family}: {len(rows)}")
            for line in table(rows).splitlines():
                say(fitted(line))
    say(f"{len(found)} in all; one of them: qf ops NAME; fewer: --family, --search")


def _sentence(op: Any) -> str:
    """Return the op's first sentence without the call that its title line repeats."""
    title = op.doc.strip().split("\n")[0]
    return title.partition("): ")[2] or title


def _user_signature(op: Any) -> str:
    """Return what a user writes: a bar rule's signature in the user's own units."""
    import sys

    return getattr(sys.modules[op.module], "USER", op.signature.text)


def _row(op: Any) -> dict[str, Any]:
    return {
        "name": op.name,
        "family": op.family,
        "signature": _user_signature(op),
        "sentence": _sentence(op),
        "unit": op.unit,
        "tolerance": op.tolerance,
        "example": op.example,
        "gaps": dict(op.gaps),
    }


def _page(op: Any) -> str:
    lines = [f"{op.family}/{op.name}", "", op.doc.strip(), "", f"signature  {_user_signature(op)}"]
    if "formula" in op.rules:
        lines.append(f"formula    {op.rules['formula']}")
    lines.append(f"unit       {op.unit}")
    tolerance = f"{op.tolerance:g} relative" if op.tolerance else "exact"
    lines.append(f"tolerance  {tolerance} between kernel, Polars and definition")
    if op.example:
        lines.append(f"example    {op.example}")
    lines += [f"gap        no {kind} rule: {why}" for kind, why in op.gaps.items()]
    return "\n".join(lines)
