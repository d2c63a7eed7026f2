"""Adopt or refuse: a create looks first whether its object is there already.

Airbyte takes any number of objects of one name, so that a create that runs twice makes two of them. Identity is
workspace, kind and name, for a connection also its source and destination. An object of the same identity that is
identical is adopted where the provider's `adoptExisting` allows it, and else refused; one that differs, or that another
resource of the run has, is always refused.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import ServerError
from pulumi_airbyte.client.models import Actor, Connection, Workspace
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


def nothing_written(_found: object) -> str:
    """An adoption writes nothing."""
    return ""


@dataclass(frozen=True)
class Sought(Generic[Record]):
    """What a create wants to be there.

    Attributes:
        kind: such as `source`.
        workspace_id: where to look; as the shelf's lists are called. None where nothing can be there.
        identity: as `Seen.identity`.
        named_by: the inputs that say which object it is, its workspace included where it is in one.
        wanted: its canonical tree; unknown in part in a preview.
        as_posted: what the first call of a create in several calls makes: an object that a broken-off create left may
            have each property as it is here, or as it is wanted.
        shelf: the objects of its kind.
        look: a live object as it is compared.
        is_open: whether a place at which the server's value is another than the wanted one is the server's to fill in.
        adopting: what an adoption of a found object writes, in words that follow "and"; empty for nothing.
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
        behind: names of the properties that a create which broke off has left to be written.
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
        self._adopts = server.adopts_identical
        self._sought: Sought[Record] = sought
        self._target = target

    def foresee(self) -> Found[Record] | None:
        """What a create will adopt; says so. None where it will make a new object."""
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
        """The object, made or adopted.

        Args:
            post: makes it.
            finish: brings an adopted one to what is wanted, and returns what it is then.
        """
        label: str = self._sought.label
        found = self._present()
        if found is not None:
            self._take(found.id, "adopted")
            made = finish(found)
            self._sought.shelf.put(made)
            self._target.say(f"adopted {label} ({found.id}): it was there already, and identical")
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
        """The one object that is there already.

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
            # A run that goes on after errors would delete what the program still declares.
            for _, seen in there:
                self._run.record.take(seen.id, self._target.urn, "refused")
            raise
        return found

    def _is_own(self, object_id: str) -> bool:
        """Whether this resource made the object in this run: an error hook may let the engine try a create again."""
        return self._run.record.holder(object_id) == Holder(self._target.urn, "made")

    def _listed(self, *, now: bool = False) -> list[Record]:
        shelf, workspace_id = self._sought.shelf, self._sought.workspace_id
        if workspace_id is None:
            return []
        return shelf.reload(workspace_id) if now else shelf.all(workspace_id)

    def _matching(self, records: Iterable[Record]) -> Iterator[tuple[Record, Seen]]:
        """Objects of the identity, without the one that this create replaces, and those that this run deletes."""
        replaced = self._target.replaced
        old = replaced.id if replaced else ""
        for record in records:
            seen = self._sought.look(record)
            if seen.identity == self._sought.identity and seen.id != old and not self._is_deleted(seen.id):
                yield record, seen

    def _replaces_its_like(self) -> bool:
        """Whether the object that is there is the one that is replaced, where the engine has not shown its id."""
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
        """The one new object that a create made whose answer was lost.

        An object that is on its way may come later: it is looked for until the create's own time-out. Where the server
        itself says that it failed, one look is enough.

        Raises:
            RefusedError: it has not come.
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
            # What is not seen now may be seen at the next look.
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
        """Take the identity for the resource: two that start at once would both find nothing, and make two."""
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
            f"Give one of the two another display name, or take one out of the program. Where that resource gives up "
            f"the name in this very run, run `pulumi up` again. Two {self._sought.kind}s of one name can't be told "
            f"apart after a crash.",
        )

    def _unasked(self, object_id: str) -> RefusedError:
        """The refusal of an identical object that the provider may not adopt."""
        label = self._sought.label
        setting = f"set {SETTING} of the provider to identical ({FOR_ONE_RUN} for one run)"
        if self._target.replaced is not None:
            return RefusedError(
                f"Airbyte has {label} ({object_id}) already, besides the one that is replaced. It is identical to the "
                f"new one: a run that broke off may have made it.",
                f"To go on with it, {setting}; or delete it in Airbyte, and run `pulumi up` again.",
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
            f"Airbyte has {self._sought.label} ({object_id}) already, and it is not what the program says: see "
            f"{', '.join(names[:SHOWN])}{more}.",
            f"Take it over: {self._import_advice(object_id)}, after which `pulumi up` makes it what the program says. "
            f"Or give this one another name. Where the program had it under another resource name, give this one an "
            f"alias. Where `--replace` or a taint asks for a new one, leave that out.",
        )

    def _import_advice(self, object_id: str) -> str:
        """The command that imports an object; a child's component can't be told from the child's URN."""
        target = self._target
        line = f"pulumi import {target.type} {target.name} {object_id}"
        if not target.parent_type:
            return f"`{line}`"
        parent = f"`{line} --parent 'parent=<URN of its {target.parent_type}>'`"
        return f"{parent} (`pulumi stack --show-urns` shows the URN)"


def several(label: str, ids: Iterable[str], import_advice: str = "") -> RefusedError:
    """The refusal to choose among objects that are alike."""
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
    """Note the object that the state has for a resource, and let no two resources of a program have one object.

    Raises:
        RefusedError: another resource has adopted it, or has it too.
    """
    holder = run.keeps(urn, known)
    if holder is not None:
        raise RefusedError(
            f'The resources "{name_of(holder.urn)}" ({holder.urn}) and "{name_of(urn)}" both have {known.id}.',
            "Give one of them another display name, so that it is another object, or take one out of the program: the "
            "object then stays with the other.",
        )


def may_delete(run: Run, known: Known, entry: str, target: Target) -> bool:
    """Whether an object may be deleted; notes that it will be.

    In a run, no delete removes an object that the same run created or adopted, or that another live resource of it
    holds. This is the only place that decides so.

    Args:
        run: what the engine has shown.
        known: the object that the state has.
        entry: what identifies it by its inputs.
        target: the resource that is to delete it. Its URN decides nothing.

    Raises:
        RefusedError: the program declares it as another resource, whose create was refused in this run; or looks it up
            by its id. It would leave the state while it is live, and a destroy that runs the program would leave it
            behind.
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
        "this run adopted it. Nothing was replaced: Pulumi gives a provider no sign of `--replace` or of a taint, so "
        "that its create takes over an object that is identical. To get a new one, delete it in Airbyte first"
    )
