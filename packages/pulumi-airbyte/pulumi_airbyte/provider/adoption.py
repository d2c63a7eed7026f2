"""Adopt or refuse: a create looks first whether its object is there already.

Airbyte takes any number of objects of one name, so that a create that runs twice makes two of them. Identity is
workspace, kind and name, for a connection also its source and destination. An object of the same identity that is
identical is taken over, one that differs is refused, and one that another resource of the program has is left to it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import Busy, ServerError, Unreachable
from pulumi_airbyte.client.models import Actor, Connection, Workspace
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.properties import Properties, Property, is_known
from pulumi_airbyte.provider.reconcile import changes
from pulumi_airbyte.provider.resource import Server
from pulumi_airbyte.provider.target import Run, Target, name_of
from pulumi_airbyte.values import Path, render_path

AMBIGUOUS: Final = (Unreachable, Busy, ServerError)
"""Failures of a create that leave open whether the server has made the object."""
SHOWN: Final = 8

Record = TypeVar("Record", Actor, Connection, Workspace)


class RefusedError(AirbyteError):
    """An object is there already that a create may neither take over nor double."""


@dataclass(frozen=True)
class Seen:
    """A live object as a create compares it.

    Attributes:
        id: its id.
        identity: what makes it this object within its workspace: its name, and the ids of a connection's ends.
        tree: makes its canonical tree, which costs too much to be made of every object that a create looks at.
    """

    id: str
    identity: tuple[str, ...]
    tree: Callable[[], Properties]


def nothing_open(_path: Path, _wanted: Property) -> bool:
    """The server fills nothing in."""
    return False


@dataclass(frozen=True)
class Sought(Generic[Record]):
    """What a create wants to be there.

    Attributes:
        kind: such as `source`.
        workspace_id: where to look; as the shelf's lists are called. None where nothing can be there.
        identity: as `Seen.identity`.
        wanted: its canonical tree; unknown in part in a preview.
        as_posted: what the first call of a create in several calls makes: an object that a broken-off create left may
            have each property as it is here, or as it is wanted.
        shelf: the objects of its kind.
        look: a live object as it is compared.
        is_open: whether a place at which the server's value is another than the wanted one is the server's to fill in.
    """

    kind: str
    workspace_id: str | None
    identity: tuple[str, ...]
    wanted: Properties
    shelf: Shelf[Record]
    look: Callable[[Record], Seen]
    as_posted: Properties = field(default_factory=dict)
    is_open: Callable[[Path, Property], bool] = nothing_open

    @property
    def label(self) -> str:
        """The object in words."""
        return f'{self.kind} "{self.identity[0]}"'


@dataclass(frozen=True)
class Found(Generic[Record]):
    """An object that may be adopted.

    Attributes:
        record: the object.
        id: its id.
        behind: names of the properties that are not certainly as they are wanted.
    """

    record: Record
    id: str
    behind: frozenset[str]


class Adoption(Generic[Record]):
    """One create of one resource: makes the object, or takes over the one that is there.

    Raises from every verb: RefusedError, or AirbyteError when the server fails.
    """

    def __init__(self, server: Server, sought: Sought[Record], target: Target) -> None:
        self._airbyte = server.airbyte
        self._run = server.run
        self._sought: Sought[Record] = sought
        self._target = target

    def foresee(self) -> Found[Record] | None:
        """What a create will adopt; says so. None where it will make a new object."""
        found = self._present()
        if found is not None:
            self._claim(found.id)
            self._target.say(f"{self._sought.label} ({found.id}) exists already and is identical: it will be adopted")
        return found

    def make(self, post: Callable[[], Record], finish: Callable[[Found[Record]], Record]) -> Record:
        """The object, made or adopted.

        Args:
            post: makes it.
            finish: brings an adopted one to what is wanted, and returns what it is then.
        """
        label: str = self._sought.label
        found = self._present()
        if found is not None:
            self._claim(found.id)
            made = finish(found)
            self._sought.shelf.put(made)
            self._target.say(f"adopted {label} ({found.id}): it was there already, and identical")
            return made
        before = {seen.id for _, seen in self._matching(self._listed())}

        def once() -> Record:
            try:
                return post()
            except AMBIGUOUS as error:
                lost = self._made_all_the_same(before, error)
                self._target.say(f"the answer to the create was lost, but {label} ({lost.id}) was made: it is kept")
                return finish(lost)

        made = self._airbyte.patiently(_is_unavailable, once)
        self._claim(self._sought.look(made).id)
        return made

    def _present(self) -> Found[Record] | None:
        """The one object that is there already.

        Raises:
            RefusedError: there are several, or it differs, or it belongs to another resource.
        """
        self._reserve()
        there = list(self._matching(self._listed()))
        for _, seen in there:
            self._refuse_owned(seen.id)
        if len(there) > 1:
            raise self._several([seen.id for _, seen in there])
        return next((self._compared(record, seen) for record, seen in there), None)

    def _listed(self, *, now: bool = False) -> list[Record]:
        shelf, workspace_id = self._sought.shelf, self._sought.workspace_id
        if workspace_id is None:
            return []
        return shelf.reload(workspace_id) if now else shelf.all(workspace_id)

    def _matching(self, records: Iterable[Record]) -> Iterator[tuple[Record, Seen]]:
        """Objects of the identity, but for those that this very resource has had: a replacement is a new object."""
        for record in records:
            seen = self._sought.look(record)
            if seen.identity == self._sought.identity and self._run.owner(seen.id) != self._target.urn:
                yield record, seen

    def _compared(self, record: Record, seen: Seen) -> Found[Record]:
        wanted, tree = self._sought.wanted, seen.tree()
        differing = [
            (path, after)
            for key in sorted(tree.keys() | wanted.keys())
            for path, _, after in changes(tree.get(key), wanted.get(key), (key,))
            if is_known(after)
        ]
        real = [
            path
            for path, after in differing
            if not self._sought.is_open(path, after) and not self._half_made(str(path[0]), tree)
        ]
        if real:
            raise self._different(seen.id, real)
        return Found(record, seen.id, frozenset(str(path[0]) for path, _ in differing))

    def _half_made(self, key: str, tree: Properties) -> bool:
        posted = self._sought.as_posted
        return bool(posted) and not any(changes(tree.get(key), posted.get(key)))

    def _made_all_the_same(self, before: set[str], error: AirbyteError) -> Found[Record]:
        """The one new object that a create made whose answer was lost; where none is seen, the failure is told."""
        hint = "It may have been made all the same: run `pulumi up` again, which then finds and adopts it."
        told = RefusedError(error.message, hint, error.status)
        try:
            there = list(self._matching(self._listed(now=True)))
        except AirbyteError:
            raise told from error
        new = [self._compared(record, seen) for record, seen in there if seen.id not in before]
        if len(new) > 1:
            raise self._several([found.id for found in new])
        if not new:
            raise error if _is_unavailable(error) else told from error
        return new[0]

    def _reserve(self) -> None:
        """Take the identity for the resource: two that start at once would both find nothing, and make two."""
        key = json.dumps([self._sought.kind, self._sought.workspace_id, *self._sought.identity])
        owner = self._run.claim(key, self._target.urn)
        if owner != self._target.urn:
            raise self._taken(self._sought.label, owner)

    def _claim(self, object_id: str) -> None:
        if self._run.claim(object_id, self._target.urn) != self._target.urn:
            self._refuse_owned(object_id)

    def _refuse_owned(self, object_id: str) -> None:
        owner = self._run.owner(object_id)
        if owner is not None and owner != self._target.urn:
            raise self._taken(f"{self._sought.label} ({object_id})", owner)

    def _taken(self, what: str, owner: str) -> RefusedError:
        return RefusedError(
            f'The program has {what} already, as resource "{name_of(owner)}" ({owner}).',
            f"Give one of the two another display name, or take one out of the program. Where that resource gives up "
            f"the name in this very run, run `pulumi up` again. Two {self._sought.kind}s of one name can't be told "
            f"apart after a crash.",
        )

    def _several(self, ids: list[str]) -> RefusedError:
        return RefusedError(
            f"Airbyte has {len(ids)} of {self._sought.label} already: {', '.join(sorted(ids))}.",
            f"Delete all but one of them in Airbyte, and run `pulumi up` again; or {self._import_advice('<id>')}; "
            f"or give this one another name.",
        )

    def _different(self, object_id: str, paths: list[Path]) -> RefusedError:
        names = list(dict.fromkeys(map(render_path, paths)))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return RefusedError(
            f"Airbyte has {self._sought.label} ({object_id}) already, and it is not what the program says: see "
            f"{', '.join(names[:SHOWN])}{more}.",
            f"Take it over: {self._import_advice(object_id)}, after which `pulumi up` makes it what the program says. "
            f"Or give this one another name. Where the program had it under another resource name, give this one an "
            f"alias.",
        )

    def _import_advice(self, object_id: str) -> str:
        """The command that imports an object; a child's component can't be told from the child's URN."""
        target = self._target
        line = f"pulumi import {target.type} {target.name} {object_id}"
        if not target.parent_type:
            return f"`{line}`"
        parent = f"`{line} --parent 'parent=<URN of its {target.parent_type}>'`"
        return f"{parent} (`pulumi stack --show-urns` shows the URN)"


def _is_unavailable(error: BaseException) -> bool:
    """Whether a create may be tried again, once it is known that nothing was made."""
    return isinstance(error, Busy) and error.status == 503


def handed_over(run: Run, object_id: str, target: Target) -> bool:
    """Whether an object that a resource is to delete has another resource now; says so."""
    owner = run.owner(object_id)
    # One that is replaced in the same run as it gets another URN is deleted under the old one.
    if owner is None or owner == target.urn or not run.keeps(owner):
        return False
    target.say(f'{object_id} is not deleted: it went over to the resource "{name_of(owner)}"')
    return True


def refuse_shared(run: Run, object_id: str, urn: str) -> None:
    """Let no two resources of a program have one object.

    Raises:
        RefusedError: another resource has adopted it, or has it too.
    """
    owner = run.owner(object_id)
    if owner is not None and owner != urn:
        raise RefusedError(
            f'The resources "{name_of(owner)}" ({owner}) and "{name_of(urn)}" both have {object_id}.',
            "Give one of them another display name, so that it is another object, or take one out of the program.",
        )
