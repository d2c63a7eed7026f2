"""Custom resources, compared with their definitions: keys that do not exist, wrong types, and rules in CEL.

A cluster drops an unknown key without an error, so its absence has to be found here. The definitions are reference
data: `custom_resource_problems` skips the test where there is none.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from tests.support.shared import shared

Schema = Mapping[str, Any]
OPEN: Final = "x-kubernetes-preserve-unknown-fields"
KINDS: Final = {
    "postgresql.cnpg.io": {"Cluster": "clusters", "ScheduledBackup": "scheduledbackups", "Backup": "backups"},
    "barmancloud.cnpg.io": {"ObjectStore": "objectstores"},
}
"""The plurals of the kinds, by API group and kind."""
CEL: Final[Mapping[str, Callable[[Any], bool]]] = {
    "!has(self.builtinLocale) || self.localeProvider == 'builtin'": lambda it: "builtinLocale" not in it,
    "!has(self.icuLocale) || self.localeProvider == 'icu'": lambda it: "icuLocale" not in it,
    "!has(self.icuRules) || self.localeProvider == 'icu'": lambda it: "icuRules" not in it,
    "!(has(self.imageCatalogRef) && has(self.imageName))": lambda it: not {"imageCatalogRef", "imageName"} <= it.keys(),
    "!has(self.serverName)": lambda it: "serverName" not in it,
    # It compares with the resource before: for the tests of changes.
    "self == oldSelf": lambda _: True,
}
"""The rules at the places that the program uses, in Python; of alternatives that it does not use, the stricter half."""


def custom_resource_problems(resource: Mapping[str, Any]) -> list[str]:
    """What a cluster with the definition would refuse or drop, as `path: reason`; empty if nothing.

    Args:
        resource: With `apiVersion`, `kind`, `metadata` and `spec`.
    """
    schema, validator = _definition(resource["apiVersion"], resource["kind"])
    errors = validator.iter_errors(resource)
    found = [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    return sorted([*found, *_broken_rules(schema, resource)])


def is_custom(type_: str) -> bool:
    """Whether a type of the engine is a custom resource."""
    return any(type_.startswith(f"kubernetes:{group}/") for group in KINDS)


def definition_file(group: str, kind: str) -> tuple[str, str]:
    """The folder and the name of the file with a definition, in the reference data."""
    return "kubernetes", f"{group}_{KINDS[group][kind]}.yaml"


@cache
def _definition(api_version: str, kind: str) -> tuple[Schema, Draft202012Validator]:
    group, _, wanted = api_version.partition("/")
    file = shared(*definition_file(group, kind))
    definition = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    [version] = [each for each in definition["spec"]["versions"] if each["name"] == wanted]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema, Draft202012Validator(_closed(schema))


def _closed(schema: Schema) -> dict[str, Any]:
    """A structural schema as JSON Schema, in which a key that is not named is an error."""
    closed = {key: value for key, value in schema.items() if key not in {"properties", "items", "format"}}
    if isinstance(closed.get("additionalProperties"), dict):
        closed["additionalProperties"] = _closed(closed["additionalProperties"])
    if "properties" in schema:
        closed["properties"] = {key: _closed(value) for key, value in schema["properties"].items()}
        if not schema.get(OPEN):
            closed.setdefault("additionalProperties", False)
    if "items" in schema:
        closed["items"] = _closed(schema["items"])
    if schema.get("nullable"):
        closed["type"] = [schema["type"], "null"]
    return closed


def _broken_rules(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        text = " ".join(rule["rule"].split())
        if text not in CEL:
            yield f"{path}: its rule is not in the table of this module: {text}"
        elif not CEL[text](value):
            yield f"{path}: {rule.get('message', text)}"
    if isinstance(value, Mapping):
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                yield from _broken_rules(inner, value[key], f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _broken_rules(schema.get("items", {}), item, f"{path}.{index}")
