"""The guard of production stacks: a run must use the backend, the servers and the values that the project's files name.

It is checked before anything is called or declared. A run with another state would create the whole lake again, or
delete objects that this state does not have; so the files decide where production's state is, not the shell.
Independent of Pulumi's SDK and of the network; chooses the backend by the rules of the Pulumi CLI.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from lotus_infra.config.settings import StackSettings
from lotus_infra.config.stack_files import PROJECT_FILE, read_stack, refuse
from lotus_infra.errors import LotusError

BACKEND_VARIABLE: Final = "PULUMI_BACKEND_URL"
ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_S3"
"""The AWS SDKs' own variable; a stack whose server has another address at each start, such as the sandbox, uses it."""
ENDPOINT_VARIABLES: Final = (ENDPOINT_VARIABLE, "AWS_ENDPOINT_URL")
"""In order of precedence; an S3 backend whose URL has no `endpoint` uses them too."""
IGNORED_ENDPOINTS: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
SHARED: Final = frozenset({"s3", "gs", "azblob", "https"})
"""Schemes of backends that a team shares."""
Chooser = Literal["$PULUMI_BACKEND_URL", "Pulumi.yaml", "pulumi login", "nothing"]
MARK: Final = "lotus:production"
LANDING_ZONE: Final = "lotus:landingZone"
SERVER: Final = "airbyte:serverUrl"
AIRBYTE_VARIABLE: Final = "AIRBYTE_SERVER_URL"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the engine keeps the state.

    Attributes:
        url: Its address; empty if none is configured.
        chosen_by: The setting that named it.
    """

    url: str
    chosen_by: Chooser

    @classmethod
    def chosen(cls, declared: str, environment: Mapping[str, str] = os.environ) -> "Backend":
        """Select the backend as the CLI does: the environment's, else the project's, else that of the last login.

        Seen on Pulumi 3.259 (tests/engine/test_state_guard.py).

        Args:
            declared: `backend.url` of `Pulumi.yaml`; empty where it has none.
            environment: The environment's variables.
        """
        if environment.get(BACKEND_VARIABLE):
            return cls(environment[BACKEND_VARIABLE], "$PULUMI_BACKEND_URL")
        if declared:
            return cls(declared, "Pulumi.yaml")
        logged_in = _logged_in(environment)
        return cls(logged_in, "pulumi login") if logged_in else cls("", "nothing")

    @property
    def scheme(self) -> str:
        """The URL's scheme: `s3`, `file`, `https`, …; empty without a backend."""
        return self.url.partition("://")[0] if "://" in self.url else ""

    @property
    def is_shared(self) -> bool:
        """Whether a team shares it."""
        return self.scheme in SHARED

    @property
    def bucket(self) -> str:
        """The bucket's name; empty for a backend that is no bucket."""
        return urlsplit(self.url).netloc if self.scheme in {"s3", "gs", "azblob"} else ""

    def diverted(self, environment: Mapping[str, str]) -> str:
        """The variable that redirects an S3 backend to another server; empty if none does."""
        if self.scheme != "s3" or "endpoint" in parse_qs(urlsplit(self.url).query):
            return ""
        return diverting(environment)


def diverting(environment: Mapping[str, str]) -> str:
    """The variable that redirects S3 requests of AWS SDKs to another server; empty if none does."""
    if environment.get(IGNORED_ENDPOINTS, "").lower() == "true":
        return ""
    return next((name for name in ENDPOINT_VARIABLES if environment.get(name)), "")


def _logged_in(environment: Mapping[str, str]) -> str:
    """The backend of the last `pulumi login`, from the CLI's credentials.json."""
    home = environment.get("PULUMI_CREDENTIALS_PATH") or environment.get("PULUMI_HOME")
    folder = Path(home) if home else Path(environment.get("HOME", "~")).expanduser() / ".pulumi"
    try:
        noted = json.loads((folder / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    current = noted.get("current") if isinstance(noted, dict) else None
    return current if isinstance(current, str) else ""


@dataclass(frozen=True, slots=True)
class Zone:
    """The parts of a stack's landing zone that the guard compares.

    Attributes:
        server: `aws` or `s3`.
        state: The bucket of the state; empty if another stack manages it.
        endpoint: The server's address; empty if the stack sets none.
        landing: The bucket that Airbyte writes to.
        region: The buckets' region.
    """

    server: str
    state: str = ""
    endpoint: str = ""
    landing: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a stack that the guard compares.

    Attributes:
        mark: The value of `lotus:production`; empty if it is off.
        airbyte: Airbyte's address; empty if the environment or the default decides.
        zone: The landing zone; None without one.
    """

    mark: str = ""
    airbyte: str = ""
    zone: Zone | None = None

    @classmethod
    def of(cls, stack: StackSettings) -> "Values":
        """Take them from a stack's configuration; an encrypted address counts as one."""
        zone = stack.lotus.landing_zone
        airbyte = "(encrypted)" if stack.is_encrypted(SERVER) else stack.airbyte.server_url
        return cls(
            mark="true" if stack.lotus.production else "",
            airbyte=airbyte or "",
            zone=None
            if zone is None
            else Zone(zone.server, zone.state or "", zone.endpoint, zone.landing, zone.region),
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """The settings in a project's files.

    Attributes:
        name: The project's name.
        backend: `backend.url`; empty if not set.
        mark: `lotus:production` in the stack's own file, or in the project's for all stacks; empty if not set.
    """

    name: str = ""
    backend: str = ""
    mark: str = ""

    @classmethod
    def at(cls, folder: Path, stack: str) -> "Declared":
        """Read the files in a folder for a stack, which need not exist.

        Raises:
            LotusError: A file can't be read: it might have the mark.
        """
        read = read_stack(folder, stack)
        for file in (read.project, read.own):
            if not file.readable and (folder / file.name).exists():
                refuse(file.problems)
        mark = read.values.get(MARK)
        return cls(read.name, read.backend, "" if mark is None else str(mark).lower())


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
    return [*_backend_problems(run, environment), *_stack_problems(run), *_unset_problems(run, environment)]


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
    variable = used.diverted(environment)
    if variable:
        where = f"${variable} sends the backend {used.url} to {environment[variable]}"
        yield f"{where}: unset {variable}, or give backend.url an endpoint of its own"
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


def _unset_problems(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    zone = run.values.zone
    if not run.values.airbyte:
        named = environment.get(AIRBYTE_VARIABLE)
        decides = f"${AIRBYTE_VARIABLE} decides: {named}" if named else "it would be Airbyte Cloud"
        yield f"the stack sets no Airbyte server, and {decides}: pulumi config set airbyte:serverUrl <url>"
    if zone is not None and zone.server != "aws" and not zone.endpoint:
        set_it = f"pulumi config set --path {LANDING_ZONE}.endpoint <url>"
        yield f"the stack sets no S3 server: {set_it}"
    variable = diverting(environment)
    if zone is not None and zone.server == "aws" and variable:
        yield f"${variable} sends the stack's buckets to {environment[variable]} instead of AWS: unset {variable}"
