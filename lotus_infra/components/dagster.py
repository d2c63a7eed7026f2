"""Dagster on a Kubernetes cluster: the namespace, two databases, the lake's secret, and the Helm release.

`Dagster` declares them in the order in which they need each other. Nothing here calls the cluster: pods of a failed
release are explained by a function that the program passes in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.components.database import DagsterDatabase, DatabaseArgs, after
from lotus_infra.config.credentials import BackupBucket, Credentials
from lotus_infra.config.dagster import Chart, Cluster, DagsterSettings
from lotus_infra.config.database import Database
from lotus_infra.helm.values import FINGERPRINT_PLACEHOLDER, SECRET_VARIABLES, ChartValues, credentials_fingerprint


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
        acknowledged: Objects whose loss is acknowledged, such as `Cluster dagster-db`.
        explain_pods: Returns a line for each pod that does not run.
        explain_database: Returns a line for each reason why a database's cluster does not run or archive.
    """

    settings: DagsterSettings
    values: ChartValues
    database_password: pulumi.Input[str]
    catalog_password: pulumi.Input[str]
    reader: Credentials
    backups: BackupBucket | None
    acknowledged: frozenset[str]
    explain_pods: Callable[[], Sequence[str]]
    explain_database: Callable[[str], Sequence[str]]


class Dagster(pulumi.ComponentResource):
    """Dagster and everything that it needs on the cluster (`lotus:dagster:Dagster`)."""

    def __init__(self, name: str, args: DagsterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Dagster", name, None, opts)
        self._args, self._settings = args, args.settings
        self._namespace = self._settings.namespace.name
        provider = _provider(name, self._settings.cluster, self)
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        options = after(self._create_namespace(options), options)
        databases = [
            self._database(naming.DAGSTER_DATABASE, self._settings.database, args.database_password, options),
            self._database(naming.CATALOG_DATABASE, self._settings.catalog, args.catalog_password, options),
        ]
        options = after([*databases, self._lake_secret(options)], options)
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
    ) -> DagsterDatabase:
        args = DatabaseArgs(
            database=database,
            namespace=self._namespace,
            password=password,
            backups=self._args.backups,
            protect=self._settings.protect,
            acknowledged=self._args.acknowledged,
            explain=self._args.explain_database,
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
