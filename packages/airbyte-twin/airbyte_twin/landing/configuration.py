"""The configuration of a destination-s3.

Source: the registry's destination-s3.json; airbytehq/airbyte docs/integrations/destinations/s3.md.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.landing.errors import LandingError

DEFAULT_PATH_FORMAT = "${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_"
DEFAULT_FILE_NAME_PATTERN = "{part_number}{format_extension}"


def _given(default: str) -> BeforeValidator:
    """An empty string, as a form of the web application sends it, is a value that was not given."""
    return BeforeValidator(lambda value: default if value in ("", None) else value)


class ParquetFormat(BaseModel):
    """The Parquet writer's options: sizes in the units of their names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format_type: Literal["Parquet"]
    compression_codec: Literal["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD"] = "UNCOMPRESSED"
    block_size_mb: int = Field(default=128, gt=0)
    page_size_kb: int = Field(default=1024, gt=0)
    dictionary_page_size_kb: int = Field(default=1024, gt=0)
    dictionary_encoding: bool = True


class Configuration(BaseModel):
    """One destination-s3, its secrets in plain text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    s3_bucket_name: str = Field(min_length=1)
    s3_bucket_path: str
    s3_bucket_region: Annotated[str, _given("us-east-1")] = "us-east-1"
    s3_endpoint: Annotated[str, _given("")] = ""
    s3_path_format: Annotated[str, _given(DEFAULT_PATH_FORMAT)] = DEFAULT_PATH_FORMAT
    file_name_pattern: Annotated[str, _given(DEFAULT_FILE_NAME_PATTERN)] = DEFAULT_FILE_NAME_PATTERN
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    role_arn: str | None = None
    format: ParquetFormat


def parse_configuration(configuration: JsonObject) -> Configuration:
    """Read a destination's configuration.

    Raises:
        LandingError: an unsupported option or a missing member. Values are never quoted.
    """
    chosen = as_object(configuration.get("format"))
    kind, codec = chosen.get("format_type"), chosen.get("compression_codec")
    if kind in ("CSV", "JSONL", "Avro"):
        raise LandingError(f"The twin writes only Parquet, not {kind}: set format.format_type to Parquet.")
    if codec == "LZO":
        raise LandingError(
            "The twin can't compress with LZO: choose another format.compression_codec, for example ZSTD."
        )
    try:
        parsed = Configuration.model_validate(configuration)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        raise LandingError(f"The destination's configuration can't be used: {'; '.join(problems)}") from None
    if parsed.role_arn and not parsed.access_key_id:
        raise LandingError(
            "The twin does not assume roles: set access_key_id and secret_access_key instead of role_arn."
        )
    return parsed
