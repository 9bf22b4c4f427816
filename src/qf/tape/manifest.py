"""What a cached tape is called: the hash of everything that decides its content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import qf.feeds
import qf.schema
from qf.tape.instruments import Instrument
from qf.tape.source import Source

FORMAT = 1


def tape_key(sources: Sequence[Source], instrument: Instrument) -> tuple[str, dict[str, Any]]:
    """Return the sha256 of the identity, and the identity: sources, instrument, code, format."""
    identity = {
        "format": FORMAT,
        "code": code_hash(),
        "instrument": dataclasses.asdict(instrument),
        "sources": [source.identity() for source in sources],
    }
    return key_of(identity), identity


def key_of(identity: dict[str, Any]) -> str:
    """Return the sha256 of an identity."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_hash() -> str:
    """Return the hash of the code that reads frames: feeds/, tape/ and the schema."""
    digest = hashlib.sha256()
    folders = (*map(Path, qf.feeds.__path__), Path(__file__).parent)
    files = [path for folder in folders for path in folder.glob("*.py")]
    for path in sorted((*files, Path(str(qf.schema.__file__)))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
