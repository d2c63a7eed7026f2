"""A Postgres database on a Kubernetes cluster: its secrets, its CloudNativePG cluster, and its backups.

Nothing here calls the cluster: a cluster that does not start is explained by a function that the program passes in.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.components.failures import log_reasons
from lotus_infra.config.credentials import BackupBucket
from lotus_infra.config.database import (
    BARMAN,
    BARMAN_PLUGIN,
    CNPG,
    RUNBOOK,
    Backup,
    ClusterDatabase,
    Database,
    cluster_name,
    database_address,
)
from lotus_infra.config.pods import amount, to_manifest
from lotus_infra.errors import LotusError

CNPG_API: Final = f"{CNPG}/v1"
BARMAN_API: Final = f"{BARMAN}/v1"
RELOAD_LABEL: Final = {"cnpg.io/reload": "true"}
"""CloudNativePG watches secrets with this label, and sets a changed password on the database's user."""
PASSWORD_KEY: Final = "postgresql-password"
"""The key of the password in a secret, as the chart and its run launcher read it (dagster-k8s, job.py)."""
WAIT_FOR: Final = "pulumi.com/waitFor"
AWAIT_READY: Final = {WAIT_FOR: "condition=Ready"}
AWAIT_ARCHIVING: Final = {WAIT_FOR: json.dumps(["condition=Ready", "condition=ContinuousArchiving"])}
"""A cluster is ready before its first log file is archived, and stays ready if the archive refuses it."""
FIXED_ANNOTATION: Final = f"{naming.ANNOTATIONS}/database"
CHECKSUMS: Final = ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
"""AWS' SDK sends checksums that other S3 servers refuse, unless these variables say `when_required`."""
RESTORE_SECONDS: Final = 4 * 3600


