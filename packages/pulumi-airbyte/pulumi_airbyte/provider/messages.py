"""Messages that the engine shows beside a resource."""

import contextlib
import threading

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class Messages:
    """The engine's log. Messages are dropped until the engine's address is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: engine_pb2_grpc.EngineStub | None = None
        self.address = ""
        """The engine's address, which identifies the run; empty until it is known."""

    def connect(self, address: str) -> None:
        """Send messages to this engine. A plugin under a debugger serves one engine after another."""
        with self._lock:
            if address and address != self.address:
                self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
                self.address = address

    def info(self, urn: str, text: str) -> None:
        """Show a line beside the resource. Delivery errors are ignored."""
        engine = self._engine
        if engine is not None:
            with contextlib.suppress(grpc.RpcError):
                engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn))
