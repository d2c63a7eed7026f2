"""The guard of production stacks: a run must use the backend, the servers and the values that the project's files name.

It is checked before anything is called or declared. A run with another state would create the whole lake again, or
delete objects that this state does not have; so the files decide where production's state is, not the shell.
Independent of Pulumi's SDK and of the network; `config/backend` has the rules by which the SDKs choose a server.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from lotus_infra.config.backend import BACKEND_VARIABLE, STACK_SERVICES, Backend, aws_diversions, proxies
from lotus_infra.config.dagster import DAGSTER_KEY, DagsterSettings
from lotus_infra.config.kubeconfig import server_of
from lotus_infra.config.landing_zone import LandingZoneSettings
from lotus_infra.config.settings import StackSettings, parse
from lotus_infra.config.stack_files import PROJECT_FILE, read_stack, refuse
from lotus_infra.config.workspaces import SERVER, SERVER_VARIABLE
from lotus_infra.errors import LotusError

ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_S3"
"""The AWS SDKs' own variable; a stack whose server has another address at each start, such as the sandbox, uses it."""
MARK: Final = "lotus:production"
LANDING_ZONE: Final = "lotus:landingZone"
ENCRYPTED: Final = "(encrypted)"
"""Stands for an address that only the engine can decrypt."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The parts of a stack's landing zone that the guard compares.

    Attributes:
        server: `aws` or `s3`.
        state: The bucket of the state; empty if another stack manages it.
        endpoint: The server's address; empty if the stack sets none.
        landing: The bucket that Airbyte writes to.
        region: The buckets' region.
        account: The id of the AWS account; empty if the stack names none.
    """

    server: str
    state: str = ""
    endpoint: str = ""
    landing: str = ""
    region: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """The cluster that a stack deploys Dagster to.

    Attributes:
        context: The context in the kubeconfig; empty for the current one.
        server: The address of its API server; empty if the stack does not name it.
        kubeconfig: The file; None for the environment's.
    """

    context: str = ""
    server: str = ""
    kubeconfig: str | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a stack that the guard compares.

    Attributes:
        mark: The value of `lotus:production`; empty if it is off.
        airbyte: Airbyte's address; empty if the environment or the default decides.
        zone: The landing zone; None without one.
        cluster: The cluster; None for a stack that deploys nothing to one.
    """

    mark: str = ""
    airbyte: str = ""
    zone: Zone | None = None
    cluster: ClusterPlace | None = None

    @classmethod
    def of(cls, stack: StackSettings) -> "Values":
        """Take them from a stack's configuration; an encrypted address counts as one."""
        airbyte = ENCRYPTED if SERVER in stack.encrypted else stack.airbyte.server_url
        mark = "true" if stack.lotus.production else ""
        return cls(mark, airbyte or "", _zone(stack.lotus.landing_zone), _cluster(stack.lotus.dagster))


@dataclass(frozen=True, slots=True)
class Declared:
    """The settings in a project's files.

    Attributes:
        name: The project's name.
        backend: `backend.url`; empty if not set.
        mark: `lotus:production` in the stack's own file, or in the project's for all stacks; empty if not set.
        values: The values that the files set for the stack; none if the files have mistakes.
    """

    name: str = ""
    backend: str = ""
    mark: str = ""
    values: Values = Values()

    @classmethod
    def at(cls, folder: Path, stack: str) -> "Declared":
        """Read the files in a folder for a stack, which need not exist.

        Raises:
            LotusError: A file can't be read, which might have the mark; files with the mark have mistakes; or the
                engine may read another file.
        """
        read = read_stack(folder, stack)
        for file in (read.project, read.own):
            if not file.readable and (folder / file.name).exists():
                refuse(file.problems)
        refuse(problem for problem in read.problems if problem.file not in {read.project.name, read.own.name})
        mark, settings = read.values.get(MARK), parse(stack, read.values, None).settings
        if settings is None and mark is not None:
            raise LotusError(f"the configuration of the stack {stack} has mistakes", "`lotus check` lists them")
        values = Values.of(settings) if settings is not None else Values()
        return cls(read.name, read.backend, "" if mark is None else str(mark).lower(), values)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the engine.

    Attributes:
        project: The project whose state the engine opened.
        stack: The stack.
        values: The stack's values as the engine got them.
        declared: The settings in the project's files.
    """

    project: str
    stack: str
    values: Values
    declared: Declared

    @property
    def is_production(self) -> bool:
        """Whether the stack is marked as production. Only a plain `false` unmarks it: a typo keeps the guard on."""
        return any(mark.lower() not in {"", "false"} for mark in (self.values.mark, self.declared.mark))


def check(run: Run, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a run of a production stack that differs from its files.

    Args:
        run: The run.
        environment: The environment's variables.

    Raises:
        LotusError: The run differs; the message lists every difference with its remedy.
    """
    wrong = problems(run, environment)
    if wrong:
        lines = "".join(f"\n  {problem}" for problem in wrong)
        raise LotusError(f"the stack {run.stack} is marked {MARK}, and may not run like this{lines}")


