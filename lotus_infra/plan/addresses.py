"""Where sources and destinations point: addresses, secrets and connectors, and the changes that expose data.

A closed world: only a leaf that is plainly a setting counts as one (a switch, a number, a date, a choice that the
pinned specification lists, or a key such as `format`); every other leaf is an address. A hidden leaf counts as a
credential only if the pinned specification calls it secret, or, without a specification, if its key is a known name of
a credential; a key that names an address never does, because a pull request can edit the specification too.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from airbyte_model.json_values import Path
from airbyte_model.places import CUSTOM_FORMAT, SOURCE_NAMESPACE, written_name, written_namespace
from airbyte_model.secrets import choices_of, is_secret, schemas_at
from airbyte_model.streams import StreamName, key_of, shown
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.errors import MASKED
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.lake import Lake, SourceFolder
from lotus_infra.lake.models import DestinationConfig, SourceConfig
from lotus_infra.lake.references import LANDING, Reference, references
from lotus_infra.lake.secrecy import holds_credential, words_of
from lotus_infra.plan.contrast import UNKNOWN_TEXT, as_text, contrast
from lotus_infra.plan.impact import CONNECTION, DESTINATION, DLT_SOURCE, SOURCE, Loss, PropertyChange, kind_of
from lotus_infra.plan.preview import (
    HIDDEN,
    UNKNOWN,
    PropertyPath,
    ResourceState,
    Step,
    is_hidden,
    parts,
    property_paths,
    value_at,
)
from lotus_infra.plan.streams import streams

Actor = tuple[str, str]
"""`source` or `destination`, or `stream` for the keys of its mappers, and a name."""
Role = Literal["credential", "address", "setting"]
LISTED: Final = 4
"""Addresses or streams that a loss lists; further ones are counted."""
CONFIGURATION: Final = "configuration"
"""The property of a source or destination that its connector reads."""
_ADDED: Final = frozenset({"create", "import"})
_CONSEQUENCES: Final = {
    SOURCE: "if so, its secrets are sent there, and its cursors were made at the old one",
    DLT_SOURCE: "if so, its secrets are sent there, and its cursors were made at the old one",
    DESTINATION: "if so, new rows go there",
}
_ADDRESS: Final = re.compile(
    r"\b(\w*(host(name)?|url|uri|server|endpoint|bucket|database|domain|address|tenant|broker)|container|account|dsn|jdbc|"
    r"connection|path|folder|directory|prefix|region|location|project|dataset|warehouse|catalog|schema|shop|store|site|"
    r"workspace|organi[sz]ation|company|instance|realm|cluster|proxy|tunnel|webhook|redirect|port|ip|arn|role)(s|es)?\b"
)
"""Among the words of a key: it names a place, whatever its value looks like."""
_CREDENTIAL: Final = re.compile(
    r"(pass ?word|passwd|pwd|pass ?phrase|secret|token|key|keys|credentials?|signature|certificate|pem|jwt|pat|sas)$"
)
"""At the end of a key: it is a credential, also that of an address, such as `account_key`."""
_SETTING: Final = re.compile(
    r"(date|format|pattern|mode|method|type|codec|compression|level|time ?zone|interval|delimiter|encoding|strategy|"
    r"behaviou?r|granularity|frequency|language|locale|units?)$"
)
"""At the end of a key: its text is a choice, not a place."""
_UNPINNED_CREDENTIALS: Final = frozenset(
    {
        "access_key",
        "access_key_id",
        "access_token",
        "api_key",
        "api_password",
        "api_secret",
        "api_token",
        "bot_token",
        "app_password",
        "auth_token",
        "bearer_token",
        "client_secret",
        "consumer_secret",
        "developer_token",
        "jwt",
        "key",
        "passphrase",
        "passwd",
        "password",
        "pat",
        "personal_access_token",
        "private_key",
        "private_key_password",
        "pwd",
        "refresh_token",
        "secret",
        "secret_access_key",
        "secret_key",
        "security_token",
        "service_key",
        "session_token",
        "signing_secret",
        "ssh_key",
        "token",
        "tunnel_user_password",
        "user_password",
    }
)
"""Keys of credentials of connectors without a pinned specification, as `_words` has them."""
_UNPINNED_ENDINGS: Final = tuple(f"_{key}" for key in _UNPINNED_CREDENTIALS if "_" in key or key == "password")
"""The same behind other words: `marketing_api_key`. A single word may name a thing there: `sheet_token`."""
_BEGINNING: Final = 300
"""Characters of a value in which an address is looked for."""
_DIGITS: Final = 9
"""A longer number is no index."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
# Bounded, so that no text takes quadratic time.
_AUTHORITY: Final = re.compile(r"(?<=://)(?P<authority>[^\s/?#]{1,300})(?P<rest>[^\s?#]{0,300})")
_LOGIN: Final = re.compile(r"(?<![\w*])(?!(?:group|mailto|serviceAccount):)[^\s/:@]{1,100}:(?!//)[^\s@]{1,200}@")
"""A user and a password before a host, without a scheme; an identity of Google's has a kind in the user's place."""
_MASKED_PART: Final = re.compile(r"[\w\"':=]{0,60}\s?\*\*\*@?")
"""A credential that is masked already, with its key."""
_QUERY_VALUE: Final = re.compile(r"([?&#][\w.%\[\]-]{1,60}=)[^\s&#\"]+")
_BEARER: Final = re.compile(r"(\b(?:bearer|basic|token)\s{1,3})[^\s\"]+", re.IGNORECASE)
_QUOTED_PAIR: Final = re.compile(r"(\\?\"(?P<key>[\w.-]{1,60})\\?\"\s{0,3}:\s{0,3})\\?\"[^\"\\]*\\?\"")
_PAIR: Final = re.compile(r"((?P<key>[\w.-]{1,60})\s{0,3}=\s{0,3})('[^']{0,300}'|[^,\s\"]+)")
_ODBC_PAIR: Final = re.compile(r"((?P<key>[\w. -]{1,60})=)[^;]+")
_PLACE: Final = re.compile(
    r".*://|arn:|[^\s@]+@[^\s@]+|\d{1,3}(\.\d{1,3}){3}([:/]|$)|([a-z0-9_-]+\.)+[a-z]{2,}([:/]|$)|[0-9a-f]*:[0-9a-f]*:",
    re.IGNORECASE,
)
"""The beginning of a URL, an ARN, an e-mail address, an IP address or a host's name."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a source or destination reads.

    Attributes:
        path: its place in the configuration.
        name: its name in the lake's files, such as `shopify_api_password`; empty if they do not name it.
        readers: the other sources, destinations and streams that exist already and read it, such as `source shop`.
        changed: whether it is new or differs in this preview.
    """

    path: str
    name: str
    readers: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class Address:
    """An address in the configuration of a source or destination.

    Attributes:
        value: its path, and its value before and after, with credentials masked; `[secret]` if the preview hides it.
        changed: whether it differs from the address before; False if everything is new.
    """

    value: PropertyChange
    changed: bool

    @property
    def stays(self) -> bool:
        """Whether it is the same before and after."""
        return not self.changed and self.value.before == self.value.after


