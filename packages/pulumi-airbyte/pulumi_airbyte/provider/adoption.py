"""Adopt or refuse existing objects: a create first looks for its object.

Airbyte accepts any number of objects with one name, so a create that runs twice makes two of them. Identity is
workspace, kind and name, for a connection also its source and destination. An identical object of the same identity is
adopted if the provider's `adoptExisting` allows it, else refused. One that differs, or that another resource of the run
holds, is always refused.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import ServerError
from pulumi_airbyte.client.models import Actor, Connection, Definition, Permission, Tag, Workspace
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.properties import Properties, Property, is_known
from pulumi_airbyte.provider.reconcile import changes, same
from pulumi_airbyte.provider.resource import Server
from pulumi_airbyte.provider.run_record import OWNED, Holder, entry_of
from pulumi_airbyte.provider.target import Deadline, Known, Run, Target, name_of
from pulumi_airbyte.values import Path, render_path

SETTING: Final = "adoptExisting"
FOR_ONE_RUN: Final = "AIRBYTE_ADOPT_EXISTING=identical"
SHOWN: Final = 8

Record = TypeVar("Record", Actor, Connection, Definition, Permission, Tag, Workspace)


class RefusedError(AirbyteError):
    """An object exists that a create may neither adopt nor duplicate."""


@dataclass(frozen=True)
class Seen:
    """A live object as a create compares it.

    Attributes:
        id: its id.
        identity: its name, and for a connection the ids of its source and destination.
        tree: makes its canonical tree. Called only for objects of the right identity, because it is expensive.
    """

    id: str
    identity: tuple[str, ...]
    tree: Callable[[], Properties]


def nothing_open(_path: Path, _wanted: Property) -> bool:
    """The server fills in no path."""
    return False


def nothing_written(_found: object) -> str:
    """An adoption writes nothing."""
    return ""


@dataclass(frozen=True)
class Sought(Generic[Record]):
    """The object that a create looks for.

    Attributes:
        kind: such as `source`.
        workspace_id: the workspace to list; None if the object can't exist yet.
        identity: as `Seen.identity`.
        named_by: the inputs that identify the object, with its workspace if it has one.
        wanted: its canonical tree; partly unknown in a preview.
        as_posted: the tree that the first of several calls creates. An object left by an interrupted create may have
            each property as it is here, or as in `wanted`.
        shelf: the live objects of its kind.
        look: makes the comparable form of a live object.
        is_open: whether the server fills in a path at which its value differs from the wanted one.
        adopting: describes what an adoption writes, in words that follow "and"; empty for nothing.
        named: whether it has a name, which distinguishes two of a kind.
    """

    kind: str
    workspace_id: str | None
    identity: tuple[str, ...]
    named_by: Properties
    wanted: Properties
    shelf: Shelf[Record]
    look: Callable[[Record], Seen]
    as_posted: Properties = field(default_factory=dict)
    is_open: Callable[[Path, Property], bool] = nothing_open
    adopting: Callable[["Found[Record]"], str] = nothing_written
    named: bool = True

    @property
    def label(self) -> str:
        """The object in words, for messages."""
        return f'{self.kind} "{self.identity[0]}"'


@dataclass(frozen=True)
class Found(Generic[Record]):
    """An object that may be adopted.

    Attributes:
        record: the object.
        id: its id.
        behind: names of the properties that an interrupted create did not write.
    """

    record: Record
    id: str
    behind: frozenset[str]


class Adoption(Generic[Record]):
    """One create of one resource: creates the object, or adopts an existing one.

    Both verbs raise RefusedError, or AirbyteError if the server fails.
    """

    def __init__(self, server: Server, sought: Sought[Record], target: Target) -> None:
        self._airbyte = server.airbyte
        self._run = server.run
        self._adopts = server.adopts_identical
        self._sought: Sought[Record] = sought
        self._target = target

    def foresee(self) -> Found[Record] | None:
        """The object that a create will adopt, with a message; None if it will create one."""
        found = self._present()
        if found is not None:
            self._take(found.id, "adopted")
            more = self._sought.adopting(found)
            self._target.say(
                f"{self._sought.label} ({found.id}) exists already and is identical: it will be adopted"
                f"{f', and {more}' if more else ''}"
            )
        return found

    def make(self, post: Callable[[], Record], finish: Callable[[Found[Record]], Record]) -> Record:
        """Create or adopt the object.

        Args:
            post: creates it.
            finish: writes what an adopted object lacks, and returns it.
        """
        label: str = self._sought.label
        found = self._present()
        if found is not None:
            self._take(found.id, "adopted")
            made = finish(found)
            self._sought.shelf.put(made)
            self._target.say(f"adopted {label} ({found.id}): it existed already and is identical")
            return made
        before = {seen.id for _, seen in self._matching(self._listed())}
        deadline = Deadline.of(self._target)
        try:
            made = post()
        except AirbyteError as error:
            if not (error.outcome_unknown or isinstance(error, ServerError)):
                raise
            late = self._arrived(before, error, deadline)
            self._take(late.id, "made")
            self._target.say(f"the answer to the create was lost, but {label} ({late.id}) was made: it is kept")
            return finish(late)
        self._take(self._sought.look(made).id, "made")
        return made

    def _present(self) -> Found[Record] | None:
        """The existing object, if there is one.

        Raises:
            RefusedError: there are several; or it differs, belongs to another resource, or may not be adopted.
        """
        self._reserve()
        there = list(self._matching(self._listed()))
        for _, seen in there:
            self._refuse_owned(seen.id)
        if len(there) <= 1 and self._replaces_its_like():
            return None
        try:
            if len(there) > 1:
                raise several(self._sought.label, [seen.id for _, seen in there], self._import_advice("<id>"))
            found = next((self._compared(record, seen) for record, seen in there), None)
            if found is not None and not self._adopts and not self._is_own(found.id):
                raise self._unasked(found.id)
        except RefusedError:
            # With --continue-on-error, the run would continue and delete an object that the program still declares.
            for _, seen in there:
                self._run.record.take(seen.id, self._target.urn, "refused")
            raise
        return found

    def _is_own(self, object_id: str) -> bool:
        """Whether this resource created the object in this run: an error hook may let the engine repeat a create."""
        return self._run.record.holder(object_id) == Holder(self._target.urn, "made")

    def _listed(self, *, now: bool = False) -> list[Record]:
        shelf, workspace_id = self._sought.shelf, self._sought.workspace_id
        if workspace_id is None:
            return []
        return shelf.reload(workspace_id) if now else shelf.all(workspace_id)

    def _matching(self, records: Iterable[Record]) -> Iterator[tuple[Record, Seen]]:
        """Objects of this identity, without the one that is replaced and those that this run deletes."""
        replaced = self._target.replaced
        old = replaced.id if replaced else ""
        for record in records:
            seen = self._sought.look(record)
            if seen.identity == self._sought.identity and seen.id != old and not self._is_deleted(seen.id):
                yield record, seen

    def _replaces_its_like(self) -> bool:
        """Whether the existing object is the replaced one, if the engine has not passed its id."""
        replaced = self._target.replaced
        if replaced is None or replaced.id:
            return False
        return all(same(replaced.inputs.get(name), value) for name, value in self._sought.named_by.items())

    def _is_deleted(self, object_id: str) -> bool:
        holder = self._run.record.holder(object_id)
        return holder is not None and holder.standing == "deleted"

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
        behind = (str(path[0]) for path, after in differing if not self._sought.is_open(path, after))
        return Found(record, seen.id, frozenset(behind))

    def _half_made(self, key: str, tree: Properties) -> bool:
        posted = self._sought.as_posted
        return bool(posted) and not any(changes(tree.get(key), posted.get(key)))

    def _arrived(self, before: set[str], error: AirbyteError, deadline: Deadline) -> Found[Record]:
        """Find the object that a create made although its answer was lost.

        The server may still be working, so this looks until the create's time-out. If the server itself reported the
        failure, one look is enough.

        Raises:
            RefusedError: no such object appeared.
        """
        if error.outcome_unknown:
            self._target.say(
                f"{error.message}: looking for {self._sought.label}, which may have been made, for up to "
                f"{deadline.seconds:g} seconds"
            )
        while True:
            new = self._new(before)
            if len(new) > 1:
                raise several(self._sought.label, [found.id for found in new], self._import_advice("<id>"))
            if new:
                return new[0]
            if not error.outcome_unknown or deadline.passed or self._airbyte.rest():
                raise self._unknown(error) from error

    def _new(self, before: set[str]) -> list[Found[Record]]:
        try:
            there = list(self._matching(self._listed(now=True)))
        except AirbyteError:
            # The next look may succeed.
            return []
        return [self._compared(record, seen) for record, seen in there if seen.id not in before]

    def _unknown(self, error: AirbyteError) -> RefusedError:
        if not error.outcome_unknown:
            hint = "Nothing of this name was made. If it appears after all, import it before the next `pulumi up`."
            return RefusedError(error.message, f"{error.hint}\n  {hint}" if error.hint else hint, error.status)
        return RefusedError(
            f"{error.message} Whether {self._sought.label} was made is not known: it has not appeared until now.",
            f"Run `pulumi up` again. Where it has appeared by then, that run adopts it if {SETTING} is identical "
            f"({FOR_ONE_RUN} for one run), and else shows how to import it.",
            error.status,
        )

    def _reserve(self) -> None:
        """Reserve the identity for the resource. Without that, two concurrent creates would make two objects."""
        workspace_id = self._sought.workspace_id or ""
        key = entry_of(self._sought.kind, (self._airbyte.address, workspace_id, *self._sought.identity))
        owner = self._run.record.reserve(key, self._target.urn)
        if owner != self._target.urn:
            raise self._taken(self._sought.label, owner)

    def _take(self, object_id: str, standing: Literal["made", "adopted"]) -> None:
        holder = self._run.record.take(object_id, self._target.urn, standing)
        if holder.urn != self._target.urn:
            raise self._taken(f"{self._sought.label} ({object_id})", holder.urn)

    def _refuse_owned(self, object_id: str) -> None:
        holder = self._run.record.holder(object_id)
        if holder is not None and holder.standing in OWNED and holder.urn != self._target.urn:
            raise self._taken(f"{self._sought.label} ({object_id})", holder.urn)

    def _taken(self, what: str, owner: str) -> RefusedError:
        return RefusedError(
            f'The program has {what} already, as resource "{name_of(owner)}" ({owner}).',
            f"{'Give one of the two another display name, or delete' if self._sought.named else 'Delete'} one from "
            f"the program. If that resource loses "
            f"this name in the same run, run `pulumi up` again. Two {self._sought.kind}s of one name can't be "
            f"distinguished after a crash.",
        )

    def _unasked(self, object_id: str) -> RefusedError:
        """The refusal of an identical object, if the provider may not adopt it."""
        label = self._sought.label
        setting = f"set {SETTING} of the provider to identical ({FOR_ONE_RUN} for one run)"
        if self._target.replaced is not None:
            return RefusedError(
                f"Airbyte has {label} ({object_id}) already, besides the one that is replaced. It is identical to the "
                f"new one: an interrupted run may have created it.",
                f"To resume with it, {setting}; or delete it in Airbyte, and run `pulumi up` again.",
            )
        return RefusedError(
            f"Airbyte has {label} ({object_id}) already, and it is identical.",
            f"Take it over: {self._import_advice(object_id)}; or {setting}. Where the program had it under another "
            f"resource name, give this one an alias. Where `--replace` or a taint asks for a new one, leave that out: "
            f"Pulumi gives no sign of it to a provider, which can't replace what is unchanged.",
        )

    def _different(self, object_id: str, paths: list[Path]) -> RefusedError:
        names = list(dict.fromkeys(map(render_path, paths)))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return RefusedError(
            f"Airbyte has {self._sought.label} ({object_id}) already, and it differs from the program: see "
            f"{', '.join(names[:SHOWN])}{more}.",
            f"Take it over: {self._import_advice(object_id)}, then `pulumi up` changes it to the program's values. "
            f"{'Or give this one another name. ' if self._sought.named else ''}Where the program had it under another "
            f"resource name, give this one an alias. Where `--replace` or a taint asks for a new one, leave that out.",
        )

    def _import_advice(self, object_id: str) -> str:
        """The command that imports an object. A child's URN does not contain its parent's name, so it is left open."""
        target = self._target
        line = f"pulumi import {target.type} {target.name} {object_id}"
        if not target.parent_type:
            return f"`{line}`"
        parent = f"`{line} --parent 'parent=<URN of its {target.parent_type}>'`"
        return f"{parent} (`pulumi stack --show-urns` shows the URN)"


def several(label: str, ids: Iterable[str], import_advice: str = "") -> RefusedError:
    """The refusal to choose among several objects of one identity."""
    found = sorted(ids)
    return RefusedError(
        f"Airbyte has {len(found)} of {label} already: {', '.join(found)}.",
        "Delete all but one of them in Airbyte, and run `pulumi up` again"
        f"{f'; or {import_advice}' if import_advice else ''}; or give this one another name.",
    )


def live_ids(sought: Sought[Record]) -> list[str]:
    """The ids of all live objects of an identity.

    Raises:
        AirbyteError: they can't be listed.
    """
    if sought.workspace_id is None:
        return []
    found = map(sought.look, sought.shelf.all(sought.workspace_id))
    return [seen.id for seen in found if seen.identity == sought.identity]


def refuse_shared(run: Run, known: Known, urn: str) -> None:
    """Record the state's object of a resource, and refuse to share it with another resource.

    Raises:
        RefusedError: another resource holds the object.
    """
    holder = run.keeps(urn, known)
    if holder is not None:
        raise RefusedError(
            f'The resources "{name_of(holder.urn)}" ({holder.urn}) and "{name_of(urn)}" both have {known.id}.',
            "Give one of them another display name, so that it is another object, or take one out of the program: the "
            "object then stays with the other.",
        )


def may_delete(run: Run, known: Known, entry: str, target: Target) -> bool:
    """Whether an object may be deleted; records the delete.

    No delete removes an object that the same run created or adopted, or that another live resource of the run holds.
    Only this function decides that.

    Args:
        run: the current run.
        known: the object in the state.
        entry: its identity by inputs.
        target: the resource that deletes it. Its URN plays no part in the decision.

    Raises:
        RefusedError: another resource declares the object, and its create was refused in this run; or the program looks
            the object up by id. Skipping the delete would drop a live object from the state.
    """
    holder = run.deletes(target.urn, known, entry)
    if holder is None:
        return True
    if holder.standing == "refused":
        raise RefusedError(
            f'{known.id} is not deleted: the resource "{name_of(holder.urn)}" declares it, and its create was refused.',
            "Correct that one first. Where it is the same resource under another name, give it an alias.",
        )
    if holder.standing == "read":
        raise RefusedError(
            f'{known.id} was not deleted: the program looks it up by its id, as resource "{name_of(holder.urn)}" '
            f"({holder.urn}).",
            f"To delete it, take that resource out of the program, or run `pulumi destroy` without --run-program. To "
            f"leave it in Airbyte, run `pulumi state delete '{target.urn}'`.",
        )
    target.say(f"{known.id} is not deleted: {_why_kept(holder, target)}")
    return False


def _why_kept(holder: Holder, target: Target) -> str:
    if holder.urn != target.urn:
        return f'the resource "{name_of(holder.urn)}" has it now'
    if holder.standing == "kept":
        return "the program still has it, as a killed run noted it for deletion when it had just been adopted"
    return (
        "this run adopted it. Nothing was replaced: Pulumi does not announce `--replace` or a taint to a provider, so "
        "the create adopted the identical object. To get a new one, delete it in Airbyte first"
    )
