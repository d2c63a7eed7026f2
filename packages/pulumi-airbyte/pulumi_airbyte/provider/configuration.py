"""Check the provider's configuration, and turn it into the client's settings."""

import json
import os
from collections.abc import Mapping
from typing import Final

from pulumi_airbyte.client import ClientSettings
from pulumi_airbyte.client.environment import auth_from, settings_from
from pulumi_airbyte.client.settings import url_problem
from pulumi_airbyte.provider.properties import Properties, Property, Secret, Unknown, unwrap
from pulumi_airbyte.provider.reconcile import changes
from pulumi_airbyte.provider.resource import Differences, Failure, table_failures
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "__internal"})
ADOPT: Final = "adoptExisting"
ADOPT_VARIABLE: Final = "AIRBYTE_ADOPT_EXISTING"
IDENTICAL: Final = "identical"
SETTINGS_CHANGE: Final = "its settings change: "
"""The beginning of the message about a changed configuration; names of settings follow, separated by commas.

The engine shows no step of a default provider. Without the message, a preview does not tell that the server changes.
"""


def checked(inputs: Properties, environment: Mapping[str, str] = os.environ) -> tuple[Properties, list[Failure]]:
    """The configuration with its secrets marked, and failures for it."""
    own = {key: _textual(value) for key, value in inputs.items() if key not in ENGINE_KEYS}
    failures = table_failures(PROVIDER_CONFIG, own)
    if not failures and not any(isinstance(unwrap(value), Unknown) for value in own.values()):
        settings = _texts(own)
        urls = [
            (key, url_problem(settings[key])) for key in ("serverUrl", "configUrl", "tokenUrl") if settings.get(key)
        ]
        failures += [Failure(key, problem) for key, problem in urls if problem]
        problem = auth_from(settings).problem()
        failures += [Failure("clientId", problem)] if problem else []
        failures += _adoption_failures(settings, environment)
    secret_keys = {field.name for field in PROVIDER_CONFIG if field.secret}
    marked = {key: Secret(unwrap(value)) if key in secret_keys else value for key, value in own.items()}
    return {**inputs, **marked}, failures


def client_settings(inputs: Properties, environment: Mapping[str, str] = os.environ) -> ClientSettings | None:
    """The client's settings; None while a part of the configuration is unknown (in a preview).

    Raises:
        ValueError: the configuration and the environment contradict each other.
    """
    if any(isinstance(unwrap(value), Unknown) for value in inputs.values()):
        return None
    return settings_from(_texts(inputs), environment)


def adopts_identical(inputs: Properties, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a create adopts an identical object (`adoptExisting`, or its environment variable).

    Raises:
        ValueError: the environment variable has an invalid value.
    """
    texts = _texts(inputs)
    for failure in _adoption_failures(texts, environment):
        raise ValueError(f"airbyte: {failure.reason}")
    return _adoption(texts, environment) == IDENTICAL


def changed_settings(old: Properties, new: Properties) -> Differences:
    """The differences that matter to existing resources. `adoptExisting` only concerns creates, and is left out."""
    return [change for change in changes(old, new) if change[0] != (ADOPT,)]


def settings_change(old: Properties, new: Properties) -> str:
    """The message about a changed configuration, without values; empty if no setting changes."""
    names = sorted({str(change[0][0]) for change in changes(old, new)} - ENGINE_KEYS)
    return f"{SETTINGS_CHANGE}{', '.join(names)}" if names else ""


def _adoption(texts: Mapping[str, str], environment: Mapping[str, str]) -> str:
    return texts.get(ADOPT) or environment.get(ADOPT_VARIABLE, "")


def _adoption_failures(texts: Mapping[str, str], environment: Mapping[str, str]) -> list[Failure]:
    """Failures for the environment variable, if the configuration does not set the option."""
    if texts.get(ADOPT):
        return []
    given: Properties = {ADOPT: environment.get(ADOPT_VARIABLE, "")}
    table = [field for field in PROVIDER_CONFIG if field.name == ADOPT]
    return [Failure(ADOPT, f"${ADOPT_VARIABLE}: {failure.reason}") for failure in table_failures(table, given)]


def _textual(value: Property) -> Property:
    """The value as text. The engine sends a number or boolean for configuration that looks like one."""
    if isinstance(value, Secret):
        return Secret(_textual(value.value))
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _texts(inputs: Properties) -> dict[str, str]:
    """The provider's own properties that are set, as texts."""
    names = {field.name for field in PROVIDER_CONFIG}
    plain = {key: unwrap(_textual(value)) for key, value in inputs.items() if key in names}
    return {key: value for key, value in plain.items() if isinstance(value, str) and value}