@dataclass(frozen=True, slots=True)
class Writes:
    """The destination of a connection that is added, or that moves.

    Attributes:
        connection: the connection's name in the program.
        destination: the destination's name, or its id if the lake's files don't name it.
        addresses: the addresses in its configuration.
        namespace: the folder or schema below them, with the prefix, as the connection has them.
        places: the same for each stream, without repetitions; empty if its streams are secret.
    """

    connection: str
    destination: str
    addresses: tuple[Address, ...]
    namespace: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a source or destination that is added, changed or replaced points.

    Attributes:
        kind: `source` or `destination`.
        name: its name in the program.
        added: whether it is new.
        connector: the connector, without a value before if it stays; None if only the connection changes. Of a source
            that dlt reads it is the `engine`, with the module.
        addresses: all addresses of its configuration.
        settings: the other properties of an added one.
        secrets: the secrets that it reads.
        writes: where its connections write, of those for which that is new.
    """

    kind: str
    name: str
    added: bool = False
    connector: PropertyChange | None = None
    addresses: tuple[Address, ...] = ()
    settings: tuple[PropertyChange, ...] = ()
    secrets: tuple[Secret, ...] = ()
    writes: tuple[Writes, ...] = ()


@dataclass(frozen=True, slots=True)
class LeafChange:
    """A leaf of a configuration that differs, or a part of it that is hidden.

    Attributes:
        path: in the configuration.
        before: the old value; None if there is none.
        after: the new value; None if there is none.
        role: what it decides.
    """

    path: PropertyPath
    before: JsonValue
    after: JsonValue
    role: Role

    @property
    def hidden(self) -> bool:
        """Whether the preview hides a value of it."""
        return is_hidden(self.before) or is_hidden(self.after)

    @property
    def property(self) -> PropertyChange:
        """The change as text, with credentials masked."""
        return shown_change((CONFIGURATION, *self.path), self.before, self.after)


# The lake's files


class Files:
    """The lake's files and the stack's plain values, as a preview refers to them."""

    def __init__(self, lake: Lake | None = None, values: Mapping[str, JsonValue] | None = None) -> None:
        """Prepare them.

        Args:
            lake: the lake's files; None if they can't be read, so that no connector is pinned and no secret has a name.
            values: plain values of the stack, by the text of a reference: `shopify_store`, `$landing bucket`.
        """
        self.known = lake is not None
        self._lake = lake
        self._values = values or {}
        self._configs: dict[Actor, SourceConfig | DestinationConfig | None] = {}
        self._destinations: dict[str, str] = {}
        self._by_reference: dict[str, Connector] = {}
        self._sources: dict[str, SourceFolder] = {}
        self._taken: dict[str, Collection[str]] = {}
        if lake is not None:
            self._sources |= {naming.source_resource(each.name): each for each in lake.sources}
            self._taken |= {each.resource: {stream.name for stream in each.streams} for each in lake.connections}
            self._configs |= {("source", naming.source_resource(each.name)): each.config for each in lake.sources}
            self._destinations |= {
                each.resource: naming.destination_resource(each.config.destination) for each in lake.connections
            }
            found = lake.destinations.items()
            self._configs |= {("destination", naming.destination_resource(name)): config for name, config in found}
            several = [each for each in lake.connectors.values() if each is not None and each.id_reference is not None]
            ids = {str(self.value(reference)).lower(): each for each in several if (reference := each.id_reference)}
            self._by_reference |= ids
        self._readers: defaultdict[str, list[Actor]] = defaultdict(list)
        for actor in sorted(self._configs):
            for name in sorted({_reference_name(each) for each in self.references(actor).values()}):
                self._readers[name].append(actor)
        # The keys of mappers are secrets too.
        for stream in lake.streams if lake is not None else ():
            keys = (each for mapper in stream.config.mappers for _, each in references(mapper.configuration))
            for name in sorted({_reference_name(each) for each in keys}):
                self._readers[name].append(("stream", f"{stream.source}/{stream.name}"))

    def pinned(self, definition: object) -> Connector | None:
        """The pinned connector of a name or a definition's id; None if it isn't pinned."""
        if self._lake is None or not isinstance(definition, str):
            return None
        return self._lake.pinned(definition) or self._by_reference.get(definition.lower())

    def pinned_of(self, actor: Actor, definition: object) -> Connector | None:
        """The pinned connector of a source or destination; None if it isn't pinned.

        The id of a connector of one's own is in no file: such a connector is the one that the actor's file names.
        """
        found, config = self.pinned(definition), self.config(actor)
        own = self.pinned(config.connector) if config is not None else None
        return found if found is not None or own is None or not own.is_own else own

    def config(self, actor: Actor) -> SourceConfig | DestinationConfig | None:
        """The file of a source or destination; None if there is none."""
        return self._configs.get(actor)

    def destination_of(self, connection: str) -> str | None:
        """The destination of a connection, by its name in the program; None if it is unknown."""
        return self._destinations.get(connection)

    def further_destination(self, connection: str, added: Collection[str]) -> str | None:
        """The destination of a new connection, if no connection that its source has already writes there.

        Args:
            connection: the name of the connection in the program.
            added: the names of all new connections.
        """
        source, name = naming.source_of_connection(connection), self.destination_of(connection)
        others = {
            destination
            for each, destination in self._destinations.items()
            if naming.source_of_connection(each) == source and each not in added
        }
        return name if others and name not in others else None

    def stream_files(self, connection: str, stream: StreamName) -> tuple[str, ...]:
        """The names of the files of a connection's stream; of a stream without a file, the one that it would have."""
        source = self._sources.get(naming.source_of_connection(connection))
        own = source.files_of(stream) if source is not None else ()
        if not own:
            names = (naming.stream_file(stream[1]), naming.stream_file(stream[1], stream[0] or ""))
            taken = {each.name for each in source.streams} if source is not None else ()
            return next(((each,) for each in names if each not in taken), ())
        taking = [each.name for each in own if each.name in self._taken.get(connection, ())]
        return tuple(taking or [each.name for each in own])

    def stream_names(self, connection: str, stream: StreamName) -> tuple[str, ...]:
        """The names by which an acknowledgement may mean a connection's stream."""
        source = self._sources.get(naming.source_of_connection(connection))
        return source.names_of(stream) if source is not None else (shown(key_of(stream)), stream[1])

    def references(self, actor: Actor) -> dict[PropertyPath, Reference]:
        """The references in the file of a source or destination, by path."""
        config = self.config(actor)
        found = references(config.configuration) if config is not None else ()
        return {tuple(map(str, path)): reference for path, reference in found}

    def readers(self, name: str) -> Sequence[Actor]:
        """The sources, destinations and streams that refer to a value of the stack."""
        return self._readers.get(name, ())

    def source_of_secret(self, secret: str) -> str:
        """The source that dlt reads with a Kubernetes secret, by its name in the program; empty if it is unknown."""
        return next((name for name in self._sources if naming.source_secret(name) == secret), "")

    def hides(self, reference: Reference) -> bool:
        """Whether a preview does not show the value of a reference; true if the stack's values are unknown."""
        return reference.secret or _reference_name(reference) not in self._values

    def value(self, reference: Reference) -> JsonValue:
        """The value of a reference; its text if the stack's file does not have it in the clear."""
        name = _reference_name(reference)
        return HIDDEN if reference.secret else self._values.get(name, f"({name})")


