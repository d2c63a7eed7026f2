"""What an OAuth consent left: tokens that the server keeps under a secret's id, until a source takes them.

Source: airbyte-platform SourceHandler (`secretId` of a create and of a PATCH) and OAuthSecretHelper.
"""

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object, parse_json
from airbyte_twin.errors import unexpected
from airbyte_twin.secrets import merged, secret_paths
from airbyte_twin.twin import Twin


def with_oauth_result(twin: Twin, definition_id: str, configuration: JsonValue, secret_id: str | None) -> JsonValue:
    """The configuration with the tokens of a secret, each at the connector's secret of that name.

    The server takes the places from the connector's `advancedAuth`, which the registry here leaves out.

    Raises:
        ProblemError: 500, there is no such secret.
    """
    if not secret_id or not isinstance(configuration, dict):
        return configuration
    secret = twin.store.secrets.get(secret_id)
    if secret is None:
        raise unexpected(f"That secret was not found in the store! Coordinate: {secret_id}")
    tokens = as_object(parse_json(secret.value.encode()))
    placed: JsonValue = configuration
    for path in secret_paths(twin.connector(definition_id).spec):
        if path[-1] in tokens and "*" not in path:
            placed = merged(placed, _nested(path, tokens[path[-1]]))
    return placed


def _nested(path: tuple[str, ...], value: JsonValue) -> JsonObject:
    head, *rest = path
    return {head: _nested(tuple(rest), value) if rest else value}
