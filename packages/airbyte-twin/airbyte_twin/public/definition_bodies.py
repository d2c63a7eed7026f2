"""Request bodies of definitions."""

from airbyte_twin.body import Body
from airbyte_twin.documents import JsonObject


class DefinitionCreate(Body):
    """POST of a docker definition."""

    java = "CreateDefinitionRequest"

    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None


class DefinitionPut(Body):
    """PUT of a docker definition."""

    java = "UpdateDefinitionRequest"

    name: str
    docker_image_tag: str


class ManifestCreate(Body):
    """POST of a declarative definition."""

    java = "CreateDeclarativeSourceDefinitionRequest"

    name: str
    manifest: JsonObject


class ManifestPut(Body):
    """PUT of a declarative definition."""

    java = "UpdateDeclarativeSourceDefinitionRequest"

    manifest: JsonObject
