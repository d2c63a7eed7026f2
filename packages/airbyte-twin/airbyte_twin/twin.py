"""One running twin: its store, registry, clock and settings, and look-ups that need several of them."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from uuid import UUID, uuid4

from starlette.requests import HTTPConnection

from airbyte_twin.calls import CallLog
from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import ApiError, OpaqueError, ProblemError, forbidden, missing, unexpected
from airbyte_twin.faults import Faults
from airbyte_twin.manifests import manifest_spec, manifest_streams
from airbyte_twin.records import (
    DEFAULT_ID,
    ActorKind,
    Application,
    Catalog,
    Connection,
    Definition,
    Image,
    Job,
    Organization,
    Permission,
    Region,
    Temper,
    User,
    Workspace,
)
from airbyte_twin.registry import Connector, Registry
from airbyte_twin.secrets import SecretTree, Vault
from airbyte_twin.settings import TwinSettings
from airbyte_twin.store import Store
from airbyte_twin.sync.protocol.cancellation import Cancellations
from airbyte_twin.tokens import Tokens


class JobRunner(Protocol):
    """Receives new and finished jobs, in the twin's thread."""

    def submit(self, job: Job) -> None:
        """Take a new job."""

    def cancel(self, job_id: str) -> None:
        """Stop the work of a job that is finished in the store."""

    def log(self, job_id: str) -> tuple[str, ...]:
        """The last lines of a job's log."""

    def clock_moved(self) -> None:
        """Start syncs that fell due since the last call."""

    def settled(self, seconds: float) -> bool:
        """Wait, in another thread, until no job waits or runs; False after the timeout."""


class ByHand:
    """Runs no job; tests move jobs with `drive`."""

    def submit(self, job: Job) -> None:
        """Do nothing."""

    def cancel(self, job_id: str) -> None:
        """Do nothing."""

    def log(self, job_id: str) -> tuple[str, ...]:
        """No lines."""
        return ()

    def clock_moved(self) -> None:
        """Do nothing."""

    def settled(self, seconds: float) -> bool:
        """Always settled."""
        return True


@dataclass(frozen=True)
class Consent:
    """An OAuth flow that has begun: for which connector and workspace, and where it leads in the end."""

    definition_id: str
    workspace_id: str
    redirect_url: str


OPEN_SPEC: JsonObject = {"type": "object", "properties": {}, "additionalProperties": True}
T = TypeVar("T")


