"""Client settings from the provider's configuration (`serverUrl`, `clientId`, ...) and environment variables.

Used by the plugin and by commands that call Airbyte.
"""

import os
from collections.abc import Mapping
from typing import Final

from pulumi_airbyte.client.settings import Auth, ClientSettings, RetryPolicy, url_problem

CLOUD: Final = "https://api.airbyte.com/v1"
ENVIRONMENT: Final = {
    "serverUrl": "AIRBYTE_SERVER_URL",
    "clientId": "AIRBYTE_CLIENT_ID",
    "clientSecret": "AIRBYTE_CLIENT_SECRET",
    "username": "AIRBYTE_USERNAME",
    "password": "AIRBYTE_PASSWORD",
    "bearerAuth": "AIRBYTE_BEARER_AUTH",
}
RETRY_SECONDS: Final = "AIRBYTE_RETRY_BASE_SECONDS"
POLL_SECONDS: Final = "AIRBYTE_POLL_SECONDS"


def completed(given: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The given settings, completed from the environment."""
    texts = dict(given)
    for key, variable in ENVIRONMENT.items():
        if variable in environment and not _authenticates(texts, key):
            texts.setdefault(key, environment[variable])
    return texts


def settings_from(given: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> ClientSettings:
    """The client's settings; for Airbyte Cloud, if no server is named.

    Raises:
        ValueError: the settings contradict each other, or one is invalid.
    """
    texts = completed(given, environment)
    auth = auth_from(texts)
    if auth.problem():
        raise ValueError(
            f"airbyte: {auth.problem()} (among the provider's configuration and AIRBYTE_* in the environment)"
        )
    public_url = texts.get("serverUrl") or CLOUD
    if url_problem(public_url):
        raise ValueError(f"airbyte: serverUrl or $AIRBYTE_SERVER_URL: {url_problem(public_url)}")
    for key in ("configUrl", "tokenUrl"):
        if texts.get(key) and url_problem(texts[key]):
            raise ValueError(f"airbyte: {key}: {url_problem(texts[key])}")
    return ClientSettings(
        public_url=public_url,
        config_url=texts.get("configUrl", ""),
        auth=auth,
        retry=RetryPolicy(base_seconds=_seconds(environment, RETRY_SECONDS, RetryPolicy.base_seconds)),
        poll_seconds=_seconds(environment, POLL_SECONDS, ClientSettings.poll_seconds),
    )


def auth_from(texts: Mapping[str, str]) -> Auth:
    """The credentials among the settings."""
    return Auth(
        client_id=texts.get("clientId", ""),
        client_secret=texts.get("clientSecret", ""),
        username=texts.get("username", ""),
        password=texts.get("password", ""),
        bearer=texts.get("bearerAuth", ""),
        token_url=texts.get("tokenUrl", ""),
    )


def _seconds(environment: Mapping[str, str], variable: str, otherwise: float) -> float:
    text = environment.get(variable, "")
    try:
        return float(text) if text else otherwise
    except ValueError:
        raise ValueError(f"airbyte: ${variable} is {text!r}, not a number of seconds") from None


def _authenticates(given: Mapping[str, str], key: str) -> bool:
    """Whether the given settings already are complete credentials, to which the environment must add no other kind."""
    return key != "serverUrl" and auth_from(given).mode != "none" and not auth_from(given).problem()
