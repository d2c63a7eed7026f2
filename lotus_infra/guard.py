"""Whether a stack that is marked as production runs on its own state: asked before anything is called or declared.

A run on another state than the one that knows the lake sees none of it, and makes it all again or deletes what it does
not know. So production's state is where the project's own files say, whatever the shell says that it is started from.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotus_infra.backend import BACKEND_VARIABLE, Backend, diverting
from lotus_infra.errors import LotusError
from lotus_infra.stack_files import PROJECT_FILE, document, stack_file

MARK: Final = "lotus:production"
LANDING_ZONE: Final = "lotus:landingZone"
AIRBYTE_VARIABLE: Final = "AIRBYTE_SERVER_URL"


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