# Exposures


def exposures(steps: Sequence[Step], files: Files) -> Iterator[Loss]:
    """The sources and destinations that point to another place than before, and the connections that write to one.

    Args:
        steps: the steps of a preview, one for each resource.
        files: the lake's files, for the pinned specifications.
    """
    added = {step.name for step in steps if step.type == CONNECTION and step.op in _ADDED}
    for step in steps:
        if step.quiet or step.new is None:
            continue
        if step.type == CONNECTION and step.name in added:
            name = files.further_destination(step.name, added)
            if name:
                what = f"writes to another destination than the other connections of its source, {name}"
                yield Loss("connection", step.name, what, effect="exposes")
        elif step.old is None:
            continue
        elif step.type in _CONSEQUENCES:
            where = _moves(step, files)
            if where:
                what = f"may point to another place: {where}; {_CONSEQUENCES[step.type]}"
                yield Loss(kind_of(step), step.name, what, effect="exposes")
        elif step.type == CONNECTION and moves_destination(step, steps, files):
            name = files.destination_of(step.name)
            where = f"another destination, {name}" if name else "another destination"
            what = f"writes to {where}: new rows go there, and existing rows stay in the old one"
            yield Loss("connection", step.name, what, effect="exposes")


def _moves(step: Step, files: Files) -> str:
    """The changes by which a source or destination points to another place; empty if there are none."""
    connector = _connector_change(step, files)
    found = [f"connector: {connector.before} → {connector.after}"] if connector.before else []
    for leaf in leaf_changes(step, files):
        if leaf.role == "address":
            change = leaf.property
            before, after = (text or "none" for text in contrast(change.before, change.after))
            found.append(
                f"{_dotted(leaf.path)} (hidden)" if leaf.hidden else f"{_dotted(leaf.path)}: {before} → {after}"
            )
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"{', '.join(found[:LISTED])}{more}"


