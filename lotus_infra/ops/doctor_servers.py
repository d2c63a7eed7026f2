"""Whether the servers that a stack needs answer, let this user in, and have the same time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.settings import RetryPolicy

from lotus_infra import naming
from lotus_infra.cluster.settings import DagsterSettings
from lotus_infra.errors import LotusError
from lotus_infra.guard import Zone
from lotus_infra.ops.airbyte import Target
from lotus_infra.ops.cluster import Cluster
from lotus_infra.ops.findings import Area, Finding, broken, ok, warning
from lotus_infra.ops.objects import Bucket
from lotus_infra.streams.problems import counted

SKEW: Final = timedelta(seconds=60)
"""Tokens and signatures are refused after some minutes; a minute is well before that."""
ONE_LOOK: Final = RetryPolicy(attempts=2)
ANSWER_SECONDS: Final = 30.0


def airbyte(target: Target, now: datetime) -> Iterator[Finding]:
    """Both of Airbyte's APIs, with the credentials that a run would have."""
    settings = replace(target.settings, retry=ONE_LOOK, read_seconds=ANSWER_SECONDS)
    where = settings.public_url
    with closing(Airbyte(settings)) as server:
        try:
            found = server.get_workspace(target.workspace_id)
            sources = server.list_actors("source", target.workspace_id)
        except AirbyteError as error:
            yield broken("airbyte", error.message, error.hint or "see Airbyte's log")
            return
        yield ok("airbyte", f"{where} shows the workspace {found.name} and its {counted(len(sources), 'source')}")
        yield from clock(f"Airbyte at {where}", server.server_time, now)
        try:
            instance = server.instance("The doctor needs")
        except AirbyteError as error:
            yield warning("airbyte", error.message, error.hint or "connectors' specifications can't be had without")
            return
        yield ok("airbyte", f"{settings.config_url} answers: Airbyte {instance.version}, {instance.edition}")


def landing(zone: Zone, now: datetime) -> Iterator[Finding]:
    """The landing bucket, with this shell's credentials: Airbyte's own are tried by Airbyte's connection checks."""
    bucket = Bucket(zone.landing, zone.region, zone.endpoint)
    try:
        told = bucket.server_time()
        some = list(islice(bucket.listed(f"{naming.LANDING_PATH}/"), 1))
    except LotusError as error:
        yield broken("landing", error.message, error.hint)
        return
    holds = "has files" if some else "has no files yet"
    yield ok("landing", f"{zone.landing} lets this shell's identity list {naming.LANDING_PATH}/, which {holds}")
    yield from clock(f"the S3 server of {zone.landing}", told, now)


def cluster(settings: DagsterSettings) -> Finding:
    """The cluster of the stack's Dagster."""
    namespace = settings.namespace.name
    try:
        reached = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
        pods = reached.pods(namespace, naming.DAGSTER)
    except LotusError as error:
        return broken("cluster", error.message, error.hint)
    waiting = [pod for pod in pods if not pod.ready]
    if waiting:
        what = f"{len(waiting)} of {counted(len(pods), 'pod')} of {namespace} are not ready"
        return warning("cluster", what, "`lotus verify` says why")
    return ok("cluster", f"the namespace {namespace} has {counted(len(pods), 'pod')}, all ready")


def clock(whose: str, told: str, now: datetime) -> Iterator[Finding]:
    """How far a server's clock is from this machine's.

    Args:
        whose: The server in words.
        told: Its time as HTTP writes it, to the second; empty where it does not tell.
        now: When it was asked, here.
    """
    area: Area = "clock"
    try:
        there = parsedate_to_datetime(told).astimezone(UTC)
    except ValueError:
        return
    apart = abs(there - now)
    if apart > SKEW:
        what = (
            f"the clock of {whose} is {int(apart.total_seconds())} s {'before' if there > now else 'behind'} this one"
        )
        yield broken(area, what, "set both by NTP: signatures and tokens with another time are refused")
    else:
        yield ok(area, f"{whose} has the same time, within {int(SKEW.total_seconds())} s")
