"""`lotus verify` on the databases: readiness, archiving, where backups go, and the last backup."""

from typing import Any

import pytest

from lotus_infra.commands.findings import Finding
from lotus_infra.errors import DOCS
from tests.commands.prod import Prod
from tests.support.cluster import Document, an_object, database
from tests.support.definitions import custom_resource_problems

CNPG = "postgresql.cnpg.io/v1"


def found_on(prod: Prod, *objects: Document, where: str = "dagster-db", **stack: Any) -> dict[str, Finding]:
    """What differs or is unknown with these objects instead of the healthy ones of Dagster's database."""
    kept = [each for each in prod.cluster.objects if "dagster-db" not in each["metadata"]["name"]]
    prod.cluster.objects = [*kept, *objects]
    if stack:
        prod.declare(**stack)
    findings = [each for each in prod.verify().findings if each.state != "same"]
    assert {each.where for each in findings} <= {where}
    return {each.what: each for each in findings}


def failing(reason: str) -> list[Document]:
    return [{"type": "Ready", "status": "True"}, {"type": "ContinuousArchiving", "status": "False", "message": reason}]


def test_the_objects_of_these_tests_have_the_form_of_the_real_definitions() -> None:
    assert [problem for each in database("dagster-db") for problem in custom_resource_problems(each)] == []


def test_an_archive_of_another_database_has_its_own_remedy(prod: Prod) -> None:
    reason = "rpc error: WAL archive check failed for server dagster-db: Expected empty archive"

    found = found_on(prod, *database("dagster-db", conditions=failing(reason)))

    assert list(found) == ["archiving"]
    assert found["archiving"].running == f"fails: {reason}"
    assert "raise lotus:dagster.database.generation" in found["archiving"].remedy
    assert not prod.verify().ok


def test_an_archive_of_another_database_shows_in_the_log_of_the_plugin_alone(prod: Prod) -> None:
    metadata = {"name": "dagster-db-1", "labels": {"cnpg.io/cluster": "dagster-db"}}
    prod.cluster.pods.append({"metadata": metadata})
    prod.cluster.logs["dagster-db-1/plugin-barman-cloud"] = "ERROR: WAL archive check failed: Expected empty archive"

    found = found_on(prod, *database("dagster-db", conditions=failing("exit status 1")))

    assert found["archiving"].running == "fails: exit status 1"
    assert "raise lotus:dagster.database.generation" in found["archiving"].remedy


def test_a_later_generation_is_the_one_that_is_looked_at(prod: Prod) -> None:
    assert found_on(prod, *database("dagster-db-2"), database={"generation": 2}, where="dagster-db-2") == {}


def test_an_archive_that_fails_for_another_reason_says_where_to_look(prod: Prod) -> None:
    found = found_on(prod, *database("dagster-db", conditions=failing("AccessDenied: no such key")))

    assert found["archiving"].running == "fails: AccessDenied: no such key"
    assert "kubectl describe clusters.postgresql.cnpg.io dagster-db" in found["archiving"].remedy


def test_an_archive_that_was_not_tried_yet_is_unknown(prod: Prod) -> None:
    found = found_on(prod, *database("dagster-db", conditions=[{"type": "Ready", "status": "True"}]))

    assert [(each.what, each.state) for each in found.values()] == [("archiving", "unknown")]
    assert prod.verify().ok


def test_a_database_that_does_not_run_or_does_not_exist_differs(prod: Prod) -> None:
    waits = [{"type": "Ready", "status": "False"}]
    found = found_on(
        prod, *database("dagster-db", conditions=waits, phase="Not enough disk space", phaseReason="the volume is full")
    )
    assert found["database"].running == "not ready: Not enough disk space: the volume is full"

    [missing] = found_on(prod).values()
    assert missing.running == "none"


def test_a_lost_database_is_to_be_restored_because_an_update_creates_an_empty_one(prod: Prod) -> None:
    runbook = f"{DOCS}/runbooks/restore-a-database.md"
    assert found_on(prod)["database"].remedy == f"restore it: {runbook}; `pulumi up --refresh` creates an empty one"

    waits = database("dagster-db", conditions=[{"type": "Ready", "status": "False"}])
    assert runbook in found_on(prod, *waits)["database"].remedy

    taken = database("dagster-db", conditions=failing("Expected empty archive"))
    remedy = found_on(prod, *taken)["archiving"].remedy
    assert runbook in remedy
    assert "delete" not in remedy


