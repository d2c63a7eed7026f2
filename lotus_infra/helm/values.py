"""The values of Dagster's Helm release, derived from the stack's settings.

Pure, and without secrets: pods get those from a Kubernetes secret. The fingerprint of the credentials is known only
when the engine has resolved them, so the values contain `FINGERPRINT_PLACEHOLDER`, which the component replaces.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.config.dagster import DAGSTER_KEY, DagsterSettings, DeploymentSettings, Ingress, Registry
from lotus_infra.config.database import DatabaseAddress, cluster_name, database_address
from lotus_infra.config.pods import PodSettings, to_manifest
from lotus_infra.errors import LotusError
from lotus_infra.helm.chart_schema import ChartProblem, check_values
from lotus_infra.images import DOCKER_HUB, Image
from lotus_infra.lake.diagnostics import JsonPath, format_path

SECRET_VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")
"""The keys of the lake's Kubernetes secret, which become variables of pods: the reader's key, the catalog's password.

AWS' and Postgres' libraries read these names by default.
"""
FINGERPRINT_PLACEHOLDER: Final = "${fingerprint}"
WEBSERVER_PORT: Final = 80
_FINGERPRINT_BYTES: Final = 6
_EXTRA_VALUES_KEY: Final = f"{DAGSTER_KEY}.extraValues"

ChartValues: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class LakeBucket:
    """The landing bucket, as the company's code needs it.

    Attributes:
        bucket: Its name.
        region: Of the bucket.
        endpoint: The server's address; empty on AWS.
        expire_raw_days: Days after which the bucket deletes raw files; None if it keeps them.
    """

    bucket: str
    region: str
    endpoint: str
    expire_raw_days: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseInputs:
    """The inputs of a release.

    Attributes:
        settings: The stack's settings of Dagster.
        lake: The landing bucket.
        database: The address of Dagster's own database.
        catalog: The address of DuckLake's catalog.
        definitions: The fingerprint of the files that Dagster loads; empty if unknown.
        stack: The stack whose lake Dagster loads; empty for the lake as its files have it.
        warehouses: Whether the stack makes the secret with addresses of warehouses and of Airbyte.
    """

    settings: DagsterSettings
    lake: LakeBucket
    database: DatabaseAddress
    catalog: DatabaseAddress
    definitions: str
    stack: str
    warehouses: bool

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets of code location and runs but for their own ones; a key of a later one wins."""
        made = (naming.WAREHOUSES_SECRET,) if self.warehouses else ()
        return (naming.LAKE_SECRET, *made, *self.settings.warehouse_secrets)


def release_values(
    settings: DagsterSettings, lake: LakeBucket, definitions: str = "", stack: str = "", *, warehouses: bool = False
) -> ChartValues:
    """The values of the release: those of the typed settings, merged with `extraValues`.

    Args:
        settings: The stack's settings of Dagster.
        lake: The landing bucket.
        definitions: The fingerprint of the files that Dagster loads.
        stack: The stack whose lake Dagster loads; empty for the lake as its files have it.
        warehouses: Whether the stack makes the secret with addresses of warehouses and of Airbyte.

    Raises:
        LotusError: `extraValues` has a key that the chart does not have or that a setting sets, or a value is invalid.
    """
    namespace = settings.namespace.name
    inputs = ReleaseInputs(
        settings=settings,
        lake=lake,
        database=database_address(settings.database, naming.DAGSTER_DATABASE, namespace),
        catalog=database_address(settings.catalog, naming.CATALOG_DATABASE, namespace),
        definitions=definitions,
        stack=stack,
        warehouses=warehouses,
    )
    values, extra = _typed_values(inputs), settings.extra_values
    problems = [*check_values(extra), *_conflicts(values, extra)]
    if problems:
        raise LotusError("\n".join(f"{_EXTRA_VALUES_KEY}.{problem}" for problem in problems))
    result = _merge(values, extra)
    problems = check_values(result)
    if problems:
        raise LotusError("\n".join(f"{DAGSTER_KEY}: the chart's value {problem}" for problem in problems))
    return result


def credentials_fingerprint(credentials: Mapping[str, str], stack: str) -> str:
    """A fingerprint that changes with any of the credentials and does not help to guess one: twelve hexadecimal digits.

    Everyone who may read a pod's annotations can read it. Three properties keep it safe: it covers all credentials
    at once, so none can be tried alone; each try costs a slow, memory-hard function with a salt per stack; and its 48
    bits are far fewer than the credentials have, since short passwords are refused (`MIN_PASSWORD_LENGTH`).

    Args:
        credentials: By name; their order makes no difference.
        stack: Project and stack, so that equal credentials of two stacks have different fingerprints.
    """
    text = json.dumps(dict(credentials), sort_keys=True).encode()
    return hashlib.scrypt(text, salt=f"lotus/{stack}".encode(), n=2**14, r=8, p=1, dklen=_FINGERPRINT_BYTES).hex()


