"""All objects of a twin, in memory."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from pydantic import Field

from airbyte_twin.records import (
    Actor,
    ActorKind,
    Application,
    BuilderProject,
    Catalog,
    Connection,
    ConnectionState,
    Dataplane,
    Definition,
    Discovery,
    Generations,
    Group,
    Image,
    Job,
    ManifestVersion,
    Membership,
    OAuthCredentials,
    Operation,
    Organization,
    Outside,
    Permission,
    Record,
    Region,
    Secret,
    Tag,
    Temper,
    User,
    Workspace,
)


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The key."""
        ...


T = TypeVar("T", bound=Identified)


class Table(Generic[T]):
    """Records by id, in the order of their last writes; counts its changes.

    The server's lists come in the order of a Postgres table without ORDER BY, where a new version of a row goes to the
    end.
    """

    def __init__(self) -> None:
        self._rows: dict[str, T] = {}
        self.changes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows.values())

    def get(self, key: str) -> T | None:
        """The record of that id, if there is one."""
        return self._rows.get(key)

    def put(self, record: T) -> T:
        """Add a record, or replace the one of the same id."""
        self._rows.pop(record.id, None)
        self._rows[record.id] = record
        self.changes += 1
        return record

    def drop(self, key: str) -> None:
        """Forget a record; an unknown id is fine."""
        if self._rows.pop(key, None) is not None:
            self.changes += 1

    def fill(self, records: tuple[T, ...]) -> None:
        """Replace all records by these."""
        self._rows = {record.id: record for record in records}
        self.changes += 1


