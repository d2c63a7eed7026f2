"""Sources that dlt reads: the declared components, their secrets, and what stays as it is without them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from lotus_infra import program
from tests.graph.recorder import Graph, drained
from tests.graph.test_dagster import dependencies
from tests.graph.test_landing_zone import SECRET_MARK
from tests.support.dlt_lake import MODULE, SOURCE, VALUES, project_with_dlt, write_source
from tests.support.production import SECRETS, as_config, changed, production

Declare = Callable[..., Graph]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = project_with_dlt(tmp_path)
    monkeypatch.chdir(found)
    return found


@pytest.fixture
def declare(project: Path) -> Declare:
    def run(changes: dict[str, Any] | None = None, **stack: Any) -> Graph:
        values = production() | VALUES | stack
        for path, value in (changes or {}).items():
            values["dagster"] = changed(values["dagster"], path, value)
        encrypted = [name for name in stack if name == "erp_url"]
        return drained(
            program.run, as_config(values), [*SECRETS, "lotus:erp_api_key", *(f"lotus:{name}" for name in encrypted)]
        )

    return run


def component(graph: Graph) -> dict[str, Any]:
    return graph.named("dlt:Source", "erp").inputs


def test_a_source_of_dlt_is_a_component_with_its_secret_and_no_object_of_airbyte(declare: Declare) -> None:
    graph = declare()

    assert graph.request("dlt:Source", "erp").parent.endswith("lotus:dagster:Dagster::dagster")
    secret = graph.request("core/v1:Secret", "source-erp-dlt")
    assert secret.parent.endswith("lotus:dlt:Source::erp")
    assert "providers:kubernetes::dagster" in secret.provider
    assert [item.type for item in graph.resources if item.name == "erp"] == ["lotus:dlt:Source"]


def test_the_component_shows_what_decides_which_rows_land_and_no_secret(declare: Declare) -> None:
    graph = declare()
    inputs = component(graph)

    streams = json.loads(inputs.pop("configurations"))["streams"]
    assert [(each["name"], each["syncMode"], each["cursorField"]) for each in streams] == [
        ("items", "incremental_append", ["updated_at"]),
        ("orders", "incremental_append", ["updated_at"]),
    ]
    assert inputs == {
        "backfills": {"items": False, "orders": False},
        "configuration": {
            "api_key": {"$secret": "erp_api_key"},
            "page_size": 100,
            "url": "https://erp.example.com",
        },
        "destination": "s3",
        "module": "erp",
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "erp",
        "path": "raw",
        "resourceRequirements": {"memory_limit": "2Gi"},
        "schedule": {"scheduleType": "cron", "cronExpression": "0 0 3 * * ?", "cronTimeZone": "Europe/Berlin"},
    }
    assert "the-key-of-erp" not in str(graph.request("dlt:Source", "erp"))


def test_the_streams_have_the_form_that_those_of_a_connection_have(declare: Declare, project: Path) -> None:
    by_dlt = component(declare())
    write_source(project, document={**SOURCE, "engine": "airbyte", "connector": "source-faker", "configuration": {}})

    by_airbyte = declare(erp_url=None, erp_api_key=None).named("Connection", "erp").inputs

    same = ("configurations", "backfills", "schedule", "namespaceDefinition", "namespaceFormat")
    assert {key: by_dlt[key] for key in same} == {key: by_airbyte[key] for key in same}


def test_settings_of_the_file_are_inputs(declare: Declare, project: Path) -> None:
    more = {
        "module": "erp_v2",
        "prefix": "v2_",
        "status": "inactive",
        "namespace": "Shop",
        "schedule": {"type": "manual"},
    }
    write_source(project, document=SOURCE | more)
    module = MODULE.replace("def erp", "def erp_v2")
    (project / "dagster" / "sources" / "erp_v2.py").write_text(module, encoding="utf-8")

    inputs = component(declare())

    assert {key: inputs[key] for key in ("module", "prefix", "status", "namespaceFormat", "schedule")} == {
        "module": "erp_v2",
        "prefix": "v2_",
        "status": "inactive",
        "namespaceFormat": "Shop",
        "schedule": {"scheduleType": "manual"},
    }


def test_an_address_that_is_a_secret_is_shown_as_its_reference(declare: Declare, project: Path) -> None:
    configuration = {**SOURCE["configuration"], "url": {"$secret": "erp_url"}}
    write_source(project, document=SOURCE | {"configuration": configuration})

    graph = declare(erp_url="https://hidden.example.com")

    assert component(graph)["configuration"]["url"] == {"$secret": "erp_url"}
    assert "hidden.example.com" not in str(graph.request("dlt:Source", "erp"))
    assert "hidden.example.com" in variables(graph)["LOTUS_SOURCE_ERP"]


def variables(graph: Graph) -> Any:
    return graph.named("core/v1:Secret", "source-erp-dlt").inputs["stringData"]


def test_the_secret_has_the_whole_configuration_and_the_writers_key(declare: Declare) -> None:
    graph = declare()
    secret = graph.named("core/v1:Secret", "source-erp-dlt").inputs

    assert secret["metadata"]["name"] == "source-erp-dlt"
    assert secret["metadata"]["namespace"] == "lotus-lake"
    assert secret["metadata"]["annotations"]["pulumi.com/patchFieldManager"] == "lotus/lotus/test"
    assert json.loads(variables(graph)["LOTUS_SOURCE_ERP"]) == {
        "api_key": "the-key-of-erp",
        "page_size": 100,
        "url": "https://erp.example.com",
    }
    assert variables(graph)["AWS_ACCESS_KEY_ID"] == "writer-id"
    assert variables(graph)["AWS_SECRET_ACCESS_KEY"] == "secret-of-writer"
    assert SECRET_MARK in str(graph.request("core/v1:Secret", "source-erp-dlt").object["stringData"])


def test_the_secret_is_not_protected_and_the_protected_release_needs_it(declare: Declare) -> None:
    graph = declare()

    assert not graph.request("core/v1:Secret", "source-erp-dlt").protect
    assert not graph.request("dlt:Source", "erp").protect
    assert graph.request("helm.sh/v3:Release", "dagster").protect
    assert ("Secret", "source-erp-dlt") in dependencies(graph, "helm.sh/v3:Release", "dagster")
    assert ("Namespace", "lotus-lake") in dependencies(graph, "core/v1:Secret", "source-erp-dlt")


def test_a_rotated_secret_replaces_no_pod(declare: Declare) -> None:
    before, after = (declare(erp_api_key=key).named("helm.sh/v3:Release", "dagster").inputs for key in ("one", "two"))
    assert before == after


def test_the_outputs_have_the_places_of_its_streams_and_no_connection(declare: Declare) -> None:
    assert declare().exports["sources"]["erp"] == {"streams": {"items": "raw/erp/items/", "orders": "raw/erp/orders/"}}


def test_the_writer_may_write_dlts_state_only_in_a_lake_with_such_a_source(declare: Declare, project: Path) -> None:
    def policy(**stack: None) -> Any:
        return json.loads(declare(**stack).named("UserPolicy", "writer").inputs["policy"])["Statement"]

    before = policy()
    shutil.rmtree(project / "streams" / "erp")
    after = policy(erp_url=None, erp_api_key=None)

    assert [each["Sid"] for each in before] == ["Write", "WriteDlt", "List"]
    assert before[1]["Resource"] == "arn:aws:s3:::example-lake-landing/dlt/*"
    assert after == [before[0], before[2]]


@pytest.mark.parametrize("dagster", [None, production()["dagster"] | {"deploy": False}])
def test_a_stack_without_dagster_says_how_to_deploy_it_or_leave_the_source_out(
    declare: Declare, dagster: dict[str, Any] | None
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        declare(dagster=dagster)

    assert "dlt reads the source erp in runs of Dagster, and this stack deploys no Dagster" in str(refused.value)
    assert "deploy: true in lotus:dagster, or lotus:dagsterElsewhere if Dagster runs outside" in str(refused.value)
    assert 'or leave the source out of this stack: "deployed": false in' in str(refused.value)
    assert "_stacks/test.json" in str(refused.value)


@pytest.mark.parametrize("dagster", [None, production()["dagster"] | {"deploy": False}])
def test_a_source_that_a_dagster_elsewhere_runs_is_declared_without_its_secret(
    declare: Declare, dagster: dict[str, Any] | None
) -> None:
    with_dagster = component(declare())

    graph = declare(dagster=dagster, dagsterElsewhere=True)

    assert component(graph) == with_dagster
    # It is the same source if Dagster moves into the stack, or out of it.
    other = "urn:pulumi:test::lotus::lotus:dagster:Dagster$lotus:dlt:Source::erp"
    assert [each.urn for each in graph.request("dlt:Source", "erp").aliases] == [other]
    assert [each.spec.noParent for each in declare().request("dlt:Source", "erp").aliases] == [True]
    assert [item.type for item in graph.resources if "kubernetes" in item.type] == []
    assert [*graph.exports["sources"]["erp"]["streams"]] == ["items", "orders"]


def test_a_stack_that_leaves_the_source_out_needs_no_dagster(declare: Declare, project: Path) -> None:
    overlay = project / "streams" / "_stacks" / "test.json"
    overlay.parent.mkdir(exist_ok=True)
    overlay.write_text(json.dumps({"sources": {"erp": {"deployed": False}}}), encoding="utf-8")

    graph = declare(dagster=None, erp_url=None, erp_api_key=None)

    assert [item.name for item in graph.resources if item.type == "lotus:dlt:Source"] == []
    assert "erp" not in graph.exports["sources"]
