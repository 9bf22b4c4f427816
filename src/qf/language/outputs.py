"""Which of an op's outputs a formula may read, how it names them, and the unit of each.

    cusum(x, slack: …) -> score, alarm     cusum.score(x, 0.5) and cusum.alarm(x, 0.5)

An op of one value is called by its bare name. A whole-number output called like a quality bit
(`window_full`) is a flag and no value: engines set the bit by it. `unit` of an op is one text for
all its values, or one per value in their order: `unit="x, bool"`.
"""

from __future__ import annotations

from qf.op import Op
from qf.schema import QUALITY
from qf.signature import Output


def values_of(op: Op) -> tuple[Output, ...]:
    """Return the outputs that are values, in the signature's order."""
    return tuple(output for output in op.signature.outputs if not _is_flag(output))


def flags_of(op: Op) -> tuple[Output, ...]:
    """Return the outputs that tell the engines of a quality bit."""
    return tuple(output for output in op.signature.outputs if _is_flag(output))


def is_one(op: Op) -> bool:
    """Say whether the op has one value, and so is called by its bare name."""
    return len(values_of(op)) == 1


def place_of(op: Op, output: str) -> int:
    """Return the place in the signature of the value called `output`; "" is the first."""
    for place, each in enumerate(op.signature.outputs):
        if not _is_flag(each) and output in ("", each.name):
            return place
    raise LookupError(f"{op.name} has no output {output!r}")


def unit_text(op: Op, output: str) -> str:
    """Return the unit of one value in terms of the op's inputs, or "bool" for a condition."""
    texts = [text.strip() for text in op.unit.split(",")]
    names = [each.name for each in values_of(op)]
    return texts[names.index(output)] if len(texts) > 1 and output else texts[0]


def calls(op: Op) -> list[str]:
    """Return what a formula writes before the parenthesis, once per value."""
    if is_one(op):
        return [op.name]
    return [f"{op.name}.{output.name}" for output in values_of(op)]


def _is_flag(output: Output) -> bool:
    return output.kind == "int" and output.name in QUALITY
