"""The engine's log, kept: what people read beside a resource while the engine works."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from tests.provider.plugin import Plugin, running_plugin


class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps each line with the URN that it is about."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802, the protocol's name
        assert request.severity == engine_pb2.INFO
        self.lines.append((request.urn, request.message))
        return empty_pb2.Empty()

    def told(self) -> str:
        """All lines since the last time."""
        lines, self.lines = self.lines, []
        return "\n".join(text for _, text in lines)


@contextmanager
def serving() -> Iterator[tuple[Engine, str]]:
    """An engine and its address."""
    engine, server = Engine(), grpc.server(ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield engine, f"127.0.0.1:{port}"
    server.stop(grace=None).wait()


@contextmanager
def listening(server_url: str) -> Iterator[tuple[Engine, Plugin]]:
    """An engine, and the plugin that it started."""
    with serving() as (engine, address), running_plugin(address) as plugin:
        plugin.configure(serverUrl=server_url)
        yield engine, plugin
