"""Custom resources of every setting agree with their definitions: no unknown key, no wrong type, no broken rule."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lotus_infra.config.database import Backup, ClusterDatabase, Recovery, Storage
from lotus_infra.config.pods import ResourceAmounts, Resources, Toleration
from tests.graph.databases import AWS_BUCKET, OTHER_BUCKET, declared
from tests.graph.recorder import Graph
from tests.support.definitions import custom_resource_problems, is_custom

AMOUNTS = {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "2Gi"}
VALUES: dict[type[BaseModel], dict[str, list[Any]]] = {
    ResourceAmounts: {key: [value] for key, value in AMOUNTS.items()},
    Resources: {"requests": [{}, AMOUNTS], "limits": [AMOUNTS]},
    Toleration: {
        "key": ["a"],
        "operator": ["Exists", "Equal"],
        "value": ["b"],
        "effect": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
        "tolerationSeconds": [3],
    },
    Storage: {"size": ["5Gi", "1.5T"], "storageClass": ["fast"]},
    Backup: {"method": ["plugin", "barmanObjectStore"], "schedule": ["0 30 4 * * 1"], "keepDays": [1, 3650]},
    Recovery: {
        "generation": [1, 2],
        "targetTime": ["2026-01-31T03:00:00Z", "2026-01-31T03:00:00.123456+02:00"],
    },
    ClusterDatabase: {
        "kind": ["cluster"],
        "generation": [3, 999],
        "recovery": [{"generation": 1}, {"generation": 2, "targetTime": "2026-01-31T03:00:00Z"}],
        "timeoutSeconds": [60],
        "instances": [1, 3],
        "image": ["ghcr.io/cloudnative-pg/postgresql:17.5", "registry:5000/pg@sha256:" + "0" * 64],
        "storage": [{}, {"size": "9Gi"}, {"storageClass": "fast"}],
        "backup": [None, {}, {"keepDays": 9}, {"schedule": "0 0 5 * * *"}],
        "database": ["d"],
        "user": ["u"],
        "resources": [{"requests": AMOUNTS}, {"limits": AMOUNTS}],
        "nodeSelector": [{"disk": "fast"}],
        "tolerations": [[{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}]],
    },
}
"""Values of every setting, as a stack's file has them. The first test fails where a new setting has none."""


@pytest.mark.parametrize("model", VALUES, ids=lambda model: model.__name__)
def test_the_table_has_values_of_every_setting(model: type[BaseModel]) -> None:
    assert {field.alias or name for name, field in model.model_fields.items()} == VALUES[model].keys()


def some(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of a model's settings, each with one of its values."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in VALUES[model].items()})


@st.composite
def databases(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a database that the model accepts."""
    database = draw(some(ClusterDatabase))
    if "backup" in database and database["backup"] is not None:
        database["backup"] = draw(some(Backup))
    if "storage" in database:
        database["storage"] = draw(some(Storage))
    if "tolerations" in database:
        database["tolerations"] = draw(st.lists(some(Toleration), max_size=2))
    if "resources" in database:
        database["resources"] = {"requests": draw(some(ResourceAmounts))}
    if "recovery" in database:
        database |= {"recovery": draw(some(Recovery)) | {"generation": 1}, "generation": 2}
        database["backup"] = {**(database.get("backup") or {}), "method": "plugin"}
    return database


def problems(graph: Graph) -> dict[str, list[str]]:
    found = {item.type: custom_resource_problems(item.inputs) for item in graph.resources if is_custom(item.type)}
    assert found
    return {type_: each for type_, each in found.items() if each}


@pytest.mark.parametrize("bucket", [AWS_BUCKET, OTHER_BUCKET, None], ids=["on AWS", "on another server", "no backups"])
@pytest.mark.parametrize("field", VALUES[ClusterDatabase])
def test_each_value_of_each_setting_is_described(field: str, bucket: Any) -> None:
    for value in VALUES[ClusterDatabase][field]:
        database = {field: value} | ({"generation": 3} if field == "recovery" else {})
        assert problems(declared(database, bucket)) == {}


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(database=databases(), bucket=st.sampled_from([AWS_BUCKET, OTHER_BUCKET]))
def test_any_settings_together_are_described(database: dict[str, Any], bucket: Any) -> None:
    assert problems(declared(database, bucket)) == {}


def cluster(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {}, "spec": {"instances": 1, **spec}}


def store(**spec: Any) -> dict[str, Any]:
    configuration = {"destinationPath": "s3://a/b"} | spec
    return {
        "apiVersion": "barmancloud.cnpg.io/v1",
        "kind": "ObjectStore",
        "metadata": {},
        "spec": {"configuration": configuration},
    }


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        (cluster(backups={}), "'backups' was unexpected"),
        (cluster(instances="three"), "'three' is not of type 'integer'"),
        (cluster(plugins=[{"name": "a", "parameters": {"b": 1}}]), "1 is not of type 'string'"),
        (cluster(plugins=[{"parameters": {}}]), "'name' is a required property"),
        (cluster(bootstrap={"recovery": {"targetTime": "2026"}}), "'targetTime' was unexpected"),
        (cluster(imageName="a", imageCatalogRef={}), "imageName and imageCatalogRef are mutually exclusive"),
        (store(retentionPolicy="7d"), "'retentionPolicy' was unexpected"),
        (store(serverName="a"), "use the 'serverName' plugin parameter"),
    ],
)
def test_a_mistake_is_found(resource: dict[str, Any], problem: str) -> None:
    assert any(problem in each for each in custom_resource_problems(resource))
