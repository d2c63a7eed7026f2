"""Dagster on a Kubernetes cluster: the namespace, two databases, the lake's secret, and the Helm release.

`Dagster` declares them in the order in which they need each other. Nothing here calls the cluster: pods of a failed
release are explained by a function that the program passes in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.config.credentials import BackupBucket, Credentials
from lotus_infra.config.dagster import (
    Backup,
    Chart,
    Cluster,
    ClusterDatabase,
    DagsterSettings,
    Database,
    database_address,
    to_manifest,
)
from lotus_infra.helm.values import FINGERPRINT_PLACEHOLDER, SECRET_VARIABLES, ChartValues, credentials_fingerprint

CNPG_API: Final = "postgresql.cnpg.io/v1"
RELOAD_LABEL: Final = {"cnpg.io/reload": "true"}
"""CloudNativePG watches secrets with this label, and sets a changed password on the database's user."""
PASSWORD_KEY: Final = "postgresql-password"
"""The key of the password in a secret, as the chart and its run launcher read it (dagster-k8s, job.py)."""
AWAIT_READY: Final = {"pulumi.com/waitFor": "condition=Ready"}


@dataclass(frozen=True)
class DagsterArgs:
    """The arguments of `Dagster`.

    Attributes:
        settings: The stack's settings of Dagster.
        values: The values of the release, derived from the settings.
        database_password: The password of Dagster's own database.
        catalog_password: The password of DuckLake's catalog.
        reader: The access key for the landing bucket.
        backups: The bucket of the databases' backups; None without one.
        explain_pods: Returns a line for each pod that does not run.
    """

    settings: DagsterSettings
    values: ChartValues
    database_password: pulumi.Input[str]
    catalog_password: pulumi.Input[str]
    reader: Credentials
    backups: BackupBucket | None
    explain_pods: Callable[[], Sequence[str]]


