"""Look-ups (functions of the schema): read-only calls for programs."""

from typing import Final

from pulumi_airbyte.provider.functions import (
    actors,
    connections,
    definitions,
    jobs,
    people,
    standing,
    streams,
    tags,
    workspaces,
)
from pulumi_airbyte.provider.functions.function import Function

FUNCTIONS: Final[dict[str, Function]] = {
    **workspaces.FUNCTIONS,
    **definitions.FUNCTIONS,
    **actors.FUNCTIONS,
    **connections.FUNCTIONS,
    **streams.FUNCTIONS,
    **tags.FUNCTIONS,
    **jobs.FUNCTIONS,
    **people.FUNCTIONS,
    **standing.FUNCTIONS,
}
