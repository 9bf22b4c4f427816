"""What all structs share: frozen, strict scalars, and unknown keys that name the known ones."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64, strict=True)]
Text = Annotated[str, StringConstraints(max_length=4096, strict=True)]
Decimal_ = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$", max_length=40)]
Scalar = str | int | float | bool | None


class Struct(BaseModel):
    """Refuse unknown keys; OpenStruct keeps free parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict) or cls.model_config.get("extra") == "allow":
            return value
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [key for key in value if key not in known]
        if unknown:
            raise PydanticCustomError(
                "unknown_key", "unknown key", {"unknown": unknown, "known": known}
            )
        return value


class OpenStruct(Struct):
    """Keep keys that are not fields: parameters whose names an op's signature decides."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    @property
    def free(self) -> dict[str, Any]:
        """Return the keys that are not fields."""
        return dict(self.model_extra or {})
