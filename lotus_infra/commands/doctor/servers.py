"""Checks of the servers that a run calls, and of their clocks."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.settings import RetryPolicy

from lotus_infra import naming
from lotus_infra.clients.airbyte import AirbyteWorkspace
from lotus_infra.clients.storage import Bucket
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize

MAX_SKEW: Final = timedelta(seconds=60)
"""Servers refuse tokens and signatures that are some minutes off; a minute is well below that."""
FEW_RETRIES: Final = RetryPolicy(attempts=2)
"""A run retries for longer. The doctor reports a server that is down within a minute."""
READ_SECONDS: Final = 30.0


def airbyte(target: AirbyteWorkspace) -> Iterator[CheckResult]:
    """Both of Airbyte's APIs, with the credentials of a run."""
    settings = replace(target.settings, retry=FEW_RETRIES, read_seconds=READ_SECONDS)
    where = settings.public_url
    with closing(Airbyte(settings)) as server:
        try:
            workspace = server.get_workspace(target.workspace_id)
            sources = server.list_actors("source", target.workspace_id)
        except AirbyteError as error:
            yield broken("airbyte", error.message, error.hint or "see Airbyte's log")
            return
        yield ok("airbyte", f"{where} shows the workspace {workspace.name} and its {pluralize(len(sources), 'source')}")
        yield from clock(f"Airbyte at {where}", server.server_time, datetime.now(UTC))
        try:
            instance = server.instance("The doctor needs")
        except AirbyteError as error:
            hint = error.hint or "without it, connectors' specifications are unavailable"
            yield warning("airbyte", error.message, hint)
            return
        yield ok("airbyte", f"{settings.config_url} answers: Airbyte {instance.version}, {instance.edition}")


def landing(case: StackContext) -> Iterator[CheckResult]:
    """The landing bucket, with this shell's credentials. Airbyte's connection checks cover Airbyte's own."""
    zone = case.project.settings(case.stack).lotus.landing_zone
    if zone is None:
        return
    bucket = Bucket(zone.landing, zone.region, zone.endpoint)
    try:
        server_time, now = bucket.server_time(), datetime.now(UTC)
        first = next(iter(bucket.list_objects(f"{naming.LANDING_PATH}/")), None)
    except LotusError as error:
        yield broken("landing", error.message, error.hint)
        return
    files = "has files" if first is not None else "has no files yet"
    yield ok("landing", f"this shell's identity may list {naming.LANDING_PATH}/ of {zone.landing}, which {files}")
    yield from clock(f"the S3 server of {zone.landing}", server_time, now)


def clock(whose: str, server_time: str, now: datetime) -> Iterator[CheckResult]:
    """Compare a server's clock with this machine's.

    Args:
        whose: The server in words.
        server_time: Its time as an HTTP date, to the second; no result if it is empty.
        now: This machine's time of that answer.
    """
    try:
        there = parsedate_to_datetime(server_time).astimezone(UTC)
    except ValueError:
        return
    skew = abs(there - now)
    if skew > MAX_SKEW:
        direction = "ahead of" if there > now else "behind"
        what = f"the clock of {whose} is {int(skew.total_seconds())} s {direction} this machine's"
        yield broken("clock", what, "set both by NTP: servers refuse signatures and tokens with another time")
    else:
        yield ok("clock", f"the clock of {whose} is within {int(MAX_SKEW.total_seconds())} s of this machine's")