@dataclass
class Twin:
    """The state that request handlers share.

    Attributes:
        runner: Runs jobs.
        cancellations: Work outside the twin's thread.
        changed: Called after a change of the store outside of a request.
        consents: OAuth flows under way, by their state.
        defects: Exceptions in the twin itself; a 500 alone can be a faithful answer.
    """

    settings: TwinSettings
    registry: Registry
    store: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=Clock)
    calls: CallLog = field(default_factory=CallLog)
    faults: Faults = field(default_factory=Faults)
    runner: JobRunner = field(default_factory=ByHand)
    cancellations: Cancellations = field(default_factory=Cancellations)
    changed: Callable[[], None] = lambda: None
    defects: list[str] = field(default_factory=list)
    consents: dict[str, Consent] = field(default_factory=dict)
    shuffler: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    def __post_init__(self) -> None:
        self._own: dict[str, tuple[Definition, Image | None, Connector]] = {}
        self.tokens = Tokens(self.settings.client_secret, self.settings.token_lifetime, self.clock)

    @staticmethod
    def of(request: HTTPConnection) -> "Twin":
        """The twin that a request was sent to."""
        twin = request.app.state.twin
        if not isinstance(twin, Twin):
            raise TypeError("the application was not assembled for a twin")
        return twin

    def populate(self) -> None:
        """Add the objects of a new server, from its organization to the registry's definitions."""
        now, settings = self.clock.seconds(), self.settings
        self._add_organization(now)
        if self.store.workspaces.get(settings.workspace_id) is None:
            notifications = default_notifications()
            self.store.workspaces.put(
                Workspace(
                    id=settings.workspace_id, name="Default Workspace", notifications=notifications, created_at=now
                )
            )
        for connector in self.registry:
            if self.store.definitions.get(connector.definition_id) is None:
                self.store.definitions.put(definition_of(connector))
        default = next((each for each in self.store.applications if each.client_id == settings.client_id), None)
        self.store.applications.put(
            Application(
                id=default.id if default else str(uuid4()),
                name="Default User Application",
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                created_at=default.created_at if default else now,
            )
        )

    def _add_organization(self, now: int) -> None:
        """Add organization, user and region of a new server, also to a state that was saved before there were any."""
        if self.store.organizations.get(DEFAULT_ID) is not None:
            return
        email = "admin@example.com"
        self.store.organizations.put(Organization(id=DEFAULT_ID, name="Default Organization", email=email))
        self.store.users.put(User(id=DEFAULT_ID, name="Default User", email=email))
        admin = Permission(id=str(uuid4()), type="instance_admin", user_id=DEFAULT_ID)
        owner = Permission(id=str(uuid4()), type="organization_admin", user_id=DEFAULT_ID, organization_id=DEFAULT_ID)
        self.store.permissions.put(admin)
        self.store.permissions.put(owner)
        self.store.regions.put(
            Region(id=str(uuid4()), name="AUTO", organization_id=DEFAULT_ID, created_at=now, updated_at=now)
        )

    def region_name(self, workspace: Workspace) -> str:
        """The `dataResidency` of a workspace."""
        region = self.store.regions.get(workspace.region_id or "")
        return region.name.lower() if region else "auto"

    def check_entitled(self, feature: str) -> None:
        """Refuse a feature that the organization's license does not have.

        Raises:
            ProblemError: 403 `error:license/entitlement`.
        """
        if not self.settings.entitled:
            raise ProblemError(403, "error:license/entitlement", {"entitlement": feature})

    def unknown(self, resource_type: str, resource_id: str) -> ApiError:
        """The answer of the public API to an unknown id: 404, or 403 on Cloud."""
        if self.settings.unknown_id_status == 403:
            return forbidden()
        return missing(resource_type, resource_id)

    def lost(self, resource_type: str, resource_id: str) -> ApiError:
        """The answer to an unknown id that the server fails on: 500, or 403 on Cloud."""
        if self.settings.unknown_id_status == 403:
            return forbidden()
        message = f"io.airbyte.data.ConfigNotFoundException: config type: {resource_type} id: {resource_id}"
        return unexpected(message, OpaqueError(404))

    def unknown_in_config(self) -> ApiError:
        """The same answer of the Config API."""
        return forbidden() if self.settings.unknown_id_status == 403 else OpaqueError(404)

    def vault(self, workspace_id: str) -> Vault:
        """The secrets of a workspace."""
        return Vault(self.store.secrets, workspace_id)

    def definition(self, definition_id: str) -> Definition | None:
        """A definition that was not deleted."""
        found = self.store.definitions.get(definition_id)
        return found if found is not None and not found.deleted else None

    def connector(self, definition_id: str) -> Connector:
        """The connector of a definition: of the registry, of a described image, of a manifest, or an unknown one."""
        definition = self.store.definitions.get(definition_id)
        known = self.registry.by_definition(definition_id)
        if known is not None or definition is None:
            return known or own_connector(definition_id, None, None)
        image = self.store.images.get(definition.docker_repository)
        known = None if image else self.registry.by_repository(definition.docker_repository)
        if known is not None:
            return known
        # A manifest takes time to read; records are never changed, only replaced.
        made = self._own.get(definition_id)
        if made is None or made[0] is not definition or made[1] is not image:
            made = self._own[definition_id] = (definition, image, own_connector(definition_id, definition, image))
        return made[2]

    def type_name(self, definition_id: str) -> str:
        """`sourceType` or `destinationType`, empty for custom definitions."""
        return self.registry.type_name(definition_id)

    def secret_tree(self, definition_id: str) -> SecretTree:
        """Paths of secrets in configurations of a definition."""
        return self.connector(definition_id).secret_tree

    def catalog(self, catalog_id: str) -> Catalog:
        """A discovered catalog; an empty one if its connector is gone."""
        found = self.store.catalogs.get(catalog_id) or self.registry.catalog(catalog_id)
        return found or Catalog(id=catalog_id, streams=())

    def knows_catalog(self, catalog_id: str) -> bool:
        """Whether a discovery found a catalog of this id."""
        return (self.store.catalogs.get(catalog_id) or self.registry.catalog(catalog_id)) is not None

    def refreshes(self, connection: Connection) -> bool:
        """Whether a connection's destination supports refreshes."""
        destination = self.store.actors.get(connection.destination_id)
        return destination is not None and self.connector(destination.definition_id).supports_refreshes

    def temper(self, actor_id: str) -> Temper:
        """How the connector of an actor behaves when it runs."""
        return self.store.tempers.get(actor_id) or Temper(id=actor_id)

    def listed(self, rows: Iterable[T]) -> list[T]:
        """Rows in the order of a list response; the server guarantees none."""
        found = list(rows)
        if self.settings.unstable_lists:
            self.shuffler.shuffle(found)
        return found


def canonical_id(text: str) -> str:
    """An id of a path in canonical form.

    Raises:
        OpaqueError: 500, it is no UUID: the server's own code breaks on it.
    """
    try:
        return str(UUID(text))
    except ValueError as error:
        raise OpaqueError(500) from error


def default_notifications() -> JsonObject:
    """Mail for everything except success, no webhooks (airbyte-platform WorkspacesHandler)."""
    events = (
        "failure",
        "success",
        "connectionUpdate",
        "connectionUpdateActionRequired",
        "syncDisabled",
        "syncDisabledWarning",
    )
    return {event: {"email": {"enabled": event != "success"}, "webhook": {"enabled": False}} for event in events}


def definition_of(connector: Connector) -> Definition:
    """The definition that a server has for a connector of its registry."""
    return Definition(
        id=connector.definition_id,
        kind=connector.kind,
        name=connector.name,
        docker_repository=connector.docker_repository,
        docker_image_tag=connector.docker_image_tag,
        documentation_url=f"https://docs.airbyte.com/integrations/{connector.kind}s/{connector.type}",
    )


def own_connector(definition_id: str, definition: Definition | None, image: Image | None) -> Connector:
    """A connector that no registry has: as its manifest or its image says, or one that accepts anything."""
    known = Connector(
        definition_id=definition_id,
        kind=definition.kind if definition else ActorKind.SOURCE,
        type="",
        name=definition.name if definition else "",
        docker_repository=definition.docker_repository if definition else "",
        docker_image_tag=definition.docker_image_tag if definition else "",
        spec=OPEN_SPEC,
        supported_destination_sync_modes=("overwrite", "append"),
    )
    if definition is not None and definition.manifest is not None:
        streams = manifest_streams(definition.manifest)
        spec = as_object(as_object(definition.manifest_spec).get("connectionSpecification"))
        spec = spec or manifest_spec(definition.manifest) or OPEN_SPEC
        return known.model_copy(update={"spec": spec, "streams": streams})
    return known if image is None else known.model_copy(update=dict(image.description))
