"""The chart's values of the production stack, and of an imported lake."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from lotus_dagster import environment
from pydantic import JsonValue

from lotus_infra.clients.ducklake import s3_secret
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.helm.chart_schema import check_values
from lotus_infra.helm.values import SECRET_VARIABLES, LakeBucket, release_values
from tests.support.production import production
from tests.support.shared import shared_json

LAKE = LakeBucket("landing", "us-west-1", "http://s3.example.com:8333")
HOST = "dagster.landl.datamountainsolutions.com"
MIDDLEWARE = "traefik.ingress.kubernetes.io/router.middlewares"
NODE = {"kubernetes.io/hostname": "monkeybusiness"}
IMPORTED: dict[str, Any] = {
    "deploy": True,
    "chart": {"version": "1.13.27"},
    "image": "ghcr.io/matta-kelly/lotus-lake:3f9c2a1",
    "pullPolicy": "Always",
    "webserver": {"nodeSelector": NODE},
    "daemon": {"nodeSelector": NODE},
    "codeLocation": {"nodeSelector": NODE},
    "runs": {"nodeSelector": NODE},
    "ingress": {
        "host": HOST,
        "tlsSecret": "dagster-tls",
        "className": "traefik",
        "annotations": {
            "cert-manager.io/cluster-issuer": "letsencrypt-prod",
            MIDDLEWARE: "kube-system-authentik-lotus-lake@kubernetescrd",
        },
    },
}
SAME_BY_ANOTHER_KEY = {
    # The chart's templates set the password's variable from the secret that the first of these names.
    "global.postgresqlSecretName",
    "dagsterWebserver.env",
    "dagsterDaemon.env",
    # The code reads other names of variables and secrets than before.
    "runLauncher.config.k8sRunLauncher.envSecrets",
    "runLauncher.config.k8sRunLauncher.envVars",
    "dagster-user-deployments.deployments.env",
    # The module was renamed.
    "dagster-user-deployments.deployments.dagsterApiGrpcArgs",
}
NO_KEYS_OF_THE_CHART = {
    # The chart reads none of these, so the ingress had neither host nor TLS.
    "ingress.webserver.host",
    "ingress.webserver.path",
    "ingress.webserver.pathType",
    "ingress.webserver.tls.enabled",
    "ingress.webserver.tls.secretName",
    # The chart reads these under postgresql, the port under postgresql.service; its key of the secret is fixed.
    "global.postgresqlSecretKey",
    "global.postgresqlHost",
    "global.postgresqlPort",
    "global.postgresqlUsername",
    "global.postgresqlDatabase",
    "postgresql.postgresqlPort",
}
MUTABLE = {"dagster-user-deployments.deployments.image.tag"}


def settings(document: dict[str, Any]) -> DagsterSettings:
    return DagsterSettings.model_validate(document)


def leaves(value: JsonValue, path: tuple[str, ...] = ()) -> Iterator[tuple[str, JsonValue]]:
    """Every value that is not a map, by its path; a list of one deployment counts as that deployment."""
    if isinstance(value, list) and path and path[-1] == "deployments":
        [value] = value
    if isinstance(value, Mapping) and value and path[-1:] != ("annotations",) and path[-1:] != ("nodeSelector",):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield ".".join(path), value


def test_the_existing_lakes_values_can_be_expressed_except_for_its_defects() -> None:
    today = dict(leaves(shared_json("lotus-lake", "dagster-values.json")))
    now = dict(leaves(release_values(settings(IMPORTED), LAKE)))

    different = {path for path, value in today.items() if now.get(path) != value}

    assert different == SAME_BY_ANOTHER_KEY | NO_KEYS_OF_THE_CHART | MUTABLE
    refused = {problem.path for problem in check_values(shared_json("lotus-lake", "dagster-values.json"))}
    assert refused == {re.sub(r"^ingress\.webserver\..*", "ingress.webserver", path) for path in NO_KEYS_OF_THE_CHART}
    assert now["ingress.dagsterWebserver.host"] == HOST
    assert now["ingress.dagsterWebserver.tls.secretName"] == "dagster-tls"
    assert now["postgresql.service.port"] == today["global.postgresqlPort"]


def test_the_production_stacks_values_validate_against_the_charts_own_schema() -> None:
    values = release_values(settings(production()["dagster"]), LAKE, "f" * 64)
    schema = shared_json("dagster-chart", "values.schema.json")

    errors = [inner for error in Draft202012Validator(local(schema)).iter_errors(values) for inner in innermost(error)]

    # A map may leave out required keys: Helm merges the chart's defaults before it validates.
    assert {error.validator for error in errors} <= {"required"}
    assert [error for error in errors if any(isinstance(step, int) for step in error.absolute_path)] == []
    assert check_values(values) == []


def innermost(error: ValidationError) -> Iterator[ValidationError]:
    """The errors of the alternatives that allow the value's type."""
    if error.validator != "anyOf":
        yield error
    for inner in error.context or ():
        if inner.validator != "type" or inner.relative_path:
            yield from innermost(inner)


