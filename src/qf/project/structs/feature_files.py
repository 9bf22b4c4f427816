"""Feature types (recipes) and feature sets (named collections)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from qf.project.structs.struct import Name, Scalar, Struct, Text

Dimension = Literal["signal", "quality", "regime", "stability", "execution", "technical"]
DIMENSIONS: tuple[str, ...] = get_args(Dimension)
Number = int | float


class Constraints(Struct):
    """What a parameter may be."""

    min: Number | None = None
    max: Number | None = None
    choices: tuple[Scalar, ...] = ()


class ParameterRow(Struct):
    """One parameter of a feature type; a default may be `N * other_parameter`."""

    type: Literal["integer", "number", "boolean", "duration", "string"]
    description: Text = ""
    required: bool = False
    default: Scalar = None
    constraints: Constraints = Constraints()


class VariantRow(Struct):
    """The type that this one orders values like under its defaults, and why both are there."""

    type: Name
    because: Annotated[str, Field(min_length=20)]


class FeatureTypeFile(Struct):
    """A feature type file."""

    name: Name
    description: Text
    category: Name = "general"
    version: str = "v1.0"
    dimension: Dimension
    status: Literal["active", "experimental", "deprecated"] = "active"
    mode: Literal["tick", "bar"] = "tick"
    unit: Text = ""
    range: Text = ""
    source: Text = ""
    variant_of: VariantRow | None = None
    required_inputs: tuple[str, ...]
    output_column: Name
    output_description: Text = ""
    parameters: dict[Name, ParameterRow] = Field(default_factory=dict)
    formula: Annotated[str, Field(min_length=1, max_length=4096)]


class NormalizationRow(Struct):
    """How a bar's value is made comparable, and cut."""

    method: Name | None = None
    window: int | None = None
    clip: tuple[Number, Number] | None = None
    exclude_current: bool | None = None
    warmup_bars: int | None = Field(default=None, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _ordered(self) -> NormalizationRow:
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise PydanticCustomError("bad_value", "clip must be [low, high] with low < high")
        return self


class StalenessRow(Struct):
    """What an old value is worth at the decision clock."""

    ttl_ms: int
    action: Name
    half_life_ms: int | None = None


class FeatureRow(Struct):
    """One feature: a type with parameters, inputs, a clock and its treatment."""

    name: Name
    type: Name
    description: Text = ""
    params: dict[str, Scalar] = Field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    normalization: NormalizationRow = NormalizationRow()
    output_type: Literal["scalar"] = "scalar"
    bar_aggregation: Name | None = None
    bar: str | None = None
    mode: Literal["tick_to_bar", "bar"] | None = None
    staleness: StalenessRow | None = None


class BarParameter(Struct):
    """The default bar clock of a set."""

    type: Literal["string"] = "string"
    description: Text = ""
    default: str | None = None


class SetParameters(Struct):
    """What a project may say when it names the set."""

    bar: BarParameter = BarParameter()


class FeatureSetFile(Struct):
    """A feature set file."""

    name: Name
    description: Text = ""
    pattern: Name | None = None
    horizon_type: Name | None = None
    mode: Literal["tick_to_bar", "bar"] = "tick_to_bar"
    normalization: NormalizationRow = NormalizationRow()
    bar_aggregation: Name = "last"
    staleness: StalenessRow | None = None
    signal_features: tuple[FeatureRow, ...] = ()
    quality_features: tuple[FeatureRow, ...] = ()
    regime_features: tuple[FeatureRow, ...] = ()
    stability_features: tuple[FeatureRow, ...] = ()
    execution_features: tuple[FeatureRow, ...] = ()
    technical_features: tuple[FeatureRow, ...] = ()
    parameters: SetParameters = SetParameters()

    def rows(self) -> list[tuple[str, int, Any]]:
        """Return (dimension, place in its list, feature) in the file's order of groups."""
        found = []
        for group in DIMENSIONS:
            for place, row in enumerate(getattr(self, f"{group}_features")):
                found.append((group, place, row))
        return found
