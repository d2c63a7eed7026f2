"""The one model of a stack's configuration, for the program, the guard, `lotus check`, every command and the sandbox.

A stack has the keys of this model and a value for each name that the lake's files refer to. Any other key is an error:
a misspelt `lotus:production` would turn the guard off, and nothing tells it from a value that no file needs. So a value
that has lost its source is an error as well: it is one line to delete, and often a secret that is still valid.

A source on another branch has its value in the stack's file of that branch, so no branch has values for another one.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from airbyte_model.suggestions import nearest, suggestion
from pydantic import AfterValidator, Field, SecretStr, ValidationError

from lotus_infra import naming
from lotus_infra.config.dagster import MIN_PASSWORD_LENGTH, DagsterSettings
from lotus_infra.config.landing_zone import LandingZoneSettings
from lotus_infra.config.provider_keys import AirbyteKeys, AwsKeys, KubernetesKeys, PulumiKeys
from lotus_infra.config.section import (
    Flag,
    Mistake,
    Name,
    Section,
    Text,
    known_keys,
    matching,
    mistakes,
    object_for_text,
    secret_keys,
    unknown_key,
)
from lotus_infra.config.stack_files import Value, encrypted_places
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.references import LANDING_ZONE, LakeNames, StackValues, parse_text

NAMESPACE: Final = "lotus"
PLACEHOLDER: Final = "replace-me"
"""The value in a new stack's file until one is set."""
DAGSTER: Final = "dagster"
_OBJECTS: Final = frozenset({"acknowledge", DAGSTER, LANDING_ZONE})
"""Keys whose value may be JSON: `pulumi config set` without --path stores an object as text."""
DATABASE_PASSWORDS: Final = (naming.password(naming.DAGSTER_DATABASE), naming.password(naming.CATALOG_DATABASE))
REGISTRY_PASSWORD: Final = "registry_password"
KEY_PAIRS: Final = ("s3_", "s3_reader_", "s3_backup_")
"""How the names of Airbyte's, Dagster's and the backups' access keys start."""
KEY_HALVES: Final = ("access_key_id", "secret_access_key")


