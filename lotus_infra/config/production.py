"""Whether a stack that is marked as production runs on its own state: asked before anything is called or declared.

A run on another state than the one that knows the lake sees none of it, and makes it all again or deletes what it does
not know. So production's state is where the project's own files say, whatever the shell says that it is started from.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from lotus_infra.config.stack_files import PROJECT_FILE, document, stack_file
from lotus_infra.errors import LotusError

BACKEND_VARIABLE: Final = "PULUMI_BACKEND_URL"
ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_S3"
"""The AWS SDKs' own; a stack whose server moves, such as the sandbox's, says its address this way."""
ENDPOINT_VARIABLES: Final = (ENDPOINT_VARIABLE, "AWS_ENDPOINT_URL")
"""The first before the second; an S3 backend whose URL has no `endpoint` follows them too."""
IGNORED_ENDPOINTS: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
SHARED: Final = frozenset({"s3", "gs", "azblob", "https"})
"""Schemes of backends that a whole team reaches."""
Chooser = Literal["$PULUMI_BACKEND_URL", "Pulumi.yaml", "pulumi login", "nothing"]
MARK: Final = "lotus:production"
LANDING_ZONE: Final = "lotus:landingZone"
AIRBYTE_VARIABLE: Final = "AIRBYTE_SERVER_URL"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the state is.

    Attributes:
        url: Its address; empty where nothing says it.
        chosen_by: What says it.
    """

    url: str
    chosen_by: Chooser

    @classmethod
    def chosen(cls, declared: str, environment: Mapping[str, str] = os.environ) -> "Backend":
        """The backend that the CLI uses: the environment's, else the project's, else that of the last login.

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
        """What kind of backend it is: `s3`, `file`, `https`, …; empty for none."""
        return self.url.partition("://")[0] if "://" in self.url else ""

    @property
    def is_shared(self) -> bool:
        """Whether more than this one machine reaches it."""
        return self.scheme in SHARED

    @property
    def bucket(self) -> str:
        """The bucket of one that is in a bucket; else empty."""
        return urlsplit(self.url).netloc if self.scheme in {"s3", "gs", "azblob"} else ""

    def diverted(self, environment: Mapping[str, str]) -> str:
        """The variable that sends an S3 backend to another server than its URL says; empty where none does."""
        if self.scheme != "s3" or "endpoint" in parse_qs(urlsplit(self.url).query):
            return ""
        return diverting(environment)


def diverting(environment: Mapping[str, str]) -> str:
    """The variable that sends everyone who asks AWS for S3 to another server; empty where none does."""
    if environment.get(IGNORED_ENDPOINTS, "").lower() == "true":
        return ""
    return next((name for name in ENDPOINT_VARIABLES if environment.get(name)), "")


def _logged_in(environment: Mapping[str, str]) -> str:
    """The backend of the last `pulumi login`, by the file where the CLI notes it."""
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
    """What a stack says of where its data lands.

    Attributes:
        server: `aws` or `s3`.
        state: The bucket of the state; empty where another stack looks after it.
        endpoint: The server's address; empty where the stack does not give it.
        landing: The bucket that data lands in.
        region: The buckets' region.
    """

    server: str
    state: str = ""
    endpoint: str = ""
    landing: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """What the guard asks of a stack's values.

    Attributes:
        mark: What it says of production; empty where it says nothing.
        airbyte: Airbyte's address; empty where the environment or the default decides it.
        zone: Its landing zone; None where it has none.
    """

    mark: str = ""
    airbyte: str = ""
    zone: Zone | None = None

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Values":
        """Those among a stack's values, by their whole keys; an object may be the JSON text of one."""
        return cls(_text(values.get(MARK)), _text(values.get("airbyte:serverUrl")), _zone(values.get(LANDING_ZONE)))