def moves_destination(step: Step, steps: Sequence[Step], files: Files) -> bool:
    """Whether a connection writes to another destination. A destination that is replaced stays the same one.

    The id of a destination that is replaced or created is unknown until the update. If the preview does not show that
    it is the replaced one, it counts as another.
    """
    return step.old is not None and step.new is not None and another_destination(step, step.old, step.new, steps, files)


def another_destination(
    step: Step, old: ResourceState, new: ResourceState, steps: Sequence[Step], files: Files
) -> bool:
    """Whether one state of a connection writes to another destination than a state before, perhaps of another one.

    Args:
        step: the step of the connection afterwards.
        old: the state before.
        new: the state of the step.
        steps: the steps of the preview.
        files: the lake's files.
    """
    before, after = (state.inputs.get("destinationId") for state in (old, new))
    if before == after and after != UNKNOWN:
        return False
    if step.type == DLT_SOURCE:
        return False  # It is the stack's own landing bucket.
    if "destination" in old.inputs:  # dlt wrote there.
        return old.inputs["destination"] != files.destination_of(step.name)
    if after != UNKNOWN:
        return True
    destinations = [each for each in steps if each.type == DESTINATION]
    wanted = files.destination_of(step.name)
    replaced = [
        each for each in destinations if each.old is not None and each.new is not None and each.old.id == before
    ]
    if wanted is not None:
        return wanted not in {each.name for each in replaced}
    return not replaced or any(each.op in _ADDED for each in destinations)


