"""The chart's values that follow from what the stack says: pure, and without a secret.

Where a value is known only while the engine works, a word stands in its place; the component puts the value there.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.config.dagster import (
    EXTRA,
    KEY,
    Address,
    DagsterSettings,
    Ingress,
    Placed,
    Served,
    Values,
    address,
    given,
)
from lotus_infra.errors import LotusError
from lotus_infra.helm.chart_schema import ChartProblem, check_values
from lotus_infra.images import Image
from lotus_infra.lake.diagnostics import JsonPath, field_name

ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID"
SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY"
CATALOG_PASSWORD = "PGPASSWORD"
SECRETS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, CATALOG_PASSWORD)
"""The keys of the Kubernetes secret that pods get their variables from."""
_BYTES: Final = 6
FINGERPRINT = "${fingerprint}"
"""Stands for the fingerprint of the credentials that pods hold."""
WEBSERVER_PORT = 80


@dataclass(frozen=True, slots=True)
class LakeBucket:
    """What the company's code must know of the landing zone.

    Attributes:
        bucket: The landing bucket.
        region: Where it is.
        endpoint: The server's address; empty on AWS.
    """

    bucket: str
    region: str
    endpoint: str


def variables(lake: LakeBucket, catalog: Address) -> dict[str, str]:
    """The variables without secrets.

    The catalog's password is in a variable that Postgres' library reads by itself; whatever else it could read there
    would reach Dagster's connections to its own database too.
    """
    place = " ".join(
        f"{key}={value}"
        for key, value in {
            "dbname": catalog.database,
            "host": catalog.host,
            "port": catalog.port,
            "user": catalog.user,
        }.items()
    )
    made = {
        "LOTUS_LANDING": f"s3://{lake.bucket}",
        "LOTUS_CATALOG": f"postgres:{place}",
        "LOTUS_LAKE_DATA": f"s3://{lake.bucket}/{naming.TABLES_PATH}",
        "AWS_REGION": lake.region,
    }
    return made | ({"AWS_ENDPOINT_URL_S3": lake.endpoint} if lake.endpoint else {})


def merged(values: Values, extra: Mapping[str, JsonValue]) -> Values:
    """The values with more of them, maps merged key by key; what is given twice stays as the settings have it."""
    made = dict(values)
    for key, inner in extra.items():
        here = made.get(key)
        if isinstance(here, dict) and isinstance(inner, dict):
            made[key] = cast("JsonValue", merged(here, inner))
        else:
            made.setdefault(key, inner)
    return made


def conflicts(values: Values, extra: Mapping[str, JsonValue], path: JsonPath = ()) -> Iterator[ChartProblem]:
    """The keys that the stack's typed settings give already."""
    for key, inner in extra.items():
        here = values.get(key)
        if isinstance(here, dict) and isinstance(inner, dict):
            yield from conflicts(here, inner, (*path, key))
        elif key in values:
            what = "is given by the stack's own settings already"
            yield ChartProblem(field_name((*path, key)), what, "leave it out here, and change the setting")


"""Characters that a password must have at least, so that it can't be guessed."""


