"""A stack's Dagster, `lotus:dagster`, as a model: everything that may differ from stack to stack.

Independent of Pulumi and the chart, and without secrets: passwords and access keys are values of their own.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from airbyte_model.schedules import cron_flaw
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, JsonValue, Tag, model_validator

from lotus_infra import naming
from lotus_infra.config.section import Flag, Name, Section, Text, Whole, matching, number_as_text
from lotus_infra.images import Image, ImageError

DAGSTER_KEY: Final = "lotus:dagster"
CHART_REPOSITORY: Final = "https://dagster-io.github.io/helm"
POSTGRES_PORT: Final = 5432
MIN_PASSWORD_LENGTH: Final = 16
"""In characters. A fingerprint of the passwords is visible on pods: a shorter password could be guessed from it."""
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


# Scalars, by Kubernetes' and Postgres' own rules: an invalid one is refused before anything is declared.


def _check_host_name(text: str) -> str:
    if "." not in text or len(text) > 253 or any(_DNS_LABEL.fullmatch(label) is None for label in text.split(".")):
        raise ValueError("is not a host name: write one such as dagster.example.com, without scheme and port")
    return text


def _check_backup_schedule(text: str) -> str:
    """Check the cron of CloudNativePG, which begins with seconds and has no `?` (ScheduledBackupSpec)."""
    fields = text.split()
    if len(fields) != 6:
        raise ValueError(f"has {len(fields)} fields instead of 6: write seconds first, such as 0 0 3 * * * for 3:00")
    # Airbyte's cron (Quartz) requires a `?` in one of its two day fields.
    open_day = 5 if fields[5] == "*" else 3
    flaw = cron_flaw(" ".join("?" if index == open_day else field for index, field in enumerate(fields)))
    if flaw is not None:
        raise ValueError(str(flaw))
    return text


def _check_image(text: str) -> str:
    try:
        return str(Image.parse(text))
    except ImageError as error:
        # pydantic collects ValueErrors only; any other exception would hide the remaining mistakes.
        raise ValueError(str(error)) from None


Port: TypeAlias = Annotated[Whole, Field(ge=1, le=65535)]
Days: TypeAlias = Annotated[Whole, Field(ge=1, le=3650)]
Count: TypeAlias = Annotated[Whole, Field(ge=1, le=1000)]
Seconds: TypeAlias = Annotated[Whole, Field(ge=1)]
Annotations: TypeAlias = dict[str, Text]
DnsLabel: TypeAlias = Annotated[
    Text,
    matching(
        _DNS_LABEL.pattern,
        "is not a DNS label: use lower-case letters, digits and hyphens, at most 63, without a hyphen at either end",
    ),
]
HostName: TypeAlias = Annotated[str, AfterValidator(_check_host_name)]
Quantity: TypeAlias = Annotated[
    str,
    BeforeValidator(number_as_text),
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?",
        "is not a Kubernetes quantity: write 500m or 2 for CPUs, 512Mi or 4Gi for memory",
    ),
]
VolumeSize: TypeAlias = Annotated[
    str, matching(r"[1-9][0-9]*(\.[0-9]+)?(M|G|T|P|Mi|Gi|Ti|Pi)", "is not a volume size: write one such as 20Gi")
]
VariableName: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "is not an environment variable name: use letters, digits and underscores, and no digit first",
    ),
]
DatabaseHost: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9.:-]+", "is not a host: write a name or an address, without scheme and port")
]
# DuckLake's and Dagster's connection strings contain these names unquoted.
PostgresName: TypeAlias = Annotated[
    Text,
    matching(r"[A-Za-z0-9_-]+", "is not a plain name: use letters, digits, underscores and hyphens only"),
]
PostgresImage: TypeAlias = Annotated[
    str,
    matching(
        # Postgres' full versions have two numbers, so the rule of `Image` would refuse them.
        r"[a-z0-9._:/-]+(:[0-9]+\.[0-9]+[A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
        "is not a pinned Postgres image: use a tag such as name:16.2, or a digest",
    ),
]
ClusterServer: TypeAlias = Annotated[
    str, matching(r"https?://[^@]+", "is not an address: write one such as https://cluster.example.com:6443")
]
RegistryServer: TypeAlias = Annotated[
    str,
    matching(
        r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?",
        "is not the host of a registry: write one such as ghcr.io, without scheme and path",
    ),
]
ChartVersion: TypeAlias = Annotated[
    str,
    matching(r"[0-9]+\.[0-9]+\.[0-9]+", "is not a version: write one such as 1.13.27, that of Dagster in the image"),
]
RepositoryUrl: TypeAlias = Annotated[
    str,
    matching(r"(https|oci)://\S+", "is not a chart repository: write an address that starts with https:// or oci://"),
]


# The sections of `lotus:dagster`.


class ResourceAmounts(Section):
    """Amounts of a node's resources: `500m` or `2` CPUs, `512Mi` of memory, and local disk."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = Field(default=None, alias="ephemeral-storage")


class Resources(Section):
    """The resources that a container reserves, and its limits."""

    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()


