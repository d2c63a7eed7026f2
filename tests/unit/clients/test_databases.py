"""The lines about a database that does not start or archive."""

from pathlib import Path
from typing import Any

import pytest

from lotus_infra.clients.databases import explain_failed_database
from tests.support.cluster import SERVED, FakeCluster, condition, database, pod, serving, write_kubeconfig

READY = condition("Ready", "ClusterIsReady")
POD = pod("db-1", "postgres", component="")
POD["metadata"]["labels"] = {"cnpg.io/cluster": "db"}


def with_archiving(status: str, message: str) -> dict[str, Any]:
    archiving = condition("ContinuousArchiving", "ContinuousArchiving", status) | {"message": message}
    return {"conditions": [READY, archiving]}


FAILED = with_archiving("False", "rpc error:\n unexpected failure invoking barman-cloud-wal-archive: exit status 1")


@pytest.mark.parametrize(
    ("status", "log", "problems"),
    [
        (FAILED, "ERROR: WAL archive check failed for server db: Expected empty archive\n", ["raise generation"]),
        (with_archiving("False", "barman: Expected empty archive"), "", ["docs/runbooks/restore-a-database.md"]),
        (FAILED, "ERROR: Bucket does not exist", ["db can't archive: rpc error: unexpected failure invoking"]),
        (with_archiving("True", "Continuous archiving is working"), "archived", []),
        ({"phase": "Setting up primary", "conditions": []}, "", []),
        ({"phase": "", "conditions": []}, "", ["no operator has worked on db"]),
    ],
)
def test_a_database_is_explained_by_its_conditions_or_by_the_log_of_the_plugin(
    tmp_path: Path, status: dict[str, Any], log: str, problems: list[str]
) -> None:
    cluster = FakeCluster(pods=[POD], objects=[*database("db", **status)], logs={"db-1/plugin-barman-cloud": log})
    cluster.served |= {
        "v1": SERVED["v1"] | {"events", "persistentvolumeclaims"},
        "apps/v1": SERVED["apps/v1"] | {"replicasets"},
    }
    with serving(cluster) as address:
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", address)
        found = explain_failed_database("lotus-lake", "db", kubeconfig=str(kubeconfig), context="here")

    assert len(found) == len(problems), found
    assert all(problem in line for problem, line in zip(problems, found, strict=True))


def test_a_cluster_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    [line] = explain_failed_database("lotus-lake", "db", kubeconfig=str(tmp_path / "none"))

    assert line.startswith("the reasons for db can't be read from the cluster: no cluster can be found")