def fingerprint(credentials: Mapping[str, str], stack: str) -> str:
    """Twelve hexadecimal digits.

    Args:
        credentials: By name; the order makes no difference.
        stack: Project and stack, so that equal credentials of two stacks don't look equal.
    """
    text = json.dumps(dict(credentials), sort_keys=True).encode()
    return hashlib.scrypt(text, salt=f"lotus/{stack}".encode(), n=2**14, r=8, p=1, dklen=_BYTES).hex()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the release stands on.

    Attributes:
        lake: The landing zone.
        database: Dagster's own database.
        catalog: DuckLake's.
        definitions: The fingerprint of what the company's code loads; empty where it is not known.
    """

    lake: LakeBucket
    database: Address
    catalog: Address
    definitions: str = ""


def chart_values(settings: DagsterSettings, around: Surroundings) -> Values:
    """The values of a release, without `extraValues`."""
    values: Values = {
        "global": {
            "postgresqlSecretName": naming.credentials_secret(naming.DAGSTER_DATABASE),
            "serviceAccountName": naming.DAGSTER,
        },
        "generatePostgresqlPasswordSecret": False,
        "postgresql": _postgresql(around.database),
        "rabbitmq": {"enabled": False},
        "redis": {"enabled": False, "internal": False},
        "flower": {"enabled": False},
        "telemetry": {"enabled": False},
        "serviceAccount": {"create": True, "name": naming.DAGSTER, "annotations": dict(settings.service_account)},
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
        "dagsterWebserver": _webserver(settings),
        "dagsterDaemon": _daemon(settings),
        "dagster-user-deployments": {
            "enabled": True,
            "enableSubchart": True,
            "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
            "deployments": [_code_location(settings, around)],
        },
        "runLauncher": _run_launcher(settings, around),
        "concurrency": {
            "enabled": True,
            "pools": {"defaultLimit": settings.runs.pool, "granularity": "op"},
            "runs": {"maxConcurrentRuns": settings.runs.at_once},
        },
        "retention": _retention(settings),
        "computeLogManager": _compute_logs(settings, around.lake),
        "ingress": _ingress(settings.ingress),
    }
    return values


def _postgresql(database: Address) -> Values:
    return {
        "enabled": False,
        "postgresqlHost": database.host,
        "postgresqlUsername": database.user,
        "postgresqlDatabase": database.database,
        "service": {"port": database.port},
    }


def _image(image: Image, pull_policy: str) -> Values:
    made: Values = {"repository": image.repository, "pullPolicy": pull_policy}
    if image.tag is not None:
        made["tag"] = image.tag
    if image.digest is not None:
        made["digest"] = image.digest
    return made


def _placed(part: Placed) -> dict[str, Any]:
    return {
        "resources": given(part.resources),
        "nodeSelector": dict(part.node_selector),
        "tolerations": [given(toleration) for toleration in part.tolerations],
    }


def _served(part: Served) -> dict[str, Any]:
    """Probes that the stack says nothing of stay as the chart has them."""
    probes: dict[str, Any] = {}
    if part.readiness_probe is not None:
        probes["readinessProbe"] = given(part.readiness_probe)
    if part.liveness_probe is not None:
        probes["livenessProbe"] = given(part.liveness_probe)
    if part.startup_probe is not None:
        probes["startupProbe"] = {"enabled": True, **given(part.startup_probe)}
    return _placed(part) | probes | {"annotations": {naming.CREDENTIALS_ANNOTATION: FINGERPRINT}}


def _webserver(settings: DagsterSettings) -> Values:
    return {
        "replicaCount": settings.webserver.replicas,
        "service": {"type": "ClusterIP", "port": WEBSERVER_PORT},
        "envSecrets": _log_secrets(settings),
        **_served(settings.webserver),
    }


def _log_secrets(settings: DagsterSettings) -> list[Any]:
    """Pages that show the output of runs read it from S3."""
    return [{"name": naming.LAKE_SECRET}] if settings.compute_logs == "s3" else []


def _daemon(settings: DagsterSettings) -> Values:
    return {
        "enabled": True,
        "runMonitoring": {"enabled": True, "startTimeoutSeconds": settings.runs.start_timeout_seconds},
        "runRetries": {"enabled": settings.runs.retries > 0, "maxRetries": settings.runs.retries},
        **_served(settings.daemon),
    }


def _code_location(settings: DagsterSettings, around: Surroundings) -> dict[str, Any]:
    location, image = settings.code_location, settings.parsed_image
    served = _served(location)
    told = {naming.DEFINITIONS_ANNOTATION: around.definitions} if around.definitions else {}
    env = variables(around.lake, around.catalog) | location.env
    return {
        "name": naming.CODE_LOCATION,
        "image": _image(image, settings.pull_policy),
        "dagsterApiGrpcArgs": ["-m", naming.CODE_LOCATION_MODULE],
        "port": naming.CODE_LOCATION_PORT,
        # The run launcher says what runs get: else they would be given what serves the code, resources and all.
        "includeConfigInLaunchedRuns": {"enabled": False},
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "envSecrets": [{"name": name} for name in (naming.LAKE_SECRET, *location.env_secrets)],
        **served,
        "annotations": served["annotations"] | told,
    }


def _run_launcher(settings: DagsterSettings, around: Surroundings) -> Values:
    runs = settings.runs
    env = variables(around.lake, around.catalog) | runs.env
    placed = _placed(runs)
    launcher: Values = {
        "imagePullPolicy": settings.pull_policy,
        "envSecrets": [{"name": name} for name in (naming.LAKE_SECRET, *runs.env_secrets)],
        "envVars": [f"{name}={value}" for name, value in env.items()],
        "resources": placed.pop("resources"),
        "runK8sConfig": {
            "podSpecConfig": placed,
            "podTemplateSpecMetadata": {"annotations": {naming.CREDENTIALS_ANNOTATION: FINGERPRINT}},
            "jobSpecConfig": {"ttlSecondsAfterFinished": runs.keep_jobs_seconds},
        },
    }
    return {"type": "K8sRunLauncher", "config": {"k8sRunLauncher": launcher}}


def _retention(settings: DagsterSettings) -> Values:
    days: Values = {"purgeAfterDays": settings.retention.model_dump(mode="json", by_alias=True)}
    return {"enabled": True, **dict.fromkeys(("sensor", "schedule", "autoMaterialize"), days)}


def _compute_logs(settings: DagsterSettings, lake: LakeBucket) -> Values:
    if settings.compute_logs == "pod":
        return {"type": "NoOpComputeLogManager"}
    config: Values = {"bucket": lake.bucket, "prefix": naming.LOGS_PATH, "region": lake.region, "skipEmptyFiles": True}
    if lake.endpoint:
        config["endpointUrl"] = lake.endpoint
    return {"type": "S3ComputeLogManager", "config": {"s3ComputeLogManager": config}}


def _ingress(ingress: Ingress | None) -> Values:
    if ingress is None:
        return {"enabled": False}
    tls: Values = {"enabled": ingress.tls, "secretName": ingress.tls_secret or ""}
    made: Values = {
        "enabled": True,
        "apiVersion": "networking.k8s.io/v1/Ingress",
        "annotations": dict(ingress.annotations),
        "dagsterWebserver": {"host": ingress.host, "path": "/", "pathType": "Prefix", "tls": tls},
    }
    return made | ({"ingressClassName": ingress.class_name} if ingress.class_name else {})


def release_values(settings: DagsterSettings, around: Surroundings) -> Values:
    """The values of the release, `extraValues` among them.

    Raises:
        LotusError: `extraValues` has what the chart does not, or what the settings give already.
    """
    values, extra = chart_values(settings, around), settings.extra_values
    problems = [*check_values(extra), *conflicts(values, extra)]
    if problems:
        raise LotusError("\n".join(f"{EXTRA}.{problem}" for problem in problems))
    made = merged(values, extra)
    misfits = check_values(made)
    if misfits:
        raise LotusError("\n".join(f"{KEY}: the chart's value {problem}" for problem in misfits))
    return made


def planned(settings: DagsterSettings, lake: LakeBucket, definitions: str = "") -> Values:
    """The values of the release.

    Args:
        settings: What the stack says.
        lake: What the company's code must know of the landing zone.
        definitions: The fingerprint of what the company's code loads.

    Raises:
        LotusError: The chart does not take what the stack's `extraValues` have.
    """
    namespace = settings.namespace.name
    around = Surroundings(
        lake=lake,
        database=address(settings.database, naming.DAGSTER_DATABASE, namespace),
        catalog=address(settings.catalog, naming.CATALOG_DATABASE, namespace),
        definitions=definitions,
    )
    return release_values(settings, around)