def _check_workspace(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("is not an id: copy it from the address of the workspace in Airbyte") from None


def _check_password(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value()) < MIN_PASSWORD_LENGTH:
        raise ValueError(
            f"has fewer than {MIN_PASSWORD_LENGTH} characters, and could be guessed: make one by `openssl rand -hex 24`"
        )
    return password


Password: TypeAlias = Annotated[SecretStr, AfterValidator(_check_password)]
Loss: TypeAlias = Annotated[
    str, matching(r"\S+ \S(.*\S)?", "is not an object: write a kind and a name, such as stream shopify/orders")
]


def _secret(name: str) -> Any:
    """A field with a key in the names' own style, as the lake's names have it."""
    return Field(default=None, alias=name)


class LotusKeys(Section):
    """The fixed keys of `lotus:`. Of secrets that are encrypted, the fields are None.

    Attributes:
        workspace_id: The Airbyte workspace that holds the lake's objects; zeros in a new stack's file.
        streams: The lake's folder, relative to the project's.
        production: Whether the guard is on.
        protect_sources: Whether sources and connections must be unprotected before they can be deleted; None if the
            stack does not set it: see `protects_sources`.
        acknowledge: Objects whose loss is acknowledged, such as `stream shopify/orders`.
        landing_zone: The landing zone; None without one.
        dagster: Dagster on a cluster; None without it, and with `deploy: false`.
        dagster_elsewhere: Whether somewhere else a Dagster runs the sources that dlt reads. The stack declares nothing
            for it, and its runs get their variables there.
        s3_access_key_id: Airbyte's access key, on an S3-compatible server.
        s3_secret_access_key: Its secret half.
        s3_reader_access_key_id: Dagster's access key, if it has its own.
        s3_reader_secret_access_key: Its secret half.
        s3_backup_access_key_id: The access key of the databases' backups, if they have their own.
        s3_backup_secret_access_key: Its secret half.
        dagster_db_password: Of Dagster's database.
        ducklake_db_password: Of DuckLake's catalog.
        registry_password: Of the image's private registry, usually an access token.
    """

    workspace_id: Annotated[Text, AfterValidator(_check_workspace)] | None = None
    streams: Name = "streams"
    production: Flag = False
    protect_sources: Flag | None = None
    acknowledge: tuple[Loss, ...] = ()
    landing_zone: LandingZoneSettings | None = None
    dagster: DagsterSettings | None = None
    dagster_elsewhere: Flag = False
    s3_access_key_id: SecretStr | None = _secret("s3_access_key_id")
    s3_secret_access_key: SecretStr | None = _secret("s3_secret_access_key")
    s3_reader_access_key_id: SecretStr | None = _secret("s3_reader_access_key_id")
    s3_reader_secret_access_key: SecretStr | None = _secret("s3_reader_secret_access_key")
    s3_backup_access_key_id: SecretStr | None = _secret("s3_backup_access_key_id")
    s3_backup_secret_access_key: SecretStr | None = _secret("s3_backup_secret_access_key")
    dagster_db_password: Password | None = _secret("dagster_db_password")
    ducklake_db_password: Password | None = _secret("ducklake_db_password")
    registry_password: SecretStr | None = _secret(REGISTRY_PASSWORD)

    @property
    def protects_sources(self) -> bool:
        """Whether sources and connections are protected.

        By default they are if anything else of the stack is. The engine deletes the last link of a chain first, so a
        `destroy` that it refuses at a bucket has deleted the unprotected connections before, with their cursors.
        """
        if self.protect_sources is not None:
            return self.protect_sources
        parts = (self.landing_zone, self.dagster)
        return self.production or any(part.protect for part in parts if part is not None)


class StackSettings(Section):
    """A stack's configuration.

    Attributes:
        stack: The stack's name.
        lotus: The fixed keys of `lotus:`.
        names: The names that have a value, for the lake's files to refer to.
        values: The plain values of names that the lake refers to, as texts.
        encrypted: The full keys of encrypted values.
        airbyte: `airbyte:`.
        aws: `aws:`.
        kubernetes: `kubernetes:`.
        pulumi: `pulumi:`.
    """

    stack: str
    names: StackValues
    lotus: LotusKeys = LotusKeys()
    values: Mapping[str, str] = {}
    encrypted: frozenset[str] = frozenset()
    airbyte: AirbyteKeys = AirbyteKeys()
    aws: AwsKeys = AwsKeys()  # type: ignore[valid-type]
    kubernetes: KubernetesKeys = KubernetesKeys()  # type: ignore[valid-type]
    pulumi: PulumiKeys = PulumiKeys()  # type: ignore[valid-type]


_SECTIONS: Final[dict[str, type[Section]]] = {
    NAMESPACE: LotusKeys,
    "airbyte": AirbyteKeys,
    "aws": AwsKeys,
    "kubernetes": KubernetesKeys,
    "pulumi": PulumiKeys,
}
_FIXED: Final = known_keys(LotusKeys)
SECRET_KEYS: Final = {namespace: secret_keys(section) for namespace, section in _SECTIONS.items()}
"""The fixed keys of secrets, by namespace. Of `lotus:`, no other may be encrypted: commands can't decrypt it."""
_LIKELY, _MISSPELT = 0.75, 0.85
"""How alike a name is to a key that it may stand for; and to one that it must stand for, if no lake says otherwise."""
_NESTED: Final = {
    (field.alias or name): section
    for section, model in ((LANDING_ZONE, LandingZoneSettings), (DAGSTER, DagsterSettings))
    for name, field in model.model_fields.items()
}
"""The section of each key that belongs one level deeper."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result of parsing.

    Attributes:
        names: The names that have a value, whatever is wrong with it.
        settings: The settings; None if there is a mistake.
        mistakes: Every mistake; paths begin with the full key.
        missing: What a run requires beside these settings, as mistakes. A command that runs nothing does without.
    """

    names: StackValues
    settings: StackSettings | None
    mistakes: tuple[Mistake, ...]
    missing: tuple[Mistake, ...] = ()


def parse(
    stack: str, given: Mapping[str, Value], names: LakeNames | None, encrypted: Collection[str] = frozenset()
) -> Parsed:
    """Parse a stack's configuration.

    Args:
        stack: The stack's name.
        given: The values by full key, from files or from the engine.
        names: The names that the lake's files refer to; None if they are unknown, because a file can't be read.
        encrypted: Full keys of values that are encrypted in the stack, and decrypted here.
    """
    return _Parser(stack, given, names, encrypted).parsed()


class _Parser:
    """Takes a configuration apart by namespaces, and collects the mistakes."""

    def __init__(
        self, stack: str, given: Mapping[str, Value], names: LakeNames | None, encrypted: Collection[str]
    ) -> None:
        self._stack = stack
        self._names = names
        self._mistakes: list[Mistake] = []
        self._encrypted = frozenset(encrypted) | {key for key, value in given.items() if encrypted_places(value)}
        # A placeholder stands for no value, so that a reference to it is reported.
        self._given = {key: value for key, value in given.items() if value != PLACEHOLDER}
        self._values: dict[str, str] = {}

    def parsed(self) -> Parsed:
        sections: dict[str, dict[str, Value]] = {}
        for key in sorted(self._given):
            value = self._given[key]
            namespace, _, name = key.partition(":")
            if namespace not in _SECTIONS:
                known = f"known namespaces are {', '.join(_SECTIONS)}"
                self._mistake((key,), f'unknown namespace "{namespace}"', suggestion(namespace, _SECTIONS, known))
            elif namespace != NAMESPACE and name not in known_keys(_SECTIONS[namespace]):
                self._mistake((key,), *unknown_key(name, _SECTIONS[namespace]))
            elif namespace != NAMESPACE or name in _FIXED:
                self._keep(sections.setdefault(namespace, {}), key, name, value)
            else:
                self._lake_value(key, name, value)
        settings = self._validated(sections)
        if settings is not None and settings.lotus.production:
            self._mistakes += self._readable_secrets()
        missing = () if settings is None else tuple(_missing(settings))
        return Parsed(self._present, settings if not self._mistakes else None, tuple(self._mistakes), missing)

    @property
    def _present(self) -> StackValues:
        """The names below `lotus:` that have a value."""
        start = f"{NAMESPACE}:"
        names, encrypted = (
            frozenset(key.removeprefix(start) for key in keys if key.startswith(start))
            for keys in (self._given, self._encrypted)
        )
        return StackValues(self._stack, names, encrypted)

    def _mistake(self, path: JsonPath, what: str, remedy: str) -> None:
        self._mistakes.append(Mistake(path, what, remedy))

    def _keep(self, section: dict[str, Value], key: str, name: str, value: Value) -> None:
        """Keep the value of a fixed key for the model, unless it is encrypted."""
        if isinstance(value, str) and name in _OBJECTS and key.startswith(NAMESPACE):
            with suppress(ValueError):
                value = json.loads(value)
        may_be_encrypted = not key.startswith(NAMESPACE) or name in SECRET_KEYS[NAMESPACE]
        if key not in self._encrypted:
            section[name] = value
        elif not may_be_encrypted:
            for path in encrypted_places(value) or [()]:
                self._mistake((key, *path), "is encrypted, and Lotus can't decrypt it", _plain_remedy(key, path))
        elif not encrypted_places(value):
            # The engine has decrypted it: it is checked here as a plain one is.
            section[name] = value

    def _lake_value(self, key: str, name: str, value: Value) -> None:
        if not self._may_have(name):
            known = _FIXED | frozenset(self._names or ())
            nested = f"write it below {NAMESPACE}:{_NESTED[name]}" if name in _NESTED else ""
            likely = nearest(name, known, _LIKELY)
            alike = f'did you mean "{likely}"?' if likely is not None else ""
            otherwise = "delete it, or refer to it"
            what = "is neither a setting of Lotus nor a name that a file of the lake refers to"
            self._mistake((key,), what, nested or alike or otherwise)
        elif key in self._encrypted:
            return
        else:
            self._values[name] = _as_text(value)
            references = (self._names or {}).get(name, frozenset())
            for kind in sorted({reference.type for reference in references}):
                if kind == "string" and isinstance(value, dict) and len(value) == 1:
                    [inner] = value
                    self._mistake((key, inner), *object_for_text(inner))
                elif (kind == "string" and isinstance(value, (dict, list))) or not _fits(kind, _as_text(value)):
                    what = f"has another type, and the lake asks for type {kind}"
                    self._mistake((key,), what, f"pulumi config set {key} <{kind}>")

    def _may_have(self, name: str) -> bool:
        if self._names is not None:
            return name in self._names
        return naming.is_identifier(name) and nearest(name, _FIXED, _MISSPELT) is None

    def _readable_secrets(self) -> Iterator[Mistake]:
        """The secrets that are not encrypted, although the stack is production."""
        asked = {name for name, references in (self._names or {}).items() if any(each.secret for each in references)}
        for key in sorted(self._given.keys() - self._encrypted):
            namespace, _, name = key.partition(":")
            if name in SECRET_KEYS.get(namespace, ()) or (namespace == NAMESPACE and name in asked):
                what = "is a secret in plain text, and the stack is production"
                yield Mistake((key,), what, f"pulumi config set --secret --stack {self._stack} {key}")

    def _validated(self, sections: dict[str, dict[str, Value]]) -> StackSettings | None:
        own = {"stack": self._stack, "names": self._present, "values": self._values, "encrypted": self._encrypted}
        document = {**own, **sections}
        dagster = sections.get(NAMESPACE, {}).get(DAGSTER)
        is_off = isinstance(dagster, dict) and dagster.get("deploy") in (False, "false")
        try:
            found = StackSettings.model_validate(document)
        except ValidationError as error:
            wrong = [each for each in mistakes(error, StackSettings) if not (is_off and _may_wait(each))]
            self._mistakes += [_by_full_key(each) for each in wrong]
            if wrong:
                return None
            # All that is wrong may wait until Dagster is deployed.
            del sections[NAMESPACE][DAGSTER]
            return self._validated(sections)
        if is_off:
            return found.model_copy(update={"lotus": found.lotus.model_copy(update={"dagster": None})})
        return found


def _may_wait(mistake: Mistake) -> bool:
    """Whether a mistake matters only once Dagster is deployed; an unknown key or a wrong type always is one."""
    return mistake.is_of_content and mistake.path[:2] == (NAMESPACE, DAGSTER)


def _by_full_key(mistake: Mistake) -> Mistake:
    namespace, *rest = mistake.path
    return mistake._replace(path=(f"{namespace}:{rest[0]}", *rest[1:]) if rest else mistake.path)


def _missing(settings: StackSettings) -> Iterator[Mistake]:
    """The keys that others require."""
    lotus, present = settings.lotus, settings.names.names
    if lotus.dagster is not None and lotus.landing_zone is None:
        what, remedy = "needs a landing zone, and the stack has none", f"describe it by {NAMESPACE}:{LANDING_ZONE}"
        yield Mistake((f"{NAMESPACE}:{DAGSTER}",), what, f"{remedy}, or set deploy: false")
    if lotus.dagster is not None:
        for name in DATABASE_PASSWORDS:
            if name not in present:
                key = f"{NAMESPACE}:{name}"
                yield Mistake((key,), "is missing", f"openssl rand -hex 24 | pulumi config set --secret {key}")
        yield from _missing_registry(lotus.dagster, present)
    if lotus.landing_zone is not None and lotus.landing_zone.server == "s3":
        yield from _missing_keys(present)


def _missing_registry(dagster: DagsterSettings, present: Collection[str]) -> Iterator[Mistake]:
    """The half of the private registry's login that the other one requires."""
    key = f"{NAMESPACE}:{REGISTRY_PASSWORD}"
    if dagster.registry is not None and REGISTRY_PASSWORD not in present:
        what = "is missing, and lotus:dagster.registry needs it"
        yield Mistake((key,), what, f"pulumi config set --secret {key}")
    if dagster.registry is None and REGISTRY_PASSWORD in present:
        remedy = f"describe it by {NAMESPACE}:{DAGSTER}.registry, or delete the password"
        yield Mistake((key,), "has no registry", remedy)


def _missing_keys(present: Collection[str]) -> Iterator[Mistake]:
    """The access keys that a server without IAM requires: Airbyte's, and both halves of any other."""
    for start in KEY_PAIRS:
        pair = [f"{start}{half}" for half in KEY_HALVES]
        if start == KEY_PAIRS[0] or any(name in present for name in pair):
            for name in pair:
                if name not in present:
                    key = f"{NAMESPACE}:{name}"
                    what = "is missing, and the landing zone is not on AWS"
                    yield Mistake((key,), what, f"pulumi config set --secret {key}")


def _plain_remedy(key: str, path: JsonPath) -> str:
    if path and "env" in path:
        return "put it into a Kubernetes secret, and name that in envSecrets"
    place = f"--path '{format_path((key, *path))}'" if path else key
    return f"`pulumi config set --plaintext {place} <value>`"


def _as_text(value: Value) -> str:
    """A value as the engine hands it to the program."""
    return value if isinstance(value, str) else json.dumps(value)


def _fits(kind: Any, text: str) -> bool:
    try:
        parse_text(kind, text)
    except ValueError:
        return False
    return True
