"""The base of all resource types: a token, two field tables, and the verbs in lifecycle order."""

import difflib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.provider.inventory import Inventory
from pulumi_airbyte.provider.losses import Taken, taken
from pulumi_airbyte.provider.properties import Properties, Property, Secret, has_secret, is_known, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites, changes
from pulumi_airbyte.provider.run_record import entry_of
from pulumi_airbyte.provider.tables import Field
from pulumi_airbyte.provider.target import Known, Run, Target
from pulumi_airbyte.values import JsonValue, Path, canonical_json, render_path


@dataclass(frozen=True)
class Failure:
    """A refused input: the property's path, what is wrong and what to do (CheckFailure of the protocol)."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checking:
    """The context of a check.

    Attributes:
        name: the resource's name in the program.
        old: the inputs in the state; empty for a new resource.
        importing: whether the inputs come from a running import. Values that code may not contain, such as masks, are
            accepted then.
    """

    name: str
    old: Properties = field(default_factory=dict)
    importing: bool = False


@dataclass(frozen=True)
class Checked:
    """Canonical inputs for the state, or failures."""

    inputs: Properties
    failures: list[Failure]


@dataclass(frozen=True)
class Live:
    """A live object: inputs as a program would write them, and outputs."""

    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Made:
    """A new object."""

    id: str
    outputs: Properties


Differences = list[tuple[Path, Property, Property]]
"""Differences of two trees: path, old value, new value."""


@dataclass(frozen=True)
class Server:
    """What resource types share in one run of the engine.

    Attributes:
        airbyte: the client.
        inventory: the live objects.
        run: what the engine has shown in this run.
        adopts_identical: whether a create adopts an identical object (`adoptExisting`).
    """

    airbyte: Airbyte
    inventory: Inventory
    run: Run
    adopts_identical: bool = False


class ResourceType(ABC):
    """One kind of object. Every verb that calls the server raises AirbyteError.

    Create and update raise UnfinishedError if the object exists but is incomplete.
    """

    token: ClassVar[str]
    summary: ClassVar[str]
    inputs: ClassVar[tuple[Field, ...]]
    outputs: ClassVar[tuple[Field, ...]]
    identity: ClassVar[tuple[str, ...]]
    """The inputs that identify an object of this kind in Airbyte."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.airbyte = server.airbyte

    @abstractmethod
    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Bring inputs into canonical form, or report failures. Unchanged inputs cause no call."""

    @abstractmethod
    def tree(self, inputs: Properties) -> Properties:
        """The canonical tree of inputs: two trees differ only where their meaning differs."""

    def local(self, inputs: Properties) -> Properties:
        """The inputs that a read keeps: the provider's own, and those that the server never shows."""
        names = {entry.name for entry in self.inputs if entry.kept}
        return {key: value for key, value in inputs.items() if key in names}

    def remote(self, inputs: Properties) -> Properties:
        """The inputs that are compared with the server."""
        local = self.local(inputs)
        return {key: value for key, value in inputs.items() if key not in local}

    def sent(self, inputs: Properties) -> Properties:
        """The inputs that are written to the server."""
        names = {entry.name for entry in self.inputs if entry.local}
        return {key: value for key, value in inputs.items() if key not in names}

    def entry(self, inputs: Properties) -> str:
        """An object's identity by its inputs; empty while it is unknown."""
        found = self.identified(inputs)
        return "" if found is None else entry_of(self.token, found)

    def identified(self, inputs: Properties) -> tuple[str, ...] | None:
        """The values of the inputs that identify an object; None while one of them is unknown."""
        values = [unwrap(inputs.get(name)) for name in self.identity]
        texts = tuple(value for value in values if isinstance(value, str))
        return texts if len(texts) == len(values) else None

    def successor(self, inputs: Properties) -> str:
        """The inputs of a replacement that the delete of the old object needs, as JSON without secrets."""
        return "{}"

    def require_id(self, object_id: str) -> None:
        """Refuse an id that a person mistyped in an import. All other ids come from the server.

        Raises:
            ValueError: it is none.
        """
        try:
            UUID(object_id)
        except ValueError:
            raise ValueError(f"{object_id!r} is no id: use the UUID from the URL of the object's page") from None

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Preview a create: report an adoption, or refuse. Inputs may be partly unknown.

        Returns:
            The outputs that are already known: those of an object that will be adopted.
        """
        return {}

    @abstractmethod
    def create(self, inputs: Properties, target: Target) -> Made:
        """Create or adopt the object."""

    @abstractmethod
    def read(self, known: Known, target: Target) -> Live | None:
        """Read the object; None if it does not exist."""

    @abstractmethod
    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """Change the object in place, and return its outputs."""

    @abstractmethod
    def delete(self, known: Known, target: Target) -> None:
        """Delete the object. It is no error if it does not exist."""

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every difference in meaning between new inputs and the object's."""
        return list(changes(self.taken(known).tree, self.tree(new)))

    def taken(self, known: Known) -> Taken:
        """The inputs of an object as the server accepted them at the last write."""
        return taken(self.tree(known.inputs), known_rewrites(known.outputs), self.leaves_out)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the server is known to drop or replace the value of a tree at a path."""
        return False

    def missing(self, known: Known) -> str:
        """Name the requested values that the server dropped at the last write; empty if there are none."""
        lost = self.taken(known).lost
        names = ", ".join(dict.fromkeys(self.named(self.tree(known.inputs), path) for path in lost))
        return f"{names}: requested, but dropped by Airbyte at the last write" if names else ""

    def named(self, tree: Properties, path: Path) -> str:
        """A path of a tree in words."""
        return render_path(path)

    def replaces(self, path: Path) -> bool:
        """Whether a change at the path replaces the object."""
        return any(entry.replace and entry.name == path[0] for entry in self.inputs)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """A message that explains a diff beyond its property paths; empty if they are enough."""
        return ""


def table_failures(table: Iterable[Field], inputs: Properties) -> list[Failure]:
    """Failures for unknown and missing properties, and for values that the table does not allow."""
    fields = {entry.name: entry for entry in table}
    failures = []
    for name in sorted(set(inputs) - set(fields)):
        near = difflib.get_close_matches(name, fields, n=1)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(fields))}"
        failures.append(Failure(name, f"is not a property of this resource: {advice}"))
    for entry in fields.values():
        value = unwrap(inputs.get(entry.name))
        if value is None or value == "":
            if entry.required:
                failures.append(Failure(entry.name, _missing(entry)))
        elif is_known(value):
            failures.extend(_value_failures(entry, value))
    return failures


def _missing(entry: Field) -> str:
    """The failure of a missing property. With --target, the engine omits outputs of resources that it skips."""
    if not (entry.replace and entry.name.endswith("Id")):
        return "is required"
    kind = entry.name.removesuffix("Id").capitalize()
    return (
        f"is required. Where the program takes it from a {kind} that is new, target that {kind} in the same run too "
        f"(--target '**{kind}::<its name>'), or run without --target and --exclude."
    )


def _value_failures(entry: Field, value: Property) -> list[Failure]:
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "boolean": (bool,),
        "object": (dict,),
        "texts": (list,),
        "paths": (list,),
        "objects": (list,),
    }
    if not isinstance(value, (*kinds[entry.type], *((str,) if entry.text else ()))):
        words = {"texts": "a list of texts", "paths": "a list of paths", "objects": "a list of objects"}
        article = "an" if entry.type[0] in "aio" else "a"
        return [Failure(entry.name, f"must be {words.get(entry.type) or f'{article} {entry.type}'}")]
    if entry.values and value not in entry.values:
        return [Failure(entry.name, f"{value!r} is not allowed: give one of {', '.join(entry.values)}")]
    return []


def with_rewrites(outputs: Properties, found: Rewrites, sent: Properties) -> Properties:
    """Add the server's rewrites to outputs; secret if one of them is at the path of a secret."""
    if not found:
        return outputs
    pairs: list[JsonValue] = [[list(path), _jsonable(value)] for path, value in sorted(found.items(), key=str)]
    text = canonical_json(pairs)
    hidden = any(_is_secret_at(sent, path) for path in found)
    return {**outputs, "serverRewrites": Secret(text) if hidden else text}


