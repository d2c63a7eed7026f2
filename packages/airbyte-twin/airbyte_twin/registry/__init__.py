"""The registry of connectors: those shipped with the package, and those of a data folder."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, ValidationError

from airbyte_twin.documents import JsonObject
from airbyte_twin.records import ActorKind, Catalog, DestinationSyncMode, DiscoveredStream
from airbyte_twin.secrets import SecretTree
from airbyte_twin.specs import SpecValidator, spec_flaw

OFFICIAL = "airbyte/"
NAMELESS = frozenset({"airbyte/destination-dev-null"})
"""Connectors of Airbyte's own that the public API has no type name for."""


class ConnectorFileError(Exception):
    """A connector file that cannot be used; the message names the file and the reason."""


class Connector(BaseModel):
    """One connector.

    Attributes:
        type: Short name, e.g. `shopify`; see `type_name`.
        spec: Its `connectionSpecification`, keys and constraints only.
        supported_destination_sync_modes: Of destinations; see `destination_modes`.
        suggested_streams: Selected when a connection names none.
        supports_refreshes: Of destinations.
        supports_files: Whether it can sync files too; both ends must.
        streams: Result of `discover`, in the Airbyte protocol's spelling; None: discovery fails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    definition_id: str
    kind: ActorKind
    type: str
    name: str
    docker_repository: str
    docker_image_tag: str
    spec: JsonObject
    supported_destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    suggested_streams: tuple[str, ...] = ()
    supports_refreshes: bool = False
    supports_files: bool = False
    streams: tuple[DiscoveredStream, ...] | None = None

    @property
    def type_name(self) -> str:
        """Value of `sourceType` or `destinationType`; empty for connectors without a name in the public API."""
        has_name = self.docker_repository.startswith(OFFICIAL) and self.docker_repository not in NAMELESS
        return self.type if has_name else ""

    @property
    def destination_modes(self) -> tuple[DestinationSyncMode, ...]:
        """The modes of a destination, with `overwrite_dedup`, which the server derives from others."""
        modes = self.supported_destination_sync_modes
        made = self.supports_refreshes and {"overwrite", "append_dedup"} <= {*modes} and "overwrite_dedup" not in modes
        return (*modes, "overwrite_dedup") if made else modes

    @cached_property
    def validator(self) -> SpecValidator:
        """Checks configurations against the spec."""
        return SpecValidator(self.spec)

    @cached_property
    def secret_tree(self) -> SecretTree:
        """Where configurations hold secrets."""
        return SecretTree(self.spec)

    @cached_property
    def catalog(self) -> Catalog | None:
        """The streams under an id that depends on connector and version alone."""
        if self.streams is None:
            return None
        name = f"airbyte-twin:{self.docker_repository}:{self.docker_image_tag}"
        return Catalog(id=str(uuid5(NAMESPACE_URL, name)), streams=self.streams)


class Registry:
    """Connectors by definition id, docker repository and type.

    Args:
        connectors: All of them.
        names: Type names of definitions that keep theirs, whatever connector they are of.
    """

    def __init__(self, connectors: Iterable[Connector], names: Mapping[str, str]) -> None:
        self._by_id = {connector.definition_id: connector for connector in connectors}
        self._by_repository = {each.docker_repository: each for each in self._by_id.values()}
        self._names = {each.definition_id: names.get(each.definition_id, each.type_name) for each in self}
        self._by_type = {(each.kind, self._names[each.definition_id]): each for each in self}
        self._catalogs = {each.catalog.id: each.catalog for each in self._by_id.values() if each.catalog}

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._by_id.values())

    def by_definition(self, definition_id: str) -> Connector | None:
        """The connector of a definition id."""
        return self._by_id.get(definition_id)

    def by_repository(self, repository: str) -> Connector | None:
        """The connector of a docker repository, so that a custom definition of a known image behaves as it."""
        return self._by_repository.get(repository)

    def by_type(self, kind: ActorKind, name: str) -> Connector | None:
        """The connector of a `sourceType` or `destinationType`."""
        return self._by_type.get((kind, name)) if name else None

    def type_name(self, definition_id: str) -> str:
        """`sourceType` or `destinationType` of a definition, empty where the server has no name for it."""
        return self._names.get(definition_id, "")

    def catalog(self, catalog_id: str) -> Catalog | None:
        """The catalog of a connector, by the catalog's id."""
        return self._catalogs.get(catalog_id)


@cache  # parsing takes most of a twin's start, and a test run starts hundreds in one process
def shipped_connectors() -> tuple[Connector, ...]:
    """The connectors inside this package."""
    folder = resources.files("airbyte_twin.registry") / "data"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name)
    return tuple(Connector.model_validate_json(entry.read_bytes()) for entry in files)


def load_connector(path: Path) -> Connector:
    """Read one connector file.

    Raises:
        ConnectorFileError: It cannot be read or is not a connector.
    """
    try:
        connector = Connector.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConnectorFileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise ConnectorFileError(f"{path}: not a connector: {where}: {first['msg']}") from error
    flaw = spec_flaw(connector.spec)
    if flaw:
        raise ConnectorFileError(f"{path}: not a connector: spec is not a JSON Schema: {flaw}")
    return connector


def load_registry(extra_folder: Path | None) -> Registry:
    """Shipped connectors, overridden and extended by the `*.json` files of a folder that may be missing."""
    connectors = {connector.definition_id: connector for connector in shipped_connectors()}
    names = {definition_id: connector.type_name for definition_id, connector in connectors.items()}
    for path in sorted(extra_folder.glob("*.json")) if extra_folder else ():
        connector = load_connector(path)
        connectors[connector.definition_id] = connector
    return Registry(connectors.values(), names)
