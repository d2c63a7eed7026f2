"""A look-up: its field tables, its arguments, and the choice of one object by id or by what it is called."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.provider.inventory import EVERYWHERE, UNKNOWN_WORKSPACE, Inventory, Kept, Record, Shelf
from pulumi_airbyte.provider.properties import Properties, Property, reveal
from pulumi_airbyte.provider.resource import Failure, table_failures
from pulumi_airbyte.provider.secrecy import Specifications
from pulumi_airbyte.provider.tables import Field

if TYPE_CHECKING:
    from pulumi_airbyte.client.models import ActorKind, ConnectorDefinition, Group, Organization, User

UUID_TEXT: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOST_SHOWN: Final = 40
"""This many objects are named in an error."""
WORKSPACE: Final = Field("workspaceId", "string", "The workspace. Default: the only one there is.")
WORKSPACE_FILTER: Final = Field("workspaceId", "string", "Only those of this workspace. Default: all visible ones.")

Found = TypeVar("Found")


class Directory:
    """What look-ups read in one run of the engine. Lists are read once; objects that resources write are in them.

    Attributes:
        airbyte: the client.
        inventory: the live objects that resources manage.
        specifications: of connectors.
        connectors: those of a kind in a workspace.
        organizations: all visible ones; the key is empty.
        users: those of an organization.
        groups: those of an organization.
    """

    def __init__(self, airbyte: Airbyte, inventory: Inventory, specifications: Specifications) -> None:
        self.airbyte = airbyte
        self.inventory = inventory
        self.specifications = specifications
        self.connectors: Kept[tuple[ActorKind, str], list[ConnectorDefinition]] = Kept(
            lambda key: airbyte.connector_definitions(*key)
        )
        self.organizations: Kept[str, list[Organization]] = Kept(lambda _: airbyte.organizations())
        self.users: Kept[str, list[User]] = Kept(airbyte.users)
        self.groups: Kept[str, list[Group]] = Kept(airbyte.groups)


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call, checked by their table. One that is left out is empty."""

    given: Properties

    def text(self, name: str) -> str:
        """A text, or a number as text."""
        value = self.given.get(name)
        return "" if value is None else str(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.given.get(name)
        return [str(each) for each in value] if isinstance(value, list) else []

    def objects(self, name: str) -> list[Property]:
        """A list of objects."""
        value = self.given.get(name)
        return value if isinstance(value, list) else []

    def flag(self, name: str) -> bool:
        """A boolean."""
        return self.given.get(name) is True

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.given.get(name)
        return value if isinstance(value, int) else default


@dataclass(frozen=True)
class Function:
    """One look-up.

    Attributes:
        summary: its description.
        inputs: its arguments.
        outputs: its answer.
        answer: reads the answer. Raises AirbyteError: the server failed, or has no such object.
        failures: lists what is wrong with arguments that fit their table.
    """

    summary: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    answer: Callable[[Directory, Arguments], Properties]
    failures: Callable[[Arguments], list[Failure]] = lambda _: []

    def call(self, directory: Directory, arguments: Properties) -> Properties | list[Failure]:
        """The answer, or failures for the arguments.

        Raises:
            AirbyteError: the server failed, or has no such object.
            ValueError: an argument is unknown.
        """
        plain = cast("Properties", {key: reveal(value) for key, value in arguments.items()})
        given = Arguments({name: _as_airbyte_writes(name, value) for name, value in plain.items()})
        failures = self._table_failures(plain) or self.failures(given)
        return failures or self.answer(directory, given)

    def _table_failures(self, plain: Properties) -> list[Failure]:
        names = sorted(each.name for each in self.inputs)
        unknown = [name for name in sorted(plain) if name not in names]
        known = {name: value for name, value in plain.items() if name in names}
        takes = f"this look-up takes {', '.join(names)}" if names else "this look-up takes none"
        return [
            *(Failure(name, f"is not an argument: {takes}") for name in unknown),
            *table_failures(self.inputs, known),
        ]


def _as_airbyte_writes(name: str, value: Property) -> Property:
    """An id, or each of a list of ids, in lower case: Airbyte reads both cases and writes this one."""
    if isinstance(value, list):
        return [_as_airbyte_writes(name, each) for each in value]
    is_id = isinstance(value, str) and name.lower().endswith(("id", "ids"))
    return str(value).lower() if is_id and UUID_TEXT.fullmatch(str(value)) else value


def token(name: str) -> str:
    """The token of a look-up: `getSource` to `airbyte:index/getSource:getSource`."""
    return f"airbyte:index/{name}:{name}"


def answered(values: Mapping[str, object]) -> Properties:
    """The values without those that are None."""
    return {key: cast("Property", value) for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class Keys(Generic[Found]):
    """How the objects of a kind are found.

    Attributes:
        kind: in words, such as `source`.
        id: the argument with the id.
        id_of: an object's id.
        name_of: an object's name, for messages.
        others: further arguments that an object is found by, each with the object's value.
    """

    kind: str
    id: str
    id_of: Callable[[Found], str]
    name_of: Callable[[Found], str]
    others: Mapping[str, Callable[[Found], str]]

    def failures(self, arguments: Arguments) -> list[Failure]:
        """A failure if the arguments name no object, or name it twice."""
        by_id, by_others = arguments.text(self.id), self._given(arguments)
        names = " or ".join([self.id, *self.others])
        if by_id and by_others:
            return [Failure(self.id, f"is given beside {next(iter(by_others))}: give one of them")]
        return [] if by_id or by_others else [Failure(self.id, f"is missing: give {names}")]

    def _given(self, arguments: Arguments) -> dict[str, str]:
        return {name: text for name in self.others if (text := arguments.text(name))}

    def one(self, found: Sequence[Found], arguments: Arguments) -> Found:
        """The only object with the given id, or with the other given values; without arguments, the only one.

        Raises:
            AirbyteError: there is none, or more than one; the message lists the candidates.
        """
        by_id = arguments.text(self.id)
        asked = {self.id: self.id_of, **self.others}
        wanted = {self.id: by_id} if by_id else self._given(arguments)
        fitting = [each for each in found if all(asked[key](each) == text for key, text in wanted.items())]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            count = f"{len(fitting)} {self.kind}s"
            what = f"{count} have the {_quoted(wanted)}" if wanted else f"there are {count}"
            hint = f"Give {self.id}: {self._candidates(fitting)}."
            raise AirbyteError(f"The {self.kind} is ambiguous: {what}.", hint)
        what = f"No {self.kind} has the {_quoted(wanted)}" if wanted else f"There is no {self.kind}"
        raise NotFound(f"{what}.", self._known(found, wanted))

    def _known(self, found: Sequence[Found], wanted: Mapping[str, str]) -> str:
        """The objects that there are, those of a similar name first."""
        if not found:
            return f"There is no {self.kind} at all: check the workspace, and the permissions of the credentials."
        names = sorted({self.name_of(each) for each in found})
        near = [name for text in wanted.values() for name in difflib.get_close_matches(text, names, n=3)]
        shown = [*near, *(name for name in names if name not in near)]
        return f"There {'are' if len(names) > 1 else 'is'}: {_listed(shown)}."

    def _candidates(self, found: Sequence[Found]) -> str:
        return _listed([f"{self.id_of(each)} ({self.name_of(each)})" for each in sorted(found, key=self.id_of)])


def _quoted(wanted: Mapping[str, str]) -> str:
    return " and the ".join(f'{name} "{text}"' for name, text in wanted.items())


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MOST_SHOWN} more" if len(texts) > MOST_SHOWN else ""
    return f"{', '.join(texts[:MOST_SHOWN])}{more}"


def shelved(
    directory: Directory,
    shelf: Shelf[Record],
    keys: Keys[Record],
    arguments: Arguments,
    is_gone: Callable[[Record], bool] = lambda _: False,
) -> Record:
    """The object of a workspace that the arguments name.

    An id costs a call for the first few objects, and none once their workspace is listed. Names cost one list per run.

    Raises:
        AirbyteError: there is no such object, or more than one, or it is in another workspace.
    """
    object_id, workspace_id = arguments.text(keys.id), arguments.text("workspaceId")
    if not object_id:
        return in_list(shelf, keys, workspace_id or the_workspace(directory), arguments)
    found = shelf.look(object_id, workspace_id or UNKNOWN_WORKSPACE)
    if is_gone(found):
        raise NotFound(f"The {keys.kind} {object_id} was deleted.")
    home = shelf.home_of(found)
    if workspace_id and home not in {workspace_id, UNKNOWN_WORKSPACE}:
        raise NotFound(f"The {keys.kind} {object_id} is in workspace {home}, not in {workspace_id}.")
    return found


def in_list(shelf: Shelf[Record], keys: Keys[Record], place: str, arguments: Arguments) -> Record:
    """The object of a list that the arguments name; `place` is the workspace, or `EVERYWHERE`.

    Raises:
        AirbyteError: there is no such object, or more than one.
    """
    try:
        return keys.one(shelf.all(place), arguments)
    except NotFound:
        # Another process of the run may have made it since the list was read.
        return keys.one(shelf.reload(place), arguments)


def the_workspace(directory: Directory) -> str:
    """The id of the only workspace.

    Raises:
        AirbyteError: there is none, or more than one; the message lists them.
    """
    found = directory.inventory.workspaces.all(EVERYWHERE)
    if len(found) != 1:
        texts = [f"{each.workspace_id} ({each.name})" for each in sorted(found, key=lambda each: each.name)]
        hint = f"Give workspaceId: {_listed(texts)}." if found else "Check the permissions of the credentials."
        raise AirbyteError(f"The workspace is ambiguous: there are {len(found)} workspaces.", hint)
    return found[0].workspace_id
