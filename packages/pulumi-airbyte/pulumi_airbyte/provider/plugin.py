"""The process `pulumi-resource-airbyte`: serves the engine on loopback until it is stopped."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Final, TypeAlias

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_airbyte.provider.messages import Messages
from pulumi_airbyte.provider.servicer import Servicer

WORKERS: Final = 64
LARGEST_MESSAGE: Final = 400 * 1024 * 1024
"""As the engine's own limit (pulumi, sdk/go/common/util/rpcutil)."""


Served: TypeAlias = Callable[[Messages], AbstractContextManager[provider_pb2_grpc.ResourceProviderServicer]]
"""Makes the servicer of a process, given the engine's log."""


def airbyte(messages: Messages) -> AbstractContextManager[provider_pb2_grpc.ResourceProviderServicer]:
    """The Airbyte provider."""
    return closing(Servicer(messages))


@contextmanager
def serve(engine_address: str, served: Served = airbyte) -> Iterator[int]:
    """Serve on a free loopback port, and yield it. Calls that still run at the end are cut off."""
    messages = Messages()
    messages.connect(engine_address)
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=options)
    with served(messages) as servicer:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(grace=None).wait()


def _wait_for_the_engine(ending: threading.Event) -> None:
    """Set the event at the end of standard input: the engine holds its other end, and has ended, or was killed."""
    while os.read(0, 1024):
        pass
    ending.set()


def main() -> None:
    """Run the Airbyte provider."""
    run(airbyte)


def run(served: Served) -> None:
    """Print the port, as the engine expects, and serve. The engine stops a plugin by SIGINT, and waits for its end."""
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_wait_for_the_engine, args=(ending,), daemon=True).start()
    with serve(sys.argv[1] if len(sys.argv) > 1 else "", served) as port:
        print(port, flush=True)  # noqa: T201
        ending.wait()


if __name__ == "__main__":
    main()