def leaf_changes(step: Step, files: Files) -> list[LeafChange]:
    """The leaves of a source's or destination's configuration that differ, by path.

    What is hidden before and after differs if the provider's diff names it, or something above or below it: the values
    can't be compared. What is visible differs if the values do, also where the diff does not name it.
    """
    if step.old is None or step.new is None:
        return []
    spec = _spec(step, step.new, files)
    named = list(property_paths(step))
    # Without any path, nothing says that what is hidden stays.
    paths = [path[1:] for path in named if path[:1] == (CONFIGURATION,)] if named else [()]
    before, after = (state.inputs.get(CONFIGURATION) for state in (step.old, step.new))
    found = [
        each for path in paths for each in _differing(value_at_path(before, path), value_at_path(after, path), path)
    ]
    found += [
        (path, old, new) for path, old, new in _differing(before, after, ()) if not (is_hidden(old) and is_hidden(new))
    ]
    leaves = {path: LeafChange(path, old, new, _role(path, (old, new), spec)) for path, old, new in found}
    return _in_order(leaves.values())


def _in_order(leaves: Iterable[LeafChange]) -> list[LeafChange]:
    """Leaves by path, and the items of a list by number."""
    return sorted(leaves, key=lambda leaf: [(_index(part) is None, _index(part) or 0, part) for part in leaf.path])


def _index(part: str) -> int | None:
    """The index that a part of a path may be; None for a key."""
    return int(part) if part.isascii() and part.isdigit() and len(part) < _DIGITS else None


def value_at_path(value: JsonValue, path: PropertyPath) -> JsonValue:
    """The value at a path; a secret or an unknown value on the way stands for everything below it."""
    for index, part in enumerate(path):
        if is_hidden(value) or value == UNKNOWN:
            return value
        value = value_at(value, (part,)) if isinstance(value, dict | list) else None
        if value is None and index < len(path):
            return None
    return value


def _differing(
    before: JsonValue, after: JsonValue, path: PropertyPath
) -> Iterator[tuple[PropertyPath, JsonValue, JsonValue]]:
    """The differing leaves below two values; a list is compared item by item."""
    hidden = is_hidden(before) or is_hidden(after)
    sides = [parts(value) for value in (before, after)]
    if hidden or not any(sides):
        if hidden or UNKNOWN in (before, after) or before != after or type(before) is not type(after):
            yield path, before, after
        return
    old, new = sides
    found = [
        each for key in sorted(old.keys() | new.keys()) for each in _differing(old.get(key), new.get(key), (*path, key))
    ]
    # A text in place of an object, or the other way round, differs beside the object's leaves.
    is_replaced = any(not items and value is not None for value, items in zip((before, after), sides, strict=True))
    if is_replaced or (not found and before != after):
        yield path, before, after
    yield from found


# Roles


def _role(path: PropertyPath, values: Sequence[JsonValue], spec: Mapping[str, JsonValue] | None) -> Role:
    if is_credential(path, spec):
        return "credential"
    return "setting" if all(value is None or _is_setting(path, value, spec) for value in values) else "address"


