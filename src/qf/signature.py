"""Read an op's signature: the one source of its names, types, bounds and defaults.

    rolling_std(x, window: 2..100000)            float64 column in, float64 column out
    dollar(price: int, size: int, threshold: 1.0..1e15, overflow: drop|carry = drop) -> code: int
    window_sum(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)
    cusum(x, slack: 0.0..10.0 = 0.5, threshold: 0.0..1000.0) -> score, alarm

Inputs come first: `x` is a float64 column, `x: int` an int64 column, `x: time` the int64
processed_time of the expression's clock, which the language binds and a formula never writes.
Parameters have bounds (`low..high`, integers unless a bound has a point or an exponent, or
durations) or choices (`a|b`), and may have a default. Without `->` the one output is `out`.
An op that makes rows names the outputs of one clock after the other, clocks parted by `;`, and
`bid[levels]` stands for as many columns as the parameter `levels` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qf.clock import DURATION_NS
from qf.errors import diagnostic, nearest, share_of_hundred

BAD_SIGNATURE = diagnostic("QF400", "signature {text!r}: {why}", hint="see qf/signature.py")
OUT_OF_BOUNDS = diagnostic("QF401", "{op}: {name} must be in [{low}, {high}], was {value}")
NOT_A_CHOICE = diagnostic("QF402", "{op}: {name} must be one of {choices}, was {value!r}")
NOT_A_NUMBER = diagnostic("QF403", "{op}: {name} must be {kind}, was {value!r}")
UNKNOWN_PARAMETER = diagnostic("QF404", "{op} has no parameter {name!r}")
MISSING_PARAMETER = diagnostic("QF405", "{op} needs {name} ({bounds})")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")
_HEAD = re.compile(r"([a-z_][a-z0-9_]*)\((.*)\)(?:\s*->\s*(.+))?", re.DOTALL)


@dataclass(frozen=True)
class Input:
    """One column argument; kind is `float`, `int` or `time`."""

    name: str
    kind: str = "float"


@dataclass(frozen=True)
class Output:
    """Columns an op writes: `count` names the parameter that says how many, "" is one."""

    name: str
    kind: str = "float"
    clock: int = 0  # which out clock, where the op makes rows on several
    count: str = ""


@dataclass(frozen=True)
class Parameter:
    """One bounded number, duration (in ns) or choice (its index reaches the kernel)."""

    name: str
    kind: str  # int, float, duration, choice
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()
    default: object = None

    @property
    def bounds(self) -> str:
        """Return the legal values as text."""
        if self.kind == "choice":
            return "|".join(self.choices)
        return f"{self.low:.15g}..{self.high:.15g}"


@dataclass(frozen=True)
class Signature:
    """The parsed text of one signature."""

    text: str
    name: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]

    def bind(self, given: dict[str, object]) -> dict[str, object]:
        """Return every parameter with its checked value. Errors: QF401-QF405."""
        names = [p.name for p in self.parameters]
        for name in given:
            if name not in names:
                raise UNKNOWN_PARAMETER(op=self.name, name=name, near=nearest(name, names))
        bound = {}
        for parameter in self.parameters:
            value = given.get(parameter.name, parameter.default)
            if value is None:
                raise MISSING_PARAMETER(op=self.name, name=parameter.name, bounds=parameter.bounds)
            bound[parameter.name] = _check(self.name, parameter, value)
        return bound

    def encode(self, bound: dict[str, object]) -> list[float]:
        """Return the bound parameters as the float64 block a kernel reads, in signature order."""
        row = []
        for parameter in self.parameters:
            value = bound[parameter.name]
            if parameter.kind == "choice":
                value = parameter.choices.index(str(value))
            row.append(float(value))  # type: ignore[arg-type]
        return row


def parse_duration(text: str) -> int | None:
    """Return the ns of `5s`, `500ms`, `1.5h` …, or None where `text` is not a duration."""
    match = _DURATION.fullmatch(text.strip())
    return round(float(match[1]) * DURATION_NS[match[2]]) if match else None


def parse_signature(text: str) -> Signature:
    """Return the signature that `text` spells. Errors: QF400."""
    head = _HEAD.fullmatch(text.strip())
    if head is None:
        raise BAD_SIGNATURE(text=text, why="expected name(input, …, parameter: low..high, …)")
    inputs: list[Input] = []
    parameters: list[Parameter] = []
    for part in filter(None, (piece.strip() for piece in head[2].split(","))):
        name, _, rest = (piece.strip() for piece in part.partition(":"))
        if rest in ("", "float", "int", "time"):
            if parameters:
                raise BAD_SIGNATURE(text=text, why=f"input {name!r} stands after a parameter")
            inputs.append(Input(name, rest or "float"))
        else:
            parameters.append(_parameter(text, name, rest))
    outputs = []
    for clock, group in enumerate((head[3] or "out").split(";")):
        for part in filter(None, (piece.strip() for piece in group.split(","))):
            name, _, kind = (piece.strip() for piece in part.partition(":"))
            name, _, count = name.partition("[")
            outputs.append(Output(name, kind or "float", clock, count.rstrip("]")))
    return Signature(text.strip(), head[1], tuple(inputs), tuple(parameters), tuple(outputs))


def _parameter(text: str, name: str, rest: str) -> Parameter:
    body, _, default = (piece.strip() for piece in rest.partition("="))
    if "|" in body:
        choices = tuple(choice.strip() for choice in body.split("|"))
        return Parameter(name, "choice", choices=choices, default=default or None)
    low, dots, high = body.partition("..")
    if not dots:
        raise BAD_SIGNATURE(text=text, why=f"{name!r} needs bounds (low..high) or choices (a|b)")
    low_ns, high_ns = parse_duration(low), parse_duration(high)
    if low_ns is not None and high_ns is not None:
        value = parse_duration(default) if default else None
        return Parameter(name, "duration", low_ns, high_ns, default=value)
    kind = "float" if re.search(r"[.eE]", low + high) else "int"
    number = (int if kind == "int" else float)(default) if default else None
    return Parameter(name, kind, float(low), float(high), default=number)


def _check(op: str, parameter: Parameter, value: object) -> object:
    name = parameter.name
    if parameter.kind == "choice":
        if value not in parameter.choices:
            raise NOT_A_CHOICE(op=op, name=name, choices=parameter.bounds, value=value)
        return value
    if parameter.kind == "duration" and isinstance(value, str):
        value = parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = {"int": "a whole number", "duration": 'a duration such as "5s"'}
        wanted = kind.get(parameter.kind, "a number")
        raise NOT_A_NUMBER(op=op, name=name, kind=wanted, value=value, hint=share_of_hundred(value))
    if parameter.kind in ("int", "duration"):
        if value != int(value):
            raise NOT_A_NUMBER(op=op, name=name, kind="a whole number", value=value)
        value = int(value)
    if not parameter.low <= value <= parameter.high:
        raise OUT_OF_BOUNDS(
            op=op,
            name=name,
            low=f"{parameter.low:.15g}",
            high=f"{parameter.high:.15g}",
            value=f"{value:.15g}",
        )
    return value
