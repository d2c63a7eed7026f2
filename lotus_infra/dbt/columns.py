"""What a stream is as a table: its columns with DuckDB's types, its key and its cursor.

Files in the landing zone are read as text, column by column, so a type is what the text is cast to. Where the source
gives rows no key, every row that arrives stands by itself; where it gives no cursor, the time of extraction tells the
latest.
"""

from dataclasses import dataclass

from lotus_infra.dbt.keywords import KEYWORDS
from lotus_infra.lake.discovered import cursor_of, key_of
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import Field, FieldPath, KeyPaths

RAW_ID = "_airbyte_raw_id"
EXTRACTED_AT = "_airbyte_extracted_at"
GENERATION_ID = "_airbyte_generation_id"
META = "_airbyte_meta"
TEXT = "varchar"
ALWAYS_THERE = (RAW_ID, EXTRACTED_AT, META, GENERATION_ID)
"""The columns that Airbyte adds to every stream's files (destination-s3, Parquet)."""
METADATA = ((RAW_ID, TEXT), (EXTRACTED_AT, "timestamptz"), (GENERATION_ID, "bigint"))
"""Those that every model keeps, since `latest` decides by them, with their types."""
RAW_ID_PATH: FieldPath = (RAW_ID,)
EXTRACTED_AT_PATH: FieldPath = (EXTRACTED_AT,)
_BY_AIRBYTE_TYPE = {
    "timestamp_with_timezone": "timestamptz",
    "timestamp_without_timezone": "timestamp",
    "time_without_timezone": "time",
    "integer": "bigint",
}
_BY_FORMAT = {"date-time": "timestamptz", "date": "date"}
_BY_TYPE = {
    frozenset({"integer"}): "bigint",
    frozenset({"number"}): "decimal(18, 4)",
    frozenset({"integer", "number"}): "decimal(18, 4)",
    frozenset({"boolean"}): "boolean",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a stream's rows apart, and which of two is the later one.

    Attributes:
        key: Paths of fields; the id that Airbyte gives each row where the source has no key.
        cursor: The path of a field; the time of extraction where the source has no cursor.
    """

    key: KeyPaths
    cursor: FieldPath

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as the model's columns."""
        return tuple(map(column_name, self.key))

    @property
    def cursor_column(self) -> str:
        """The cursor as a column of the model."""
        return column_name(self.cursor)

    @property
    def is_keyless(self) -> bool:
        """Whether rows have no key of their own."""
        return self.key == (RAW_ID_PATH,)


def identity(stream: StreamFile) -> Identity:
    """What the stream's file says, or else what the source suggests."""
    said = (stream.config, stream.discovered)
    return Identity(key_of(*said) or (RAW_ID_PATH,), cursor_of(*said) or EXTRACTED_AT_PATH)


def column_name(path: FieldPath) -> str:
    """The column of a path: one that leads into an object has its steps joined, `data_id`."""
    return "_".join(path)


def sql_type(field: Field) -> str:
    """The type that a field's text is cast to; text stays text, and so does JSON."""
    if field.types == {"string"}:
        return _BY_AIRBYTE_TYPE.get(field.airbyte_type or "", _BY_FORMAT.get(field.format or "", TEXT))
    if field.types == {"number"} and field.airbyte_type == "integer":
        return "bigint"
    return _BY_TYPE.get(field.types, TEXT)


def quoted(name: str) -> str:
    """A name as SQL wants it: as it is where that is safe, else between quotes."""
    plain = name.isascii() and name.isidentifier() and name.casefold() not in KEYWORDS
    return name if plain else '"' + name.replace('"', '""') + '"'
