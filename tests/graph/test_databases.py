"""A database's cluster and backups: their form, the names of each generation, recovery, and refused changes."""

from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from lotus_infra.errors import LotusError
from tests.graph.databases import AWS_BUCKET, EXTERNAL, NAME, OTHER_BUCKET, declared, one, settings
from tests.graph.recorder import Graph

IN_TREE = {"backup": {"method": "barmanObjectStore"}}
PLUGIN = "barman-cloud.cloudnative-pg.io"
KEYS = {
    "accessKeyId": {"name": "dagster-db-backup", "key": "ACCESS_KEY_ID"},
    "secretAccessKey": {"name": "dagster-db-backup", "key": "SECRET_ACCESS_KEY"},
}
INITDB = {"database": "dagster", "owner": "dagster", "secret": {"name": "dagster-db-credentials"}}
RESTORED: dict[str, Any] = {"generation": 3, "recovery": {"generation": 1, "targetTime": "2026-02-01T03:00:00Z"}}


def spec(graph: Graph, kind: str = "Cluster") -> Any:
    return one(graph, kind).inputs["spec"]


def metadata(graph: Graph, kind: str = "Cluster") -> Any:
    return one(graph, kind).inputs["metadata"]


# Backups


def test_the_form_of_before_the_plugin_is_unchanged() -> None:
    graph = declared(IN_TREE)

    assert "ObjectStore" not in {item.type.split(":")[-1] for item in graph.resources}
    assert metadata(graph) == {
        "name": NAME,
        "namespace": "lake",
        "annotations": {"pulumi.com/waitFor": "condition=Ready"},
    }
    assert spec(graph) == {
        "instances": 1,
        "storage": {"size": "5Gi"},
        "bootstrap": {"initdb": INITDB},
        "backup": {
            "barmanObjectStore": {"destinationPath": "s3://lake-backup/lake/dagster-db", "s3Credentials": KEYS},
            "retentionPolicy": "7d",
        },
    }
    assert metadata(graph, "ScheduledBackup")["name"] == "dagster-db-backup"
    assert spec(graph, "ScheduledBackup") == {
        "schedule": "0 0 3 * * *",
        "backupOwnerReference": "self",
        "cluster": {"name": NAME},
        "immediate": True,
    }
    assert graph.named("Secret", "dagster-db-backup").inputs["stringData"].keys() == {
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
    }
    assert list(graph.request("Cluster", NAME).ignoreChanges) == []


def test_the_plugin_continues_the_archive_of_the_form_of_before() -> None:
    graph = declared()

    store = spec(graph, "ObjectStore")
    region = {"region": {"name": "dagster-db-backup", "key": "REGION"}}
    assert store == {
        "configuration": {"destinationPath": "s3://lake-backup/lake/dagster-db", "s3Credentials": KEYS | region},
        "retentionPolicy": "7d",
    }
    parameters = {"barmanObjectName": NAME, "serverName": NAME}
    assert spec(graph)["plugins"] == [{"name": PLUGIN, "isWALArchiver": True, "parameters": parameters}]
    assert "backup" not in spec(graph)
    assert spec(graph, "ScheduledBackup")["method"] == "plugin"
    assert spec(graph, "ScheduledBackup")["pluginConfiguration"] == {"name": PLUGIN}
    assert graph.named("Secret", "dagster-db-backup").inputs["stringData"]["REGION"] == "eu-west-1"


def test_a_cluster_follows_its_object_store_so_that_a_missing_plugin_stops_the_update_before() -> None:
    graph = declared()

    on = {urn.split("::")[-2].split(":")[-1] for urn in graph.request("Cluster", NAME).dependencies}
    assert on == {"Secret", "ObjectStore"}


def test_a_server_other_than_aws_gets_no_checksums_that_it_may_refuse() -> None:
    variables = {each["name"]: each["value"] for each in spec(declared(bucket=OTHER_BUCKET), "ObjectStore")[
        "instanceSidecarConfiguration"]["env"]}  # fmt: skip

    assert variables == {
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }
    assert "instanceSidecarConfiguration" not in spec(declared(bucket=AWS_BUCKET), "ObjectStore")


def test_an_archived_cluster_is_awaited_until_it_archives() -> None:
    waits = [metadata(declared(each))["annotations"]["pulumi.com/waitFor"] for each in ({}, {"backup": None}, IN_TREE)]

    assert waits == ['["condition=Ready", "condition=ContinuousArchiving"]', "condition=Ready", "condition=Ready"]


