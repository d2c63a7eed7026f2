"""What has landed of a stream: which bucket its destination writes to, and its newest partition there.

A listing begins at yesterday's partition, which is one request where a stream is fresh, and else goes down the
newest year, month and day: four requests, however many files there are.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import JsonValue

from lotus_infra import guard
from lotus_infra.backend import ENDPOINT_VARIABLE
from lotus_infra.errors import LotusError
from lotus_infra.ops.objects import Bucket, Object, Objects
from lotus_infra.streams.model import DestinationConfig
from lotus_infra.streams.references import Reference, is_reference, parse

_PART = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})/[^/]+")


@dataclass(frozen=True, slots=True)
class Landed:
    """A stream's newest partition.

    Attributes:
        partition: Its day, `2026-01-05`.
        files: How many files it has.
        bytes: How large they are.
        newest: When the last of them was written.
    """

    partition: str
    files: int
    bytes: int
    newest: datetime


def bucket_of(
    destination: DestinationConfig | None, values: Mapping[str, object], environment: Mapping[str, str]
) -> Bucket:
    """The bucket that a destination writes to.

    Args:
        destination: What its file says.
        values: The stack's plain values by the whole key.
        environment: The environment's variables.

    Raises:
        LotusError: Neither file says so, or it is not on S3.
    """
    configuration = destination.configuration if destination is not None else {}
    if "s3_bucket_name" not in configuration:
        raise LotusError("its destination writes to no S3 bucket")
    name = _value(configuration["s3_bucket_name"], values)
    if not name:
        raise LotusError("the stack's file does not say which bucket its destination writes to")
    region, endpoint = (_value(configuration.get(key), values) for key in ("s3_bucket_region", "s3_endpoint"))
    return Bucket(name, region, endpoint or environment.get(ENDPOINT_VARIABLE, ""))


def _value(given: JsonValue, values: Mapping[str, object]) -> str:
    """A text of a destination's file, or what the stack says where it is a reference; empty where that says nothing."""
    found: object = given
    if is_reference(given):
        reference = parse(given)
        if not isinstance(reference, Reference) or reference.secret:
            return ""
        found = values.get(f"lotus:{reference.name}")
        if reference.part is not None:
            found = _of_zone(reference.part, guard.Values.of(values).zone or guard.Zone(""))
    return found if isinstance(found, str) else ""


def _of_zone(part: str, zone: guard.Zone) -> str:
    """What a destination's file asks for by `$landing`; empty for what the stack's file does not say."""
    return {"bucket": zone.landing, "region": zone.region, "endpoint": zone.endpoint}.get(part, "")


def newest(objects: Objects, prefix: str, today: date) -> Landed | None:
    """The newest partition of a stream; None where nothing has landed.

    Args:
        objects: The bucket.
        prefix: Where the stream's files are: `raw/shopify/orders/`.
        today: The day.

    Raises:
        LotusError: The bucket can't be listed.
    """
    yesterday = f"{today - timedelta(days=1):year=%Y/month=%m/day=%d/}"
    recent = _newest_of(prefix, objects.listed(prefix, after=prefix + yesterday))
    return recent or _newest_of(prefix, objects.listed(_last_partition(objects, prefix)))


def _newest_of(prefix: str, found: Iterable[Object]) -> Landed | None:
    files = [(f"{day[1]}-{day[2]}-{day[3]}", one) for one in found if (day := _PART.fullmatch(one.key, len(prefix)))]
    if not files:
        return None
    partition = max(day for day, _ in files)
    inside = [one for day, one in files if day == partition]
    return Landed(partition, len(inside), sum(one.size for one in inside), max(one.modified for one in inside))


def _last_partition(objects: Objects, prefix: str) -> str:
    """The prefix of the newest day, as far down as there are partitions."""
    for part in ("year=", "month=", "day="):
        prefix += max((one for one in objects.folders(prefix) if one.startswith(part)), default="")
    return prefix
