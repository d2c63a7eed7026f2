"""What a stack says of Dagster, `lotus:dagster`: all that may differ from stack to stack, and no secret."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, get_args

from airbyte_model.schedules import cron_flaw
from airbyte_model.suggestions import suggestion
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.images import Image, ImageError
from lotus_infra.lake.diagnostics import JsonPath, field_name

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535, strict=True)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=3650, strict=True)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1000, strict=True)]
Seconds: TypeAlias = Annotated[int, Field(ge=1, strict=True)]
Annotations: TypeAlias = dict[str, str]
Values: TypeAlias = dict[str, JsonValue]
POSTGRES_PORT = 5432
SHORTEST_PASSWORD: Final = 16
CHART_REPOSITORY = "https://dagster-io.github.io/helm"
KEY = "lotus:dagster"
EXTRA = f"{KEY}.extraValues"
_SHOULD = re.compile(r"(Input|String|Value) should")


class Part(BaseModel):
    """A part of what the stack says, with camelCase keys; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def matching(pattern: str, otherwise: str) -> AfterValidator:
    """What a text must be made of, and what to say where it isn't: the reason, and after a colon the remedy."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


def _dns_name(text: str) -> str:
    if "." not in text or len(text) > 253 or any(_LABEL.fullmatch(label) is None for label in text.split(".")):
        raise ValueError("is no host name: write one such as dagster.example.com, without scheme and port")
    return text


def _text(value: object) -> object:
    """Whoever writes `cpu: 2` means the text."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


DnsLabel: TypeAlias = Annotated[
    str,
    matching(
        _LABEL.pattern, "is no DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at an end"
    ),
]


DnsName: TypeAlias = Annotated[str, AfterValidator(_dns_name)]


Quantity: TypeAlias = Annotated[
    str,
    BeforeValidator(_text),
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?",
        "is no quantity of Kubernetes: write 500m or 2 for CPUs, 512Mi or 4Gi for memory",
    ),
]


Size: TypeAlias = Annotated[
    str, matching(r"[1-9][0-9]*(\.[0-9]+)?(M|G|T|P|Mi|Gi|Ti|Pi)", "is no size of a volume: write one such as 20Gi")
]


Variable: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "is no name of an environment variable: letters, digits and underscores, a letter first",
    ),
]


class Amounts(Part):
    """How much of a machine: `500m` or `2` CPUs, `512Mi` of memory, and how much local disk."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = Field(default=None, alias="ephemeral-storage")


class Resources(Part):
    """What a container is promised, and what it may take at most."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class Toleration(Part):
    """A taint that pods put up with."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None


class Probe(Part):
    """How often Kubernetes asks whether a container is well; what it asks is the chart's affair."""

    initial_delay_seconds: int | None = Field(default=None, ge=0)
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    success_threshold: Count | None = None
    failure_threshold: Count | None = None


class Placed(Part):
    """What runs somewhere: how much it takes, and on which nodes.

    Attributes:
        resources: What its container takes.
        node_selector: Labels that a node must have.
        tolerations: Taints of nodes that it puts up with.
    """

    resources: Resources = Resources()
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()


class Served(Placed):
    """What runs all the time, and is asked whether it is well."""

    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


def given(part: BaseModel) -> dict[str, Any]:
    """A part as Kubernetes writes it, without what nobody gave."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def _schedule(text: str) -> str:
    """A schedule of the operator, whose cron begins with seconds and knows no `?`.

    Source: cloudnative-pg, ScheduledBackupSpec.
    """
    fields = text.split()
    if len(fields) != 6:
        raise ValueError(f"has {len(fields)} parts instead of 6: write seconds first, such as 0 0 3 * * * for 3:00")
    # One of the two days must be left open in the other dialect, and here none may be.
    open_day = 5 if fields[5] == "*" else 3
    flaw = cron_flaw(" ".join("?" if index == open_day else field for index, field in enumerate(fields)))
    if flaw is not None:
        raise ValueError(str(flaw))
    return text


Host: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9.:-]+", "is no host: write a name or an address, without scheme and port")
]


Name: TypeAlias = Annotated[
    str,
    matching(r"[A-Za-z0-9_-]+", "has other characters than letters, digits, underscores and hyphens: rename it"),
]
"""A name that goes unquoted into Postgres' connection strings."""


PostgresImage: TypeAlias = Annotated[
    str,
    matching(
        # Postgres' full versions have two numbers.
        r"[a-z0-9._:/-]+(:[0-9]+\.[0-9]+[A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
        "is no fixed image of Postgres: give a tag such as name:16.2, or a digest",
    ),
]


class Storage(Part):
    """The volume of each instance.

    Attributes:
        size: It can grow later, and never shrink.
        storage_class: Of the cluster's storage classes; its default one where none is named.
    """

    size: Size = "5Gi"
    storage_class: str | None = Field(default=None, min_length=1)


