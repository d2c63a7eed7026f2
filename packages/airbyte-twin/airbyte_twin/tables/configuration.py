"""The configuration of a destination-postgres.

Source: the registry's destination-postgres.json; airbytehq/airbyte docs/integrations/destinations/postgres.md.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.landing.errors import LandingError

NO_TUNNEL = "NO_TUNNEL"
UNCONSTRAINED = "unconstrained_number"
"""Accepted and without effect: since 3.0 the columns of numbers are unconstrained anyway."""


class SslMode(BaseModel):
    """How the connection is encrypted, in libpq's words."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class Configuration(BaseModel):
    """One destination-postgres, its secrets in plain text.

    Attributes:
        default_schema: Of streams without a namespace.
        ssl: Whether to encrypt, where `ssl_mode` does not say how.
        cdc_deletion_mode: What a row with `_ab_cdc_deleted_at` does to the row of its key.
        drop_cascade: Whether views on a table go with it where it is replaced.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field(min_length=1)
    port: int = Field(gt=0, lt=65536)
    database: str = Field(min_length=1)
    default_schema: str = Field(alias="schema")
    username: str = Field(min_length=1)
    password: SecretStr | None = None
    ssl: bool = False
    ssl_mode: SslMode | None = None
    cdc_deletion_mode: Literal["Hard delete", "Soft delete"] = "Hard delete"
    drop_cascade: bool = False

    @property
    def sslmode(self) -> str:
        """The mode for libpq."""
        if self.ssl_mode is not None:
            return self.ssl_mode.mode
        return "require" if self.ssl else "prefer"


def parse_configuration(configuration: JsonObject) -> Configuration:
    """Read a destination's configuration.

    Raises:
        LandingError: An unsupported option or a missing member. Values are never quoted.
    """
    tunnel = as_object(configuration.get("tunnel_method")).get("tunnel_method", NO_TUNNEL)
    if tunnel != NO_TUNNEL:
        raise LandingError(f"The twin opens no SSH tunnel: set tunnel_method to {NO_TUNNEL}.")
    if configuration.get("disable_type_dedupe"):
        raise LandingError("The twin does not write raw tables: delete disable_type_dedupe.")
    if configuration.get("jdbc_url_params"):
        raise LandingError("The twin has no JDBC driver: delete jdbc_url_params.")
    try:
        return Configuration.model_validate(configuration)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        raise LandingError(f"The destination's configuration can't be used: {'; '.join(problems)}") from None