def docker_login(registry: Registry, password: str) -> str:
    """The login of a registry in the form of Docker's configuration file, which Kubernetes reads."""
    # Docker's own registry is known by its old address there.
    server = f"https://index.{DOCKER_HUB}/v1/" if registry.server == DOCKER_HUB else registry.server
    token = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
    login = {"username": registry.username, "password": password, "auth": token}
    return json.dumps({"auths": {server: login}})


def _typed_values(inputs: ReleaseInputs) -> ChartValues:
    """The values without `extraValues`."""
    settings = inputs.settings
    pull_secrets: JsonValue = [{"name": name} for name in settings.pull_secrets]
    return {
        "global": {
            "postgresqlSecretName": naming.credentials_secret(cluster_name(settings.database, naming.DAGSTER_DATABASE)),
            "serviceAccountName": naming.DAGSTER,
        },
        # The secret is the component's: the operator creates the database's user from it.
        "generatePostgresqlPasswordSecret": False,
        "postgresql": _postgresql(inputs.database),
        "rabbitmq": {"enabled": False},
        "redis": {"enabled": False, "internal": False},
        "flower": {"enabled": False},
        "telemetry": {"enabled": False},
        "serviceAccount": {"create": True, "name": naming.DAGSTER, "annotations": dict(settings.service_account)},
        "imagePullSecrets": pull_secrets,
        "dagsterWebserver": _webserver(settings),
        "dagsterDaemon": _daemon(settings),
        "dagster-user-deployments": {
            "enabled": True,
            "enableSubchart": True,
            # The chart doesn't pass its own pull secrets to the subchart.
            "imagePullSecrets": pull_secrets,
            "deployments": [_code_location(inputs)],
        },
        "runLauncher": _run_launcher(inputs),
        "concurrency": {
            "enabled": True,
            "pools": {"defaultLimit": settings.runs.pool, "granularity": "op"},
            "runs": {"maxConcurrentRuns": settings.runs.at_once},
        },
        "retention": _retention(settings),
        "computeLogManager": _compute_logs(inputs),
        "ingress": _ingress(settings.ingress),
    }


def _postgresql(database: DatabaseAddress) -> ChartValues:
    return {
        "enabled": False,
        "postgresqlHost": database.host,
        "postgresqlUsername": database.user,
        "postgresqlDatabase": database.database,
        "service": {"port": database.port},
    }


def _webserver(settings: DagsterSettings) -> ChartValues:
    # The UI shows the output of runs, which it reads from S3 itself.
    secrets: JsonValue = [{"name": naming.LAKE_SECRET}] if settings.compute_logs == "s3" else []
    return {
        "replicaCount": settings.webserver.replicas,
        "service": {"type": "ClusterIP", "port": WEBSERVER_PORT},
        "envSecrets": secrets,
        **_deployment(settings.webserver),
    }


def _daemon(settings: DagsterSettings) -> ChartValues:
    return {
        "enabled": True,
        "runMonitoring": {
            "enabled": True,
            "startTimeoutSeconds": settings.runs.start_timeout_seconds,
            # A run that was killed keeps its place in the pool for ever without this, and all others wait for it.
            "freeSlotsAfterRunEndSeconds": 60,
        },
        "runRetries": {"enabled": settings.runs.retries > 0, "maxRetries": settings.runs.retries},
        **_deployment(settings.daemon),
    }


def _code_location(inputs: ReleaseInputs) -> dict[str, Any]:
    location = inputs.settings.code_location
    deployment = _deployment(location)
    definitions = {naming.DEFINITIONS_ANNOTATION: inputs.definitions} if inputs.definitions else {}
    env = _environment_variables(inputs) | location.env
    return {
        "name": naming.CODE_LOCATION,
        "image": _image(inputs.settings.parsed_image, inputs.settings.pull_policy),
        "dagsterApiGrpcArgs": ["-m", naming.CODE_LOCATION_MODULE],
        "port": naming.CODE_LOCATION_PORT,
        # Runs are configured by the run launcher. With this on, they would get the code location's resources too.
        "includeConfigInLaunchedRuns": {"enabled": False},
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "envSecrets": [{"name": name} for name in (*inputs.secrets, *location.env_secrets)],
        **deployment,
        "annotations": deployment["annotations"] | definitions,
    }


def _run_launcher(inputs: ReleaseInputs) -> ChartValues:
    runs = inputs.settings.runs
    env = _environment_variables(inputs) | runs.env
    pod = _pod(runs)
    launcher: ChartValues = {
        "imagePullPolicy": inputs.settings.pull_policy,
        "envSecrets": [{"name": name} for name in (*inputs.secrets, *runs.env_secrets)],
        "envVars": [f"{name}={value}" for name, value in env.items()],
        "resources": pod.pop("resources"),
        "runK8sConfig": {
            "podSpecConfig": pod,
            "podTemplateSpecMetadata": {"annotations": {naming.CREDENTIALS_ANNOTATION: FINGERPRINT_PLACEHOLDER}},
            "jobSpecConfig": {"ttlSecondsAfterFinished": runs.keep_jobs_seconds},
        },
    }
    return {"type": "K8sRunLauncher", "config": {"k8sRunLauncher": launcher}}


