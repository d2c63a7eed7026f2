"""An object that was made or changed, but not to the end: the engine keeps it, and its next run goes on from there."""

from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_airbyte.provider.properties import Properties, encode

UNKNOWN_CODE = 2
"""grpc.StatusCode.UNKNOWN, as the engine expects it of every failure of a resource."""


class UnfinishedError(Exception):
    """A verb that came half way.

    The engine stores the outputs, shows the reasons, fails, and calls `update` in its next run even where the program
    has not changed.

    Args:
        object_id: the object's id.
        outputs: what the state is to keep, with what is needed to go on.
        reasons: one text each, for people.
    """

    def __init__(self, object_id: str, outputs: Properties, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.object_id = object_id
        self.outputs = outputs
        self.reasons = reasons


def details(error: UnfinishedError, inputs: Properties) -> bytes:
    """The failure as the engine reads it from a call's trailing metadata (pulumi, provider.proto)."""
    failed = provider_pb2.ErrorResourceInitFailed(
        id=error.object_id, properties=encode(error.outputs), reasons=error.reasons, inputs=encode(inputs)
    )
    packed = any_pb2.Any()
    packed.Pack(failed)
    status = status_pb2.Status(code=UNKNOWN_CODE, message=str(error), details=[packed])
    return bytes(status.SerializeToString())