def test_a_cluster_that_does_not_start_or_archive_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    logged: list[str] = []

    def explain(cluster: str) -> list[str]:
        asked.append(cluster)
        return ["its reason"]

    graph = declared({"generation": 2}, explain=explain)
    monkeypatch.setattr(pulumi.log, "error", logged.append)
    [name] = graph.request("Cluster", NAME).hooks.on_error
    kind = "kubernetes:postgresql.cnpg.io/v1:Cluster"
    error = "2 errors occurred: the Kubernetes API server reported that it failed: timed out waiting for the condition"

    assert graph.hooks.on_error[name](pulumi.ErrorHookArgs("urn", "", NAME, kind, errors=[error])) is False

    assert asked == ["dagster-db-2"]
    assert any("its reason" in line for line in logged)


# Generations


def test_a_later_generation_has_names_of_its_own_on_the_cluster_and_the_same_in_pulumi() -> None:
    first, second = declared(), declared({"generation": 2})

    assert {(item.type, item.name) for item in first.resources} == {(item.type, item.name) for item in second.resources}
    assert metadata(second)["name"] == "dagster-db-2"
    assert spec(second)["plugins"][0]["parameters"] == {"barmanObjectName": NAME, "serverName": "dagster-db-2"}
    assert spec(second)["bootstrap"]["initdb"] == INITDB | {"secret": {"name": "dagster-db-2-credentials"}}
    assert second.named("Secret", "dagster-db-credentials").inputs["metadata"]["name"] == "dagster-db-2-credentials"
    assert metadata(second, "ScheduledBackup")["name"] == "dagster-db-2-backup"
    assert spec(second, "ScheduledBackup")["cluster"] == {"name": "dagster-db-2"}


def test_generations_share_the_place_of_their_backups_so_that_one_can_be_restored_from_another() -> None:
    stores = [one(declared(each), "ObjectStore").inputs for each in ({}, {"generation": 2})]

    assert stores[0] == stores[1]


def test_only_an_acknowledged_object_loses_its_protection() -> None:
    graph = declared(acknowledged=["Cluster dagster-db", "ScheduledBackup ducklake-db"])

    objects = {(item.type.split(":")[-1], item.name): item for item in graph.resources if "lotus:" not in item.type}
    unprotected = {key for key in objects if not graph.request(*key).protect}
    assert unprotected == {("Cluster", NAME)}


# Recovery


def test_a_recovery_reads_the_archive_of_the_generation_before_and_writes_one_of_its_own() -> None:
    found = spec(declared(RESTORED))

    assert found["bootstrap"] == {
        "recovery": {
            "database": "dagster",
            "owner": "dagster",
            "secret": {"name": "dagster-db-3-credentials"},
            "source": NAME,
            "recoveryTarget": {"targetTime": "2026-02-01 03:00:00.000000+00:00"},
        }
    }
    source = {"name": PLUGIN, "parameters": {"barmanObjectName": NAME, "serverName": NAME}}
    assert found["externalClusters"] == [{"name": NAME, "plugin": source}]
    assert found["plugins"][0]["parameters"]["serverName"] == "dagster-db-3"


@pytest.mark.parametrize(
    "time", ["2026-02-01T03:00:00.5Z", "2026-02-01T05:00:00.500+02:00", "2026-01-31T23:00:00.5-04:00"]
)
def test_the_time_of_a_recovery_is_written_with_a_numeric_offset(time: str) -> None:
    found = spec(declared({"generation": 2, "recovery": {"generation": 1, "targetTime": time}}))

    assert found["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"] == "2026-02-01 03:00:00.500000+00:00"


def test_a_recovery_without_a_time_ends_with_the_archive() -> None:
    found = spec(declared({"generation": 3, "recovery": {"generation": 2}}))

    assert "recoveryTarget" not in found["bootstrap"]["recovery"]
    assert found["bootstrap"]["recovery"]["source"] == "dagster-db-2"


def test_the_settings_of_a_recovery_may_go_later_without_a_change_of_the_cluster() -> None:
    ignored = ["spec.bootstrap", "spec.externalClusters"]
    graphs = [declared(RESTORED), declared({"generation": 3})]
    specs = [spec(each) for each in graphs]

    assert [list(each.request("Cluster", NAME).ignoreChanges) for each in graphs] == [ignored, ignored]
    rest = [{key: value for key, value in each.items() if f"spec.{key}" not in ignored} for each in specs]
    assert rest[0] == rest[1]
    assert metadata(graphs[0]) == metadata(graphs[1])