class Toleration(Section):
    """A node taint that pods tolerate."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: Text | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None


class Probe(Section):
    """The timing of a container's probe; the chart defines the request."""

    initial_delay_seconds: Annotated[Whole, Field(ge=0)] | None = None
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    success_threshold: Count | None = None
    failure_threshold: Count | None = None


class PodSettings(Section):
    """The resources and the placement of pods.

    Attributes:
        resources: Of the container.
        node_selector: Labels that a node must have.
        tolerations: Node taints that the pods tolerate.
    """

    resources: Resources = Resources()
    node_selector: dict[str, Text] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()


class DeploymentSettings(PodSettings):
    """A Kubernetes deployment: pods that run permanently, with their probes."""

    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


class Storage(Section):
    """The volume of each database instance.

    Attributes:
        size: A volume can grow later, but not shrink.
        storage_class: None for the cluster's default storage class.
    """

    size: VolumeSize = "5Gi"
    storage_class: Name | None = None


class Backup(Section):
    """Backups to the landing zone's backup bucket.

    Attributes:
        schedule: Of the base backups, in CloudNativePG's cron; the write-ahead log is archived continuously.
        keep_days: The database can be restored to any time of the last so many days.
    """

    schedule: Annotated[str, AfterValidator(_check_backup_schedule)] = "0 0 3 * * *"
    keep_days: Days = 7


class ClusterDatabase(PodSettings):
    """A CloudNativePG cluster; the operator must be installed.

    Attributes:
        kind: The discriminator.
        instances: One primary, and standbys.
        image: Of Postgres; None for the operator's default.
        storage: The volume of each instance.
        backup: None for no backups.
        database: The name of the database; None for the cluster's name without `-db`.
        user: The owner of the database; None for the database's name.
    """

    kind: Literal["cluster"] = "cluster"
    instances: Count = 1
    image: PostgresImage | None = None
    storage: Storage = Storage()
    backup: Backup | None = Backup()
    database: DnsLabel | None = None
    user: DnsLabel | None = None


class ExternalDatabase(Section):
    """A Postgres database that is run and backed up outside of the stack.

    Attributes:
        kind: The discriminator.
        host: A name or an address, without scheme and port.
        port: Of the server.
        database: The name of the database, which must exist.
        user: The owner of the database.
    """

    kind: Literal["external"]
    host: DatabaseHost
    port: Port = POSTGRES_PORT
    database: PostgresName
    user: PostgresName


def _database_kind(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "cluster"))
    return str(getattr(value, "kind", None))


Database: TypeAlias = Annotated[
    Annotated[ClusterDatabase, Tag("cluster")] | Annotated[ExternalDatabase, Tag("external")],
    Discriminator(_database_kind),
]


class Cluster(Section):
    """The Kubernetes cluster.

    Attributes:
        kubeconfig: A file; None for the environment's.
        context: A context in that file; None for the current one.
        server: The address of the context's API server; a production stack refuses a kubeconfig with another one.
    """

    kubeconfig: Name | None = None
    context: Name | None = None
    server: ClusterServer | None = None


class Namespace(Section):
    """The namespace of everything that the stack declares on the cluster.

    Attributes:
        name: The namespace's name.
        create: Whether the stack creates it; false uses an existing one unchanged.
    """

    name: DnsLabel = naming.DAGSTER_NAMESPACE
    create: Flag = True


class Chart(Section):
    """The Helm chart.

    Attributes:
        version: Of Dagster and of its chart, which are released together.
        repository: The address of the chart repository.
        path: A chart in a folder or a package, instead of one from the repository.
    """

    version: ChartVersion
    repository: RepositoryUrl = CHART_REPOSITORY
    path: Name | None = None


class Registry(Section):
    """The private registry of the company's image; its password is a value of its own.

    Attributes:
        server: A host, with its port unless that is 443.
        username: Who logs in there.
    """

    server: RegistryServer
    username: Name


class Webserver(DeploymentSettings):
    """Dagster's UI.

    Attributes:
        replicas: The number of pods.
    """

    replicas: Count = 1


class CodeLocation(DeploymentSettings):
    """The company's code: it serves the definitions and evaluates sensors.

    Attributes:
        env: Variables in addition to the lake's.
        env_secrets: Kubernetes secrets of the namespace; each of their keys becomes a variable.
    """

    env: dict[VariableName, Text] = Field(default_factory=dict)
    env_secrets: tuple[DnsLabel, ...] = ()


class Runs(PodSettings):
    """Runs: each is a Kubernetes job.

    Attributes:
        env: Variables in addition to the lake's.
        env_secrets: Kubernetes secrets of the namespace; each of their keys becomes a variable.
        at_once: The maximal number of concurrent runs.
        pool: The maximal number of concurrent steps of one pool, such as the steps that write tables.
        retries: How often a failed run is retried.
        keep_jobs_seconds: How long a finished job is kept.
        start_timeout_seconds: A run that has not started after this time has failed.
    """

    env: dict[VariableName, Text] = Field(default_factory=dict)
    env_secrets: tuple[DnsLabel, ...] = ()
    at_once: Count = 10
    pool: Count = 1
    retries: Annotated[Whole, Field(ge=0, le=20)] = 2
    keep_jobs_seconds: Seconds = 24 * 3600
    start_timeout_seconds: Seconds = 600


