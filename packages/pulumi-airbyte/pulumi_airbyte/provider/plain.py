"""Resources of a few properties, which one call creates and one changes: workspaces, tags, definitions, permissions."""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar, cast

from pulumi_airbyte.client.models import Definition, Permission, Tag, Workspace
from pulumi_airbyte.provider.adoption import Adoption, Seen, Sought
from pulumi_airbyte.provider.gone import Listed, changed, exists, remove
from pulumi_airbyte.provider.inventory import UNKNOWN_WORKSPACE, Shelf
from pulumi_airbyte.provider.losses import losses, refuse_lost
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites
from pulumi_airbyte.provider.refusals import refused_texts
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Differences,
    Live,
    Made,
    ResourceType,
    kept_rewrites,
    table_failures,
    with_rewrites,
)
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import JsonObject, Path

Stored = TypeVar("Stored", Definition, Permission, Tag, Workspace)


class PlainType(ResourceType, Generic[Stored]):
    """One kind of such objects. A subclass has its calls, and the forms of its properties.

    Attributes:
        kind: its name in messages.
        id_output: the output with the object's id.
        left_alone: inputs that stay as they are on the server if the program leaves them out. To leave one out later
            is no change.
        unique: whether the server refuses a second object of one identity. Then a replacement of the same identity, as
            a trigger asks for, keeps the object.
        has_name: whether it has a display name.
    """

    kind: ClassVar[str]
    id_output: ClassVar[str]
    left_alone: ClassVar[frozenset[str]] = frozenset()
    unique: ClassVar[bool] = False
    has_name: ClassVar[bool] = True

    @property
    @abstractmethod
    def shelf(self) -> Shelf[Stored]:
        """The live objects."""

    @abstractmethod
    def listed(self, object_id: str, workspace_id: str) -> Listed:
        """The list that would contain an object."""

    @abstractmethod
    def post(self, body: JsonObject) -> Stored:
        """Create an object with these properties."""

    @abstractmethod
    def write(self, known: Known, body: JsonObject) -> Stored:
        """Change an object; the body has every property that can be changed in place."""

    @abstractmethod
    def erase(self, object_id: str, workspace_id: str) -> None:
        """Delete an object."""

    @abstractmethod
    def outputs_of(self, found: Stored) -> Properties:
        """The outputs that the server decides, with the id."""

    @abstractmethod
    def from_server(self, found: Stored) -> Properties:
        """The object as a canonical tree."""

    def refuse_cascade(self, known: Known) -> None:
        """Refuse to delete an object if the server would delete others with it."""

    def imported(self, found: Stored) -> Properties:
        """The inputs of an import."""
        return self.from_server(found)

    def is_open(self, path: Path, wanted: Property) -> bool:
        """Whether the server fills in a path of a new object."""
        return wanted is None and path[0] in self.left_alone

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Fill in the name."""
        named: Properties = {**({"name": checking.name} if self.has_name else {}), **without_nulls(inputs)}
        refused = [] if checking.importing else refused_texts(named)
        return Checked(named, table_failures(self.inputs, named) + refused)

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls."""
        return without_nulls(inputs)

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every difference, without those that leave a value to the server."""
        return [item for item in super().diff(known, new) if not (item[2] is None and item[0][0] in self.left_alone)]

    def writes(self, found: Differences) -> bool:
        """Whether one of these differences is more than one of the provider's own options."""
        local = {entry.name for entry in self.inputs if entry.local}
        return any(path[0] not in local for path, _, _ in found)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, or adopt an existing object."""
        made = self._adoption(inputs, target).make(lambda: self._posted(inputs), lambda found: found.record)
        return Made(self._id_of(made), self._written(made, inputs))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Report in a preview whether an object will be adopted, if its identity is known."""
        if self.identified(inputs) is None:
            return {}
        found = self._adoption(inputs, target).foresee()
        return self.outputs_of(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET."""
        found = self.there(known)
        if found is None:
            return None
        if not known.inputs:
            imported = self.imported(found)
            return Live(imported, self._outputs(found, imported))
        sent, made = self.remote(self.tree(known.inputs)), self.taken(known)
        live = cast("Properties", merged(self._shown(found, sent), sent, made.rewrites))
        outputs = {**self.outputs_of(found), **kept_rewrites(known.outputs, sent, made)}
        return Live(live | self.local(known.inputs), outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """Write all properties that can be changed in place, if one of them differs."""
        if not self.writes(self.diff(known, new)):
            return known.outputs
        fixed = {entry.name for entry in self.inputs if entry.replace}
        body = {key: reveal(value) for key, value in self.sent(self.tree(new)).items() if key not in fixed}
        written = changed(
            lambda: self.write(known, body),
            f'The {self.kind} "{self.title(new)}" ({known.id})',
            lambda: self._lives(known),
        )
        self.shelf.put(written)
        return self._written(written, new)

    def delete(self, known: Known, target: Target) -> None:
        """DELETE, unless the server would delete other objects too. A deleted object is answered with 404."""
        if unwrap(known.inputs.get("forceDestroy")) is not True:
            self.refuse_cascade(known)
        self.vanish(known)
        self.shelf.drop(known.id)

    def title(self, tree: Properties) -> str:
        """An object in words, beside its kind: its name."""
        return str(unwrap(tree.get("name")))

    def place(self, inputs: Properties) -> str:
        """The list that an object is in: its workspace; empty if that is unknown."""
        given = unwrap(inputs.get("workspaceId"))
        return given if isinstance(given, str) else ""

    def there(self, known: Known) -> Stored | None:
        """Read an object; None if it does not exist."""
        within = self.place(known.inputs)
        return exists(
            self.airbyte,
            lambda: self.shelf.get(known.id, within or UNKNOWN_WORKSPACE),
            self.listed(known.id, within),
        )

    def vanish(self, known: Known) -> None:
        """Delete an object. It is no error if it does not exist."""
        within = self.place(known.inputs)
        remove(self.airbyte, lambda: self.erase(known.id, within), self.listed(known.id, within))

    def _lives(self, known: Known) -> bool:
        """Whether the object exists, by its list, which is read now."""
        within = self.place(known.inputs)
        return any(self._id_of(each) == known.id for each in self.shelf.reload(within))

    def _posted(self, inputs: Properties) -> Stored:
        made = self.post({key: reveal(value) for key, value in self.sent(self.tree(inputs)).items()})
        self.shelf.put(made)
        return made

    def _shown(self, found: Stored, sent: Properties) -> Properties:
        """The object's tree, without what the program leaves to the server."""
        left = self.left_alone - sent.keys()
        return {key: value for key, value in self.from_server(found).items() if key not in left}

    def _written(self, answer: Stored, inputs: Properties) -> Properties:
        """The outputs of a write; raises UnfinishedError if the server dropped a value."""
        sent = self.remote(self.tree(inputs))
        lost = losses(sent, self.from_server(answer), self.leaves_out)
        names = (self.named(sent, path) for path in lost)
        label = f'The {self.kind} "{self.title(self.from_server(answer))}"'
        return refuse_lost(label, self._id_of(answer), self._outputs(answer, sent), names)

    def _outputs(self, found: Stored, sent: Properties) -> Properties:
        return with_rewrites(self.outputs_of(found), rewrites(sent, self._shown(found, sent)), sent)

    def _id_of(self, found: Stored) -> str:
        return str(self.outputs_of(found)[self.id_output])

    def _adoption(self, inputs: Properties, target: Target) -> Adoption[Stored]:
        tree = self.remote(self.tree(inputs))
        named_by: Properties = {name: unwrap(tree.get(name)) for name in self.identity}
        unseen = {key for key in tree if self.leaves_out(tree, (key,))}
        wanted = {key: value for key, value in tree.items() if key not in unseen}
        return Adoption(
            self.server,
            Sought(
                self.kind,
                self.place(tree),
                self._identity_in(tree),
                named_by,
                wanted,
                self.shelf,
                self._look,
                is_open=self.is_open,
                named=self.has_name,
            ),
            replace(target, replaced=None) if self.unique else target,
        )

    def _look(self, found: Stored) -> Seen:
        tree = self.from_server(found)
        return Seen(self._id_of(found), self._identity_in(tree), lambda: tree)

    def _identity_in(self, tree: Properties) -> tuple[str, ...]:
        """The values that identify an object in its list: its words come first."""
        others: list[str] = [name for name in self.identity if name not in {"name", "workspaceId"}]
        return tuple(map(str, (self.title(tree), *(unwrap(tree.get(name)) for name in others))))
