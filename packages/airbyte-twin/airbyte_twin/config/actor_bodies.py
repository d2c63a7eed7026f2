"""Request bodies of the Config API that name sources, destinations or their definitions."""

from pydantic import ConfigDict

from airbyte_twin.bodies import ResourceAllocation
from airbyte_twin.body import Body, Id
from airbyte_twin.config.bodies import WorkspaceIdBody
from airbyte_twin.documents import JsonObject


class DiscoverBody(Body):
    """Names a source to discover; the one snake_case member is the API's own."""

    java = "SourceDiscoverSchemaRequestBody"

    model_config = ConfigDict(alias_generator=None)

    sourceId: Id  # noqa: N815
    disable_cache: bool | None = None


class SourceIdBody(Body):
    """Names a source."""

    java = "SourceIdRequestBody"

    source_id: Id


class DestinationIdBody(Body):
    """Names a destination."""

    java = "DestinationIdRequestBody"

    destination_id: Id


class SourceUpdateBody(SourceIdBody):
    """A source with a configuration that is not saved yet."""

    java = "SourceUpdate"

    name: str
    connection_configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class DestinationUpdateBody(DestinationIdBody):
    """A destination with a configuration that is not saved yet."""

    java = "DestinationUpdate"

    name: str
    connection_configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class SourceCoreBody(WorkspaceIdBody):
    """A source that does not exist yet."""

    java = "SourceCoreConfig"

    source_definition_id: Id
    connection_configuration: JsonObject


class DestinationCoreBody(WorkspaceIdBody):
    """A destination that does not exist yet."""

    java = "DestinationCoreConfig"

    destination_definition_id: Id
    connection_configuration: JsonObject


class SourceDefinitionBody(WorkspaceIdBody):
    """Names a source definition."""

    java = "SourceDefinitionIdWithWorkspaceId"

    source_definition_id: Id


class DestinationDefinitionBody(WorkspaceIdBody):
    """Names a destination definition."""

    java = "DestinationDefinitionIdWithWorkspaceId"

    destination_definition_id: Id
