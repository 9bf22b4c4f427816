""".local_config.yml: the user's own machine and secrets, never committed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, GetPydanticSchema
from pydantic_core import core_schema

from qf.project.secret import Secret
from qf.project.structs.struct import Name, Struct


def _secret_schema(source: Any, handler: Any) -> core_schema.CoreSchema:
    return core_schema.no_info_after_validator_function(
        Secret, core_schema.str_schema(strict=True, max_length=8192)
    )


SecretText = Annotated[Secret, GetPydanticSchema(_secret_schema)]


class Credential(Struct):
    """What one provider asks for."""

    provider: Name
    key: SecretText | None = None
    secret: SecretText | None = None
    passphrase: SecretText | None = None


class DuckdbEngine(Struct):
    """The embedded database file."""

    name: Literal["duckdb"]
    database: str = ".data/db/quantflow.duckdb"
    threads: int | None = Field(default=None, ge=1, le=1024)
    memory_limit: str | None = None
    parquet: bool = True


class KafkaEngine(Struct):
    """A broker."""

    name: Literal["kafka"]
    host: str
    username: str | None = None
    password: SecretText | None = None


class AddressEngine(Struct):
    """A cluster reached by its address."""

    name: Literal["ray", "flink"]
    address: str


class DaskEngine(Struct):
    """A Dask cluster; `workers` bounds how many symbols it is given at once."""

    name: Literal["dask"]
    address: str
    workers: int | None = Field(default=None, ge=1, le=65_536)


class WorkersEngine(Struct):
    """Threads of this process, or processes of this machine; by default one per core."""

    name: Literal["local", "processes"]
    workers: int | None = Field(default=None, ge=1, le=1024)


EngineRow = Annotated[
    DuckdbEngine | KafkaEngine | AddressEngine | DaskEngine | WorkersEngine,
    Field(discriminator="name"),
]


class LocalCache(Struct):
    """Where downloaded and converted files are kept."""

    path: str = ".data/.local"


class LocalFile(Struct):
    """The whole file."""

    feed_provider_credentials: tuple[Credential, ...] = ()
    engine: tuple[EngineRow, ...] = ()
    executor: Name = "local"
    local_cache: LocalCache = LocalCache()