def test_a_restored_cluster_has_hours_to_become_ready() -> None:
    variants: list[dict[str, Any]] = [{}, RESTORED, {"timeoutSeconds": 60}, RESTORED | {"timeoutSeconds": 60}]
    timeouts = [declared(each).request("Cluster", NAME).customTimeouts for each in variants]

    assert [(each.create, each.update) for each in timeouts] == [
        ("", ""),
        ("14400s", "14400s"),
        ("60s", "60s"),
        ("60s", "60s"),
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"recovery": {"generation": 1}}, "generation 1 can't be restored from generation 1"),
        ({"generation": 2, "recovery": {"generation": 3}}, "generation 2 can't be restored from generation 3"),
        ({"generation": 2, "recovery": {"generation": 0}}, "greater than or equal to 1"),
        ({"generation": 2, "recovery": {"generation": 1}, "backup": None}, "add backup with method: plugin"),
        ({"generation": 2, "recovery": {"generation": 1}, **IN_TREE}, "add backup with method: plugin"),
        ({"generation": 2, "recovery": {"generation": 1, "targetTime": "yesterday"}}, "is not a time"),
        ({"generation": 2, "recovery": {"generation": 1, "targetTime": "2026-02-01T03:00:00"}}, "is not a time"),
        ({"generation": 2, "recovery": {"generation": 1, "targetTime": "2026-02-30T03:00:00Z"}}, "is not a time"),
        ({"generation": 2, "recovery": {"generation": 1, "targetTime": "2999-02-01T03:00:00Z"}}, "lies in the future"),
        ({"generation": 2, "recovery": {}}, "Field required"),
        ({"generation": 0}, "greater than or equal to 1"),
        (EXTERNAL | {"generation": 2}, "Extra inputs are not permitted"),
    ],
)
def test_a_recovery_that_can_not_work_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**values)

    assert reason in str(refused.value)


# Changes of a cluster that runs


def update(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The refusal of an update from one declaration to another; empty if it is accepted."""
    old, graph = one(declared(before), "Cluster").inputs, declared(after)
    [name] = graph.request("Cluster", NAME).hooks.before_update
    hook = graph.hooks.others[name]
    assert hook.opts is not None
    assert hook.opts.on_dry_run is True
    try:
        hook(pulumi.ResourceHookArgs("urn", "id", NAME, "type", old_inputs=old))
    except LotusError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("generation", [{}, {"generation": 2}, RESTORED], ids=["first", "later", "restored"])
@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({}, {"user": "lake"}, "user can't change from dagster to lake in a running cluster"),
        ({"user": "lake"}, {}, "user can't change from lake to dagster in a running cluster"),
        ({}, {"database": "lake"}, "database can't change from dagster to lake"),
        ({}, {"storage": {"storageClass": "fast"}}, "storage.storageClass can't change from the default to fast"),
        ({"storage": {"storageClass": "fast"}}, {}, "storage.storageClass can't change from fast to the default"),
        ({"storage": {"size": "20Gi"}}, {"storage": {"size": "20G"}}, "storage.size can't shrink from 20Gi to 20G"),
    ],
)
def test_a_setting_that_only_a_new_cluster_reads_is_refused_with_the_two_ways(
    generation: dict[str, Any], before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    refusal = update(generation | before, generation | after)

    assert reason in refusal
    assert "keep the old value; or raise generation" in refusal
    assert "docs/runbooks/restore-a-database.md" in refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"instances": 3, "image": "ghcr.io/cloudnative-pg/postgresql:17.5", "nodeSelector": {"a": "b"}}),
        ({"storage": {"size": "1000Mi"}}, {"storage": {"size": "1Gi"}}),
        (IN_TREE, {}),
        ({}, {"backup": None}),
        (RESTORED, {"generation": 3}),
        ({"generation": 3}, RESTORED),
        ({"user": "dagster", "database": "dagster"}, {}),
    ],
)
def test_every_other_change_is_made_in_place(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert update(before, after) == ""


@pytest.mark.parametrize("setting", [{"user": "lake"}, {"database": "lake"}])
@pytest.mark.parametrize("generation", [{}, {"generation": 2}, RESTORED], ids=["first", "later", "restored"])
def test_a_refused_change_shows_where_the_engine_looks(generation: dict[str, Any], setting: dict[str, Any]) -> None:
    before, after = declared(generation), declared(generation | setting)
    ignored = {path.removeprefix("spec.") for path in before.request("Cluster", NAME).ignoreChanges}

    def seen(graph: Graph) -> Any:
        return metadata(graph), {key: value for key, value in spec(graph).items() if key not in ignored}

    assert seen(before) != seen(after)
