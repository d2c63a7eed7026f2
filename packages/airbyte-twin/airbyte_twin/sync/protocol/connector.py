"""Run a source connector: one subprocess and one method for each verb of the protocol."""

import json
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeVar

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.records import DiscoveredStream
from airbyte_twin.sync.protocol.cancellation import Cancellation
from airbyte_twin.sync.protocol.messages import (
    CatalogMessage,
    ConnectionStatusMessage,
    ConnectorError,
    ErrorMessage,
    LogMessage,
    Message,
    parse_message,
)

TAIL = 20
"""Last lines of a connector's output that are kept, to explain an exit without an error message."""
PATIENCE = 30
"""Seconds for a connector to end after its output did."""


def run_connector(
    command: Path,
    verb: str,
    documents: Mapping[str, JsonValue],
    cancellation: Cancellation,
    clean: Callable[[str], str],
) -> Generator[Message, None, None]:
    """Run one verb of a connector and yield its messages, with bounded memory; no process or file is left behind.

    Args:
        command: Its executable.
        verb: `check`, `discover` or `read`.
        documents: Content of the files of `--config`, `--catalog` and `--state`.
        cancellation: Cancels it.
        clean: Redacts its logs, output and errors.

    Yields:
        Its messages but errors, as it sends them.

    Raises:
        ConnectorError: It cannot be run, reported an error, or exited with a code other than 0.
        ProtocolError: It sent an invalid message.
        Cancelled: It was cancelled.
    """
    cancellation.check()
    with TemporaryDirectory(prefix="airbyte-twin-") as folder:
        options = _written(Path(folder), documents)
        try:
            process = subprocess.Popen(  # noqa: S603 - a command of the twin's settings
                [str(command), verb, *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ConnectorError(f"{command} cannot be run: {error.strerror}") from error
        tail: deque[str] = deque(maxlen=TAIL)
        drain = threading.Thread(target=_drain, args=(process.stderr, tail, clean), daemon=True)
        drain.start()
        with process:
            with cancellation.guarding(process):
                yield from _messages(process, cancellation, drain, tail, clean)
            drain.join(PATIENCE)


def _written(folder: Path, documents: Mapping[str, JsonValue]) -> list[str]:
    """Options that name the files of the documents, which only their owner may read: they hold secrets."""
    options = []
    for name, document in documents.items():
        path = folder / f"{name}.json"
        path.touch(0o600)
        path.write_bytes(dump_json(document))
        options += [f"--{name}", str(path)]
    return options


def _messages(
    process: subprocess.Popen[bytes],
    cancellation: Cancellation,
    drain: threading.Thread,
    tail: deque[str],
    clean: Callable[[str], str],
) -> Generator[Message, None, None]:
    failure: ErrorMessage | None = None
    for line in process.stdout or ():
        cancellation.check()
        message = parse_message(line)
        if isinstance(message, ErrorMessage):
            failure = failure or message
            continue
        if isinstance(message, LogMessage):
            message = LogMessage(clean(message.text))
            tail.append(message.text)
        yield message
    code = _end_code(process)
    drain.join(PATIENCE)
    cancellation.check()
    if failure is not None:
        raise ConnectorError(clean(failure.text), failure.internal and clean(failure.internal))
    if code != 0:
        raise ConnectorError("\n".join([f"the connector {_ending(code)}; its last output:", *tail]))


def _drain(stream: IO[bytes], tail: deque[str], clean: Callable[[str], str]) -> None:
    for line in stream:
        tail.append(clean(line.decode(errors="replace").rstrip()))


def _end_code(process: subprocess.Popen[bytes]) -> int | None:
    """The code that a connector ends with once its output has ended; None if it lives on."""
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return None


def _ending(code: int | None) -> str:
    if code is None:
        return "closed its output and did not end"
    return f"ended with code {code}" if code > 0 else f"was killed by signal {-code}"


HIDDEN = "**********"
LONGEST_TEXT = 4000
"""Characters that are kept of a log line or an error."""
M = TypeVar("M", CatalogMessage, ConnectionStatusMessage)


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
        cancellation: Cancels it.
    """

    command: Path
    secrets: tuple[str, ...] = field(default=(), repr=False)
    cancellation: Cancellation = field(default_factory=Cancellation)

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
            Cancelled: It was cancelled.
        """
        documents: dict[str, JsonValue] = {"config": config, "catalog": catalog}
        return self._run("read", documents if state is None else {**documents, "state": state})

    def _answer(self, verb: str, documents: Mapping[str, JsonValue], kind: type[M]) -> M:
        answer: M | None = None
        for message in self._run(verb, documents):
            if isinstance(message, kind):
                answer = message
        if answer is None:
            raise ConnectorError(f"the connector sent no answer to {verb}")
        return answer

    def _run(self, verb: str, documents: Mapping[str, JsonValue]) -> Generator[Message, None, None]:
        return run_connector(self.command, verb, documents, self.cancellation, self._clean)

    def _clean(self, text: str) -> str:
        # Cut last: half a secret would not be found.
        return redacted(text, self.secrets)[:LONGEST_TEXT]
