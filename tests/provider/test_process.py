"""The console script as a process, as the engine starts and ends it."""

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
from pulumi.runtime.proto import provider_pb2_grpc

from tests.provider.plugin import EMPTY

SCRIPT = Path(sys.executable).with_name("pulumi-resource-airbyte")
PATIENCE = 30


@contextmanager
def started(**options: Any) -> Iterator[subprocess.Popen[str]]:
    """The script; killed should a test leave it."""
    command = [str(SCRIPT), "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_prints_its_port_and_serves_until_a_signal_ends_it_with_zero(number: signal.Signals) -> None:
    with started(stdin=subprocess.DEVNULL) as process:
        with grpc.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel:
            assert provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(EMPTY).version
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_it_ends_when_the_engine_that_holds_its_input_is_gone() -> None:
    reading, writing = os.pipe()
    with started(stdin=reading) as process:
        os.close(reading)
        assert port_of(process)
        os.close(writing)
        assert process.wait(PATIENCE) == 0