def is_credential(path: PropertyPath, spec: Mapping[str, JsonValue] | None) -> bool:
    """Whether a leaf is known to be a credential: what opens a place, and not which one."""
    words = _words(path)
    if _ADDRESS.search(words) and not _CREDENTIAL.search(words):
        return False
    if spec is not None:
        return any(is_secret(spec, place) for place in _places(path))
    key = words.replace(" ", "_")
    return key in _UNPINNED_CREDENTIALS or key.endswith(_UNPINNED_ENDINGS)


def _is_setting(path: PropertyPath, value: JsonValue, spec: Mapping[str, JsonValue] | None) -> bool:
    """Whether a leaf plainly says how a connector works, and not where it goes or as whom."""
    if is_hidden(value) or value == UNKNOWN:
        return False
    words = _words(path)
    if isinstance(value, bool) or value in ({}, []):
        return True
    names_place = _ADDRESS.search(words) is not None
    if isinstance(value, int | float):
        return not (names_place or re.search(r"\bids?$", words))
    if not isinstance(value, str) or names_place:
        return False
    if _DATE.fullmatch(value) or (spec is not None and value in _choices(path, spec)):
        return True
    return _SETTING.search(words) is not None and not _PLACE.match(value.strip()[:_BEGINNING])


def _choices(path: PropertyPath, spec: Mapping[str, JsonValue]) -> list[object]:
    """The values that a specification lists for a place, in any branch."""
    found: list[object] = []
    for schema in (schema for place in _places(path) for schema in schemas_at(spec, place)):
        found += choices_of(schema)
    return found


def _places(path: PropertyPath) -> tuple[Path, ...]:
    """A path as a specification may mean it: digits are an index, or a key."""
    indexed: Path = tuple(part if _index(part) is None else int(part) for part in path)
    return (indexed,) if indexed == path else (indexed, path)


def _words(path: PropertyPath) -> str:
    """The words of the key that names a leaf, in lower case: `accessKeyId` and `access_key_id` are `access key id`."""
    key = next((part for part in reversed(path) if _index(part) is None), "")
    # A service account is a user, and its key a credential.
    return " ".join(words_of(key)).replace("service account", "service")


def _spec(step: Step, state: ResourceState, files: Files) -> Mapping[str, JsonValue] | None:
    """The pinned specification of a source's or destination's connector; None if it isn't pinned."""
    pinned = files.pinned_of((kind_of(step), step.name), state.inputs.get("definitionId"))
    return None if pinned is None else pinned.spec


# Values as text


def shown_change(path: PropertyPath, before: JsonValue, after: JsonValue) -> PropertyChange:
    """A change of a property as text, with credentials masked."""
    old, new = (as_text(value) for value in (before, after))
    shown_old, shown_new = (mask(path, text) for text in (old, new))
    if shown_old == shown_new and old != new:
        shown_new = f"{shown_new} (differs in a masked part)"
    return PropertyChange(".".join(path), shown_old, shown_new)


def mask(path: PropertyPath, text: str) -> str:
    """A value's text without credentials: those that its key names, and those inside it, such as a URL's password."""
    if not text or text in {HIDDEN, UNKNOWN_TEXT, "true", "false"} or _NUMBER.fullmatch(text) or _DATE.fullmatch(text):
        return text
    words = _words(path)
    if "-----BEGIN " in text or (_CREDENTIAL.search(words) and not _SETTING.search(words)):
        return MASKED
    text = _AUTHORITY.sub(_mask_authority, text)
    text = _QUERY_VALUE.sub(rf"\1{MASKED}", text)
    text = _BEARER.sub(rf"\1{MASKED}", text)
    text = _QUOTED_PAIR.sub(_mask_pair, text)
    text = (_ODBC_PAIR if ";" in text else _PAIR).sub(_mask_pair, text)
    text = _LOGIN.sub(f"{MASKED}@", text)
    # A form of credential that has no part to mask is hidden as a whole.
    return MASKED if holds_credential(_MASKED_PART.sub("", text)) else text


def _mask_authority(found: re.Match[str]) -> str:
    """Mask a user and a password; also a password that has a slash, which ends the authority of a valid URL."""
    authority, rest = found["authority"], found["rest"]
    host = authority.rpartition("@")[2]
    user = f"{MASKED}@" if "@" in authority else ""
    if "@" in rest and re.search(r":(?!\d+$)", host):
        return f"{MASKED}@{rest.rpartition('@')[2]}"
    return f"{user}{host}{rest}"