def local(schema: Any) -> Any:
    """The schema without references to Kubernetes' own schemas."""
    if isinstance(schema, list):
        return [local(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if str(schema.get("$ref", "")).startswith("http"):
        return {}
    return {key: local(inner) for key, inner in schema.items()}


class RecordedEnvironment(dict[str, str]):
    """An environment that records which names are read."""

    def __init__(self) -> None:
        super().__init__(AWS_ENDPOINT_URL_S3="http://x")
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_the_variables_are_those_that_the_companys_code_reads() -> None:
    plan: Any = release_values(settings(IMPORTED), LAKE)
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    given = {variable["name"]: variable["value"] for variable in deployment["env"]}
    read = RecordedEnvironment()
    s3_secret(read)

    names = given.keys() | set(SECRET_VARIABLES)

    # libpq reads the password from its own variable.
    assert {name for name in names if name.startswith(("AWS_", "LOTUS_"))} | {"PGPASSWORD"} == names
    assert {name for name in names if name.startswith("AWS_")} <= read.names
    # Long-lived keys have no session token, and the others are alternative names.
    left_out = {"AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"}
    assert read.names - left_out <= names
    warehouse = environment.Warehouse.read(given)
    assert (warehouse.landing, warehouse.data) == ("s3://landing", "s3://landing/lake")
    assert warehouse.catalog == (
        "postgres:dbname=ducklake host=ducklake-db-rw.lotus-lake.svc.cluster.local port=5432 user=ducklake"
    )


@pytest.mark.parametrize("days", [None, 400])
def test_dagster_knows_when_raw_files_expire(days: int | None) -> None:
    plan: Any = release_values(settings(IMPORTED), replace(LAKE, expire_raw_days=days))
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    given = {variable["name"]: variable["value"] for variable in deployment["env"]}
    assert environment.whole_number(given, environment.EXPIRE_RAW_DAYS) == days


@pytest.mark.parametrize(("stack", "told"), [("staging", "staging"), ("", None)])
def test_dagster_knows_its_stack_where_the_lake_differs_in_it(stack: str, told: str | None) -> None:
    plan: Any = release_values(settings(IMPORTED), LAKE, stack=stack)
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    given = {variable["name"]: variable["value"] for variable in deployment["env"]}
    assert given.get(environment.STACK) == told


@pytest.mark.parametrize(
    ("made", "own", "secrets"),
    [
        (False, {}, ["dagster-lake"]),
        (True, {}, ["dagster-lake", "dagster-warehouses"]),
        (True, {"crm_db": {"secret": "readers"}}, ["dagster-lake", "dagster-warehouses", "readers"]),
    ],
)
def test_code_and_runs_read_the_addresses_of_warehouses_and_a_secret_of_ones_own_wins(
    made: bool,  # noqa: FBT001
    own: dict[str, Any],
    secrets: list[str],
) -> None:
    """Of two secrets with one key, Kubernetes takes the later one."""
    given = {"warehouses": own, "codeLocation": {"envSecrets": ["ours"]}, "runs": {"envSecrets": ["ours"]}}
    plan: Any = release_values(settings(IMPORTED | given), LAKE, warehouses=made)
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    launcher = plan["runLauncher"]["config"]["k8sRunLauncher"]
    for pods in (deployment, launcher):
        assert [each["name"] for each in pods["envSecrets"]] == [*secrets, "ours"]


def test_runs_get_the_variables_that_the_code_location_gets() -> None:
    plan: Any = release_values(
        settings(IMPORTED | {"codeLocation": {"env": {"A": "b"}}, "runs": {"env": {"C": "d"}}}), LAKE
    )
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    launcher = plan["runLauncher"]["config"]["k8sRunLauncher"]

    of_code = {f"{each['name']}={each['value']}" for each in deployment["env"]}

    assert of_code ^ set(launcher["envVars"]) == {"A=b", "C=d"}
    assert deployment["envSecrets"] == launcher["envSecrets"] == [{"name": "dagster-lake"}]
    assert deployment["includeConfigInLaunchedRuns"] == {"enabled": False}


def test_every_pod_has_the_fingerprint_of_its_credentials() -> None:
    plan: Any = release_values(settings(IMPORTED), LAKE, "abc")
    [deployment] = plan["dagster-user-deployments"]["deployments"]
    runs = plan["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podTemplateSpecMetadata"]

    for part in (plan["dagsterWebserver"], plan["dagsterDaemon"], deployment, runs):
        assert part["annotations"]["lotus.internal/credentials"] == "${fingerprint}"
    assert deployment["annotations"]["lotus.internal/definitions"] == "abc"


def test_a_run_that_was_killed_gives_its_place_in_the_pool_back() -> None:
    plan: Any = release_values(settings(IMPORTED), LAKE)

    assert plan["dagsterDaemon"]["runMonitoring"]["freeSlotsAfterRunEndSeconds"] == 60


def test_a_digest_identifies_the_image() -> None:
    digest = f"sha256:{'a' * 64}"
    plan: Any = release_values(settings(IMPORTED | {"image": f"ghcr.io/example/lake@{digest}"}), LAKE)

    [deployment] = plan["dagster-user-deployments"]["deployments"]

    assert deployment["image"] == {"repository": "ghcr.io/example/lake", "digest": digest, "pullPolicy": "Always"}


def test_extra_values_are_merged_with_the_settings_values() -> None:
    extra = {"dagsterWebserver": {"logLevel": "debug"}, "pythonLogs": {"pythonLogLevel": "INFO"}}
    plan: Any = release_values(settings(IMPORTED | {"extraValues": extra}), LAKE)

    assert (plan["dagsterWebserver"]["logLevel"], plan["dagsterWebserver"]["replicaCount"]) == ("debug", 1)
    assert plan["pythonLogs"] == {"pythonLogLevel": "INFO"}


def test_the_production_stacks_chart_has_the_version_of_dagster_in_the_image() -> None:
    assert settings(production()["dagster"]).chart.version == version("dagster")
