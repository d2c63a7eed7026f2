"""The custom resource definitions of CloudNativePG and of its Barman Cloud plugin, installed on an API server.

The real ones, where the reference data is; else ones that accept every key, of which a test reports that it used them.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.support.shared import SHARED

FILES: Final = {
    "postgresql.cnpg.io": {"Cluster": "clusters", "ScheduledBackup": "scheduledbackups", "Backup": "backups"},
    "barmancloud.cnpg.io": {"ObjectStore": "objectstores"},
}
ESTABLISHED_SECONDS: Final = 30
Document = dict[str, Any]


def install(api: client.ApiClient, *groups: str) -> None:
    """Install the definitions of some API groups, by default of all, and wait until the server serves them."""
    extensions = client.ApiextensionsV1Api(api)
    for definition in definitions(*groups):
        try:
            extensions.create_custom_resource_definition(definition)
        except ApiException as error:
            if error.status != 409:
                raise
    for definition in definitions(*groups):
        wait_until_served(extensions, definition["metadata"]["name"])


def definitions(*groups: str) -> Iterator[Document]:
    """The definitions, as documents."""
    for group in groups or FILES:
        for kind, plural in FILES[group].items():
            file = folder() / f"{group}_{plural}.yaml"
            yield (
                yaml.safe_load(file.read_text(encoding="utf-8"))
                if file.exists()
                else open_definition(group, kind, plural)
            )


def folder() -> Path:
    """Where the real definitions are, or would be."""
    return SHARED / "kubernetes"


def are_real() -> bool:
    """Whether the real definitions are on this machine."""
    return folder().is_dir()


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