def test_a_target_that_the_api_server_dropped_differs(prod: Prod) -> None:
    live, *others = database("dagster-db")
    del live["spec"]["plugins"]

    found = found_on(prod, live, *others)

    assert list(found) == ["backup target"]
    assert "update CloudNativePG" in found["backup target"].remedy
    live["spec"]["backup"] = {"barmanObjectStore": {"destinationPath": "s3://bucket/path"}}
    live["status"]["lastSuccessfulBackup"] = "2026-01-05T03:01:00Z"
    assert found_on(prod, live, *others) == {}


def test_a_plugin_that_is_disabled_is_no_target(prod: Prod) -> None:
    live, *others = database("dagster-db")
    live["spec"]["plugins"][0]["enabled"] = False
    assert list(found_on(prod, live, *others)) == ["backup target"]


def test_a_stack_without_backups_has_none_to_compare(prod: Prod) -> None:
    live, *_ = database("dagster-db")
    del live["spec"]["plugins"]
    assert found_on(prod, live, database={"backup": None}) == {}


def scheduled(**status: str) -> Document:
    spec: Document = {"schedule": "0 0 3 * * *", "cluster": {"name": "dagster-db"}}
    spec["suspend"] = status.pop("suspend", "") == "true"
    return an_object(CNPG, "ScheduledBackup", "dagster-db-backup", spec=spec, status=status)


@pytest.mark.parametrize(
    ("schedule", "running", "state"),
    [
        (None, "ended 2026-01-05 03:01 UTC; no scheduled backup", "differs"),
        (scheduled(suspend="true"), "ended 2026-01-05 03:01 UTC; the schedule is suspended", "differs"),
        (
            scheduled(nextScheduleTime="2026-01-06T03:00:00Z"),
            "ended 2026-01-05 03:01 UTC; the one of 2026-01-06 03:00 UTC has not started",
            "differs",
        ),
        (
            scheduled(lastScheduleTime="2026-01-06T03:00:00Z", nextScheduleTime="2099-01-01T03:00:00Z"),
            "ended 2026-01-05 03:01 UTC; the one of 2026-01-06 03:00 UTC has not ended",
            "differs",
        ),
    ],
)
def test_a_schedule_that_brings_no_backup_differs(
    schedule: Document | None, running: str, state: str, prod: Prod
) -> None:
    live, _, store = database("dagster-db")

    found = found_on(prod, live, store, *([schedule] if schedule is not None else []))

    assert [(each.what, each.running, each.state) for each in found.values()] == [("last backup", running, state)]


def test_a_failed_backup_says_why(prod: Prod) -> None:
    ended = {"phase": "failed", "startedAt": "2026-01-06T03:00:00Z", "error": "exit status 4:\n no space"}
    backup = an_object(CNPG, "Backup", "dagster-db-1", spec={"cluster": {"name": "dagster-db"}}, status=ended)

    found = found_on(prod, *database("dagster-db"), backup)

    assert found["last backup"].running == (
        "ended 2026-01-05 03:01 UTC; the one of 2026-01-06 03:00 UTC failed: exit status 4: no space"
    )


def test_a_database_before_its_first_backup_is_unknown(prod: Prod) -> None:
    live, _, _ = database("dagster-db")

    found = found_on(prod, live, scheduled(nextScheduleTime="2099-01-01T03:00:00Z"))

    assert (found["last backup"].running, found["last backup"].state) == (
        "none; the first one has not started",
        "unknown",
    )


def test_a_backup_object_counts_where_the_object_store_has_no_window(prod: Prod) -> None:
    live, schedule, _ = database("dagster-db")
    ended = {"phase": "completed", "startedAt": "2026-01-05T03:00:01Z", "stoppedAt": "2026-01-05T03:02:00Z"}
    backup = an_object(CNPG, "Backup", "dagster-db-1", spec={"cluster": {"name": "dagster-db"}}, status=ended)
    other = an_object(CNPG, "Backup", "other", spec={"cluster": {"name": "other"}}, status={"phase": "failed"})

    assert found_on(prod, live, schedule, backup, other) == {}


def test_what_may_not_be_read_is_unknown(prod: Prod) -> None:
    prod.cluster.denied = {"clusters"}

    unknown = prod.findings("unknown")["database"]

    assert unknown.running == "unknown: you may not get clusters.postgresql.cnpg.io in the namespace lotus-lake"
    assert "kubectl auth can-i get clusters.postgresql.cnpg.io" in unknown.remedy
    assert prod.verify().ok


def test_a_cluster_without_the_operator_has_no_database(prod: Prod) -> None:
    del prod.cluster.served["postgresql.cnpg.io/v1"]
    assert {each.what for each in prod.verify().findings if each.state == "differs"} == {"database"}