class Retention(Section):
    """For how many days the ticks of sensors and schedules are kept, by their status."""

    skipped: Days = 7
    success: Days = 30
    failure: Days = 90
    started: Days = 30


class Ingress(Section):
    """Access to Dagster's UI.

    Attributes:
        host: The host name.
        tls: Whether it is served over HTTPS; requires `tls_secret`.
        tls_secret: The Kubernetes secret of the certificate; cert-manager creates it if the annotations ask for it.
        class_name: The ingress class; None for the cluster's default.
        annotations: For the ingress controller and for cert-manager.
    """

    host: HostName
    tls: Flag = True
    tls_secret: DnsLabel | None = None
    class_name: DnsLabel | None = None
    annotations: Annotations = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_certificate(self) -> Self:
        if self.tls and self.tls_secret is None:
            raise ValueError("TLS needs a certificate: set tlsSecret to the name of its secret, or set tls: false")
        if not self.tls and self.tls_secret is not None:
            raise ValueError("tls is false, but tlsSecret is set: remove one of them")
        return self


class DagsterSettings(Section):
    """Dagster on a Kubernetes cluster.

    Attributes:
        deploy: Whether the stack deploys Dagster.
        protect: Whether the namespace and the databases must be unprotected before they can be deleted.
        cluster: The Kubernetes cluster.
        namespace: The namespace there.
        chart: The Helm chart.
        timeout_seconds: The time limit for the release to become ready.
        image: The company's image, pinned: by digest, or by a tag with a commit or a full version.
        pull_policy: When a node pulls the image; once is enough, as it is pinned.
        registry: The image's private registry, from which the stack makes a pull secret; None without one.
        image_pull_secrets: Kubernetes secrets of the namespace for image registries, not made by the stack.
        service_account: Annotations of Dagster's service account, such as a cloud role.
        webserver: Dagster's UI.
        daemon: The process that launches runs and evaluates schedules.
        code_location: The company's code.
        runs: The jobs that the daemon launches.
        retention: How long ticks are kept.
        compute_logs: Where the output of runs is kept: `s3` in the landing bucket, `pod` in the pod only.
        database: Dagster's own database.
        catalog: DuckLake's catalog.
        ingress: None for no ingress.
        extra_values: Other values of the chart, in the chart's own form.
    """

    deploy: Flag
    protect: Flag = True
    cluster: Cluster = Cluster()
    namespace: Namespace = Namespace()
    chart: Chart
    timeout_seconds: Seconds = 600
    image: Annotated[str, AfterValidator(_check_image)]
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    registry: Registry | None = None
    image_pull_secrets: tuple[DnsLabel, ...] = ()
    service_account: Annotations = Field(default_factory=dict)
    webserver: Webserver = Webserver()
    daemon: DeploymentSettings = DeploymentSettings()
    code_location: CodeLocation = CodeLocation()
    runs: Runs = Runs()
    retention: Retention = Retention()
    compute_logs: Literal["s3", "pod"] = "pod"
    database: Database = ClusterDatabase()
    catalog: Database = ClusterDatabase()
    ingress: Ingress | None = None
    extra_values: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_registry(self) -> Self:
        host = self.parsed_image.registry
        if self.registry is not None and self.registry.server != host:
            raise ValueError(
                f"the image is in the registry {host}, and registry.server is {self.registry.server}: "
                "write the image's registry, or remove registry"
            )
        return self

    @property
    def pull_secrets(self) -> tuple[str, ...]:
        """The Kubernetes secrets that nodes pull images with: the stack's own, and those made by others."""
        return ((naming.REGISTRY_SECRET,) if self.registry is not None else ()) + self.image_pull_secrets

    @property
    def has_backups(self) -> bool:
        """Whether any of its databases is backed up by the stack."""
        return any(isinstance(each, ClusterDatabase) and each.backup for each in (self.database, self.catalog))

    @property
    def parsed_image(self) -> Image:
        """The company's image as repository, tag and digest."""
        return Image.parse(self.image)


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database's server, and the database and user there; the password is elsewhere."""

    host: str
    port: int
    database: str
    user: str


def database_address(database: Database, name: str, namespace: str) -> DatabaseAddress:
    """The address of a database.

    Args:
        database: Its settings.
        name: The cluster's name, from which the operator derives the names of its Kubernetes services.
        namespace: The cluster's namespace.
    """
    if isinstance(database, ExternalDatabase):
        return DatabaseAddress(database.host, database.port, database.database, database.user)
    database_name = database.database or name.removesuffix("-db")
    # CloudNativePG's read-write service follows the primary through a failover.
    host = f"{name}-rw.{namespace}.svc.cluster.local"
    return DatabaseAddress(host, POSTGRES_PORT, database_name, database.user or database_name)


def to_manifest(section: Section) -> dict[str, Any]:
    """A section in the form of a Kubernetes manifest, without the fields that have their default value."""
    return section.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