class Dagster(pulumi.ComponentResource):
    """Dagster and everything that it needs on the cluster (`lotus:dagster:Dagster`)."""

    def __init__(self, name: str, args: DagsterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Dagster", name, None, opts)
        self._args, self._settings = args, args.settings
        self._namespace = self._settings.namespace.name
        provider = _provider(name, self._settings.cluster, self)
        # The release as well: nothing depends on it, so a `destroy` would delete it before it stops at the databases.
        options = pulumi.ResourceOptions(parent=self, provider=provider, protect=self._settings.protect)
        options = _after(self._create_namespace(options), options)
        databases = [
            self._database(naming.DAGSTER_DATABASE, self._settings.database, args.database_password, options),
            self._database(naming.CATALOG_DATABASE, self._settings.catalog, args.catalog_password, options),
        ]
        options = _after([*databases, self._lake_secret(options)], options)
        release = ReleaseArgs(
            chart=self._settings.chart,
            namespace=self._namespace,
            timeout_seconds=self._settings.timeout_seconds,
            values=args.values,
            fingerprint=self._fingerprint(),
            explain_pods=args.explain_pods,
        )
        DagsterRelease(name, release, options)
        self.register_outputs({})

    def exports(self) -> dict[str, pulumi.Input[str] | None]:
        """The stack's outputs about Dagster."""
        ingress = self._settings.ingress
        scheme = "https" if ingress is not None and ingress.tls else "http"
        return {
            "namespace": self._namespace,
            "image": self._settings.image,
            "url": f"{scheme}://{ingress.host}/" if ingress is not None else None,
        }

    def _create_namespace(self, options: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        if not self._settings.namespace.create:
            return []
        protected = pulumi.ResourceOptions(protect=self._settings.protect)
        opts = pulumi.ResourceOptions.merge(options, protected)
        metadata = ObjectMetaArgs(name=self._namespace)
        return [kubernetes.core.v1.Namespace(self._namespace, metadata=metadata, opts=opts)]

    def _database(
        self, name: str, database: Database, password: pulumi.Input[str], options: pulumi.ResourceOptions
    ) -> "DagsterDatabase":
        args = DatabaseArgs(
            database=database,
            namespace=self._namespace,
            password=password,
            backups=self._args.backups,
            protect=self._settings.protect,
        )
        return DagsterDatabase(name, args, options)

    def _lake_secret(self, options: pulumi.ResourceOptions) -> pulumi.Resource:
        return kubernetes.core.v1.Secret(
            naming.LAKE_SECRET,
            metadata=ObjectMetaArgs(name=naming.LAKE_SECRET, namespace=self._namespace),
            string_data=self._lake_credentials(),
            opts=options,
        )

    def _fingerprint(self) -> pulumi.Output[str]:
        """The fingerprint of all credentials in pods; it is no secret, so that previews of the values stay readable."""
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        credentials = pulumi.Output.all(**self._lake_credentials(), database=self._args.database_password)
        return pulumi.Output.unsecret(credentials.apply(lambda known: credentials_fingerprint(known, stack)))

    def _lake_credentials(self) -> dict[str, pulumi.Input[str]]:
        """The lake's credentials by the environment variables of the pods."""
        reader = self._args.reader
        values = (reader.access_key_id, reader.secret_access_key, self._args.catalog_password)
        return dict(zip(SECRET_VARIABLES, values, strict=True))


def _provider(name: str, cluster: Cluster, parent: pulumi.Resource) -> kubernetes.Provider:
    return kubernetes.Provider(
        name,
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        # Otherwise a changed secret is replaced, and pods that start in between don't find it.
        enable_secret_mutable=True,
        suppress_deprecation_warnings=True,
        suppress_helm_hook_warnings=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _after(dependencies: Sequence[pulumi.Resource], options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
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
            opts=_after(dependencies, self._options),
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
            opts=_after([cluster], self._options),
        )

    def _metadata(self, name: str, labels: dict[str, str] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._args.namespace, labels=labels)


@dataclass(frozen=True)
class ReleaseArgs:
    """The arguments of `DagsterRelease`.

    Attributes:
        chart: The Helm chart.
        namespace: An existing namespace.
        timeout_seconds: The time limit for the pods to become ready.
        values: The chart's values, with `FINGERPRINT_PLACEHOLDER`.
        fingerprint: Of the credentials in pods; replaces the placeholder.
        explain_pods: Returns a line for each pod that does not run; called after the release has failed.
    """

    chart: Chart
    namespace: str
    timeout_seconds: int
    values: ChartValues
    fingerprint: pulumi.Input[str]
    explain_pods: Callable[[], Sequence[str]]


class DagsterRelease(pulumi.ComponentResource):
    """The Helm release (`lotus:dagster:Release`).

    It waits for its pods. The engine deletes what is no longer declared after everything else, so a rotated access key
    works until no pod uses it. A failed release is not rolled back: its pods can be inspected, and the next `up`
    resumes from there.
    """

    def __init__(self, name: str, args: ReleaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Release", name, None, opts)
        chart = args.chart
        # The name of a chart in a folder, a package or an OCI registry contains its address.
        is_address = chart.path is not None or chart.repository.startswith("oci://")
        chart_address = chart.path or f"{chart.repository}/{naming.DAGSTER}"
        # The engine records the hook's name in the state.
        hook = pulumi.ErrorHook(f"{name}-why", log_pod_failures(args.explain_pods))
        Release(
            name,
            name=naming.DAGSTER,
            chart=chart_address if is_address else naming.DAGSTER,
            repository_opts=None if is_address else RepositoryOptsArgs(repo=chart.repository),
            version=None if chart.path else chart.version,
            namespace=args.namespace,
            values=_with_fingerprint(args.values, args.fingerprint),
            timeout=args.timeout_seconds,
            atomic=False,
            cleanup_on_fail=False,
            skip_await=False,
            wait_for_jobs=True,
            max_history=10,
            opts=pulumi.ResourceOptions(
                parent=self,
                hooks=pulumi.ResourceHookBinding(on_error=[hook]),
                depends_on=opts.depends_on if opts is not None else None,
            ),
        )
        self.register_outputs({})


def log_pod_failures(explain_pods: Callable[[], Sequence[str]]) -> Callable[[pulumi.ErrorHookArgs], bool]:
    """A hook that logs why pods don't run, as Helm reports a timeout only. It does not retry the release."""

    def log(_: pulumi.ErrorHookArgs) -> bool:
        for line in explain_pods():
            pulumi.log.error(line)
        return False

    return log


def _with_fingerprint(value: Any, fingerprint: pulumi.Input[str]) -> Any:
    """A copy of the values with the fingerprint instead of its placeholder."""
    if isinstance(value, Mapping):
        return {key: _with_fingerprint(inner, fingerprint) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_fingerprint(inner, fingerprint) for inner in value]
    return fingerprint if value == FINGERPRINT_PLACEHOLDER else value
