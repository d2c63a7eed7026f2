"""What kinds of things a stack has, by the engine's types: whom they belong to, and which of them hold data."""

from typing import Final, Literal

from lotus_infra.changes.digest import Step

SOURCE: Final = "airbyte:index/source:Source"
DESTINATION: Final = "airbyte:index/destination:Destination"
CONNECTION: Final = "airbyte:index/connection:Connection"
BUCKET: Final = "aws:s3/bucket:Bucket"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

Area = Literal["Airbyte", "S3", "Dagster", "other"]

_AREAS: Final[dict[str, Area]] = {"airbyte": "Airbyte", "aws": "S3", "kubernetes": "Dagster"}
_KINDS: Final = {
    SOURCE: "source",
    DESTINATION: "destination",
    CONNECTION: "connection",
    BUCKET: "bucket",
    "kubernetes:postgresql.cnpg.io/v1:Cluster": "database",
    "kubernetes:core/v1:PersistentVolumeClaim": "volume",
    "kubernetes:core/v1:Namespace": "namespace",
}
HOLDERS: Final = frozenset({"bucket", "database", "namespace", "volume"})
"""Kinds that hold data themselves: one that is made anew is empty."""


def kind_of(step: Step) -> str:
    """What people call it: a word for what holds data, and for all else the engine's own, such as `Release`."""
    return _KINDS.get(step.type) or step.type.rsplit(":", maxsplit=1)[-1]


def area_of(step: Step) -> Area:
    """What it belongs to."""
    return _AREAS.get(step.type.partition(":")[0], "other")


def is_object(step: Step) -> bool:
    """Whether there is something outside the engine, unlike with components, providers and the stack itself."""
    return not step.type.startswith(("lotus:", "pulumi:"))