def _environment_variables(inputs: ReleaseInputs) -> dict[str, str]:
    """The variables that the company's code reads, without secrets: names of `lotus_dagster.environment` and of AWS."""
    lake, catalog = inputs.lake, inputs.catalog
    # The catalog's address is not in Postgres' own PG* variables, except for the password: those would also apply to
    # Dagster's connections to its own database.
    connection = f"dbname={catalog.database} host={catalog.host} port={catalog.port} user={catalog.user}"
    variables = {
        "LOTUS_LANDING": f"s3://{lake.bucket}",
        "LOTUS_CATALOG": f"postgres:{connection}",
        "LOTUS_LAKE_DATA": f"s3://{lake.bucket}/{naming.TABLES_PATH}",
        "AWS_REGION": lake.region,
    }
    if lake.endpoint:
        variables["AWS_ENDPOINT_URL_S3"] = lake.endpoint
    if lake.expire_raw_days is not None:
        variables["LOTUS_EXPIRE_RAW_DAYS"] = str(lake.expire_raw_days)
    if inputs.stack:
        variables["LOTUS_STACK"] = inputs.stack
    return variables


def _image(image: Image, pull_policy: str) -> ChartValues:
    values: ChartValues = {"repository": image.repository, "pullPolicy": pull_policy}
    if image.tag is not None:
        values["tag"] = image.tag
    if image.digest is not None:
        values["digest"] = image.digest
    return values


def _deployment(deployment: DeploymentSettings) -> dict[str, Any]:
    """The values of a deployment's pods; probes that are not set keep the chart's defaults."""
    probes: dict[str, Any] = {}
    if deployment.readiness_probe is not None:
        probes["readinessProbe"] = to_manifest(deployment.readiness_probe)
    if deployment.liveness_probe is not None:
        probes["livenessProbe"] = to_manifest(deployment.liveness_probe)
    if deployment.startup_probe is not None:
        probes["startupProbe"] = {"enabled": True, **to_manifest(deployment.startup_probe)}
    return _pod(deployment) | probes | {"annotations": {naming.CREDENTIALS_ANNOTATION: FINGERPRINT_PLACEHOLDER}}


def _pod(pod: PodSettings) -> dict[str, Any]:
    return {
        "resources": to_manifest(pod.resources),
        "nodeSelector": dict(pod.node_selector),
        "tolerations": [to_manifest(toleration) for toleration in pod.tolerations],
    }


def _retention(settings: DagsterSettings) -> ChartValues:
    days: ChartValues = {"purgeAfterDays": settings.retention.model_dump(mode="json", by_alias=True)}
    return {"enabled": True, **dict.fromkeys(("sensor", "schedule", "autoMaterialize"), days)}


def _compute_logs(inputs: ReleaseInputs) -> ChartValues:
    if inputs.settings.compute_logs == "pod":
        return {"type": "NoOpComputeLogManager"}
    lake = inputs.lake
    config: ChartValues = {
        "bucket": lake.bucket,
        "prefix": naming.LOGS_PATH,
        "region": lake.region,
        "skipEmptyFiles": True,
    }
    if lake.endpoint:
        config["endpointUrl"] = lake.endpoint
    return {"type": "S3ComputeLogManager", "config": {"s3ComputeLogManager": config}}


def _ingress(ingress: Ingress | None) -> ChartValues:
    if ingress is None:
        return {"enabled": False}
    tls: ChartValues = {"enabled": ingress.tls, "secretName": ingress.tls_secret or ""}
    values: ChartValues = {
        "enabled": True,
        "apiVersion": "networking.k8s.io/v1/Ingress",
        "annotations": dict(ingress.annotations),
        "dagsterWebserver": {"host": ingress.host, "path": "/", "pathType": "Prefix", "tls": tls},
    }
    return values | ({"ingressClassName": ingress.class_name} if ingress.class_name else {})


def _conflicts(values: ChartValues, extra: Mapping[str, JsonValue], path: JsonPath = ()) -> Iterator[ChartProblem]:
    """The keys of `extraValues` that the typed settings set, too."""
    for key, inner in extra.items():
        present = values.get(key)
        if isinstance(present, dict) and isinstance(inner, dict):
            yield from _conflicts(present, inner, (*path, key))
        elif key in values:
            name = format_path((*path, key))
            yield ChartProblem(name, "already set by another setting", "remove it here, and change that setting")


def _merge(values: ChartValues, extra: Mapping[str, JsonValue]) -> ChartValues:
    """Merge maps key by key; a key in both keeps the value of `values`."""
    result = dict(values)
    for key, inner in extra.items():
        present = result.get(key)
        if isinstance(present, dict) and isinstance(inner, dict):
            result[key] = cast("JsonValue", _merge(present, inner))
        else:
            result.setdefault(key, inner)
    return result
