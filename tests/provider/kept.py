"""Calls that come half way: the object that the engine keeps of them."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2
from pulumi_airbyte.provider.properties import decode

from tests.provider.plugin import Object


def kept(call: Callable[[], object]) -> tuple[Object, list[str]]:
    """The object and the reasons with which a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    failed: Any = caught.value
    [packed] = [value for key, value in failed.trailing_metadata() if key == "grpc-status-details-bin"]
    found = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(found)
    return Object(found.id, decode(found.inputs), decode(found.properties)), list(found.reasons)
