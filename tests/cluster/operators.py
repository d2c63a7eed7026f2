"""Does what CloudNativePG's operator and its Barman Cloud plugin do to their objects. No database is started.

A cluster becomes ready when the secret of its user is there; it archives when its object store is there and no other
cluster has archived under the same server name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException

CNPG: Final = ("postgresql.cnpg.io", "v1")
BARMAN: Final = ("barmancloud.cnpg.io", "v1")
PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
Document = dict[str, Any]


@dataclass
class Operators:
    """The operator and its plugin.

    Attributes:
        api: The client.
        held: Names of clusters that stay as they are.
        archives: The cluster (by its uid) that archives, by destination and server name; survives the cluster.
    """

    api: client.ApiClient
    held: set[str] = field(default_factory=set)
    archives: dict[tuple[str, str], str] = field(default_factory=dict)

    def round(self) -> None:
        """Bring the status of every object up to date."""
        for cluster in self._listed(CNPG, "clusters"):
            if cluster["metadata"]["name"] not in self.held and "deletionTimestamp" not in cluster["metadata"]:
                self._reconcile(cluster)
        for backup in self._listed(CNPG, "scheduledbackups"):
            self._reconcile_backup(backup)

    def _reconcile(self, cluster: Document) -> None:
        conditions = [_condition("Ready", *self._readiness(cluster))]
        archives = self._archives(cluster)
        if archives is not None:
            conditions.append(_condition("ContinuousArchiving", *archives))
        wanted = {each["type"]: each for each in conditions}
        known = {each["type"]: each for each in cluster.get("status", {}).get("conditions", [])}
        if {name: each["status"] for name, each in wanted.items()} != {
            name: each["status"] for name, each in known.items()
        }:
            status = {"phase": "Cluster in healthy state", "conditions": conditions}
            self._patch_status(CNPG, "clusters", cluster, status)

    def _readiness(self, cluster: Document) -> tuple[bool, str, str]:
        methods: list[Document] = [*cluster["spec"].get("bootstrap", {}).values()]
        secret = methods[0].get("secret", {}).get("name") if methods else None
        if secret is not None and not self._has_secret(cluster["metadata"]["namespace"], secret):
            return False, "ClusterIsNotReady", f"the secret {secret} is missing"
        return True, "ClusterIsReady", "Cluster is Ready"

    def _archives(self, cluster: Document) -> tuple[bool, str, str] | None:
        """Whether the cluster archives, with reason and message; None if nothing asks for it."""
        place = self._archive(cluster)
        if place is None:
            return None
        owner = self.archives.setdefault(place, cluster["metadata"]["uid"])
        if owner != cluster["metadata"]["uid"]:
            return (
                False,
                "ContinuousArchivingFailing",
                "unexpected failure invoking barman-cloud: Expected empty archive",
            )
        return True, "ContinuousArchivingSuccess", "Continuous archiving is working"

    def _archive(self, cluster: Document) -> tuple[str, str] | None:
        """The destination and the server name of a cluster's archive; None without one."""
        metadata, spec = cluster["metadata"], cluster["spec"]
        native = spec.get("backup", {}).get("barmanObjectStore")
        if native is not None:
            return native["destinationPath"], native.get("serverName", metadata["name"])
        for plugin in spec.get("plugins", []):
            if plugin["name"] == PLUGIN and plugin.get("isWALArchiver"):
                parameters = plugin.get("parameters", {})
                store = self._store(metadata["namespace"], parameters["barmanObjectName"])
                if store is not None:
                    path = store["spec"]["configuration"]["destinationPath"]
                    return path, parameters.get("serverName", metadata["name"])
        return None

    def _store(self, namespace: str, name: str) -> Document | None:
        stores = (each for each in self._listed(BARMAN, "objectstores") if each["metadata"]["namespace"] == namespace)
        return next((each for each in stores if each["metadata"]["name"] == name), None)

    def _reconcile_backup(self, backup: Document) -> None:
        if backup["spec"].get("immediate") and "lastScheduleTime" not in backup.get("status", {}):
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._patch_status(CNPG, "scheduledbackups", backup, {"lastScheduleTime": now, "lastCheckTime": now})
            self._record_backup(backup, now)

    def _record_backup(self, backup: Document, now: str) -> None:
        """Record the end of a backup where the plugin does: in the object store, by the server's name."""
        namespace, name = backup["metadata"]["namespace"], backup["spec"]["cluster"]["name"]
        clusters = (each for each in self._listed(CNPG, "clusters") if each["metadata"]["namespace"] == namespace)
        nothing: Document = {"spec": {}}
        cluster = next((each for each in clusters if each["metadata"]["name"] == name), nothing)
        for plugin in cluster["spec"].get("plugins", []):
            parameters = plugin.get("parameters", {})
            store = self._store(namespace, parameters.get("barmanObjectName", ""))
            if store is not None:
                window = {parameters.get("serverName", name): {"lastSuccessfulBackupTime": now}}
                self._patch_status(BARMAN, "objectstores", store, {"serverRecoveryWindow": window})

    def _has_secret(self, namespace: str, name: str) -> bool:
        try:
            client.CoreV1Api(self.api).read_namespaced_secret(name, namespace)
        except ApiException as error:
            if error.status != 404:
                raise
            return False
        return True

    def _listed(self, group: tuple[str, str], plural: str) -> Iterator[Document]:
        try:
            yield from client.CustomObjectsApi(self.api).list_cluster_custom_object(*group, plural)["items"]
        except ApiException as error:
            # The definition is not installed.
            if error.status != 404:
                raise

    def _patch_status(self, group: tuple[str, str], plural: str, found: Document, status: Document) -> None:
        metadata = found["metadata"]
        client.CustomObjectsApi(self.api).patch_namespaced_custom_object_status(
            *group, metadata["namespace"], plural, metadata["name"], {"status": status}, field_manager="operator"
        )


def _condition(kind: str, is_so: bool, reason: str, message: str) -> Document:  # noqa: FBT001
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": kind, "status": str(is_so), "reason": reason, "message": message, "lastTransitionTime": now}
