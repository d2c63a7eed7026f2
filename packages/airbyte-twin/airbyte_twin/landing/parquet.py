"""Parquet: the schema of a stream, and a file on disk until it is uploaded."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from airbyte_twin.landing.airbyte_types import AirbyteType, JsonText, ListOf, Scalar, Struct, Union, option_name
from airbyte_twin.landing.coercion import Row
from airbyte_twin.landing.configuration import ParquetFormat
from airbyte_twin.landing.errors import LandingError

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
    return pa.schema(
        [*METADATA, *(pa.field(member.column, arrow_type(member.airbyte_type)) for member in records.members)]
    )


def arrow_type(airbyte_type: AirbyteType) -> pa.DataType:
    """The Arrow type of a type; a union is a record of the name of the member that is set, and that member."""
    match airbyte_type:
        case Scalar():
            return SCALARS[airbyte_type]
        case JsonText():
            return pa.string()
        case ListOf():
            return pa.list_(arrow_type(airbyte_type.items))
        case Struct():
            return pa.struct([(member.column, arrow_type(member.airbyte_type)) for member in airbyte_type.members])
        case Union():
            options = [pa.field(option_name(option), arrow_type(option)) for option in airbyte_type.options]
            return pa.struct([_required("type", pa.string()), *options])


_MOST_ROWS = 2_000
_MOST_BYTES = 4 << 20
# A row group is in memory until it is written, and a sync has one for each of its streams.
_LARGEST_BLOCK = 32 << 20


class Part:
    """A file that grows by rows: rows become batches, and batches a row group of about the block size.

    Every method raises LandingError when the disk can't take the file.
    """

    def __init__(self, schema: pa.Schema, options: ParquetFormat) -> None:
        self._schema = schema
        self._block = min(options.block_size_mb << 20, _LARGEST_BLOCK)
        self._rows: list[Row] = []
        self._row_bytes = 0
        self._batches: list[pa.RecordBatch] = []
        self._batch_bytes = 0
        with _on_disk():
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="airbyte-twin-")  # noqa: SIM115
            self._parquet = _parquet(self._file, schema, options)

    @property
    def size(self) -> int:
        """Bytes on disk and in memory, about."""
        return self._file.tell() + self._batch_bytes + self._row_bytes

    def add(self, row: Row, size: int) -> None:
        """Take one more row.

        Args:
            row: values by column.
            size: bytes that it takes, about.
        """
        self._rows.append(row)
        self._row_bytes += size
        if len(self._rows) >= _MOST_ROWS or self._row_bytes >= _MOST_BYTES:
            self._make_batch()
        if self._batch_bytes >= self._block:
            self._write_block()

    def finish(self) -> IO[bytes]:
        """End the file, if it has not ended, and hand it over at its beginning."""
        self._make_batch()
        self._write_block()
        with _on_disk():
            self._parquet.close()
            self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self._parquet.close()
        self._file.close()

    def _make_batch(self) -> None:
        if self._rows:
            batch = pa.RecordBatch.from_pylist(self._rows, schema=self._schema)
            self._batches.append(batch)
            self._batch_bytes += batch.nbytes
            self._rows, self._row_bytes = [], 0

    def _write_block(self) -> None:
        if self._batches:
            block = pa.Table.from_batches(self._batches)
            with _on_disk():
                self._parquet.write_table(block, row_group_size=block.num_rows)
            self._batches, self._batch_bytes = [], 0


def _parquet(file: IO[bytes], schema: pa.Schema, options: ParquetFormat) -> pq.ParquetWriter:
    codec = options.compression_codec
    return pq.ParquetWriter(
        file,
        schema,
        compression="NONE" if codec == "UNCOMPRESSED" else codec,
        use_dictionary=options.dictionary_encoding,
        data_page_size=options.page_size_kb << 10,
        dictionary_pagesize_limit=options.dictionary_page_size_kb << 10,
        write_time_adjusted_to_utc=True,  # as in destination-s3's own files
        store_schema=False,
    )


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LandingError(
            f"The temporary folder {tempfile.gettempdir()!r} is not writable ({reason}): free space there, or set"
            " TMPDIR to another folder."
        ) from error
