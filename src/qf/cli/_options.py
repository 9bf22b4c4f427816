"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FEATURE_ENGINES = ("machine", "polars")
Wrapped = Callable[..., Any]


def project_option(function: Wrapped) -> Wrapped:
    """Add `--project DIR`, by default the folder one stands in."""
    return click.option(
        "--project",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="The project's folder (default: here).",
    )(function)


def json_option(function: Wrapped) -> Wrapped:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document for a script to read."
    )(function)


def seed_option(what: str) -> Callable[[Wrapped], Wrapped]:
    """Return what adds `--seed N`; `what` says what is drawn from it."""
    return click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help=f"What {what} are drawn from.",
    )


class StageChoice(click.Choice):
    """The stages of a run; the name of a feature engine is told where it belongs."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the stage."""
        if value in FEATURE_ENGINES:
            self.fail(
                f"{value!r} computes features and is no stage; write --feature-engine {value}",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


def port_option(function: Wrapped) -> Wrapped:
    """Add `--port N`."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=0,
        show_default=True,
        help="Of the loopback; 0 takes one that is free.",
    )(function)


def is_project(folder: Path) -> bool:
    """Say whether the folder holds a project."""
    return (folder / "quantflow_project.yml").exists()
