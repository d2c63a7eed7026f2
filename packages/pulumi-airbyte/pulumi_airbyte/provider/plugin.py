"""Serve the engine on loopback, and end in time: the life of the process `pulumi-resource-airbyte`.

When an operation is over, the engine calls Cancel on each plugin in turn, interrupts it and waits for its process to
end. All plugins of an operation share five seconds for that (pulumi, pkg/host/host.go, ReleaseContext). A plugin whose
turn comes later is never asked: the engine shows "exited prematurely", an error, for it. On a busy machine the
interpreter alone took those seconds to tidy up after itself, so a plugin leaves without that (`run`).
"""

import faulthandler
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any, Final, NoReturn, TypeAlias

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_airbyte.provider.messages import Messages

WORKERS: Final = 64
LARGEST_MESSAGE: Final = 400 * 1024 * 1024
"""As the engine's own limit (pulumi, sdk/go/common/util/rpcutil)."""


CANCEL: Final = "/pulumirpc.ResourceProvider/Cancel"
ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENGINE_GONE: Final = b"\0"
"""No signal has this number."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Served: TypeAlias = Callable[[Messages], AbstractContextManager[provider_pb2_grpc.ResourceProviderServicer]]
"""Makes what a process serves, given the engine's log."""


def airbyte(messages: Messages) -> AbstractContextManager[provider_pb2_grpc.ResourceProviderServicer]:
    """The Airbyte provider."""
    from pulumi_airbyte.provider.servicer import Servicer  # noqa: PLC0415, others serve another one

    return closing(Servicer(messages))


@contextmanager
def serve(
    engine_address: str, served: Served = airbyte, interceptors: Sequence[grpc.ServerInterceptor] = ()
) -> Iterator[int]:
    """Serve on a free loopback port while the context lasts. Calls that still run at its end are cut off.

    Yields:
        The port.
    """
    messages = Messages()
    messages.connect(engine_address)
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), interceptors=list(interceptors), options=options)
    with served(messages) as servicer:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(grace=None).wait()


class _Cancelled(grpc.ServerInterceptor):
    """Notes whether the engine has called Cancel, after which it expects the process to end."""

    def __init__(self) -> None:
        self.called = False

    def intercept_service(self, continuation: Callable[[Any], Handler], handler_call_details: Any) -> Handler:
        """See every call, and change none."""
        self.called = self.called or handler_call_details.method == CANCEL
        return continuation(handler_call_details)


def _signals() -> tuple[int, int]:
    """Have each of `ENDING_SIGNALS` written to a pipe, as a byte with its number.

    The process reads the pipe to wait for its end. A wait for a lock misses a signal that another thread receives, or
    that comes between the interpreter's last look for signals and the wait: the plugin then never ended.

    Returns:
        The reading and the writing end of the pipe.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: None)  # The byte is written for a signal that has a handler.
    return reading, writing


def _wait_for_the_engine(endings: int) -> None:
    """The engine holds the other end of standard input: when that closes, the engine is gone, even if it was killed."""
    while os.read(0, 1024):
        pass
    os.write(endings, ENGINE_GONE)


def main() -> None:
    """Run the Airbyte provider."""
    run(airbyte)


def run(served: Served) -> NoReturn:
    """Print the port, as the engine expects, and serve until a signal comes or the engine is gone.

    The engine hides what a plugin prints, and shows it only with the error for one that ended before Cancel: so the
    reason for such an end is printed to standard error, and nothing otherwise.
    """
    faulthandler.enable()
    cancelled, (endings, ends) = _Cancelled(), _signals()
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_wait_for_the_engine, args=(ends,), daemon=True).start()
    with serve(sys.argv[1] if len(sys.argv) > 1 else "", served, (cancelled,)) as port:
        print(port, flush=True)  # noqa: T201
        ending = os.read(endings, 1)
    if not cancelled.called:
        reason = "the end of standard input" if ending == ENGINE_GONE else signal.Signals(ending[0]).name
        with suppress(OSError):  # The engine that would read it may be gone.
            print(f"{reason} ended the plugin before the engine called Cancel", file=sys.stderr, flush=True)  # noqa: T201
    # Not `return`: unloading the interpreter takes a quarter of a second of an idle machine, and nothing needs it.
    os._exit(0)


if __name__ == "__main__":
    main()
