"""Live objects by kind, read in lists: a thousand objects cost ten calls.

The first few objects of a kind are read one by one, which keeps a small stack in a big workspace cheap. Then the
workspace's list is fetched, once per run. A refresh uses paged lists; an object that a page skips costs one more GET.
Creates and deletes are decided by complete lists (`client/whole_lists.py`).
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar, get_args

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import (
    Actor,
    ActorKind,
    Connection,
    Definition,
    DefinitionKind,
    Permission,
    Tag,
    Workspace,
)

if TYPE_CHECKING:
    from pulumi_airbyte.client.whole_lists import Ends

ONE_BY_ONE: Final = 3
"""This many objects of a kind are read one by one before the list is fetched."""

EVERYWHERE: Final = ""
"""In place of a workspace: all visible ones."""

UNKNOWN_WORKSPACE: Final = "unknown"
"""The workspace of an object with an unknown workspace."""

Record = TypeVar("Record", Actor, Connection, ConfigConnection, Definition, Permission, Tag, Workspace)
Answer = TypeVar("Answer")
Key = TypeVar("Key", bound=Hashable)


class Shared(Generic[Answer]):
    """Answers by id that are never older than the question. Thread-safe.

    Threads that ask while a call is running share the next call: the running one began before they asked.

    Args:
        ask: makes the call for an id.
    """

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._next: dict[str, Future[Answer]] = {}

    def __call__(self, workspace_id: str) -> Answer:
        """The answer; raises what `ask` raises."""
        with self._lock:
            asking = self._asking.setdefault(workspace_id, threading.Lock())
            is_first = workspace_id not in self._next
            answer = self._next.setdefault(workspace_id, Future())
        if is_first:
            with asking:
                with self._lock:
                    del self._next[workspace_id]
                try:
                    answer.set_result(self._ask(workspace_id))
                except BaseException as error:  # noqa: BLE001, every waiting thread raises it
                    answer.set_exception(error)
        return answer.result()


class Kept(Generic[Key, Answer]):
    """Answers that are asked for once each. Thread-safe; callers wait for a running call.

    Args:
        ask: makes the call for a key.
    """

    def __init__(self, ask: Callable[[Key], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: dict[Key, Answer] = {}

    def __call__(self, key: Key) -> Answer:
        """The answer; raises what `ask` raises, and asks again next time."""
        with self._lock:
            if key not in self._answers:
                self._answers[key] = self._ask(key)
            return self._answers[key]


@dataclass(frozen=True)
class Reading(Generic[Record]):
    """The client's calls for objects of one kind.

    Attributes:
        one: reads one object by its id, and its workspace or UNKNOWN_WORKSPACE; raises AirbyteError as the client does.
        pages: lists the objects of a workspace, or of all visible workspaces, without deleted ones; may skip some.
        every: the same list, complete.
        id_of: an object's id.
        workspace_of: an object's workspace id; UNKNOWN_WORKSPACE if the object does not have it.
    """

    one: Callable[[str, str], Record]
    pages: Callable[[str], list[Record]]
    every: Callable[[str], list[Record]]
    id_of: Callable[[Record], str]
    workspace_of: Callable[[Record], str]


class Shelf(Generic[Record]):
    """The objects of one kind. Thread-safe; callers wait while a list is fetched.

    A shelf holds objects that this process has read or written. If another process of the run may have written, call
    `reload`.
    """

    def __init__(self, reading: Reading[Record]) -> None:
        self._reading: Reading[Record] = reading
        self._lock = threading.Lock()
        self._reloaded: Shared[list[Record]] = Shared(self._load)
        self._lists: dict[str, dict[str, Record]] = {}
        self._whole: set[str] = set()
        self._unread: dict[str, Record] = {}
        self._homes: dict[str, str] = {}
        self._places: set[str] = set()
        self._singles = 0

    def get(self, object_id: str, workspace_id: str = UNKNOWN_WORKSPACE) -> Record:
        """Read one object. Pass its workspace if it is known, which saves a call.

        The first call returns an object's entry in a list. The next one reads it by GET, because it may have changed.

        Raises:
            AirbyteError: the list or the GET failed. An object that is in no list is read by GET.
        """
        with self._lock:
            self._singles += 1
            if self._singles > ONE_BY_ONE:
                for place in sorted((self._places | {workspace_id}) - self._lists.keys() - {UNKNOWN_WORKSPACE}):
                    self._fetch(place, self._reading.pages)
            found = self._unread.pop(object_id, None)
            if found is None and self._singles > ONE_BY_ONE and not self._lists:
                # The workspace is still unknown. Keep the lock until this read has found it, so that the next reads
                # can use its list.
                return self._single(object_id, workspace_id)
        if found is None:
            found = self._reading.one(object_id, workspace_id)
            with self._lock:
                self._place(object_id, found)
        return found

    def look(self, object_id: str, workspace_id: str = UNKNOWN_WORKSPACE) -> Record:
        """Read one object for display: its entry in a list that this process has, with its own writes, else as `get`.

        Raises:
            AirbyteError: as `get`.
        """
        with self._lock:
            for listed in self._lists.values():
                if object_id in listed:
                    return listed[object_id]
        return self.get(object_id, workspace_id)

    def home_of(self, record: Record) -> str:
        """The workspace of a record; UNKNOWN_WORKSPACE if neither the record nor a list shows it."""
        home = self._reading.workspace_of(record)
        return self._homes.get(self._reading.id_of(record), home) if home == UNKNOWN_WORKSPACE else home

    def _single(self, object_id: str, workspace_id: str) -> Record:
        found = self._reading.one(object_id, workspace_id)
        self._place(object_id, found)
        return found

    def _place(self, object_id: str, record: Record, listed_in: str = UNKNOWN_WORKSPACE) -> str:
        home = self._reading.workspace_of(record)
        if home == UNKNOWN_WORKSPACE:
            home = self._homes.get(object_id, listed_in)
        if home != UNKNOWN_WORKSPACE:
            self._homes[object_id] = home
            self._places.add(home)
        return home

    def home(self, object_id: str) -> str:
        """The workspace of an object. It never changes, so it is read at most once.

        Raises:
            AirbyteError: as the client's GET.
        """
        with self._lock:
            known = self._homes.get(object_id)
        return known if known is not None else self._reading.workspace_of(self.get(object_id))

    def all(self, workspace_id: str) -> list[Record]:
        """Every object of a workspace, with this process's own writes."""
        with self._lock:
            if workspace_id not in self._whole:
                self._fetch_whole(workspace_id)
            return list(self._lists[workspace_id].values())

    def reload(self, workspace_id: str) -> list[Record]:
        """Every object of a workspace, from a list that starts after this call."""
        return self._reloaded(workspace_id)

    def _load(self, workspace_id: str) -> list[Record]:
        with self._lock:
            self._fetch_whole(workspace_id)
            return list(self._lists[workspace_id].values())

    def put(self, record: Record) -> None:
        """Record the result of a write."""
        with self._lock:
            object_id = self._reading.id_of(record)
            self._unread.pop(object_id, None)
            home = self._place(object_id, record)
            for listed in (self._lists[place] for place in {home, EVERYWHERE} & self._lists.keys()):
                listed[object_id] = record

    def drop(self, object_id: str) -> None:
        """Record that an object was deleted."""
        with self._lock:
            self._unread.pop(object_id, None)
            for listed in self._lists.values():
                listed.pop(object_id, None)

    def _fetch_whole(self, workspace_id: str) -> None:
        self._fetch(workspace_id, self._reading.every)
        self._whole.add(workspace_id)

    def _fetch(self, workspace_id: str, read: Callable[[str], list[Record]]) -> None:
        listed = {self._reading.id_of(record): record for record in read(workspace_id)}
        self._lists[workspace_id] = listed
        for object_id, record in listed.items():
            self._place(object_id, record, workspace_id)
        self._unread.update(listed)