class Snapshot(Record):
    """Everything that is saved but secrets' values and client credentials."""

    version: int = 1
    next_job_id: int
    workspaces: tuple[Workspace, ...]
    definitions: tuple[Definition, ...]
    actors: tuple[Actor, ...]
    connections: tuple[Connection, ...]
    jobs: tuple[Job, ...]
    tags: tuple[Tag, ...]
    catalogs: tuple[Catalog, ...]
    discoveries: tuple[Discovery, ...]
    states: tuple[ConnectionState, ...]
    tempers: tuple[Temper, ...]
    generations: tuple[Generations, ...] = ()
    outsides: tuple[Outside, ...] = ()
    images: tuple[Image, ...] = ()
    operations: tuple[Operation, ...] = ()
    manifests: tuple[ManifestVersion, ...] = ()
    projects: tuple[BuilderProject, ...] = ()
    organizations: tuple[Organization, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    memberships: tuple[Membership, ...] = ()
    permissions: tuple[Permission, ...] = ()
    regions: tuple[Region, ...] = ()
    dataplanes: tuple[Dataplane, ...] = ()
    oauth_credentials: tuple[OAuthCredentials, ...] = ()


class SecretSnapshot(Record):
    """The values of secrets and client credentials, saved apart from all else."""

    version: int = 1
    secrets: tuple[Secret, ...] = Field(repr=False)
    applications: tuple[Application, ...] = Field(repr=False)


class Store:
    """The tables of one twin; tests may read and write them directly."""

    def __init__(self) -> None:
        self.workspaces: Table[Workspace] = Table()
        self.definitions: Table[Definition] = Table()
        self.actors: Table[Actor] = Table()
        self.connections: Table[Connection] = Table()
        self.jobs: Table[Job] = Table()
        self.tags: Table[Tag] = Table()
        self.applications: Table[Application] = Table()
        self.catalogs: Table[Catalog] = Table()
        self.discoveries: Table[Discovery] = Table()
        self.states: Table[ConnectionState] = Table()
        self.tempers: Table[Temper] = Table()
        self.generations: Table[Generations] = Table()
        self.outsides: Table[Outside] = Table()
        self.images: Table[Image] = Table()
        self.operations: Table[Operation] = Table()
        self.manifests: Table[ManifestVersion] = Table()
        self.projects: Table[BuilderProject] = Table()
        self.organizations: Table[Organization] = Table()
        self.users: Table[User] = Table()
        self.groups: Table[Group] = Table()
        self.memberships: Table[Membership] = Table()
        self.permissions: Table[Permission] = Table()
        self.regions: Table[Region] = Table()
        self.dataplanes: Table[Dataplane] = Table()
        self.oauth_credentials: Table[OAuthCredentials] = Table()
        self.secrets: Table[Secret] = Table()
        self.next_job_id = 1

    @property
    def revision(self) -> int:
        """A number that grows with every change."""
        tables = (
            self.workspaces, self.definitions, self.actors, self.connections, self.jobs, self.tags, self.applications,
            self.catalogs, self.discoveries, self.states, self.tempers, self.generations, self.outsides, self.images,
            self.operations, self.manifests, self.projects,
            self.organizations, self.users, self.groups, self.memberships, self.permissions, self.regions,
            self.dataplanes, self.oauth_credentials, self.secrets,
        )  # fmt: skip
        return sum(table.changes for table in tables)

    def new_job_id(self) -> str:
        """The next number, as text because ids are."""
        self.next_job_id += 1
        return str(self.next_job_id - 1)

    def actor(self, kind: ActorKind, key: str) -> Actor | None:
        """A source or destination, deleted or not."""
        found = self.actors.get(key)
        return found if found is not None and found.kind is kind else None

    def actors_of(self, kind: ActorKind) -> Iterator[Actor]:
        """All sources or all destinations, deleted ones included."""
        return (actor for actor in self.actors if actor.kind is kind)

    def connections_of(self, actor_id: str) -> list[Connection]:
        """Connections that read from or write to an actor, deprecated ones included."""
        return [each for each in self.connections if actor_id in (each.source_id, each.destination_id)]

    def jobs_of(self, connection_id: str) -> list[Job]:
        """Jobs of a connection, oldest first."""
        found = (job for job in self.jobs if job.connection_id == connection_id)
        return sorted(found, key=lambda job: int(job.id))

    def active_job(self, connection_id: str) -> Job | None:
        """The job of a connection that has not finished, if any."""
        return next((job for job in self.jobs if job.connection_id == connection_id and not job.finished), None)

    def snapshot(self) -> Snapshot:
        """Everything but secrets."""
        return Snapshot(
            next_job_id=self.next_job_id,
            workspaces=tuple(self.workspaces),
            definitions=tuple(self.definitions),
            actors=tuple(self.actors),
            connections=tuple(self.connections),
            jobs=tuple(self.jobs),
            tags=tuple(self.tags),
            catalogs=tuple(self.catalogs),
            discoveries=tuple(self.discoveries),
            states=tuple(self.states),
            tempers=tuple(self.tempers),
            generations=tuple(self.generations),
            outsides=tuple(self.outsides),
            images=tuple(self.images),
            operations=tuple(self.operations),
            manifests=tuple(self.manifests),
            projects=tuple(self.projects),
            organizations=tuple(self.organizations),
            users=tuple(self.users),
            groups=tuple(self.groups),
            memberships=tuple(self.memberships),
            permissions=tuple(self.permissions),
            regions=tuple(self.regions),
            dataplanes=tuple(self.dataplanes),
            oauth_credentials=tuple(self.oauth_credentials),
        )

    def secret_snapshot(self) -> SecretSnapshot:
        """The rest."""
        return SecretSnapshot(secrets=tuple(self.secrets), applications=tuple(self.applications))

    def restore(self, snapshot: Snapshot, secrets: SecretSnapshot) -> None:
        """Replace everything in the tables by what a snapshot has."""
        self.next_job_id = snapshot.next_job_id
        self.workspaces.fill(snapshot.workspaces)
        self.definitions.fill(snapshot.definitions)
        self.actors.fill(snapshot.actors)
        self.connections.fill(snapshot.connections)
        self.jobs.fill(snapshot.jobs)
        self.tags.fill(snapshot.tags)
        self.catalogs.fill(snapshot.catalogs)
        self.discoveries.fill(snapshot.discoveries)
        self.states.fill(snapshot.states)
        self.tempers.fill(snapshot.tempers)
        self.generations.fill(snapshot.generations)
        self.outsides.fill(snapshot.outsides)
        self.images.fill(snapshot.images)
        self.operations.fill(snapshot.operations)
        self.manifests.fill(snapshot.manifests)
        self.projects.fill(snapshot.projects)
        self.organizations.fill(snapshot.organizations)
        self.users.fill(snapshot.users)
        self.groups.fill(snapshot.groups)
        self.memberships.fill(snapshot.memberships)
        self.permissions.fill(snapshot.permissions)
        self.regions.fill(snapshot.regions)
        self.dataplanes.fill(snapshot.dataplanes)
        self.oauth_credentials.fill(snapshot.oauth_credentials)
        self.secrets.fill(secrets.secrets)
        self.applications.fill(secrets.applications)
