"""Discover a source before its connection gets new streams or fields.

The server checks streams against its last discovery, which may be older than the stream or field that is new. So a
fresh discovery comes first, and streams or fields that are missing there are reported by name before any write.
"""

import difflib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, cast

from airbyte_model.offers import looked_up
from airbyte_model.streams import StreamTree, key_of, shown, stream_name

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Rejected
from pulumi_airbyte.client.models import Connection, StreamProperties
from pulumi_airbyte.provider.connection_inputs import streams_of
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.values import JsonValue

UNKNOWN_TO_SERVER: Final = (
    "No streams found with name",
    "Invalid fields selected",
    "Invalid cursor field",
    "Invalid primary key",
)
"""How the server begins a refusal that an old discovery may be the reason of (AirbyteCatalogHelper)."""
HINT: Final = "Nothing was written. `get_streams` lists what the source offers."


class Offers:
    """Fresh discoveries, one a source in a run of the engine. Thread-safe: who needs the same one waits for it."""

    def __init__(self, airbyte: Airbyte) -> None:
        self._airbyte = airbyte
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._found: dict[str, list[StreamProperties]] = {}

    def require(self, source_id: str, before: Properties, after: Properties) -> None:
        """Refuse what is new in a connection and not offered by its source; what is not new is no reason to ask.

        Args:
            source_id: of the connection.
            before: its canonical tree as it is, in the terms of `after`.
            after: its canonical tree as it is to be.

        Raises:
            AirbyteError: the source does not offer it, or can't be discovered.
        """
        was, wanted = streams_of(before), streams_of(after)
        new = {key: added for key, stream in wanted.items() if (added := _added(was.get(key), stream)) is not None}
        if not new:
            return
        offered = self._discovered(source_id)
        problems = [problem for stream in new.values() for problem in _problems(stream, offered)]
        if problems:
            raise AirbyteError(
                "The source does not offer what the connection takes: " + "; ".join(problems) + ".", HINT
            )

    def created(self, tree: Properties, post: Callable[[], Connection]) -> Connection:
        """What a POST makes; one more try after a fresh discovery, where the server refused what an old one lacked.

        Raises:
            AirbyteError: the source does not offer it, or the server refuses for another reason.
        """
        try:
            return post()
        except Rejected as error:
            if not any(text in error.message for text in UNKNOWN_TO_SERVER):
                raise
        self.require(str(tree.get("sourceId")), {}, tree)
        return post()

    def _discovered(self, source_id: str) -> list[StreamProperties]:
        with self._lock:
            lock = self._locks.setdefault(source_id, threading.Lock())
        with lock:
            if source_id not in self._found:
                self._found[source_id] = self._airbyte.streams(source_id, ignore_cache=True)
            return self._found[source_id]


def _added(before: StreamTree | None, after: StreamTree) -> StreamTree | None:
    """The stream with only what it takes now and did not take before; None where that is nothing."""
    was: StreamTree = before or {}
    fields = sorted(_names(after.get("selectedFields")) - _names(was.get("selectedFields")))
    paths = {key: after[key] for key in ("cursorField", "primaryKey") if key in after and after[key] != was.get(key)}
    if before is not None and not fields and not paths:
        return None
    identity = {key: after[key] for key in ("name", "namespace", "syncMode") if key in after}
    return {**identity, **paths, "selectedFields": cast("JsonValue", fields)}


def _problems(stream: StreamTree, offered: list[StreamProperties]) -> Iterator[str]:
    name = str(stream["name"])
    same_name = [each for each in offered if each.stream_name == name]
    # The server looks at the namespace only where the name alone is not enough.
    found = [
        each for each in same_name if len(same_name) == 1 or (each.namespace or "") == (stream.get("namespace") or "")
    ]
    if not found:
        namespaces = sorted(each.namespace or "none" for each in same_name)
        where = f" in that namespace (it has {', '.join(namespaces)})" if same_name else ""
        yield f'no stream "{name}"{where}{_near(name, [each.stream_name for each in offered if not same_name])}'
        return
    if not found[0].property_fields:
        return
    known, label = {tuple(path) for path in found[0].property_fields}, shown(key_of(stream_name(stream)))
    for path in _paths(stream):
        if path not in known:
            text = ".".join(path)
            yield f'no field "{text}" in stream "{label}"{_near(text, [".".join(each) for each in sorted(known)])}'


def _paths(stream: StreamTree) -> list[tuple[str, ...]]:
    """The fields that the server looks up, each once."""
    selected = [(name,) for name in sorted(_names(stream.get("selectedFields")))]
    key = tuple(_path(path) for path in cast("Sequence[JsonValue]", stream.get("primaryKey") or ()))
    found = looked_up(str(stream.get("syncMode")), _path(stream.get("cursorField")), key)
    return list(dict.fromkeys([*selected, *found]))


def _path(value: JsonValue) -> tuple[str, ...]:
    return tuple(str(step) for step in value) if isinstance(value, Sequence) else ()


def _names(value: JsonValue) -> set[str]:
    return {str(name) for name in value} if isinstance(value, Sequence) and not isinstance(value, str) else set()


def _near(text: str, known: list[str]) -> str:
    near = difflib.get_close_matches(text, known, n=2)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
