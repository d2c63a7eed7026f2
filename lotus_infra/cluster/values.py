"""The chart's values that follow from what the stack says: pure, and without a secret.

Where a value is known only while the engine works, a word stands in its place; the component puts the value there.
"""

from dataclasses import dataclass
from typing import Any

from lotus_infra import naming
from lotus_infra.cluster import environment
from lotus_infra.cluster.database import Address
from lotus_infra.cluster.environment import Lake
from lotus_infra.cluster.kinds import Placed, Served, Values, given
from lotus_infra.cluster.settings import DagsterSettings, Ingress
from lotus_infra.images import Image

FINGERPRINT = "${fingerprint}"
"""Stands for the fingerprint of the credentials that pods hold."""
WEBSERVER_PORT = 80


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the release stands on.

    Attributes:
        lake: The landing zone.
        database: Dagster's own database.
        catalog: DuckLake's.
        definitions: The fingerprint of what the company's code loads; empty where it is not known.
    """

    lake: Lake
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
    env = environment.variables(around.lake, around.catalog) | location.env
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
    env = environment.variables(around.lake, around.catalog) | runs.env
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


def _compute_logs(settings: DagsterSettings, lake: Lake) -> Values:
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
