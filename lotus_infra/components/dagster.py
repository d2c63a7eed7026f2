"""Dagster on a cluster: namespace, databases, secrets and the release, each after what it stands on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.config.credentials import BackupPlace, Credentials
from lotus_infra.config.dagster import (
    Backup,
    Chart,
    Cluster,
    ClusterDatabase,
    DagsterSettings,
    Database,
    address,
    given,
)
from lotus_infra.helm.values import FINGERPRINT, SECRETS, fingerprint

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


@dataclass(frozen=True)
class ReleasePlan:
    """What a release is made of.

    Attributes:
        chart: which chart.
        namespace: where it goes; it must be there.
        timeout_seconds: how long its pods may take to become ready.
        values: the chart's values, with a word where the fingerprint goes.
        fingerprint: of the credentials that pods hold.
        why: tells why pods don't run, once the release has failed.
    """

    chart: Chart
    namespace: str
    timeout_seconds: int
    values: Mapping[str, JsonValue]
    fingerprint: pulumi.Input[str]
    why: Callable[[], Sequence[str]]


class DagsterRelease(pulumi.ComponentResource):
    """A release (`lotus:dagster:Release`).

    It waits for its pods, so that whatever comes after it, such as the end of an old key, comes when they run. One that
    fails is left as it is, not rolled back: what went wrong can be looked at, and the next `up` goes on from there.
    """

    def __init__(self, name: str, plan: ReleasePlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Release", name, None, opts)
        chart = plan.chart
        told = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{name}-why", telling(plan.why))])
        Release(
            name,
            name=naming.DAGSTER,
            chart=chart.path or _named(chart),
            repository_opts=None if _packed(chart) else RepositoryOptsArgs(repo=chart.repository),
            version=None if chart.path else chart.version,
            namespace=plan.namespace,
            values=filled(plan.values, {FINGERPRINT: plan.fingerprint}),
            timeout=plan.timeout_seconds,
            atomic=False,
            cleanup_on_fail=False,
            skip_await=False,
            wait_for_jobs=True,
            max_history=10,
            opts=pulumi.ResourceOptions(
                parent=self, hooks=told, depends_on=opts.depends_on if opts is not None else None
            ),
        )
        self.register_outputs({})


def filled(value: Any, words: Mapping[str, pulumi.Input[str]]) -> Any:
    """A copy of values with outputs in the places of words."""
    if isinstance(value, Mapping):
        return {key: filled(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, words) for inner in value]
    return words.get(value, value) if isinstance(value, str) else value


def _packed(chart: Chart) -> bool:
    """Whether the chart's own name says where it is."""
    return chart.path is not None or chart.repository.startswith("oci://")


def _named(chart: Chart) -> str:
    return f"{chart.repository}/{naming.DAGSTER}" if _packed(chart) else naming.DAGSTER


def telling(why: Callable[[], Sequence[str]]) -> Callable[[pulumi.ErrorHookArgs], bool]:
    """A hook of the engine: says what the pods say, and has nothing tried again."""

    def tell(_: pulumi.ErrorHookArgs) -> bool:
        for line in why():
            pulumi.log.error(line)
        return False

    return tell


@dataclass(frozen=True)
class DagsterPlan:
    """What Dagster is made of.

    Attributes:
        settings: what the stack says.
        values: the chart's values that follow from it.
        database_password: of Dagster's database.
        catalog_password: of DuckLake's catalog.
        reader: the identity that comes to the landing bucket.
        backups: where backups of databases go.
        why: tells why pods don't run.
    """

    settings: DagsterSettings
    values: Mapping[str, JsonValue]
    database_password: pulumi.Input[str]
    catalog_password: pulumi.Input[str]
    reader: Credentials
    backups: BackupPlace | None
    why: Callable[[], Sequence[str]]


class Dagster(pulumi.ComponentResource):
    """Dagster (`lotus:dagster:Dagster`)."""

    def __init__(self, name: str, plan: DagsterPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Dagster", name, None, opts)
        self._plan, self._settings = plan, plan.settings
        self._namespace = self._settings.namespace.name
        provider = _provider(name, self._settings.cluster, self)
        self._own = pulumi.ResourceOptions(parent=self, provider=provider)
        self._after(self._namespaces())
        databases = [
            self._database(naming.DAGSTER_DATABASE, self._settings.database, plan.database_password),
            self._database(naming.CATALOG_DATABASE, self._settings.catalog, plan.catalog_password),
        ]
        self._after([*databases, self._secret()])
        DagsterRelease(
            name,
            ReleasePlan(
                chart=self._settings.chart,
                namespace=self._namespace,
                timeout_seconds=self._settings.timeout_seconds,
                values=plan.values,
                fingerprint=self._fingerprint(),
                why=plan.why,
            ),
            self._own,
        )
        self.register_outputs({})

    def exports(self) -> dict[str, pulumi.Input[str] | None]:
        """What people and other programs may want to know."""
        ingress = self._settings.ingress
        scheme = "https" if ingress is not None and ingress.tls else "http"
        return {
            "namespace": self._namespace,
            "image": self._settings.image,
            "url": f"{scheme}://{ingress.host}/" if ingress is not None else None,
        }

    def _after(self, resources: Sequence[pulumi.Resource]) -> None:
        """Whatever is declared from here on comes after these."""
        after = pulumi.ResourceOptions(depends_on=list(resources))
        self._own = pulumi.ResourceOptions.merge(self._own, after)

    def _namespaces(self) -> list[pulumi.Resource]:
        if not self._settings.namespace.create:
            return []
        kept = pulumi.ResourceOptions(protect=self._settings.protect)
        opts = pulumi.ResourceOptions.merge(self._own, kept)
        metadata = ObjectMetaArgs(name=self._namespace)
        return [kubernetes.core.v1.Namespace(self._namespace, metadata=metadata, opts=opts)]

    def _database(self, name: str, database: Database, password: pulumi.Input[str]) -> DagsterDatabase:
        plan = DatabasePlan(
            database=database,
            namespace=self._namespace,
            password=password,
            backups=self._plan.backups,
            protect=self._settings.protect,
        )
        return DagsterDatabase(name, plan, self._own)

    def _held(self) -> dict[str, pulumi.Input[str]]:
        """The credentials of the lake that pods hold, by the variables that they read."""
        reader = self._plan.reader
        values = (reader.access_key_id, reader.secret_access_key, self._plan.catalog_password)
        return dict(zip(SECRETS, values, strict=True))

    def _secret(self) -> pulumi.Resource:
        return kubernetes.core.v1.Secret(
            naming.LAKE_SECRET,
            metadata=ObjectMetaArgs(name=naming.LAKE_SECRET, namespace=self._namespace),
            string_data=self._held(),
            opts=self._own,
        )

    def _fingerprint(self) -> pulumi.Output[str]:
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        held = pulumi.Output.all(**self._held(), database=self._plan.database_password)
        return pulumi.Output.unsecret(held.apply(lambda known: fingerprint(known, stack)))


def _provider(name: str, cluster: Cluster, dagster: pulumi.Resource) -> kubernetes.Provider:
    """The cluster; secrets are changed in place, so that pods which start meanwhile find them."""
    return kubernetes.Provider(
        name,
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        enable_secret_mutable=True,
        suppress_deprecation_warnings=True,
        suppress_helm_hook_warnings=True,
        opts=pulumi.ResourceOptions(parent=dagster),
    )