def after(dependencies: Sequence[pulumi.Resource], options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Options with further dependencies."""
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=list(dependencies)))


@dataclass(frozen=True)
class DatabaseArgs:
    """The arguments of `DagsterDatabase`.

    Attributes:
        database: The stack's settings of the database.
        namespace: The namespace of its secrets and of its cluster.
        password: Of the database's user.
        backups: The bucket of its backups; None without one.
        protect: Whether the cluster, its secrets and its backups must be unprotected before they can be deleted. An
            external database's secret is never protected: its deletion loses nothing.
        acknowledged: Objects whose loss is acknowledged, such as `Cluster dagster-db`; they are not protected.
        explain: Returns a line for each reason why a cluster, given by its name, does not run or archive.
    """

    database: Database
    namespace: str
    password: pulumi.Input[str]
    backups: BackupBucket | None
    protect: bool
    acknowledged: frozenset[str]
    explain: Callable[[str], Sequence[str]]


class DagsterDatabase(pulumi.ComponentResource):
    """A Postgres database (`lotus:dagster:Database`): its secret; unless it is external, its cluster and backups.

    Names in Pulumi stay the same for all generations of a database: a new generation replaces the one before, which is
    deleted after Dagster uses the new one.
    """

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Database", name, None, opts)
        self._args, self._database, self._cluster = args, name, cluster_name(args.database, name)
        self._address = database_address(args.database, name, args.namespace)
        # Children don't inherit the dependencies of their component. Without them, a `destroy` could delete the
        # namespace first.
        self._depends_on = opts.depends_on if opts is not None else None
        credentials = self._credentials_secret()
        if isinstance(args.database, ClusterDatabase):
            self._declare_cluster(args.database, credentials)
        self.register_outputs({})

    def _options(self, kind: str, name: str) -> pulumi.ResourceOptions:
        # A `destroy` deletes the backups and secrets of a cluster before it stops at it, so they are protected as well.
        protect = self._args.protect and isinstance(self._args.database, ClusterDatabase)
        is_lost = naming.acknowledged_object(kind, name) in self._args.acknowledged
        return pulumi.ResourceOptions(parent=self, protect=protect and not is_lost, depends_on=self._depends_on)

    def _secret(
        self, name: str, in_kubernetes: str, data: Mapping[str, pulumi.Input[str]], type_: str | None = None
    ) -> pulumi.Resource:
        return kubernetes.core.v1.Secret(
            name,
            metadata=self._metadata(in_kubernetes, RELOAD_LABEL),
            string_data=data,
            type=type_,
            opts=self._options("Secret", name),
        )

    def _credentials_secret(self) -> pulumi.Resource:
        """One secret for both sides: the operator creates the user from it, and Dagster logs in with it."""
        password = self._args.password
        return self._secret(
            naming.credentials_secret(self._database),
            naming.credentials_secret(self._cluster),
            {"username": self._address.user, "password": password, PASSWORD_KEY: password},
            "kubernetes.io/basic-auth",
        )

    def _declare_cluster(self, database: ClusterDatabase, credentials: pulumi.Resource) -> None:
        backup, bucket = database.backup, self._args.backups
        if backup is None or bucket is None:
            self._declare(database, AWAIT_READY, self._cluster_spec(database), [credentials])
            return
        has_plugin = backup.method == "plugin"
        dependencies = [credentials, self._backup_secret(bucket, has_region=has_plugin)]
        if has_plugin:
            # Without the plugin's definition in the cluster, an update stops here, and the database is as before.
            dependencies.append(self._object_store(backup, bucket))
            spec = self._cluster_spec(database) | {"plugins": [_plugin(self._database, self._cluster, archives=True)]}
        else:
            in_tree = {"barmanObjectStore": self._store(bucket), "retentionPolicy": _retention(backup)}
            spec = self._cluster_spec(database) | {"backup": in_tree}
        cluster = self._declare(database, AWAIT_ARCHIVING if has_plugin else AWAIT_READY, spec, dependencies)
        self._scheduled_backup(backup, cluster)

    def _declare(
        self,
        database: ClusterDatabase,
        annotations: Mapping[str, str],
        spec: Mapping[str, Any],
        dependencies: Sequence[pulumi.Resource],
    ) -> pulumi.Resource:
        # The first generation can't have been restored, so its settings are all in its specification.
        is_first = database.generation == 1
        fixed = {FIXED_ANNOTATION: f"{self._address.database}, owned by {self._address.user}"}
        return kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=CNPG_API,
            kind="Cluster",
            metadata=ObjectMetaArgs(
                name=self._cluster,
                namespace=self._args.namespace,
                annotations={**annotations, **({} if is_first else fixed)},
            ),
            spec=spec,
            opts=pulumi.ResourceOptions.merge(
                after(dependencies, self._options("Cluster", self._database)),
                pulumi.ResourceOptions(
                    hooks=self._hooks(database),
                    # Settings of a recovery may change or go afterwards: a cluster that exists keeps its own.
                    ignore_changes=None if is_first else ["spec.bootstrap", "spec.externalClusters"],
                    custom_timeouts=_timeouts(database),
                ),
            ),
        )

    def _hooks(self, database: ClusterDatabase) -> pulumi.ResourceHookBinding:
        def refuse(args: pulumi.ResourceHookArgs) -> None:
            changes = list(fixed_changes(args.old_inputs or {}, database, self._address.database, self._address.user))
            if changes:
                raise LotusError(
                    f"{self._database}: {'; '.join(changes)}",
                    "keep the old value; or raise generation, which replaces the cluster, and restore the data there: "
                    f"{RUNBOOK}",
                )

        # The engine calls it in previews too: a refused update stops before it starts.
        refusal = pulumi.ResourceHook(f"{self._database}-fixed", refuse, pulumi.ResourceHookOptions(on_dry_run=True))
        in_cluster = partial(self._args.explain, self._cluster)
        reasons = pulumi.ErrorHook(f"{self._database}-why", log_reasons(self._args.namespace, in_cluster))
        return pulumi.ResourceHookBinding(before_update=[refusal], on_error=[reasons])

    def _cluster_spec(self, database: ClusterDatabase) -> dict[str, Any]:
        # `to_manifest` leaves out a size that is our default, and the operator has none.
        storage = to_manifest(database.storage) | {"size": database.storage.size}
        spec: dict[str, Any] = {"instances": database.instances, "storage": storage, **self._bootstrap(database)}
        affinity = {
            "nodeSelector": dict(database.node_selector),
            "tolerations": [to_manifest(toleration) for toleration in database.tolerations],
        }
        optional = {
            "imageName": database.image,
            "resources": to_manifest(database.resources),
            "affinity": {key: value for key, value in affinity.items() if value},
        }
        return spec | {key: value for key, value in optional.items() if value}

    def _bootstrap(self, database: ClusterDatabase) -> dict[str, Any]:
        owned: dict[str, Any] = {
            "database": self._address.database,
            "owner": self._address.user,
            "secret": {"name": naming.credentials_secret(self._cluster)},
        }
        recovery = database.recovery
        if recovery is None:
            return {"bootstrap": {"initdb": owned}}
        source = naming.database_cluster(self._database, recovery.generation)
        target = {"recoveryTarget": {"targetTime": recovery.postgres_time}} if recovery.target_time else {}
        return {
            "bootstrap": {"recovery": {**owned, "source": source, **target}},
            "externalClusters": [{"name": source, "plugin": _plugin(self._database, source)}],
        }

    def _store(self, bucket: BackupBucket) -> dict[str, Any]:
        """The place of the backups, and the keys for it, as the plugin and CloudNativePG itself describe it."""
        secret = naming.backup_secret(self._database)
        prefix = naming.backup_prefix(self._args.namespace, self._database)
        store: dict[str, Any] = {
            "destinationPath": pulumi.Output.format("s3://{0}/{1}", bucket.bucket, prefix),
            "s3Credentials": {
                "accessKeyId": {"name": secret, "key": "ACCESS_KEY_ID"},
                "secretAccessKey": {"name": secret, "key": "SECRET_ACCESS_KEY"},
            },
        }
        return store | ({"endpointURL": bucket.endpoint} if bucket.endpoint else {})

    def _object_store(self, backup: Backup, bucket: BackupBucket) -> pulumi.Resource:
        store = self._store(bucket)
        region = {"region": {"name": naming.backup_secret(self._database), "key": "REGION"}}
        spec = {
            "configuration": {**store, "s3Credentials": store["s3Credentials"] | region},
            "retentionPolicy": _retention(backup),
        }
        if bucket.endpoint:
            variables = [{"name": name, "value": "when_required"} for name in CHECKSUMS]
            spec["instanceSidecarConfiguration"] = {"env": variables}
        return kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=BARMAN_API,
            kind="ObjectStore",
            metadata=self._metadata(self._database),
            spec=spec,
            opts=self._options("ObjectStore", self._database),
        )

    def _backup_secret(self, bucket: BackupBucket, *, has_region: bool) -> pulumi.Resource:
        name, keys = naming.backup_secret(self._database), bucket.credentials
        data = {"ACCESS_KEY_ID": keys.access_key_id, "SECRET_ACCESS_KEY": keys.secret_access_key}
        return self._secret(name, name, data | ({"REGION": bucket.region} if has_region else {}))

    def _scheduled_backup(self, backup: Backup, cluster: pulumi.Resource) -> None:
        spec: dict[str, Any] = {
            "schedule": backup.schedule,
            "backupOwnerReference": "self",
            "cluster": {"name": self._cluster},
            # The archived log is useless without a base backup, so the first one doesn't wait for the schedule.
            "immediate": True,
        }
        if backup.method == "plugin":
            spec |= {"method": "plugin", "pluginConfiguration": {"name": BARMAN_PLUGIN}}
        kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=CNPG_API,
            kind="ScheduledBackup",
            metadata=self._metadata(naming.scheduled_backup(self._cluster)),
            spec=spec,
            opts=after([cluster], self._options("ScheduledBackup", self._database)),
        )

    def _metadata(self, name: str, labels: dict[str, str] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._args.namespace, labels=labels)


def fixed_changes(before: Mapping[str, Any], database: ClusterDatabase, name: str, user: str) -> Iterator[str]:
    """The changes that CloudNativePG can't make in a running cluster: it reads these settings when it creates one.

    Args:
        before: The inputs of the cluster that runs.
        database: The settings now.
        name: The name of the database now.
        user: Its owner now.
    """
    spec = before.get("spec") or {}
    created: Mapping[str, Any] = next(iter((spec.get("bootstrap") or {}).values()), {})
    storage = spec.get("storage") or {}
    settings = {
        "database": (created.get("database"), name),
        "user": (created.get("owner"), user),
        "storage.storageClass": (storage.get("storageClass"), database.storage.storage_class),
    }
    for key, (old, new) in settings.items():
        if old != new:
            yield f"{key} can't change from {old or 'the default'} to {new or 'the default'} in a running cluster"
    old_size, new_size = amount(str(storage.get("size"))), amount(database.storage.size)
    if old_size is not None and new_size is not None and new_size < old_size:
        yield f"storage.size can't shrink from {storage['size']} to {database.storage.size}"


def _plugin(object_store: str, server: str, *, archives: bool = False) -> dict[str, Any]:
    """The Barman Cloud plugin for the backups of one cluster.

    Args:
        object_store: The `ObjectStore` with the place.
        server: The folder of the cluster's backups below the place.
        archives: Whether the plugin archives this cluster's log; else it only reads there.
    """
    parameters = {"barmanObjectName": object_store, "serverName": server}
    return {"name": BARMAN_PLUGIN, "parameters": parameters} | ({"isWALArchiver": True} if archives else {})


def _retention(backup: Backup) -> str:
    return f"{backup.keep_days}d"


def _timeouts(database: ClusterDatabase) -> pulumi.CustomTimeouts | None:
    """None for ten minutes, the default of Pulumi's plugin; a large archive takes hours to restore."""
    seconds = database.timeout_seconds or (RESTORE_SECONDS if database.recovery is not None else None)
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s") if seconds is not None else None
