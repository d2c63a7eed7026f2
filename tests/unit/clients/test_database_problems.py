"""The lines about a database that does not archive."""

from typing import Any

import pytest

from lotus_infra.clients.database_problems import archive_problems


def cluster_with(status: str, message: str) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": "True", "message": "Cluster is Ready"},
        {"type": "ContinuousArchiving", "status": status, "message": message},
    ]
    return {"status": {"conditions": conditions}}


FAILED = cluster_with("False", "rpc error:\n unexpected failure invoking barman-cloud-wal-archive: exit status 1")


@pytest.mark.parametrize(
    ("cluster", "logs", "problems"),
    [
        (FAILED, ["", "ERROR: WAL archive check failed for server db: Expected empty archive\n"], ["raise generation"]),
        (cluster_with("False", "barman: Expected empty archive"), [], ["raise generation"]),
        (FAILED, ["ERROR: Bucket does not exist"], ["db can't archive: rpc error: unexpected failure invoking"]),
        (cluster_with("True", "Continuous archiving is working"), ["archived"], []),
        ({}, [], []),
    ],
)
def test_a_database_that_does_not_archive_is_explained_by_its_condition_or_by_the_log_of_the_plugin(
    cluster: dict[str, Any], logs: list[str], problems: list[str]
) -> None:
    found = list(archive_problems("db", cluster, logs))

    assert len(found) == len(problems)
    assert all(problem in line for problem, line in zip(problems, found, strict=True))


def test_an_archive_of_an_earlier_database_is_explained_with_the_page_that_restores_it() -> None:
    [line] = archive_problems("db", cluster_with("False", "barman: Expected empty archive"), [])

    assert "docs/runbooks/restore-a-database.md" in line