def _mask_pair(found: re.Match[str]) -> str:
    return f"{found[1]}{MASKED}" if _CREDENTIAL.search(_words((found["key"],))) else found[0]


# Targets


def targets(steps: Sequence[Step], files: Files) -> tuple[Target, ...]:
    """Where each source and destination points that is added, changed or replaced, by kind and name.

    Args:
        steps: the steps of a preview, one for each resource.
        files: the lake's files.
    """
    view = _View(steps, files)
    found: dict[Actor, Target] = {}
    for step in steps:
        if step.type in _CONSEQUENCES and not step.quiet and step.new is not None and _may_point_elsewhere(step):
            found[kind_of(step), step.name] = view.target(step, step.new)
    for step in steps:
        if step.type in {CONNECTION, DLT_SOURCE} and not step.quiet and step.new is not None:
            actor = ("source", naming.source_of_connection(step.name))
            if step.old is None or moves_destination(step, steps, files):
                target = found.get(actor, Target(*actor))
                writes = sorted([*target.writes, view.writes(step, step.new)], key=lambda each: each.connection)
                found[actor] = replace(target, writes=tuple(writes))
    return tuple(found[actor] for actor in sorted(found))


def _may_point_elsewhere(step: Step) -> bool:
    """Whether a step is about where a source or destination points; that of one that dlt reads has its streams too."""
    paths = {path[0] for path in property_paths(step)}
    return step.type != DLT_SOURCE or step.old is None or not paths.isdisjoint({CONFIGURATION, "module"})


class _View:
    """A preview's steps beside the files that it was made from."""

    def __init__(self, steps: Sequence[Step], files: Files) -> None:
        self._files = files
        self._destinations = {step.name: step for step in steps if step.type == DESTINATION}
        self._added = {(kind_of(step), step.name) for step in steps if step.op in _ADDED}

    def target(self, step: Step, state: ResourceState) -> Target:
        """Where a source or destination points after a step."""
        leaves = list(_leaves(state.inputs.get(CONFIGURATION), _spec(step, state, self._files)))
        changes = {leaf.path: leaf for leaf in leaf_changes(step, self._files)}
        added = step.old is None
        # The same value before and after, unless it differs.
        stays = {leaf.path: leaf if added else replace(leaf, before=leaf.after) for leaf in leaves}
        return Target(
            kind_of(step),
            step.name,
            added,
            _connector_change(step, self._files),
            tuple(
                Address(leaf.property, changed=not added and leaf.path in changes)
                for leaf in _in_order((stays | changes).values())
                if leaf.role == "address"
            ),
            tuple(leaf.property for leaf in leaves if leaf.role == "setting") if added else (),
            tuple(self._secrets((kind_of(step), step.name), leaves, None if added else changes)),
        )

    def _secrets(
        self, actor: Actor, leaves: Sequence[LeafChange], changes: Collection[PropertyPath] | None
    ) -> Iterator[Secret]:
        """The secrets of the lake's file, and what else the preview hides; all are new without `changes`."""
        named = self._files.references(actor)
        hidden = {leaf.path for leaf in leaves if is_hidden(leaf.after) or leaf.role == "credential"}
        # A reference counts where the preview has a value, or hides all that is around it.
        secret = {
            path for path, each in named.items() if each.secret and any(_covers(leaf.path, path) for leaf in leaves)
        }
        unnamed = {path for path in hidden if not any(_covers(path, each) for each in secret | (hidden & named.keys()))}
        for path in sorted(secret | unnamed | (hidden & named.keys())):
            name = _reference_name(named[path]) if path in named else ""
            readers = (each for each in self._files.readers(name) if each != actor and each not in self._added)
            changed = changes is None or any(_covers(path, each) or _covers(each, path) for each in changes)
            yield Secret(_dotted(path), name, tuple(" ".join(each) for each in readers), changed)

    def writes(self, step: Step, state: ResourceState) -> Writes:
        """Where a connection writes: the destination of the lake's file, or the one that has the id."""
        identity = state.inputs.get("destinationId")
        by_id = (name for name, each in self._destinations.items() if each.old is not None and each.old.id == identity)
        # The component of a source that dlt reads has the name itself.
        own = as_text(state.inputs.get("destination"))
        name = own or self._files.destination_of(step.name) or next(by_id, "")
        return Writes(
            step.name,
            name or as_text(identity),
            tuple(self._destination_addresses(name)),
            _below(_namespace(state.inputs), as_text(state.inputs.get("prefix"))),
            tuple(dict.fromkeys(_places_of_streams(state.inputs))),
        )

    def _destination_addresses(self, name: str) -> Iterator[Address]:
        """The addresses of a destination: in the preview, or in the lake's file with the stack's plain values."""
        step, config = self._destinations.get(name), self._files.config(("destination", name))
        if step is not None and step.new is not None:
            leaves = _leaves(step.new.inputs.get(CONFIGURATION), _spec(step, step.new, self._files))
            yield from (Address(leaf.property, changed=False) for leaf in leaves if leaf.role == "address")
        elif config is not None:
            pinned, named = self._files.pinned(config.connector), self._files.references(("destination", name))
            spec = None if pinned is None else pinned.spec
            for leaf in _leaves(config.configuration, spec, named):
                value = self._files.value(named[leaf.path]) if leaf.path in named else leaf.after
                if value not in (None, "") and _role(leaf.path, (value,), spec) == "address":
                    yield Address(replace(leaf, after=value).property, changed=False)


