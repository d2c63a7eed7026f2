"""A Postgres database on a Kubernetes cluster: its secrets, its CloudNativePG cluster, and its backups.

Nothing here calls the cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.config.credentials import BackupBucket, Credentials
from lotus_infra.config.database import Backup, ClusterDatabase, Database, database_address
from lotus_infra.config.pods import to_manifest

CNPG_API: Final = "postgresql.cnpg.io/v1"
RELOAD_LABEL: Final = {"cnpg.io/reload": "true"}
"""CloudNativePG watches secrets with this label, and sets a changed password on the database's user."""
PASSWORD_KEY: Final = "postgresql-password"
"""The key of the password in a secret, as the chart and its run launcher read it (dagster-k8s, job.py)."""
AWAIT_READY: Final = {"pulumi.com/waitFor": "condition=Ready"}


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
        protect: Whether the cluster, its secrets and its scheduled backup must be unprotected before they can be
            deleted. An external database's secret is never protected: its deletion loses nothing.
    """

    database: Database
    namespace: str
    password: pulumi.Input[str]
    backups: BackupBucket | None
    protect: bool


class DagsterDatabase(pulumi.ComponentResource):
    """A Postgres database (`lotus:dagster:Database`): its secret; unless it is external, its cluster and backups."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Database", name, None, opts)
        self._args, self._database = args, name
        # Children don't inherit the dependencies of their component. Without them, a `destroy` could delete the
        # namespace first.
        # A `destroy` deletes the backups and secrets of a cluster before it stops at it, so they are protected as well.
        self._options = pulumi.ResourceOptions(
            parent=self,
            protect=args.protect and isinstance(args.database, ClusterDatabase),
            depends_on=opts.depends_on if opts is not None else None,
        )
        credentials = self._credentials_secret()
        if isinstance(args.database, ClusterDatabase):
            self._declare_cluster(args.database, credentials)
        self.register_outputs({})

    def _credentials_secret(self) -> pulumi.Resource:
        """One secret for both sides: the operator creates the user from it, and Dagster logs in with it."""
        user = database_address(self._args.database, self._database, self._args.namespace).user
        name = naming.credentials_secret(self._database)
        return kubernetes.core.v1.Secret(
            name,
            metadata=self._metadata(name, RELOAD_LABEL),
            type="kubernetes.io/basic-auth",
            string_data={"username": user, "password": self._args.password, PASSWORD_KEY: self._args.password},
            opts=self._options,
        )

    def _declare_cluster(self, database: ClusterDatabase, credentials: pulumi.Resource) -> None:
        spec, dependencies = self._cluster_spec(database), [credentials]
        backup, bucket = database.backup, self._args.backups
        if backup is not None and bucket is not None:
            spec["backup"] = self._backup_spec(backup, bucket)
            dependencies.append(self._backup_secret(bucket.credentials))
        cluster = kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=CNPG_API,
            kind="Cluster",
            metadata=ObjectMetaArgs(name=self._database, namespace=self._args.namespace, annotations=AWAIT_READY),
            spec=spec,
            opts=after(dependencies, self._options),
        )
        if backup is not None and bucket is not None:
            self._scheduled_backup(backup, cluster)

    def _cluster_spec(self, database: ClusterDatabase) -> dict[str, Any]:
        address = database_address(database, self._database, self._args.namespace)
        initdb = {
            "database": address.database,
            "owner": address.user,
            "secret": {"name": naming.credentials_secret(self._database)},
        }
        # `to_manifest` leaves out a size that is our default, and the operator has none.
        storage = to_manifest(database.storage) | {"size": database.storage.size}
        spec: dict[str, Any] = {
            "instances": database.instances,
            "storage": storage,
            "bootstrap": {"initdb": initdb},
        }
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

    def _backup_spec(self, backup: Backup, bucket: BackupBucket) -> dict[str, Any]:
        secret = naming.backup_secret(self._database)
        prefix = naming.backup_prefix(self._args.namespace, self._database)
        store: dict[str, Any] = {
            "destinationPath": pulumi.Output.format("s3://{0}/{1}", bucket.bucket, prefix),
            "s3Credentials": {
                "accessKeyId": {"name": secret, "key": "ACCESS_KEY_ID"},
                "secretAccessKey": {"name": secret, "key": "SECRET_ACCESS_KEY"},
            },
        }
        if bucket.endpoint:
            store["endpointURL"] = bucket.endpoint
        return {"barmanObjectStore": store, "retentionPolicy": f"{backup.keep_days}d"}

    def _backup_secret(self, credentials: Credentials) -> pulumi.Resource:
        name = naming.backup_secret(self._database)
        return kubernetes.core.v1.Secret(
            name,
            metadata=self._metadata(name, RELOAD_LABEL),
            string_data={
                "ACCESS_KEY_ID": credentials.access_key_id,
                "SECRET_ACCESS_KEY": credentials.secret_access_key,
            },
            opts=self._options,
        )

    def _scheduled_backup(self, backup: Backup, cluster: pulumi.Resource) -> None:
        kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=CNPG_API,
            kind="ScheduledBackup",
            metadata=self._metadata(naming.backup_secret(self._database)),
            spec={
                "schedule": backup.schedule,
                "backupOwnerReference": "self",
                "cluster": {"name": self._database},
                # The archived log is useless without a base backup, so the first one doesn't wait for the schedule.
                "immediate": True,
            },
            opts=after([cluster], self._options),
        )

    def _metadata(self, name: str, labels: dict[str, str] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._args.namespace, labels=labels)
