"""The provider's own configuration: checked, and turned into a client's settings."""

import json
import os
from collections.abc import Mapping
from typing import Final

from pulumi_airbyte.client import Auth, ClientSettings, RetryPolicy
from pulumi_airbyte.client.settings import url_problem
from pulumi_airbyte.provider.properties import Properties, Property, Secret, Unknown, unwrap
from pulumi_airbyte.provider.resource import Failure, table_failures
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

CLOUD: Final = "https://api.airbyte.com/v1"
ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "__internal"})
ENVIRONMENT: Final = {
    "serverUrl": "AIRBYTE_SERVER_URL",
    "clientId": "AIRBYTE_CLIENT_ID",
    "clientSecret": "AIRBYTE_CLIENT_SECRET",
    "username": "AIRBYTE_USERNAME",
    "password": "AIRBYTE_PASSWORD",
    "bearerAuth": "AIRBYTE_BEARER_AUTH",
}
RETRY_SECONDS: Final = "AIRBYTE_RETRY_BASE_SECONDS"


def checked(inputs: Properties) -> tuple[Properties, list[Failure]]:
    """The configuration with its secrets marked, and what is wrong with it."""
    own = {key: _textual(value) for key, value in inputs.items() if key not in ENGINE_KEYS}
    failures = table_failures(PROVIDER_CONFIG, own)
    if not failures and not any(isinstance(unwrap(value), Unknown) for value in own.values()):
        settings = _texts(own)
        urls = [
            (key, url_problem(settings[key])) for key in ("serverUrl", "configUrl", "tokenUrl") if settings.get(key)
        ]
        failures += [Failure(key, problem) for key, problem in urls if problem]
        problem = _auth(settings).problem()
        failures += [Failure("clientId", problem)] if problem else []
    secret_keys = {field.name for field in PROVIDER_CONFIG if field.secret}
    marked = {key: Secret(unwrap(value)) if key in secret_keys else value for key, value in own.items()}
    return {**inputs, **marked}, failures


def client_settings(inputs: Properties, environment: Mapping[str, str] = os.environ) -> ClientSettings | None:
    """How to reach the server, or None while something about it is still unknown (in a preview).

    Raises:
        ValueError: the configuration and the environment together make no sense.
    """
    if any(isinstance(unwrap(value), Unknown) for value in inputs.values()):
        return None
    given = _texts(inputs)
    for key, variable in ENVIRONMENT.items():
        if variable in environment and not _authenticates(given, key):
            given.setdefault(key, environment[variable])
    auth = _auth(given)
    if auth.problem():
        raise ValueError(
            f"airbyte: {auth.problem()} (among the provider's configuration and AIRBYTE_* in the environment)"
        )
    public_url = given.get("serverUrl") or CLOUD
    if url_problem(public_url):
        raise ValueError(f"airbyte: serverUrl or $AIRBYTE_SERVER_URL: {url_problem(public_url)}")
    return ClientSettings(
        public_url=public_url,
        config_url=given.get("configUrl", ""),
        auth=auth,
        retry=RetryPolicy(base_seconds=_retry_seconds(environment)),
    )


def _retry_seconds(environment: Mapping[str, str]) -> float:
    text = environment.get(RETRY_SECONDS, "")
    try:
        return float(text) if text else RetryPolicy.base_seconds
    except ValueError:
        raise ValueError(f"airbyte: ${RETRY_SECONDS} is {text!r}, not a number of seconds") from None


def _authenticates(given: dict[str, str], key: str) -> bool:
    """Whether the program already says how to authenticate: the environment then adds only what completes that way."""
    return key != "serverUrl" and _auth(given).mode != "none" and bool(_auth(given).problem()) is False


def _auth(given: Mapping[str, str]) -> Auth:
    return Auth(
        client_id=given.get("clientId", ""),
        client_secret=given.get("clientSecret", ""),
        username=given.get("username", ""),
        password=given.get("password", ""),
        bearer=given.get("bearerAuth", ""),
        token_url=given.get("tokenUrl", ""),
    )


def _textual(value: Property) -> Property:
    """A text; the engine sends numbers and truth values for configuration that looks like them."""
    if isinstance(value, Secret):
        return Secret(_textual(value.value))
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _texts(inputs: Properties) -> dict[str, str]:
    """Our own properties, those that are given, as texts."""
    names = {field.name for field in PROVIDER_CONFIG}
    plain = {key: unwrap(_textual(value)) for key, value in inputs.items() if key in names}
    return {key: value for key, value in plain.items() if isinstance(value, str) and value}
