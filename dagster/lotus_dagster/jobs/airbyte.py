"""Ask Airbyte for the jobs of a connection, by dagster-airbyte's client.

Where Airbyte is, and what its connections are called there, is in two variables, read when a sensor is evaluated. The
client is imported then, too: definitions load without it.
"""

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Self, TypeVar

import dagster as dg
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from lotus_dagster.environment import EnvironmentVariableError, required
from lotus_dagster.jobs.decide import Job
from lotus_infra.errors import LotusError, masked_urls
from lotus_infra.naming import AIRBYTE_VARIABLE, CONNECTIONS_VARIABLE

PAGE_SIZE: Final = 100
"""The most jobs that Airbyte lists at once."""
_TIMEOUT_SECONDS: Final = 15
_WAYS: Final = (
    frozenset({"client_id", "client_secret"}),
    frozenset({"username", "password"}),
    frozenset({"bearer_auth"}),
)
"""The ways to sign in, by the credentials that each needs."""

Parsed = TypeVar("Parsed")
Jobs = Callable[[str, datetime | None], tuple[Job, ...]]
"""Lists the jobs of a connection, by its id, that were created since a time; by None the last ones, back to the newest
success."""


class AirbyteError(LotusError):
    """Airbyte does not answer, or its answer can't be used."""


class Airbyte(BaseModel):
    """Where Airbyte's public API is, and how to sign in there; without credentials if it asks for none.

    Attributes:
        url: The root of the public API: `https://airbyte.example.com/api/public/v1`.
        client_id: An application's id.
        client_secret: The application's secret.
        username: For HTTP Basic.
        password: For HTTP Basic.
        bearer_auth: A ready token.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^@\s/][^@\s]*$")]
    client_id: str | None = Field(default=None, min_length=1)
    client_secret: SecretStr | None = Field(default=None, min_length=1)
    username: str | None = Field(default=None, min_length=1)
    password: SecretStr | None = Field(default=None, min_length=1)
    bearer_auth: SecretStr | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        given = {name for way in _WAYS for name in way if getattr(self, name) is not None}
        if given and given not in _WAYS:
            ways = ", ".join(" and ".join(sorted(map(to_camel, way))) for way in _WAYS)
            raise ValueError(f"has {' and '.join(sorted(map(to_camel, given)))}: give one of {ways}, or none of them")
        return self


def connection_id(resource: str, environment: Mapping[str, str] = os.environ) -> tuple[Airbyte, str]:
    """Where Airbyte is, and the id that a connection has there.

    Args:
        resource: The connection's Pulumi name.
        environment: The variables.

    Raises:
        EnvironmentVariableError: A variable is not set or can't be read, or has no such connection.
    """
    address, connections = required(environment, AIRBYTE_VARIABLE, CONNECTIONS_VARIABLE)
    airbyte = _read(AIRBYTE_VARIABLE, lambda: Airbyte.model_validate_json(address))
    ids = _read(CONNECTIONS_VARIABLE, lambda: TypeAdapter(dict[str, str]).validate_json(connections))
    if resource not in ids:
        raise EnvironmentVariableError(
            f"{CONNECTIONS_VARIABLE} has no connection {resource}",
            "deploy the stack, which sets it, and restart the code location",
        )
    return airbyte, ids[resource]


def jobs_of(airbyte: Airbyte) -> Jobs:
    """The function that lists jobs; all connections of a process share one client, and its token.

    Raises:
        AirbyteError: dagster-airbyte is not installed. The function raises it if Airbyte does not answer, or if its
            answer can't be used.
    """
    return _listing(airbyte)


def _read(variable: str, parse: Callable[[], Parsed]) -> Parsed:
    try:
        return parse()
    except ValidationError as error:
        # Without the value, which has credentials in it.
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        )
        hint = "deploy the stack, which sets it, and restart the code location"
        raise EnvironmentVariableError(f"{variable} can't be read: {wrong}", hint) from None


@cache
def _client_class() -> Any:
    """The client of dagster-airbyte, with a ready token, and with the jobs as Airbyte has them.

    Its own list of jobs leaves out their bytes, and reads all pages of a connection's history.
    """
    try:
        from dagster_airbyte.resources import AirbyteClient  # noqa: PLC0415, takes a second
    except ModuleNotFoundError:
        hint = "install lotus-dagster[warehouses] in the image of the code location"
        raise AirbyteError("the package dagster-airbyte is not installed", hint) from None

    class Client(AirbyteClient):
        bearer_auth: str | None = None

        @property
        def authorization_request_headers(self) -> Mapping[str, Any]:
            """A ready token, or one that the application's credentials get."""
            if self.bearer_auth:
                return {"Authorization": f"Bearer {self.bearer_auth}"}
            return super().authorization_request_headers

        def page(self, connection: str, since: datetime | None, offset: int) -> list[Job]:
            """A page of jobs, the newest first."""
            created = {} if since is None else {"createdAtStart": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            answer = self._single_request(
                method="GET",
                url=f"{self.rest_api_base_url}/jobs",
                params={
                    "connectionId": connection,
                    "orderBy": "createdAt|DESC",
                    "limit": PAGE_SIZE,
                    "offset": offset,
                    **created,
                },
            )
            return _Page.model_validate(answer).data

    return Client


@lru_cache(maxsize=1)
def _listing(airbyte: Airbyte) -> Jobs:
    root = airbyte.url.rstrip("/")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        client = _client_class()(
            rest_api_base_url=root,
            configuration_api_base_url=root,  # Not called.
            workspace_id="",
            client_id=airbyte.client_id,
            client_secret=_revealed(airbyte.client_secret),
            username=airbyte.username,
            password=_revealed(airbyte.password),
            bearer_auth=_revealed(airbyte.bearer_auth),
            request_max_retries=0,  # The next tick asks again.
            request_retry_delay=0,
            request_timeout=_TIMEOUT_SECONDS,
        )

    def listed(connection: str, since: datetime | None) -> tuple[Job, ...]:
        found: list[Job] = []
        with _errors_of(root):
            # The newest first: a job that begins meanwhile shifts pages, so that one is listed twice, and none is
            # skipped.
            while True:
                page = client.page(connection, since, len(found))
                found += page
                if len(page) < PAGE_SIZE or (since is None and any(job.has_succeeded for job in page)):
                    return tuple(found)

    return listed


class _Page(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    data: list[Job]


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


@contextmanager
def _errors_of(url: str) -> Iterator[None]:
    """Turn errors of the client into ours. It logs what went wrong, and raises how often it has tried."""
    said = _Said()
    log = dg.get_dagster_logger()
    log.addHandler(said)
    try:
        yield
    except dg.Failure as failure:
        why = said.last or failure.description or "it does not answer"
        hint = f"check that Airbyte runs, and url and credentials in {AIRBYTE_VARIABLE}"
        raise AirbyteError(f"Airbyte at {url} does not list jobs: {masked_urls(why)}", hint) from None
    except (ValidationError, ValueError) as error:
        hint = f"check that url in {AIRBYTE_VARIABLE} is the root of Airbyte's public API"
        raise AirbyteError(f"the answer of Airbyte at {url} can't be read: {error}", hint) from None
    finally:
        log.removeHandler(said)


class _Said(logging.Handler):
    """The last error that this thread has logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._thread, self.last = threading.get_ident(), ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        if record.thread == self._thread:
            self.last = record.getMessage()
