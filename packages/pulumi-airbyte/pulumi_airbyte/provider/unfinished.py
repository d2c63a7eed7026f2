"""Report an object that was created or changed incompletely. The engine keeps it, and its next run resumes."""

from pulumi_airbyte.provider.properties import Properties, encode

UNKNOWN_CODE = 2
"""grpc.StatusCode.UNKNOWN, which the engine expects for every failed resource."""


class UnfinishedError(Exception):
    """A verb that succeeded only in part.

    The engine stores the outputs, shows the reasons and fails. In its next run it calls `update`, even if the program
    is unchanged.

    Args:
        object_id: the object's id.
        outputs: the outputs for the state, with what the next update needs to resume.
        reasons: one message each.
    """

    def __init__(self, object_id: str, outputs: Properties, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.object_id = object_id
        self.outputs = outputs
        self.reasons = reasons


def details(error: UnfinishedError, inputs: Properties) -> bytes:
    """The failure in the form of a call's trailing metadata (pulumi, provider.proto)."""
    # Commands read the error's class, and do not need the protocol, for which they would import all of Pulumi's SDK.
    from google.protobuf import any_pb2  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2, status_pb2  # noqa: PLC0415

    failed = provider_pb2.ErrorResourceInitFailed(
        id=error.object_id, properties=encode(error.outputs), reasons=error.reasons, inputs=encode(inputs)
    )
    packed = any_pb2.Any()
    packed.Pack(failed)
    status = status_pb2.Status(code=UNKNOWN_CODE, message=str(error), details=[packed])
    return bytes(status.SerializeToString())