def _tags(airbyte: Airbyte) -> Shelf[Tag]:
    return Shelf(
        Reading(
            lambda tag_id, _: airbyte.get_tag(tag_id),
            airbyte.tags,
            airbyte.tags,
            lambda found: found.tag_id,
            lambda found: found.workspace_id,
        )
    )


def permission_place(user_id: str, organization_id: str) -> str:
    """The list that a permission is in: those of a user in an organization itself, or in workspaces."""
    return f"{user_id}/{organization_id}"


def _permissions(airbyte: Airbyte) -> Shelf[Permission]:
    def within(place: str) -> list[Permission]:
        user_id, _, organization_id = place.partition("/")
        return airbyte.permissions_within(user_id, organization_id)

    return Shelf(
        Reading(
            lambda permission_id, _: airbyte.get_permission(permission_id),
            within,
            within,
            lambda found: found.permission_id,
            lambda found: permission_place(found.user_id or "", found.organization or ""),
        )
    )


class Inventory:
    """The objects of one Airbyte, by kind.

    Attributes:
        ends: sources and destinations of a workspace's connections, read after the call; for deletes.
    """

    def __init__(self, airbyte: Airbyte) -> None:
        self._actors: dict[ActorKind, Shelf[Actor]] = {
            "source": _actors(airbyte, "source"),
            "destination": _actors(airbyte, "destination"),
        }
        self.connections: Shelf[Connection] = Shelf(
            Reading(
                lambda connection_id, _: airbyte.get_connection(connection_id),
                airbyte.list_connections,
                airbyte.every_connection,
                lambda found: found.connection_id,
                lambda found: found.workspace_id,
            )
        )
        self.settings: Shelf[ConfigConnection] = Shelf(
            Reading(
                lambda connection_id, _: airbyte.get_config_connection(connection_id),
                airbyte.list_config_connections,
                airbyte.list_config_connections,
                lambda found: found.connection_id,
                lambda found: found.workspace_id or UNKNOWN_WORKSPACE,
            )
        )
        self.workspaces: Shelf[Workspace] = Shelf(
            Reading(
                lambda workspace_id, _: airbyte.get_workspace(workspace_id),
                lambda _: airbyte.list_workspaces(),
                lambda _: airbyte.every_workspace(),
                lambda found: found.workspace_id,
                lambda _: "",
            )
        )
        self.tags: Shelf[Tag] = _tags(airbyte)
        self.permissions: Shelf[Permission] = _permissions(airbyte)
        self._definitions: dict[DefinitionKind, Shelf[Definition]] = {
            kind: _definitions(airbyte, kind) for kind in get_args(DefinitionKind)
        }
        self.ends: Shared[list[Ends]] = Shared(airbyte.every_end)

    def actors(self, kind: ActorKind) -> Shelf[Actor]:
        """Sources or destinations."""
        return self._actors[kind]

    def definitions(self, kind: DefinitionKind) -> Shelf[Definition]:
        """Connectors of the workspaces' own."""
        return self._definitions[kind]


def _actors(airbyte: Airbyte, kind: ActorKind) -> Shelf[Actor]:
    return Shelf(
        Reading(
            lambda actor_id, _: airbyte.get_actor(kind, actor_id),
            lambda workspace_id: airbyte.list_actors(kind, workspace_id),
            lambda workspace_id: airbyte.every_actor(kind, workspace_id),
            lambda found: found.actor_id,
            lambda found: found.workspace_id,
        )
    )


def _definitions(airbyte: Airbyte, kind: DefinitionKind) -> Shelf[Definition]:
    def one(definition_id: str, workspace_id: str) -> Definition:
        if workspace_id == UNKNOWN_WORKSPACE:
            return airbyte.find_definition(kind, definition_id)
        return airbyte.get_definition(kind, definition_id, workspace_id)

    def every(workspace_id: str) -> list[Definition]:
        return airbyte.every_definition(kind, workspace_id)

    return Shelf(Reading(one, every, every, lambda found: found.definition_id, lambda found: found.workspace_id))
