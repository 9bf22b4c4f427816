"""Machine code in files: what the compiler has made once is loaded without the compiler.

    <name>.code        one line of JSON about it, then an object file with one function to be called

To import the compiler takes half a second, to load the code of fifty kernels a few milliseconds. A
file that is not whole counts as absent. The folder is private to its owner (kernel.py): what is
loaded from it runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

CODE = ".code"  # what such a file's name ends with

_LOADING = threading.Lock()
_addresses: dict[str, int] = {}  # of what has been loaded, by symbol


@dataclass(frozen=True)
class Code:
    """One function as an object file, and the symbol it has there: no other code has the same."""

    symbol: str
    body: bytes


def save(path: Path, code: Code) -> None:
    """Write a file of code in one step. Errors: OSError."""
    about = {"symbol": code.symbol, "sha256": hashlib.sha256(code.body).hexdigest()}
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    draft.write_bytes(json.dumps(about).encode() + b"\n" + code.body)
    draft.replace(path)


def read(path: Path) -> Code | None:
    """Return the code of a file; None where there is none, or not all of it."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        about = json.loads(head)
        whole = hashlib.sha256(body).hexdigest() == about["sha256"]
        return Code(str(about["symbol"]), body) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(code: Code) -> int:
    """Return the address of a function, loading its code if this process has not done so yet."""
    with _LOADING:
        if code.symbol not in _addresses:
            engine = _engine()
            engine.add_object_file(llvm.ObjectFileRef.from_data(code.body))
            engine.finalize_object()
            _addresses[code.symbol] = engine.get_function_address(code.symbol)
        return _addresses[code.symbol]


@cache
def _engine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