def problems(run: Run, environment: Mapping[str, str]) -> list[str]:
    """Every difference of a production run from its files, each with its remedy; none for other stacks."""
    if not run.is_production:
        return []
    servers = [*_unset_problems(run, environment), *_cluster_problems(run, environment)]
    return [*_backend_problems(run, environment), *_stack_problems(run), *servers]


def _backend_problems(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    declared = Backend(run.declared.backend, "Pulumi.yaml")
    used = Backend.chosen(declared.url, environment)
    if not declared.url:
        yield f"{PROJECT_FILE} names no backend: write the address of the team's state there, as backend.url"
    elif not declared.is_shared:
        yield f"backend.url of {PROJECT_FILE} is {declared.url}, which no other machine has: name the team's bucket"
    if used.chosen_by == "$PULUMI_BACKEND_URL" and used.url.rstrip("/") != declared.url.rstrip("/"):
        instead = declared.url or "nothing"
        yield f"${BACKEND_VARIABLE} is {used.url}, and {PROJECT_FILE} has {instead}: unset {BACKEND_VARIABLE}"
    for found in used.diversions(environment):
        yield found.describe(f"the backend {used.url}")
    zone = run.values.zone
    if zone is not None and zone.state and used.bucket and used.bucket != zone.state:
        what = f"the backend is the bucket {used.bucket}, and {LANDING_ZONE}.state is {zone.state}"
        yield f"{what}: that is another state; correct backend.url in {PROJECT_FILE}, or the stack"


def _stack_problems(run: Run) -> Iterator[str]:
    if run.project != run.declared.name:
        what = f"the engine has the state of the project {run.project}, and {PROJECT_FILE} here is of"
        yield f"{what} {run.declared.name or 'none'}: run it in the project's own folder"
    if run.values.mark and not run.declared.mark:
        what = f"its values are not those of Pulumi.{run.stack}.yaml, which has no {MARK}"
        yield f"{what}: name the stack that they are of, and leave --config-file out"
    if run.declared.mark and not run.values.mark:
        yield f"Pulumi.{run.stack}.yaml has {MARK}, and the values that were given have not: leave --config-file out"
    for key, named, given in _places(run):
        if named and named not in {given, ENCRYPTED}:
            yield f"{key} is {given}, and the files have {named}: leave --config-file out"


def _places(run: Run) -> Iterator[tuple[str, str, str]]:
    """Each value that names a place: its key, the files' value, which may be encrypted, and the run's value."""
    own, values = run.declared.values, run.values
    yield SERVER, own.airbyte, values.airbyte
    for field in fields(Zone):
        named, given = (getattr(zone, field.name) if zone else "" for zone in (own.zone, values.zone))
        yield f"{LANDING_ZONE}.{field.name}", named, given


def _unset_problems(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    zone = run.values.zone
    if not run.values.airbyte:
        named = environment.get(SERVER_VARIABLE)
        decides = f"${SERVER_VARIABLE} decides: {named}" if named else "it would be Airbyte Cloud"
        yield f"the stack sets no Airbyte server, and {decides}: pulumi config set {SERVER} <url>"
    if zone is not None and zone.server != "aws" and not zone.endpoint:
        set_it = f"pulumi config set --path {LANDING_ZONE}.endpoint <url>"
        yield f"the stack sets no S3 server: {set_it}"
    if zone is not None and zone.server == "aws":
        for found in aws_diversions(environment, STACK_SERVICES):
            yield found.describe("the stack's buckets on AWS")
    for server, url in (("Airbyte", run.values.airbyte), ("the S3 server", zone.endpoint if zone else "")):
        for found in proxies(url, environment):
            yield found.describe(f"requests for {server} at {url}")


def _cluster_problems(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    cluster = run.values.cluster
    if cluster is None:
        return
    if not cluster.context:
        set_it = f"pulumi config set --path {DAGSTER_KEY}.cluster.context <context>"
        yield f"the stack names no context, and the kubeconfig's current one decides: {set_it}"
        return
    # Without such a context nothing is redirected: the run fails.
    found = server_of(cluster.kubeconfig, cluster.context, environment) if cluster.server else ""
    if found and found.rstrip("/") != cluster.server.rstrip("/"):
        what = f"the kubeconfig's context {cluster.context} is the cluster at {found}"
        named = f"{DAGSTER_KEY}.cluster.server is {cluster.server}"
        yield f"{what}, and {named}: select the kubeconfig of that cluster (KUBECONFIG)"


def _cluster(settings: DagsterSettings | None) -> ClusterPlace | None:
    if settings is None:
        return None
    cluster = settings.cluster
    return ClusterPlace(cluster.context or "", cluster.server or "", cluster.kubeconfig)


def _zone(zone: LandingZoneSettings | None) -> Zone | None:
    if zone is None:
        return None
    return Zone(zone.server, zone.state or "", zone.endpoint, zone.landing, zone.region, zone.account or "")