class Backup(Part):
    """Backups into the landing zone's backup bucket.

    Attributes:
        schedule: When a base backup is made, in the operator's cron; the log is archived all the time.
        keep_days: For how many days back the database can be restored.
    """

    schedule: Annotated[str, AfterValidator(_schedule)] = "0 0 3 * * *"
    keep_days: Days = 7


class ClusterDatabase(Placed):
    """A CloudNativePG cluster; its operator must be there.

    Attributes:
        kind: Tells it apart.
        instances: One primary, the others standbys.
        image: Postgres; the operator's own where none is given.
        storage: Each instance's volume.
        backup: None for none.
        database: The database's name; that of the cluster where none is given, without its ending.
        user: Who owns it; called as the database where none is given.
    """

    kind: Literal["cluster"] = "cluster"
    instances: Count = 1
    image: PostgresImage | None = None
    storage: Storage = Storage()
    backup: Backup | None = Backup()
    database: DnsLabel | None = None
    user: DnsLabel | None = None


class ExternalDatabase(Part):
    """A Postgres that somebody else runs and backs up.

    Attributes:
        kind: Tells it apart.
        host: A host name or an address, without scheme and port.
        port: Of the server.
        database: The database's name; it must exist.
        user: Who owns it.
    """

    kind: Literal["external"]
    host: Host
    port: Port = POSTGRES_PORT
    database: Name
    user: Name


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "cluster"))
    return str(getattr(value, "kind", None))


Database: TypeAlias = Annotated[
    Annotated[ClusterDatabase, Tag("cluster")] | Annotated[ExternalDatabase, Tag("external")], Discriminator(_kind)
]


class Address(Part):
    """Where a database answers, and as whom: all but the password."""

    host: str
    port: int
    database: str
    user: str


def address(database: ClusterDatabase | ExternalDatabase, name: str, namespace: str) -> Address:
    """Where a database answers.

    Args:
        database: What the stack says of it.
        name: The cluster's name, after which the operator calls its services.
        namespace: Where the cluster is.
    """
    if isinstance(database, ExternalDatabase):
        return Address(host=database.host, port=database.port, database=database.database, user=database.user)
    called = database.database or name.removesuffix("-db")
    host = f"{name}-rw.{namespace}.svc.cluster.local"
    return Address(host=host, port=POSTGRES_PORT, database=called, user=database.user or called)


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


def read(document: object) -> DagsterSettings | None:
    """What the stack says, or None where it says that there is no Dagster.

    Raises:
        LotusError: Anything in it is wrong.
    """
    if not isinstance(document, dict):
        raise LotusError(
            f"{KEY}: is no object", f"pulumi config set --path {KEY}.deploy false, or edit the stack's file"
        )
    model = DagsterSettings if document.get("deploy") is not False else Off
    try:
        settings = model.model_validate(document)
    except ValidationError as error:
        raise LotusError("\n".join(_told(found, model) for found in error.errors())) from None
    return settings if isinstance(settings, DagsterSettings) else None


def _told(found: Any, root: type[Part]) -> str:
    """One mistake: `lotus:dagster.ingress.host: is missing: add it`."""
    steps: Sequence[str | int] = found["loc"]
    path, models = _followed(steps, root)
    # pydantic's own mark of a map's key that is wrong, after the key.
    key, kind = field_name((KEY, *(step for step in path if step != "[key]"))), found["type"]
    if kind == "extra_forbidden":
        known = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
        remedy = suggestion(str(steps[-1]), known, f"the keys here are {', '.join(known)}")
        return f"{key}: is no key here: {remedy}"
    if kind == "missing":
        return f"{key}: is missing: add it"
    if kind == "value_error":
        return f"{key}: {found['msg'].removeprefix('Value error, ')}"
    if kind == "union_tag_invalid":
        return f"{key}.kind: is nothing that is known: write one of {found['ctx']['expected_tags']}"
    return f"{key}: does not fit: {_SHOULD.sub('it should', found['msg'])}"


def _followed(steps: Sequence[str | int], root: type[Part]) -> tuple[JsonPath, list[type[Part]]]:
    """The keys that somebody wrote, and the models that say what may be beside the last of them.

    Where a value may be of several kinds, pydantic puts the name of the one that was meant between its keys.
    """
    path: JsonPath = ()
    here, below = [root], [root]
    for step in steps:
        kinds = [model for model in below if step in get_args(_discriminator(model))]
        if kinds and len(below) > 1:
            below = kinds
            continue
        path, here, below = (*path, step), below, _below(below, step)
    return path, here


def _discriminator(model: type[Part]) -> object:
    kind = model.model_fields.get("kind")
    return kind.annotation if kind is not None else None


def _below(models: Sequence[type[Part]], step: str | int) -> list[type[Part]]:
    """The models that a key of others, or an index of a list, may hold."""
    if isinstance(step, int):
        return list(models)
    fields = [(field.alias or name, field.annotation) for model in models for name, field in model.model_fields.items()]
    return [inner for name, annotation in fields if name == step for inner in _models(annotation)]


def _models(annotation: object) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if issubclass(annotation, Part):
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models(inner)
