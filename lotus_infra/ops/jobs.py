"""The last job of each of a workspace's connections, in a few calls for all of them."""

from collections.abc import Collection
from itertools import islice
from typing import Final

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.models import Job

MOST_JOBS: Final = 1000
"""So many of the workspace's newest jobs are read, a hundred a call; then the connections that are left, one by one."""


def last_jobs(airbyte: Airbyte, workspace_id: str, connections: Collection[str]) -> dict[str, Job]:
    """The newest job of each connection, by the connection's id; one that never had any is missing.

    Raises:
        AirbyteError: The lists can't be had.
    """
    wanted, found, seen = frozenset(connections), dict[str, Job](), 0
    for job in islice(airbyte.jobs(workspace_id=workspace_id), MOST_JOBS):
        seen += 1
        found.setdefault(job.connection_id, job)
        if wanted <= found.keys():
            break
    if seen == MOST_JOBS:
        for each in sorted(wanted - found.keys()):
            found.update((each, job) for job in islice(airbyte.jobs(connection_id=each), 1))
    kept = {each: found[each] for each in sorted(wanted & found.keys())}
    return kept | _refreshes(airbyte, workspace_id, wanted, kept)


def _refreshes(airbyte: Airbyte, workspace_id: str, wanted: frozenset[str], found: dict[str, Job]) -> dict[str, Job]:
    """The refreshes that are newer than these jobs; the server lists them apart."""
    oldest = min((job.job_id for job in found.values()), default=0) if wanted <= found.keys() else 0
    newer: dict[str, Job] = {}
    for job in islice(airbyte.jobs(workspace_id=workspace_id, kind="refresh"), MOST_JOBS):
        if job.job_id < oldest:
            break
        other = newer.get(job.connection_id) or found.get(job.connection_id)
        if job.connection_id in wanted and (other is None or job.job_id > other.job_id):
            newer[job.connection_id] = job
    return newer
