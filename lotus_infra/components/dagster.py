"""Dagster on a cluster: namespace, databases, secrets and the release, each after what it stands on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.cluster import environment
from lotus_infra.cluster.database import Database
from lotus_infra.cluster.fingerprint import fingerprint
from lotus_infra.cluster.settings import Cluster, DagsterSettings
from lotus_infra.components.credentials import BackupPlace, Credentials
from lotus_infra.components.dagster_database import DagsterDatabase, DatabasePlan
from lotus_infra.components.dagster_release import DagsterRelease, ReleasePlan


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
        return dict(zip(environment.SECRETS, values, strict=True))

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