@dataclass(frozen=True, slots=True)
class Declared:
    """What the files of a project say, as the engine would find them.

    Attributes:
        name: The project's.
        backend: Its `backend.url`; empty where it has none.
        mark: What the stack's own file says of production; empty where it says nothing.
    """

    name: str = ""
    backend: str = ""
    mark: str = ""

    @classmethod
    def at(cls, folder: Path, stack: str) -> "Declared":
        """What the files in a folder say of a stack; what can't be read says nothing."""
        project, own = document(folder / PROJECT_FILE), document(folder / stack_file(stack))
        backend, config = project.get("backend"), own.get("config")
        url = backend.get("url") if isinstance(backend, dict) else None
        mark = config.get(MARK) if isinstance(config, dict) else None
        return cls(_text(project.get("name")), _text(url), _text(mark))


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the engine.

    Attributes:
        project: The project whose state the engine has.
        stack: The stack.
        values: What the engine was given as the stack's values.
        declared: What the project's files say.
    """

    project: str
    stack: str
    values: Values
    declared: Declared

    @property
    def is_production(self) -> bool:
        """Whether it is marked; only a plain `false` is no mark, so that a slip of the pen guards nothing less."""
        return any(mark.lower() not in {"", "false"} for mark in (self.values.mark, self.declared.mark))


def check(run: Run, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a run of production that is not as its files say.

    Args:
        run: The run.
        environment: The environment's variables.

    Raises:
        LotusError: with everything that is wrong, and what to do about each.
    """
    wrong = problems(run, environment)
    if wrong:
        lines = "".join(f"\n  {problem}" for problem in wrong)
        raise LotusError(f"the stack {run.stack} is marked {MARK}, and may not run like this{lines}")


def problems(run: Run, environment: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with a run of production, each with its remedy; none where it is not production."""
    if not run.is_production:
        return []
    return [*_of_the_backend(run, environment), *_of_the_stack(run), *_of_what_is_left_out(run, environment)]


def _of_the_backend(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    declared = Backend(run.declared.backend, "Pulumi.yaml")
    used = Backend.chosen(declared.url, environment)
    if not declared.url:
        yield f"{PROJECT_FILE} names no backend: write the address of the team's state there, as backend.url"
    elif not declared.is_shared:
        yield f"backend.url of {PROJECT_FILE} is {declared.url}, which no other machine has: name the team's bucket"
    if used.chosen_by == "$PULUMI_BACKEND_URL" and used.url.rstrip("/") != declared.url.rstrip("/"):
        instead = declared.url or "nothing"
        yield f"${BACKEND_VARIABLE} is {used.url}, and {PROJECT_FILE} says {instead}: unset {BACKEND_VARIABLE}"
    variable = used.diverted(environment)
    if variable:
        where = f"${variable} sends the backend {used.url} to {environment[variable]}"
        yield f"{where}: unset {variable}, or give backend.url an endpoint of its own"
    zone = run.values.zone
    if zone is not None and zone.state and used.bucket and used.bucket != zone.state:
        what = f"the backend is the bucket {used.bucket}, and {LANDING_ZONE}.state is {zone.state}"
        yield f"{what}: that is the state of something else; mend backend.url in {PROJECT_FILE}, or the stack"


def _of_the_stack(run: Run) -> Iterator[str]:
    if run.project != run.declared.name:
        what = f"the engine has the state of the project {run.project}, and {PROJECT_FILE} here is of"
        yield f"{what} {run.declared.name or 'none'}: run it in the project's own folder"
    if run.values.mark and not run.declared.mark:
        what = f"its values are not those of Pulumi.{run.stack}.yaml, which has no {MARK}"
        yield f"{what}: name the stack that they are of, and leave --config-file out"
    if run.declared.mark and not run.values.mark:
        yield f"Pulumi.{run.stack}.yaml has {MARK}, and the values that were given have not: leave --config-file out"


def _of_what_is_left_out(run: Run, environment: Mapping[str, str]) -> Iterator[str]:
    zone = run.values.zone
    if not run.values.airbyte:
        named = environment.get(AIRBYTE_VARIABLE)
        decides = f"${AIRBYTE_VARIABLE} decides: {named}" if named else "it would be Airbyte Cloud"
        yield f"the stack does not say which Airbyte it means, and {decides}: pulumi config set airbyte:serverUrl <url>"
    if zone is not None and zone.server != "aws" and not zone.endpoint:
        set_it = f"pulumi config set --path {LANDING_ZONE}.endpoint <url>"
        yield f"the stack does not say which S3 server it means: {set_it}"
    variable = diverting(environment)
    if zone is not None and zone.server == "aws" and variable:
        yield f"${variable} sends the stack's buckets to {environment[variable]} instead of AWS: unset {variable}"


def _zone(value: object) -> Zone | None:
    try:
        document = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    return Zone(*(_text(document.get(key)) for key in ("server", "state", "endpoint", "landing", "region")))


def _text(value: object) -> str:
    """A value of a YAML file as the engine hands it on."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
