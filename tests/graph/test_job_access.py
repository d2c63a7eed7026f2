"""What Dagster gets on the cluster where streams arrive by Airbyte's jobs: a secret, and nothing in other lakes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from psycopg2.extensions import parse_dsn

from lotus_infra import naming, program
from tests.graph.recorder import Graph, drained
from tests.graph.test_dagster import dependencies, values
from tests.graph.test_landing_zone import SECRET_MARK
from tests.support.lakes import write
from tests.support.postgres_lake import DESTINATION, PASSWORD, Database, write_postgres_lake
from tests.support.production import REPOSITORY, SECRETS, as_config, changed, production

Declare = Callable[..., Graph]
SECRET = naming.WAREHOUSES_SECRET
VARIABLE = naming.warehouse_variable(DESTINATION)
SERVER = "https://airbyte.example.com/api/public/v1"
AIRBYTE = {"serverUrl": SERVER, "clientId": "the-id", "clientSecret": "the-secret-of-airbyte"}
OWN = {"airbyte": {"url": "http://airbyte.airbyte.svc:8001/api/public/v1"}}
TUNNEL = {
    "tunnel_method": "SSH_PASSWORD_AUTH",
    "tunnel_host": "bastion.example.com",
    "tunnel_port": 22,
    "tunnel_user": "lake",
    "tunnel_user_password": {"$secret": PASSWORD},
}


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    return write_postgres_lake(tmp_path / "streams", Database("crm", 6543))


@pytest.fixture
def declare(streams: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """The production stack with the lake; `dagster` and `airbyte` are settings of these, None for none of it."""
    monkeypatch.chdir(REPOSITORY)
    for name in ("AIRBYTE_SERVER_URL", "AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET", "AIRBYTE_BEARER_AUTH"):
        monkeypatch.delenv(name, raising=False)

    def run(dagster: dict[str, Any] | None = None, airbyte: dict[str, str] = AIRBYTE, **stack: Any) -> Graph:
        given = production() | {PASSWORD: "the-password-of-the-warehouse", "streams": str(streams)} | stack
        for path, value in (dagster or {}).items():
            given["dagster"] = changed(given["dagster"], path, value)
        config = as_config(given) | {f"airbyte:{name}": value for name, value in airbyte.items()}
        return drained(program.run, config, [*SECRETS, f"lotus:{PASSWORD}", "airbyte:clientSecret"])

    return run


def variables(graph: Graph) -> dict[str, str]:
    data = graph.named("core/v1:Secret", SECRET).inputs["stringData"]
    return dict(data)


def env_secrets(graph: Graph) -> list[list[str]]:
    """Of the code location and of runs."""
    found = values(graph)
    [location] = found["dagster-user-deployments"]["deployments"]
    launcher = found["runLauncher"]["config"]["k8sRunLauncher"]
    return [[each["name"] for each in pods["envSecrets"]] for pods in (location, launcher)]


def fingerprint(graph: Graph) -> str:
    annotations: dict[str, str] = values(graph)["dagsterDaemon"]["annotations"]
    return annotations[naming.CREDENTIALS_ANNOTATION]


def test_dagster_gets_airbytes_address_the_ids_of_connections_and_the_address_of_the_database(declare: Declare) -> None:
    found = variables(declare())

    assert json.loads(found[naming.AIRBYTE_VARIABLE]) == {
        "url": SERVER,
        "clientId": "the-id",
        "clientSecret": "the-secret-of-airbyte",
    }
    assert json.loads(found[naming.CONNECTIONS_VARIABLE]) == {"crm": "connection-crm"}
    read = parse_dsn(found[VARIABLE])
    assert (read["dbname"], read["port"], read["sslmode"]) == ("crm", "6543", "disable")
    assert read["password"] == "the-password-of-the-warehouse"
    assert found.keys() == {naming.AIRBYTE_VARIABLE, naming.CONNECTIONS_VARIABLE, VARIABLE}


def test_its_pods_read_the_secret_which_is_there_before_them_and_they_roll_with_it(declare: Declare) -> None:
    graph = declare()

    request = graph.request("core/v1:Secret", SECRET)
    assert request.parent.endswith("lotus:dagster:Dagster::dagster")
    assert "providers:kubernetes::dagster" in request.provider
    assert request.protect is False
    assert ("Connection", "crm") in dependencies(graph, "core/v1:Secret", SECRET)
    assert ("Secret", SECRET) in dependencies(graph, "helm.sh/v3:Release", "dagster")
    assert env_secrets(graph) == [[naming.LAKE_SECRET, SECRET]] * 2
    others = [
        declare(**{PASSWORD: "another-password-of-the-warehouse"}),
        declare(airbyte=AIRBYTE | {"clientSecret": "another-secret-of-airbyte"}),
        declare(OWN),
    ]
    assert len({fingerprint(each) for each in (graph, *others)}) == 4


def test_what_it_gets_is_secret_in_the_state_and_nowhere_else(declare: Declare) -> None:
    graph = declare()

    given = graph.request("core/v1:Secret", SECRET).object["stringData"]
    marked = {key for key, value in dict(given).items() if SECRET_MARK in str(value)}
    assert SECRET_MARK in str(given) or marked >= {naming.AIRBYTE_VARIABLE, VARIABLE}
    release = str(graph.request("helm.sh/v3:Release", "dagster").object)
    assert "the-secret-of-airbyte" not in release
    assert "the-password-of-the-warehouse" not in release


def test_pods_may_reach_airbyte_by_another_address(declare: Declare) -> None:
    found = json.loads(
        variables(declare(OWN, airbyte={"serverUrl": "http://localhost:8000/api/public/v1"}))["LOTUS_AIRBYTE"]
    )
    assert found == {"url": OWN["airbyte"]["url"]}


def test_an_address_of_a_secret_of_ones_own_is_left_to_it(declare: Declare) -> None:
    graph = declare({"warehouses": {DESTINATION: {"secret": "our-readers"}}})

    assert variables(graph).keys() == {naming.AIRBYTE_VARIABLE, naming.CONNECTIONS_VARIABLE}
    assert env_secrets(graph) == [[naming.LAKE_SECRET, SECRET, "our-readers"]] * 2


def test_a_lake_whose_streams_all_land_as_files_gets_none_of_it(declare: Declare) -> None:
    graph = declare(streams="streams", **{PASSWORD: None})

    assert not [each for each in graph.resources if each.name == SECRET]
    assert env_secrets(graph) == [[naming.LAKE_SECRET]] * 2


@pytest.mark.parametrize(
    ("given", "environment", "problem"),
    [
        (({}, {"serverUrl": "http://localhost:8000/api/public/v1"}), {}, "this machine alone: .*--path lotus:dagster"),
        (({}, {}), {"AIRBYTE_SERVER_URL": SERVER}, "AIRBYTE_SERVER_URL is set on this machine alone"),
        (
            ({}, {"serverUrl": SERVER, "clientId": "the-id"}),
            {"AIRBYTE_CLIENT_SECRET": "x"},
            r"connection crm, and of Airbyte's credentials the stack lacks clientSecret: .*--secret airbyte:client",
        ),
        (({}, AIRBYTE | {"tokenUrl": "https://login.example.com/token"}), {}, "airbyte:tokenUrl is another place"),
        (
            ({"warehouses": {"warehose": {"secret": "a"}}}, AIRBYTE),
            {},
            rf"lotus:dagster.warehouses.warehose: no connection .*: delete it, or name one of {DESTINATION}",
        ),
    ],
)
def test_what_the_stack_does_not_say_is_asked_for_before_anything_is_declared(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, given: Any, environment: dict[str, str], problem: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(pulumi.RunError, match=problem):
        declare(*given)


def test_a_database_behind_a_tunnel_needs_a_secret_of_ones_own(declare: Declare, streams: Path) -> None:
    file = streams / f"_destinations/{DESTINATION}.json"
    document = json.loads(file.read_text())
    document["configuration"]["tunnel_method"] = TUNNEL
    write(streams, {f"_destinations/{DESTINATION}.json": document})
    with pytest.raises(pulumi.RunError, match=rf"SSH tunnel: make a Kubernetes secret whose key {VARIABLE} is"):
        declare()
    assert VARIABLE not in variables(declare({"warehouses": {DESTINATION: {"secret": "our-readers"}}}))
