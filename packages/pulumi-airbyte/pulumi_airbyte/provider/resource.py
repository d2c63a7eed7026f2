"""What every resource type of the plugin is: a token, two field tables, and the verbs in lifecycle order."""

import difflib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

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
    """An input that can't be accepted: the property's path and what to do."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checking:
    """What a check may know beside the new inputs.

    Attributes:
        name: the resource's name in the program.
        old: the inputs in the state; empty for a new resource.
        importing: whether the inputs come from an import that is running, and not from code: what code may not say,
            such as masks, is a fact then.
    """

    name: str
    old: Properties = field(default_factory=dict)
    importing: bool = False


@dataclass(frozen=True)
class Checked:
    """Canonical inputs for the state, or the reasons why there are none."""

    inputs: Properties
    failures: list[Failure]


@dataclass(frozen=True)
class Live:
    """An object as it is on the server: inputs as code would write them, and outputs."""

    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Made:
    """A new object."""

    id: str
    outputs: Properties


Differences = list[tuple[Path, Property, Property]]
"""Places where two trees differ: path, old value, new value."""


@dataclass(frozen=True)
class Server:
    """What resource types share in one run of the engine.

    Attributes:
        airbyte: the client.
        inventory: what is on the server, read in pages.
        run: what the engine has shown of the program.
        adopts_identical: whether a create adopts an identical object, as the provider's configuration asks.
    """

    airbyte: Airbyte
    inventory: Inventory
    run: Run
    adopts_identical: bool = False


class ResourceType(ABC):
    """One kind of object. Every verb that talks to the server raises AirbyteError.

    Create and update raise UnfinishedError where the object is there, but not as it is to be.
    """

    token: ClassVar[str]
    summary: ClassVar[str]
    inputs: ClassVar[tuple[Field, ...]]
    outputs: ClassVar[tuple[Field, ...]]
    identity: ClassVar[tuple[str, ...]]
    """The inputs by which Airbyte's objects of this kind are told apart."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.airbyte = server.airbyte

    @abstractmethod
    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Bring inputs into canonical form, or say what is wrong. Calls nothing where the old inputs can answer."""

    @abstractmethod
    def tree(self, inputs: Properties) -> Properties:
        """The canonical tree of inputs, in which two values differ only where something is different."""

    def local(self, inputs: Properties) -> Properties:
        """The inputs that say what the provider is to do, and of which the server knows nothing."""
        names = {entry.name for entry in self.inputs if entry.local}
        return {key: value for key, value in inputs.items() if key in names}

    def remote(self, inputs: Properties) -> Properties:
        """The inputs that the server is told."""
        local = self.local(inputs)
        return {key: value for key, value in inputs.items() if key not in local}

    def entry(self, inputs: Properties) -> str:
        """What identifies an object by its inputs; empty where that is not known yet."""
        values = [unwrap(inputs.get(name)) for name in self.identity]
        texts = tuple(value for value in values if isinstance(value, str))
        return entry_of(self.token, texts) if len(texts) == len(values) else ""

    def successor(self, inputs: Properties) -> str:
        """What the delete of an object must know of the one that replaces it, as JSON without secrets."""
        return "{}"

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Say in a preview what a create will find, or refuse it. Inputs may be unknown in part.

        Returns:
            The outputs that are known already: those of an object that will be adopted.
        """
        return {}

    @abstractmethod
    def create(self, inputs: Properties, target: Target) -> Made:
        """Make the object."""

    @abstractmethod
    def read(self, known: Known, target: Target) -> Live | None:
        """The object as it is, or None when it is gone."""

    @abstractmethod
    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """Make the object as the new inputs say and return its outputs."""

    @abstractmethod
    def delete(self, known: Known, target: Target) -> None:
        """Remove the object; one that is gone already is no error."""

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every place where new inputs differ in meaning from those of the object, or from what the server has."""
        return list(changes(self.taken(known).tree, self.tree(new)))

    def taken(self, known: Known) -> Taken:
        """The inputs of an object as the server took them with the last write."""
        return taken(self.tree(known.inputs), known_rewrites(known.outputs), self.leaves_out)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the server is known to leave out, or to replace, what a tree asks for at a path."""
        return False

    def missing(self, known: Known) -> str:
        """For people: what the program asks for and the last write did not bring to the server; empty for nothing."""
        lost = self.taken(known).lost
        names = ", ".join(dict.fromkeys(self.named(self.tree(known.inputs), path) for path in lost))
        return f"{names}: asked for, and left out by Airbyte at the last write" if names else ""

    def named(self, tree: Properties, path: Path) -> str:
        """A place of a tree in words."""
        return render_path(path)

    def replaces(self, path: Path) -> bool:
        """Whether a change at the path needs a new object."""
        return any(entry.replace and entry.name == path[0] for entry in self.inputs)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """A line for people where the property paths alone don't say enough; empty where they do."""
        return ""


def table_failures(table: Iterable[Field], inputs: Properties) -> list[Failure]:
    """Unknown properties, missing ones, and values that the table doesn't allow."""
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
    """What to do about a required property; the engine sends none for the output of a resource that it leaves out."""
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
        "schedule": (dict,),
        "tags": (list,),
        "texts": (list,),
        "objects": (list,),
    }
    if not isinstance(value, kinds[entry.type]):
        return [Failure(entry.name, f"must be {'an' if entry.type[0] in 'aio' else 'a'} {entry.type}")]
    if entry.values and value not in entry.values:
        return [Failure(entry.name, f"{value!r} is not allowed: give one of {', '.join(entry.values)}")]
    return []


def with_rewrites(outputs: Properties, found: Rewrites, sent: Properties) -> Properties:
    """Outputs with the server's rewrites, if there are any; secret where any of them is at a secret's place."""
    if not found:
        return outputs
    pairs: list[JsonValue] = [[list(path), _jsonable(value)] for path, value in sorted(found.items(), key=str)]
    text = canonical_json(pairs)
    hidden = any(_is_secret_at(sent, path) for path in found)
    return {**outputs, "serverRewrites": Secret(text) if hidden else text}


def kept_rewrites(outputs: Properties, sent: Properties, made: Taken) -> Properties:
    """The record of rewrites for a read, which must not forget them, but shows as they are the places of losses."""
    if made.lost:
        return with_rewrites({}, made.rewrites, sent)
    return {"serverRewrites": outputs["serverRewrites"]} if "serverRewrites" in outputs else {}


def known_rewrites(outputs: Properties) -> Rewrites:
    """The rewrites that an earlier write recorded."""
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
    """Whether a place has a secret, is in one, or is where one may have been: in a list of another length."""
    if not path or isinstance(tree, Secret) or not isinstance(tree, dict | list):
        return has_secret(tree)
    if isinstance(tree, dict):
        return _is_secret_at(tree.get(str(path[0])), path[1:])
    index = path[0]
    return _is_secret_at(tree[index], path[1:]) if isinstance(index, int) and index < len(tree) else has_secret(tree)
