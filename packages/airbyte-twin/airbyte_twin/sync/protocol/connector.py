"""A source connector as an object: one method a verb of the protocol.

Knows verbs and their answers. Must not know the store or HTTP.
"""

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject
from airbyte_twin.records import DiscoveredStream
from airbyte_twin.sync.protocol.errors import ConnectorError
from airbyte_twin.sync.protocol.halts import Halt
from airbyte_twin.sync.protocol.messages import (
    CatalogMessage,
    ConnectionStatusMessage,
    Message,
    SpecMessage,
)
from airbyte_twin.sync.protocol.process import run_connector

HIDDEN = "**********"
LONGEST_TEXT = 4000
"""Characters that are kept of a log line or an error."""
M = TypeVar("M", CatalogMessage, ConnectionStatusMessage, SpecMessage)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """A text without the values of secrets, as they are or as JSON writes them."""
    plain = tuple(secrets)
    escaped = {json.dumps(secret, ensure_ascii=each)[1:-1] for secret in plain for each in (True, False)}
    for secret in sorted(escaped.union(plain), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


@dataclass(frozen=True)
class RealConnector:
    """A connector that can be run.

    Attributes:
        command: Its executable.
        secrets: Values that none of its texts may show.
        halt: Calls it off.
    """

    command: Path
    secrets: tuple[str, ...] = field(default=(), repr=False)
    halt: Halt = field(default_factory=Halt)

    def spec(self) -> JsonObject:
        """The JSON Schema of its configuration.

        Raises:
            ConnectorError: It failed.
        """
        return self._answer("spec", {}, SpecMessage).connection_specification

    def check(self, config: JsonObject) -> str | None:
        """Why the source cannot be read with a configuration; None if it can.

        Raises:
            ConnectorError: It failed to find out.
        """
        status = self._answer("check", {"config": config}, ConnectionStatusMessage)
        return None if status.succeeded else self._clean(status.text or "the connector does not say why")

    def discover(self, config: JsonObject) -> tuple[DiscoveredStream, ...]:
        """The streams that the source offers.

        Raises:
            ConnectorError: It failed.
        """
        return self._answer("discover", {"config": config}, CatalogMessage).streams

    def read(self, config: JsonObject, catalog: JsonObject, state: JsonValue) -> Generator[Message, None, None]:
        """Records and states of the configured streams; `state` None reads from the start.

        Raises:
            ConnectorError: It failed.
            Halted: It was called off.
        """
        documents: dict[str, JsonValue] = {"config": config, "catalog": catalog}
        return self._run("read", documents if state is None else {**documents, "state": state})

    def _answer(self, verb: str, documents: Mapping[str, JsonValue], kind: type[M]) -> M:
        answer: M | None = None
        for message in self._run(verb, documents):
            if isinstance(message, kind):
                answer = message
        if answer is None:
            raise ConnectorError(f"the connector does not answer {verb}")
        return answer

    def _run(self, verb: str, documents: Mapping[str, JsonValue]) -> Generator[Message, None, None]:
        return run_connector(self.command, verb, documents, self.halt, self._clean)

    def _clean(self, text: str) -> str:
        # Cut last: half a secret would not be found.
        return redacted(text, self.secrets)[:LONGEST_TEXT]
