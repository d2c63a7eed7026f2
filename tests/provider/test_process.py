"""The console script as a process, as the engine starts and ends it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.provider.plugin import EMPTY

SCRIPT = Path(sys.executable).with_name("pulumi-resource-airbyte")
PATIENCE = 30


BUSY = """
import atexit
import threading
from contextlib import nullcontext

from pulumi.runtime.proto import provider_pb2_grpc
from pulumi_airbyte.provider.plugin import run


class Busy(provider_pb2_grpc.ResourceProviderServicer):
    def GetSchema(self, request, context):
        print("called", flush=True)
        threading.Event().wait()


atexit.register(threading.Event().wait)
run(lambda _: nullcontext(Busy()))
"""
"""A plugin with a call that never ends, in an interpreter that takes forever to unload."""


@contextmanager
def started(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The script, or another command; killed should a test leave it."""
    command = (*(command or (str(SCRIPT),)), "127.0.0.1:1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_prints_its_port_and_serves_until_a_signal_after_cancel_ends_it_with_zero(number: signal.Signals) -> None:
    with started(stdin=subprocess.DEVNULL) as process:
        with grpc.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel:
            provider = provider_pb2_grpc.ResourceProviderStub(channel)
            assert provider.GetPluginInfo(EMPTY).version
            provider.Cancel(EMPTY)
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert said(process) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_before_cancel_is_named(number: signal.Signals) -> None:
    with started(stdin=subprocess.DEVNULL) as process:
        assert port_of(process)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert said(process) == ("", f"{number.name} ended the plugin before the engine called Cancel\n")


@pytest.mark.skipif(sys.platform != "linux", reason="sends a signal to a thread by Linux's own call")
def test_a_signal_that_another_thread_receives_ends_it_too() -> None:
    with started(stdin=subprocess.DEVNULL) as process:
        assert port_of(process)
        other = max(int(thread.name) for thread in Path(f"/proc/{process.pid}/task").iterdir())
        assert other != process.pid
        assert ctypes.CDLL(None).tgkill(process.pid, other, int(signal.SIGTERM)) == 0
        assert process.wait(PATIENCE) == 0


def test_a_plugin_that_crashes_says_where() -> None:
    with started(stdin=subprocess.DEVNULL) as process:
        assert port_of(process)
        process.send_signal(signal.SIGABRT)
        assert process.wait(PATIENCE) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in said(process)[1]


def test_it_ends_when_the_engine_that_holds_its_input_is_gone() -> None:
    reading, writing = os.pipe()
    with started(stdin=reading) as process:
        os.close(reading)
        assert port_of(process)
        os.close(writing)
        assert process.wait(PATIENCE) == 0
        assert said(process) == ("", "the end of standard input ended the plugin before the engine called Cancel\n")


def test_neither_a_call_that_still_runs_nor_the_interpreter_keeps_a_plugin_from_ending() -> None:
    # The engine allows all plugins five seconds together, and reports those that are left as exited prematurely.
    with (
        started(sys.executable, "-c", BUSY, stdin=subprocess.DEVNULL) as process,
        grpc.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel,
    ):
        call = provider_pb2_grpc.ResourceProviderStub(channel).GetSchema.future(provider_pb2.GetSchemaRequest())
        assert process.stdout is not None
        assert process.stdout.readline() == "called\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert call.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
