"""A stack's Dagster, `lotus:dagster`, as a model: everything that may differ from stack to stack.

Independent of Pulumi and the chart, and without secrets: passwords and access keys are values of their own.
"""

from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, JsonValue, model_validator

from lotus_infra import naming
from lotus_infra.config.database import ClusterDatabase, Database
from lotus_infra.config.pods import DNS_LABEL, Count, Days, DnsLabel, PodSettings, Seconds
from lotus_infra.config.section import Flag, Name, Section, Text, Whole, matching
from lotus_infra.images import Image, ImageError

DAGSTER_KEY: Final = "lotus:dagster"
CHART_REPOSITORY: Final = "https://dagster-io.github.io/helm"
MIN_PASSWORD_LENGTH: Final = 16
"""In characters. A fingerprint of the passwords is visible on pods: a shorter password could be guessed from it."""


# Scalars, by Kubernetes' own rules: an invalid one is refused before anything is declared.


def _check_host_name(text: str) -> str:
    if "." not in text or len(text) > 253 or any(DNS_LABEL.fullmatch(label) is None for label in text.split(".")):
        raise ValueError("is not a host name: write one such as dagster.example.com, without scheme and port")
    return text


def _check_image(text: str) -> str:
    try:
        return str(Image.parse(text))
    except ImageError as error:
        # pydantic collects ValueErrors only; any other exception would hide the remaining mistakes.
        raise ValueError(str(error)) from None


Annotations: TypeAlias = dict[str, Text]
HostName: TypeAlias = Annotated[str, AfterValidator(_check_host_name)]
VariableName: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "is not an environment variable name: use letters, digits and underscores, and no digit first",
    ),
]
ClusterServer: TypeAlias = Annotated[
    str, matching(r"https?://[^@]+", "is not an address: write one such as https://cluster.example.com:6443")
]
ApiUrl: TypeAlias = Annotated[
    str,
    matching(
        r"https?://[^@\s/][^@\s]*",
        "is not an address: write the root of the public API, such as http://airbyte.airbyte.svc:8001/api/public/v1",
    ),
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


class Probe(Section):
    """The timing of a container's probe; the chart defines the request."""

    initial_delay_seconds: Annotated[Whole, Field(ge=0)] | None = None
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    success_threshold: Count | None = None
    failure_threshold: Count | None = None


class DeploymentSettings(PodSettings):
    """A Kubernetes deployment: pods that run permanently, with their probes."""

    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


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


class AirbyteForDagster(Section):
    """How Dagster reaches Airbyte, where streams arrive by Airbyte's jobs.

    Attributes:
        url: The root of the public API as pods reach it; None for `airbyte:serverUrl`.
    """

    url: ApiUrl | None = None


class WarehouseForDagster(Section):
    """How Dagster reaches the database of a Postgres destination, if not with the destination's own address and user.

    Attributes:
        secret: A Kubernetes secret of the namespace; its key `LOTUS_WAREHOUSE_<DESTINATION>` is a connection string.
    """

    secret: DnsLabel


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
        airbyte: How Dagster reaches Airbyte.
        warehouses: How Dagster reaches databases, by the destination's file name, if the destination does not say it.
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
    airbyte: AirbyteForDagster = AirbyteForDagster()
    warehouses: dict[Name, WarehouseForDagster] = Field(default_factory=dict)
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
    def warehouse_secrets(self) -> tuple[str, ...]:
        """The Kubernetes secrets with addresses of databases that the stack does not make."""
        return tuple(dict.fromkeys(each.secret for _, each in sorted(self.warehouses.items())))

    @property
    def secrets_of_others(self) -> dict[str, str]:
        """The Kubernetes secrets that pods refer to and the stack does not make, with what needs them first."""
        uses = {
            "pulls images": self.image_pull_secrets,
            "models read tables with": self.warehouse_secrets,
            "the code location reads": self.code_location.env_secrets,
            "runs read": self.runs.env_secrets,
        }
        found = dict[str, str]()
        for use, names in uses.items():
            found = {**found, **{name: use for name in names if name not in found}}
        return found

    @property
    def has_backups(self) -> bool:
        """Whether any of its databases is backed up by the stack."""
        return any(isinstance(each, ClusterDatabase) and each.backup for each in (self.database, self.catalog))

    @property
    def parsed_image(self) -> Image:
        """The company's image as repository, tag and digest."""
        return Image.parse(self.image)
