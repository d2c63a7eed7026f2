"""A Postgres database for Dagster or for DuckLake's catalog: secret, cluster and backups."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.cluster.database import Backup, ClusterDatabase, Database, address
from lotus_infra.cluster.kinds import given
from lotus_infra.components.credentials import BackupPlace, Credentials

API = "postgresql.cnpg.io/v1"
RELOADED = {"cnpg.io/reload": "true"}
"""The operator watches secrets with this label, and gives a new password to the database's user."""
PASSWORD_KEY = "postgresql-password"
"""Where the chart and its run launcher look for the password (dagster-k8s, job.py)."""
AWAITED = {"pulumi.com/waitFor": "condition=Ready"}


@dataclass(frozen=True)
class DatabasePlan:
    """What a database is made of.

    Attributes:
        database: what the stack says of it.
        namespace: where it is.
        password: its user's.
        backups: where backups go; None where there are none.
        protect: whether deleting it takes an unprotect first.
    """

    database: Database
    namespace: str
    password: pulumi.Input[str]
    backups: BackupPlace | None
    protect: bool


class DagsterDatabase(pulumi.ComponentResource):
    """A database (`lotus:dagster:Database`); of one that somebody else runs, the secret alone."""

    def __init__(self, name: str, plan: DatabasePlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Database", name, None, opts)
        self._plan, self._database = plan, name
        # A component's dependencies are not those of its children, whose order in a `destroy` is theirs alone.
        self._own = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts is not None else None)
        before: list[pulumi.Resource] = [self._credentials()]
        if isinstance(plan.database, ClusterDatabase):
            backup = plan.database.backup if plan.backups is not None else None
            if backup is not None and plan.backups is not None:
                before.append(self._backup_secret(plan.backups.credentials))
            cluster = self._cluster(plan.database, backup, before)
            if backup is not None:
                self._scheduled(backup, cluster)
        self.register_outputs({})

    def _credentials(self) -> pulumi.Resource:
        """One secret for the operator, which makes the user by it, and for Dagster, which comes as that user."""
        user = address(self._plan.database, self._database, self._plan.namespace).user
        return kubernetes.core.v1.Secret(
            naming.credentials_secret(self._database),
            metadata=self._metadata(naming.credentials_secret(self._database), RELOADED),
            type="kubernetes.io/basic-auth",
            string_data={"username": user, "password": self._plan.password, PASSWORD_KEY: self._plan.password},
            opts=self._own,
        )

    def _backup_secret(self, credentials: Credentials) -> pulumi.Resource:
        return kubernetes.core.v1.Secret(
            naming.backup_secret(self._database),
            metadata=self._metadata(naming.backup_secret(self._database), RELOADED),
            string_data={
                "ACCESS_KEY_ID": credentials.access_key_id,
                "SECRET_ACCESS_KEY": credentials.secret_access_key,
            },
            opts=self._own,
        )

    def _cluster(
        self, database: ClusterDatabase, backup: Backup | None, before: list[pulumi.Resource]
    ) -> pulumi.Resource:
        called = address(database, self._database, self._plan.namespace)
        initdb = {
            "database": called.database,
            "owner": called.user,
            "secret": {"name": naming.credentials_secret(self._database)},
        }
        spec: dict[str, Any] = {
            "instances": database.instances,
            "storage": given(database.storage) | {"size": database.storage.size},
            "bootstrap": {"initdb": initdb},
        }
        spec |= {"imageName": database.image} if database.image else {}
        spec |= {"resources": given(database.resources)} if given(database.resources) else {}
        placed = {
            "nodeSelector": dict(database.node_selector),
            "tolerations": [given(toleration) for toleration in database.tolerations],
        }
        spec |= {"affinity": {key: value for key, value in placed.items() if value}} if any(placed.values()) else {}
        if backup is not None and self._plan.backups is not None:
            spec["backup"] = self._backup(backup, self._plan.backups)
        kept = pulumi.ResourceOptions(protect=self._plan.protect, depends_on=before)
        return kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=API,
            kind="Cluster",
            metadata=ObjectMetaArgs(name=self._database, namespace=self._plan.namespace, annotations=AWAITED),
            spec=spec,
            opts=pulumi.ResourceOptions.merge(self._own, kept),
        )

    def _backup(self, backup: Backup, place: BackupPlace) -> dict[str, Any]:
        secret = naming.backup_secret(self._database)
        store: dict[str, Any] = {
            "destinationPath": pulumi.Output.format(
                "s3://{0}/{1}", place.bucket, naming.backup_prefix(self._plan.namespace, self._database)
            ),
            "s3Credentials": {
                "accessKeyId": {"name": secret, "key": "ACCESS_KEY_ID"},
                "secretAccessKey": {"name": secret, "key": "SECRET_ACCESS_KEY"},
            },
        }
        if place.endpoint:
            store["endpointURL"] = place.endpoint
        return {"barmanObjectStore": store, "retentionPolicy": f"{backup.keep_days}d"}

    def _scheduled(self, backup: Backup, cluster: pulumi.Resource) -> None:
        kubernetes.apiextensions.CustomResource(
            self._database,
            api_version=API,
            kind="ScheduledBackup",
            metadata=self._metadata(naming.backup_secret(self._database)),
            spec={
                "schedule": backup.schedule,
                "backupOwnerReference": "self",
                "cluster": {"name": self._database},
                "immediate": True,
            },
            opts=pulumi.ResourceOptions.merge(self._own, pulumi.ResourceOptions(depends_on=[cluster])),
        )

    def _metadata(self, name: str, labels: dict[str, str] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._plan.namespace, labels=labels)