def kept_rewrites(outputs: Properties, sent: Properties, made: Taken) -> Properties:
    """The recorded rewrites that a read keeps. Rewrites of lost values are left out, so that they show as drift."""
    if made.lost:
        return with_rewrites({}, made.rewrites, sent)
    return {"serverRewrites": outputs["serverRewrites"]} if "serverRewrites" in outputs else {}


def known_rewrites(outputs: Properties) -> Rewrites:
    """The recorded rewrites of the last write."""
    text = unwrap(outputs.get("serverRewrites"))
    return {tuple(path): value for path, value in json.loads(text)} if isinstance(text, str) else {}


def _jsonable(value: Property) -> JsonValue:
    found = unwrap(value)
    if isinstance(found, dict):
        return {key: _jsonable(item) for key, item in found.items()}
    if isinstance(found, list):
        return [_jsonable(item) for item in found]
    return found if isinstance(found, str | int | float | bool) else None


def _is_secret_at(tree: Property, path: Path) -> bool:
    """Whether a path holds a secret, lies in one, or may have held one in a list of another length."""
    if not path or isinstance(tree, Secret) or not isinstance(tree, dict | list):
        return has_secret(tree)
    if isinstance(tree, dict):
        return _is_secret_at(tree.get(str(path[0])), path[1:])
    index = path[0]
    return _is_secret_at(tree[index], path[1:]) if isinstance(index, int) and index < len(tree) else has_secret(tree)
