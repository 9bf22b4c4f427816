"""QuantFlow: crypto microstructure features, from research to production without a rewrite.

    import qf
    project = qf.open("breakout_alpha")
    run = project.run(start="2024-08-08", end="2024-08-09")
    run.features("microstructure_breakout")
    qf.formula("rolling_sum(buy_volume - sell_volume, 200)").explain()

The names below load when they are first used: importing qf costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qf.engines.session import open_session as open
    from qf.errors import QuantflowError
    from qf.lower.formula import formula
    from qf.program import Plan, Program

# name: (module, attribute)
_LAZY = {
    "Plan": ("qf.program", "Plan"),
    "Program": ("qf.program", "Program"),
    "QuantflowError": ("qf.errors", "QuantflowError"),
    "formula": ("qf.lower.formula", "formula"),
    "open": ("qf.engines.session", "open_session"),
}

__all__ = ["Plan", "Program", "QuantflowError", "formula", "open"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("qf")
    if name not in _LAZY:
        raise AttributeError(f"module 'qf' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    found = getattr(import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, "__version__"])
