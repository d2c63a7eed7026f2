"""The custom resource definitions of CloudNativePG and of its Barman Cloud plugin, installed on an API server.

The real ones, where the reference data is; else ones that accept every key.
"""

import time
from typing import Any, Final

import yaml
from kubernetes import client

from tests.support.definitions import KINDS, definition_file
from tests.support.shared import SHARED

ESTABLISHED_SECONDS: Final = 30
Document = dict[str, Any]


def install(api: client.ApiClient) -> None:
    """Install the definitions, and wait until the server serves them."""
    extensions = client.ApiextensionsV1Api(api)
    found = [_definition(group, kind) for group in KINDS for kind in KINDS[group]]
    for definition in found:
        extensions.create_custom_resource_definition(definition)
    for definition in found:
        wait_until_served(extensions, definition["metadata"]["name"])


def _definition(group: str, kind: str) -> Document:
    file = SHARED.joinpath(*definition_file(group, kind))
    if not file.exists():
        return open_definition(group, kind, KINDS[group][kind])
    found: Document = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def open_definition(group: str, kind: str, plural: str, scope: str = "Namespaced") -> Document:
    """A definition that accepts every key."""
    anything: Document = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


def wait_until_served(extensions: client.ApiextensionsV1Api, name: str) -> None:
    """Wait until the server serves a definition."""
    deadline = time.monotonic() + ESTABLISHED_SECONDS
    while time.monotonic() < deadline:
        conditions = extensions.read_custom_resource_definition(name).status.conditions or []
        if any(each.type == "Established" and each.status == "True" for each in conditions):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the API server does not serve {name}")
