"""Places that two streams or two sources would share: prefixes in a bucket, tables, replication slots."""

import json
from collections import defaultdict
from collections.abc import Iterator

from airbyte_model.streams import key_of, shown

from lotus_infra.lake.checks.names import Claim, repeated
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import Connection, Lake, StreamFile
from lotus_infra.lake.models import Configuration

_BUCKET = "s3_bucket_name"
_SLOT = ("replication_method", "replication_slot")
_SERVER = ("host", "port", "database")


def places_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """Nothing is written twice to one place: the same prefix of a bucket, or the same table of a destination."""
    prefixes: defaultdict[str, list[Claim]] = defaultdict(list)
    tables: defaultdict[str, list[Claim]] = defaultdict(list)
    for connection in lake.connections:
        files = lake.writes_files(connection)
        claims = (prefixes if files else tables)[_owner(lake, connection)]
        for stream in connection.streams:
            place = lake.place_of(connection, stream) if files else _table(lake, connection, stream)
            claims.append((place, stream.file, ()))
    remedy = "give one of the two another namespace or prefix"
    for kind, found in (("the prefix", prefixes), ("the table", tables)):
        for each in found.values():
            yield from dict.fromkeys(repeated(each, kind, remedy, key=str))


def _table(lake: Lake, connection: Connection, stream: StreamFile) -> str:
    """The table that a stream is written to: as the destination names it, or its namespace and name."""
    table = lake.table_of(connection, stream)
    own = (connection.namespace_of(stream), connection.name_of(stream))
    namespace, name = own if table is None else (table.schema, table.name)
    return shown(key_of((namespace or None, name)))


def _owner(lake: Lake, connection: Connection) -> str:
    """The bucket of a connection, as its destination's file has it; the destination itself without one."""
    destination = lake.destination_of(connection)
    bucket = destination.configuration.get(_BUCKET) if destination is not None else None
    return connection.config.destination if bucket is None else json.dumps(bucket, sort_keys=True)


def replication_slots_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two sources read one replication slot: PostgreSQL gives each change of a slot to one reader only."""
    slots: defaultdict[str, list[Claim]] = defaultdict(list)
    for source in lake.sources:
        slot = _slot(source.config.configuration) if source.config is not None else None
        if source.config is not None and slot is not None:
            server = json.dumps([source.config.configuration.get(key) for key in _SERVER], sort_keys=True)
            slots[server].append((slot, source.file, ("configuration", *_SLOT)))
    remedy = "give each source a slot of its own, or one of the two loses changes"
    for claims in slots.values():
        yield from repeated(claims, "the replication slot", remedy, key=str)


def _slot(configuration: Configuration) -> str | None:
    method = configuration.get(_SLOT[0])
    slot = method.get(_SLOT[1]) if isinstance(method, dict) else None
    return slot if isinstance(slot, str) else None
