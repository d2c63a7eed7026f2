"""Definitions: connectors of a workspace's own, each an image or a manifest."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from pulumi_airbyte.client.definitions import definitions_of
from pulumi_airbyte.client.models import ActorKind, Definition, DefinitionKind
from pulumi_airbyte.provider.cascades import refuse_configured
from pulumi_airbyte.provider.gone import Listed
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.plain import PlainType
from pulumi_airbyte.provider.properties import Properties, Property, Secret, unwrap
from pulumi_airbyte.provider.reconcile import all_secret
from pulumi_airbyte.provider.resource import Checked, Checking, Differences, Failure, Server
from pulumi_airbyte.provider.secrecy import Specifications, without_nulls
from pulumi_airbyte.provider.tables import DEFINITION_OUTPUTS, MANIFEST_INPUTS, image_inputs
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import JsonObject

if TYPE_CHECKING:
    import yaml


class DefinitionType(PlainType[Definition]):
    """A definition of either kind.

    Attributes:
        definitions: its kind in the API's paths.
        actors: the kind of objects that it defines.
    """

    id_output = "definitionId"
    outputs = DEFINITION_OUTPUTS
    definitions: ClassVar[DefinitionKind]
    actors: ClassVar[ActorKind]

    def __init__(self, server: Server, specifications: Specifications) -> None:
        super().__init__(server)
        self._specifications = specifications

    @property
    def shelf(self) -> Shelf[Definition]:
        """The live definitions of this kind."""
        return self.server.inventory.definitions(self.definitions)

    def listed(self, object_id: str, workspace_id: str) -> Listed:
        """The list of a workspace's definitions."""
        return definitions_of(self.definitions, workspace_id), "id", object_id, ""

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every difference. If there is one, the specification may change in this run."""
        found = super().diff(known, new)
        self._specifications.expect(self.actors, known.id, change=self.writes(found))
        return found

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PUT. The specification is read again."""
        try:
            return super().update(known, new, target)
        finally:
            self._specifications.forget(self.actors, known.id)

    def post(self, body: JsonObject) -> Definition:
        """POST."""
        return self.airbyte.create_definition(self.definitions, str(body["workspaceId"]), body)

    def write(self, known: Known, body: JsonObject) -> Definition:
        """PUT."""
        return self.airbyte.put_definition(self.definitions, known.id, self.place(known.inputs), body)

    def erase(self, object_id: str, workspace_id: str) -> None:
        """DELETE."""
        self.airbyte.delete_definition(self.definitions, object_id, workspace_id)

    def refuse_cascade(self, known: Known) -> None:
        """Refuse to delete a definition that live sources or destinations use."""
        refuse_configured(self.airbyte, self.actors, known.id, self.place(known.inputs))

    def outputs_of(self, found: Definition) -> Properties:
        """The id."""
        return {"definitionId": found.definition_id}


class ImageType(DefinitionType):
    """A definition with an image.

    The list of a workspace has the server's own connectors too, so the repository is part of the identity.
    """

    identity = ("workspaceId", "name", "dockerRepository")
    left_alone = frozenset({"documentationUrl"})

    def from_server(self, found: Definition) -> Properties:
        """All properties."""
        return without_nulls(
            {
                "name": found.name,
                "workspaceId": found.workspace_id,
                "dockerRepository": found.docker_repository,
                "dockerImageTag": found.docker_image_tag,
                "documentationUrl": found.documentation_url,
            }
        )


class SourceDefinitionType(ImageType):
    """`airbyte:index/sourceDefinition:SourceDefinition`."""

    token = "airbyte:index/sourceDefinition:SourceDefinition"
    kind = "source definition"
    definitions = "source"
    actors = "source"
    summary = "A source connector of one's own: an image. Deleting it deletes its sources and their connections."
    inputs = image_inputs("source")


class DestinationDefinitionType(ImageType):
    """`airbyte:index/destinationDefinition:DestinationDefinition`."""

    token = "airbyte:index/destinationDefinition:DestinationDefinition"
    kind = "destination definition"
    definitions = "destination"
    actors = "destination"
    summary = "A destination connector of one's own: an image. Deleting it deletes its destinations and connections."
    inputs = image_inputs("destination")


class DeclarativeSourceDefinitionType(DefinitionType):
    """`airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition`."""

    token = "airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition"
    kind = "declarative source definition"
    definitions = "declarative_source"
    actors = "source"
    identity = ("workspaceId", "name")
    summary = "A source connector of one's own: a manifest. Deleting it deletes its sources and their connections."
    inputs = MANIFEST_INPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Convert a manifest's text to an object."""
        try:
            given = {**inputs, "manifest": manifest_of(inputs.get("manifest"))}
        except ValueError as error:
            return Checked(inputs, [Failure("manifest", str(error))])
        return super().check(given, checking)

    def from_server(self, found: Definition) -> Properties:
        """All properties."""
        return without_nulls({"name": found.name, "workspaceId": found.workspace_id, "manifest": found.manifest})


@cache
def _loader() -> "type[yaml.SafeLoader]":
    """A loader that reads YAML as JSON: keys are texts, and so are dates. The library is imported when it is needed."""
    import yaml  # noqa: PLC0415

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    return Loader


def _mapping(loader: "yaml.SafeLoader", node: "yaml.MappingNode") -> Iterator[dict[str, object]]:
    """A mapping whose keys are the texts in the document. It is filled after its anchor is known, as PyYAML does."""
    found: dict[str, object] = {}
    yield found
    loader.flatten_mapping(node)
    found.update({str(key.value): loader.construct_object(value, deep=True) for key, value in node.value})


def manifest_of(given: Property) -> Property:
    """The manifest as an object; it may come as YAML or JSON text.

    Raises:
        ValueError: the text is no YAML, or no mapping.
    """
    inner = unwrap(given)
    if not isinstance(inner, str) or inner == "":
        return given
    import yaml  # noqa: PLC0415

    try:
        parsed: Property = yaml.load(inner, Loader=_loader())  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        place = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ValueError(f"is text that is neither YAML nor JSON{place}: {error.problem}") from None
    if not isinstance(parsed, dict):
        raise ValueError("must be a mapping, or the YAML or JSON text of one")  # noqa: TRY004, the user's text is wrong
    return all_secret(parsed) if isinstance(given, Secret) else parsed
