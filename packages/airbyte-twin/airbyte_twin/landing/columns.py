"""The Parquet schema of a stream.

Knows shapes and Arrow's types. Must not know records.
Source: airbytehq/airbyte docs/integrations/destinations/s3-migrations.md; bulk CDK AirbyteTypeToAvroSchema,
AirbyteTypeToAirbyteTypeWithMeta, Meta.
"""

import pyarrow as pa

from airbyte_twin.landing.shapes import JsonText, ListOf, Scalar, Shape, Struct, Union, option_name

RAW_ID, EXTRACTED_AT, META, GENERATION_ID = (
    "_airbyte_raw_id",
    "_airbyte_extracted_at",
    "_airbyte_meta",
    "_airbyte_generation_id",
)

SCALARS = {
    Scalar.STRING: pa.string(),
    Scalar.BOOLEAN: pa.bool_(),
    Scalar.INTEGER: pa.int64(),
    Scalar.NUMBER: pa.float64(),
    Scalar.DATE: pa.date32(),
    Scalar.TIME_WITH_TIMEZONE: pa.time64("us"),
    Scalar.TIME_WITHOUT_TIMEZONE: pa.time64("us"),
    Scalar.TIMESTAMP_WITH_TIMEZONE: pa.timestamp("us", tz="UTC"),
    Scalar.TIMESTAMP_WITHOUT_TIMEZONE: pa.timestamp("us", tz="UTC"),
}


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


_CHANGE = pa.struct([_required(name, pa.string()) for name in ("field", "change", "reason")])
_META = pa.struct([_required("sync_id", pa.int64()), _required("changes", pa.list_(_required("element", _CHANGE)))])
METADATA = (
    _required(RAW_ID, pa.string()),
    _required(EXTRACTED_AT, pa.timestamp("ms", tz="UTC")),
    _required(META, _META),
    _required(GENERATION_ID, pa.int64()),
)


def table_schema(records: Struct) -> pa.Schema:
    """The schema of a stream's files: Airbyte's four columns, then one for each field, all of them optional."""
    return pa.schema([*METADATA, *(pa.field(member.column, arrow_type(member.shape)) for member in records.members)])


def arrow_type(shape: Shape) -> pa.DataType:
    """The Arrow type of a shape; a union is a record of the name of the member that is set, and that member."""
    match shape:
        case Scalar():
            return SCALARS[shape]
        case JsonText():
            return pa.string()
        case ListOf():
            return pa.list_(arrow_type(shape.items))
        case Struct():
            return pa.struct([(member.column, arrow_type(member.shape)) for member in shape.members])
        case Union():
            options = [pa.field(option_name(option), arrow_type(option)) for option in shape.options]
            return pa.struct([_required("type", pa.string()), *options])
