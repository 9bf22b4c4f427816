"""qf record: a venue's raw frames to capture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from qf.live.venue_plan import VenuePlan


@click.command(short_help="Record a venue's raw frames to capture files.")
@click.option("--venue", required=True, help="The venue, for example binance_spot.")
@click.option("--symbols", required=True, help="What to record, separated by commas.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("captures"),
    show_default=True,
    help="The folder of the files.",
)
@click.option("--channels", help="Which channels, separated by commas (default: all).")
@click.option("--depth-speed", "speed", help="How often differences come, for example 100ms.")
@click.option("--minutes", type=click.FloatRange(0), help="How long (default: until Ctrl-C).")
@click.option(
    "--form",
    type=click.Choice(["gz", "zst", "plain"]),
    default="gz",
    show_default=True,
    help="How the files are packed.",
)
@click.option(
    "--roll-mb",
    type=click.FloatRange(0.01),
    default=256.0,
    show_default=True,
    help="Begin a new file at this size; one is begun each UTC day too.",
)
@click.option("--ws-url", help="Another address than the venue's own.")
@click.option("--rest-url", help="Another address than the venue's own.")
def command(**given: Any) -> None:
    """Write every frame as it comes, `<receive ns> <json>` a line, in files that continue each
    other; snapshots of the books stand among them, so that the recording can be replayed.

    `qf init --capture "captures/*.gz" --venue … --symbol …` makes a project of it.
    """
    import asyncio

    from qf.cli._terminal import note, say
    from qf.live.real import run_real
    from qf.live.recorder import Recorder, record

    plan = _plan(given)
    minutes = given["minutes"]
    made: list[Recorder] = []

    async def inside(world: Any) -> None:
        recorder = Recorder(world, plan, given["form"], int(given["roll_mb"] * (1 << 20)))
        made.append(recorder)
        tick = 0

        def told(status: dict[str, Any]) -> None:
            nonlocal tick
            tick += 1
            if tick % 10 == 1:
                breaks = sum(link["breaks"] for link in status["links"])
                note(f"{recorder.frames:,} frames, {recorder.bytes:,} bytes, {breaks} breaks")

        await record(world, plan, recorder, None if minutes is None else minutes * 60, told)

    try:
        run_real(given["out"].expanduser().resolve(), inside)
    except (KeyboardInterrupt, asyncio.CancelledError):
        note("stopped")
    for recorder in made:
        say(f"{recorder.frames:,} frames in {len(recorder.files)} file(s) of {given['out']}")
        for name in recorder.files:
            say(f"  {name}")


def _plan(given: dict[str, Any]) -> VenuePlan:
    from qf.feeds.venue import find_venue
    from qf.live.venue_plan import live_face, plan_of

    face = live_face(find_venue(given["venue"]))
    symbols = tuple(part.strip() for part in given["symbols"].split(",") if part.strip())
    channels = given["channels"] or ""
    kinds = tuple(part.strip() for part in channels.split(",") if part.strip())
    options = {"ws_url": given["ws_url"], "rest_url": given["rest_url"]}
    options["depth_speed"] = given["speed"]
    if not kinds:
        kinds = tuple(kind for kind in face.kinds if kind not in ("agg_trade", "partial_depth"))
    return plan_of(given["venue"], symbols, kinds, options)
