"""A value whose every rendering is `***`; only `reveal()` hands it out."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn


class Secret:
    """Hold one secret text."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself, for the one call that needs it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        mine = self._value.encode()
        return isinstance(other, Secret) and hmac.compare_digest(mine, other._value.encode())

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self
