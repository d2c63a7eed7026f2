"""What a stack says of Dagster, `lotus:dagster`: all that may differ from stack to stack, and no secret."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from lotus_infra import naming
from lotus_infra.cluster.database import ClusterDatabase, Database
from lotus_infra.cluster.kinds import (
    Annotations,
    Count,
    Days,
    DnsLabel,
    DnsName,
    Part,
    Placed,
    Seconds,
    Served,
    Variable,
    matching,
)
from lotus_infra.images import Image, ImageError

CHART_REPOSITORY = "https://dagster-io.github.io/helm"


def _immutable(text: str) -> str:
    try:
        return str(Image.parse(text))
    except ImageError as error:
        raise ValueError(str(error)) from None


Version: TypeAlias = Annotated[
    str, matching(r"[0-9]+\.[0-9]+\.[0-9]+", "is no version: write one such as 1.13.27, that of Dagster in the image")
]
ChartPlace: TypeAlias = Annotated[
    str,
    matching(r"(https|oci)://\S+", "is no place of charts: write an address that starts with https:// or oci://"),
]


class Chart(Part):
    """Which chart.

    Attributes:
        version: Of Dagster and of its chart, which are released together.
        repository: Where charts are listed.
        path: A chart in a folder or a package, instead of the repository's.
    """

    version: Version
    repository: ChartPlace = CHART_REPOSITORY
    path: str | None = Field(default=None, min_length=1)


class Cluster(Part):
    """Which cluster; the ambient kubeconfig and its current context where nothing is said.

    Attributes:
        kubeconfig: A file.
        context: One of its contexts.
    """

    kubeconfig: str | None = Field(default=None, min_length=1)
    context: str | None = Field(default=None, min_length=1)


class Namespace(Part):
    """Where all of it is.

    Attributes:
        name: Its name.
        create: Whether the stack makes it; one that exists is used as it is.
    """

    name: DnsLabel = naming.DAGSTER_NAMESPACE
    create: bool = True


class Webserver(Served):
    """Dagster's pages.

    Attributes:
        replicas: How many of it; they share everything.
    """

    replicas: Count = 1


class CodeLocation(Served):
    """The company's code, which tells Dagster what there is and evaluates sensors.

    Attributes:
        env: Variables beyond those of the lake.
        env_secrets: Secrets of the namespace whose keys become variables.
    """

    env: dict[Variable, str] = Field(default={})
    env_secrets: tuple[DnsLabel, ...] = ()


class Runs(Placed):
    """Runs, each a Kubernetes job.

    Attributes:
        env: Variables beyond those of the lake.
        env_secrets: Secrets of the namespace whose keys become variables.
        at_once: How many at most.
        pool: How many steps of one pool at once, such as those that write tables.
        retries: How often a run that failed is tried again.
        keep_jobs_seconds: How long a finished job stays to be looked at.
        start_timeout_seconds: After which time without a start a run has failed.
    """

    env: dict[Variable, str] = Field(default={})
    env_secrets: tuple[DnsLabel, ...] = ()
    at_once: Count = 10
    pool: Count = 1
    retries: int = Field(default=2, ge=0, le=20, strict=True)
    keep_jobs_seconds: Seconds = 24 * 3600
    start_timeout_seconds: Seconds = 600


class Retention(Part):
    """For how many days the ticks of sensors and schedules stay, by how they ended."""

    skipped: Days = 7
    success: Days = 30
    failure: Days = 90
    started: Days = 30


class Ingress(Part):
    """How people come to Dagster's pages.

    Attributes:
        host: The host name.
        tls: Whether it is reached by HTTPS; then a secret holds the certificate.
        tls_secret: That secret; cert-manager makes it where annotations say so.
        class_name: The ingress controller.
        annotations: For the controller and for cert-manager.
    """

    host: DnsName
    tls: bool = True
    tls_secret: DnsLabel | None = None
    class_name: DnsLabel | None = None
    annotations: Annotations = Field(default={})

    @model_validator(mode="after")
    def _has_a_certificate(self) -> Self:
        if self.tls and self.tls_secret is None:
            raise ValueError("TLS needs a certificate: name its secret by tlsSecret, or say tls: false")
        if not self.tls and self.tls_secret is not None:
            raise ValueError("tls is false and tlsSecret is given: leave one of them out")
        return self


class DagsterSettings(Part):
    """Dagster on a cluster.

    Attributes:
        deploy: Whether the stack has it.
        protect: Whether deleting the namespace or a database takes an unprotect first.
        cluster: Which cluster.
        namespace: Where in it.
        chart: Which chart.
        timeout_seconds: How long the release may take to become ready.
        image: The company's image, for good: by digest, or by a tag with a commit or a full version.
        pull_policy: When a node fetches it; once is enough for what never changes.
        image_pull_secrets: Secrets of the namespace for registries.
        service_account: Annotations of Dagster's service account, such as a cloud's role.
        webserver: Dagster's pages.
        daemon: What launches runs.
        code_location: The company's code.
        runs: What the daemon launches.
        retention: How long ticks stay.
        compute_logs: Where the output of runs is kept: `s3` is the landing bucket, `pod` goes with the pod.
        database: Dagster's own.
        catalog: DuckLake's.
        ingress: None where people come another way.
        extra_values: Values of the chart that nothing above gives, in the chart's own form.
    """

    deploy: Literal[True]
    protect: bool = True
    cluster: Cluster = Cluster()
    namespace: Namespace = Namespace()
    chart: Chart
    timeout_seconds: Seconds = 600
    image: Annotated[str, AfterValidator(_immutable)]
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    image_pull_secrets: tuple[DnsLabel, ...] = ()
    service_account: Annotations = Field(default={})
    webserver: Webserver = Webserver()
    daemon: Served = Served()
    code_location: CodeLocation = CodeLocation()
    runs: Runs = Runs()
    retention: Retention = Retention()
    compute_logs: Literal["s3", "pod"] = "pod"
    database: Database = ClusterDatabase()
    catalog: Database = ClusterDatabase()
    ingress: Ingress | None = None
    extra_values: dict[str, JsonValue] = Field(default={})

    @property
    def backs_up(self) -> bool:
        """Whether any of its databases writes backups."""
        return any(isinstance(each, ClusterDatabase) and each.backup for each in (self.database, self.catalog))

    @property
    def parsed_image(self) -> Image:
        """The company's image, in parts."""
        return Image.parse(self.image)


class Off(Part):
    """A stack without Dagster, which says so; what else it says of it waits for the day that it has one."""

    model_config = ConfigDict(extra="ignore")

    deploy: Literal[False]