def _namespace(inputs: Mapping[str, JsonValue]) -> str:
    """The namespace of a connection at its destination, as text."""
    definition = inputs.get("namespaceDefinition")
    if definition == "source":
        return SOURCE_NAMESPACE
    return as_text(inputs.get("namespaceFormat")) if definition == "custom_format" else ""


def _places_of_streams(inputs: Mapping[str, JsonValue]) -> Iterator[str]:
    """Where each stream is written below the destination's own place."""
    prefix, namespace = as_text(inputs.get("prefix")), _namespace(inputs)
    for stream in (streams(inputs) or {}).values():
        written = written_namespace(CUSTOM_FORMAT, namespace, stream.namespace)
        yield _below(written, written_name(prefix, stream.name))


def _below(*parts: str) -> str:
    return "/".join(filter(None, parts))


def _leaves(
    value: JsonValue,
    spec: Mapping[str, JsonValue] | None,
    whole: Collection[PropertyPath] = (),
    path: PropertyPath = (),
) -> Iterator[LeafChange]:
    """Every leaf of a configuration as an added one, by path; those of `whole` are not split further."""
    items = {} if path in whole else parts(value)
    if not items:
        if value is not None:
            yield LeafChange(path, None, value, _role(path, (value,), spec))
        return
    for key in sorted(items):
        yield from _leaves(items[key], spec, whole, (*path, key))


def _covers(above: PropertyPath, path: PropertyPath) -> bool:
    """Whether a path is another one, or leads to it."""
    return path[: len(above)] == above


def _dotted(path: PropertyPath) -> str:
    return ".".join(path) or CONFIGURATION


def _connector_change(step: Step, files: Files) -> PropertyChange:
    if step.type == DLT_SOURCE:
        # Another module is other code of the repository, and no other place.
        return PropertyChange("engine", "", _module(step.new))
    old, new = ("" if state is None else _connector(step, state, files) for state in (step.old, step.new))
    definitions = {str(state.inputs.get("definitionId")).lower() for state in (step.old, step.new) if state is not None}
    return PropertyChange("connector", old if len(definitions) > 1 else "", new)


def _module(state: ResourceState | None) -> str:
    """The module of a source that dlt reads: `dlt, dagster/sources/erp.py`."""
    module = as_text(state.inputs.get("module")) if state is not None else ""
    return f"dlt, {naming.source_module_file(module)}"


def _connector(step: Step, state: ResourceState, files: Files) -> str:
    """A connector with its pinned version, or the id of its definition."""
    given = state.inputs.get("definitionId")
    stays = step.new is not None and step.new.inputs.get("definitionId") == given
    pinned = files.pinned_of((kind_of(step), step.name), given) if stays else files.pinned(given)
    if pinned is None:
        return f"{as_text(given)} (not pinned)"
    return f"{pinned.connector} {pinned.version}" if pinned.version else pinned.connector


def _reference_name(reference: Reference) -> str:
    return reference.name if reference.part is None else f"{LANDING} {reference.part}"
