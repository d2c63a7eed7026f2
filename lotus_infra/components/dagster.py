"""Dagster on a Kubernetes cluster: the namespace, two databases, the lake's secret, and the Helm release.

`Dagster` declares them in the order in which they need each other. Nothing here calls the cluster: pods of a failed
release are explained by a function that the program passes in.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.components.database import DagsterDatabase, DatabaseArgs, after
from lotus_infra.components.dlt import DltSource, DltSourceArgs
from lotus_infra.components.failures import FORCE_VARIABLE, RECOVERY, log_reasons
from lotus_infra.config.credentials import BackupBucket, Credentials
from lotus_infra.config.dagster import Chart, Cluster, DagsterSettings
from lotus_infra.config.database import Database
from lotus_infra.errors import LotusError
from lotus_infra.helm.values import (
    FINGERPRINT_PLACEHOLDER,
    SECRET_VARIABLES,
    ChartValues,
    credentials_fingerprint,
    docker_login,
)

FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
"""The annotation by which an object names its field manager; the plugin reads it."""
FORCE: Final = "pulumi.com/patchForce"
"""The annotation by which a declared field is taken over from another field manager."""


@dataclass(frozen=True)
class DagsterArgs:
    """The arguments of `Dagster`.

    Attributes:
        settings: The stack's settings of Dagster.
        values: The values of the release, derived from the settings.
        database_password: The password of Dagster's own database.
        catalog_password: The password of DuckLake's catalog.
        registry_password: The password of the image's private registry; None without one.
        reader: The access key for the landing bucket.
        backups: The bucket of the databases' backups; None without one.
        acknowledged: Objects whose loss is acknowledged, such as `Cluster dagster-db`.
        explain_pods: Returns a line for each reason why pods don't run.
        missing_secrets: Returns those of some secrets that the namespace does not have.
        managers: Returns who has set fields of an object on the cluster; None if there is none.
        explain_database: Returns a line for each reason why a database's cluster does not run or archive.
        sources: The sources that dlt reads, by name.
        warehouses: The variables of the secret with addresses of warehouses and of Airbyte; none without them.
    """

    settings: DagsterSettings
    values: ChartValues
    database_password: pulumi.Input[str]
    catalog_password: pulumi.Input[str]
    registry_password: pulumi.Input[str] | None
    reader: Credentials
    backups: BackupBucket | None
    acknowledged: frozenset[str]
    explain_pods: Callable[[], Sequence[str]]
    explain_database: Callable[[str], Sequence[str]]
    missing_secrets: Callable[[Sequence[str]], Sequence[str]]
    managers: "Managers"
    sources: Mapping[str, DltSourceArgs]
    warehouses: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, slots=True)
class ObjectName:
    """An object on a cluster.

    Attributes:
        api_version: Its group and version: `v1`, `postgresql.cnpg.io/v1`.
        kind: Its kind: `Secret`.
        name: Its name.
        namespace: Its namespace; empty for a namespace.
    """

    api_version: str
    kind: str
    name: str
    namespace: str


Managers: TypeAlias = Callable[[ObjectName], frozenset[str] | None]


class Dagster(pulumi.ComponentResource):
    """Dagster and everything that it needs on the cluster (`lotus:dagster:Dagster`)."""

    def __init__(self, name: str, args: DagsterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # The engine records the hook's name in the state.
        why = pulumi.ErrorHook(f"{name}-objects-why", log_reasons(args.settings.namespace.name))
        manager = naming.field_manager(pulumi.get_project(), pulumi.get_stack())
        first = pulumi.ResourceHook(
            f"{name}-objects-own", refuse_others(manager, args.managers), pulumi.ResourceHookOptions(on_dry_run=True)
        )
        hooks = pulumi.ResourceHookBinding(before_create=[first], on_error=[why])
        of_objects = pulumi.ResourceOptions(transformations=[partial(_as_own_object, manager, hooks)])
        super().__init__("lotus:dagster:Dagster", name, None, pulumi.ResourceOptions.merge(opts, of_objects))
        self._args, self._settings = args, args.settings
        self._namespace = self._settings.namespace.name
        provider = _provider(name, self._settings.cluster, self)
        # The release as well: nothing depends on it, so a `destroy` would delete it before it stops at the databases.
        options = pulumi.ResourceOptions(parent=self, provider=provider, protect=self._settings.protect)
        options = after(self._create_namespace(options), options)
        databases = [
            self._database(naming.DAGSTER_DATABASE, self._settings.database, args.database_password, options),
            self._database(naming.CATALOG_DATABASE, self._settings.catalog, args.catalog_password, options),
        ]
        # The release comes last: its schedules start runs, which need the secrets of their sources. It is protected,
        # so a refused `destroy` keeps what it depends on.
        sources = [DltSource(source, each, options) for source, each in args.sources.items()]
        secrets = [
            self._lake_secret(options),
            *self._warehouses_secret(options),
            *self._registry_secret(options),
        ]
        options = after([*databases, *secrets, *sources], options)
        release = ReleaseArgs(
            chart=self._settings.chart,
            namespace=self._namespace,
            timeout_seconds=self._settings.timeout_seconds,
            values=args.values,
            fingerprint=self._fingerprint(),
            explain_pods=args.explain_pods,
            missing_secrets=partial(args.missing_secrets, tuple(self._settings.secrets_of_others)),
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
        metadata = ObjectMetaArgs(name=self._namespace)
        return [kubernetes.core.v1.Namespace(self._namespace, metadata=metadata, opts=options)]

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

    def _warehouses_secret(self, options: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        if not self._args.warehouses:
            return []
        secret = kubernetes.core.v1.Secret(
            naming.WAREHOUSES_SECRET,
            metadata=ObjectMetaArgs(name=naming.WAREHOUSES_SECRET, namespace=self._namespace),
            string_data=self._args.warehouses,
            # The protected release depends on it, and a lake may lose its last warehouse.
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(protect=False)),
        )
        return [secret]

    def _registry_secret(self, options: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        """The pull secret of the image's registry. Nodes read it at each pull, so a rotation replaces no pod."""
        registry, password = self._settings.registry, self._args.registry_password
        if registry is None or password is None:
            return []
        login = pulumi.Output.secret(password).apply(lambda known: docker_login(registry, known))
        secret = kubernetes.core.v1.Secret(
            naming.REGISTRY_SECRET,
            metadata=ObjectMetaArgs(name=naming.REGISTRY_SECRET, namespace=self._namespace),
            type="kubernetes.io/dockerconfigjson",
            string_data={".dockerconfigjson": login},
            # The protected release depends on it, and a stack without a registry may delete it.
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(protect=False)),
        )
        return [secret]

    def _fingerprint(self) -> pulumi.Output[str]:
        """The fingerprint of all credentials in pods; it is no secret, so that previews of the values stay readable."""
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        given = {**self._lake_credentials(), **self._args.warehouses}
        credentials = pulumi.Output.all(**given, database=self._args.database_password)
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
        # An object that a killed run has left is updated, as its field manager is this stack's own. Newer plugins would
        # refuse it otherwise: it already exists.
        upsert_existing_objects=True,
        suppress_deprecation_warnings=True,
        suppress_helm_hook_warnings=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _as_own_object(
    manager: str, hooks: pulumi.ResourceHookBinding, args: pulumi.ResourceTransformationArgs
) -> pulumi.ResourceTransformationResult | None:
    """Give a Kubernetes object a hook for its errors, and a field manager that is the same in every run of the stack.

    Without one, the plugin makes up a name and keeps it in the state. If a run is killed before the state has the
    object, the next run applies it under another name, and the first name still owns the fields: every later change
    is a conflict. So is a field that was edited by hand, and a preview would fail instead of showing the edit:
    the stack's own manager takes such fields over.
    """
    metadata = args.props.get("metadata")
    if not args.type_.startswith("kubernetes:") or not isinstance(metadata, ObjectMetaArgs):
        return None
    others = cast("Mapping[str, str]", metadata.annotations or {})
    own = {FIELD_MANAGER: manager, FORCE: "true"}
    metadata.annotations = {**others, **own}
    # An object of a state that was made without it keeps its own manager. If it has no annotation at all, the engine
    # would leave an empty map, which is a difference, so the map is ignored.
    paths = [f'metadata.annotations["{name}"]' for name in own] if others else ["metadata.annotations"]
    is_explained = args.opts.hooks is not None and bool(args.opts.hooks.on_error)
    if is_explained:
        hooks = pulumi.ResourceHookBinding(before_create=hooks.before_create)
    keep = pulumi.ResourceOptions(ignore_changes=paths, hooks=hooks)
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, keep))


def refuse_others(own: str, managers: Managers) -> Callable[[pulumi.ResourceHookArgs], None]:
    """A hook before each create that refuses an object of another stack, which the plugin would overwrite.

    The plugin updates an object that exists already, and the stack's field manager takes over all that it declares:
    passwords, backups, and at last the object's deletion.

    Args:
        own: The stack's field manager.
        managers: Returns who has set fields of an object on the cluster; None if there is none.
    """

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        inputs: Mapping[str, Any] = args.new_inputs or {}
        metadata = inputs["metadata"]
        named = ObjectName(inputs["apiVersion"], inputs["kind"], metadata["name"], metadata.get("namespace", ""))
        try:
            found = managers(named)
        except LotusError:
            if pulumi.runtime.is_dry_run():
                return  # A preview writes nothing, and the plugin reports the same.
            raise
        if not found or own in found or os.environ.get(FORCE_VARIABLE) == "true":
            return
        where = f"{named.kind} {named.name}" + (f" in the namespace {named.namespace}" if named.namespace else "")
        stacks = sorted(each for each in found if each.startswith(naming.FIELD_MANAGERS))
        if stacks:
            raise LotusError(
                f"{where} belongs to the stack {stacks[0]}", "set another namespace in lotus:dagster.namespace.name"
            )
        # A preview of a replacement finds the object that is deleted first; an earlier version gave it another name.
        if pulumi.runtime.is_dry_run() or named.kind == "Namespace":
            return
        raise LotusError(
            f"{where} exists already, and {', '.join(sorted(found))} made it, not this stack",
            f"set another namespace in lotus:dagster.namespace.name; if it is this stack's own: {RECOVERY}",
        )

    return refuse


@dataclass(frozen=True)
class ReleaseArgs:
    """The arguments of `DagsterRelease`.

    Attributes:
        chart: The Helm chart.
        namespace: An existing namespace.
        timeout_seconds: The time limit for the pods to become ready.
        values: The chart's values, with `FINGERPRINT_PLACEHOLDER`.
        fingerprint: Of the credentials in pods; replaces the placeholder.
        explain_pods: Returns a line for each reason why pods don't run; called after the release has timed out.
        missing_secrets: Returns the secrets that pods refer to and that do not exist; called before the release.
    """

    chart: Chart
    namespace: str
    timeout_seconds: int
    values: ChartValues
    fingerprint: pulumi.Input[str]
    explain_pods: Callable[[], Sequence[str]]
    missing_secrets: Callable[[], Sequence[str]]


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
        # The engine records the names of hooks in the state.
        before = pulumi.ResourceHook(f"{name}-secrets", warn_of_missing(args.namespace, args.missing_secrets))
        hook = pulumi.ErrorHook(f"{name}-why", log_reasons(args.namespace, args.explain_pods))
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
                hooks=pulumi.ResourceHookBinding(before_create=[before], before_update=[before], on_error=[hook]),
                depends_on=opts.depends_on if opts is not None else None,
            ),
        )
        self.register_outputs({})


def warn_of_missing(namespace: str, missing: Callable[[], Sequence[str]]) -> Callable[[pulumi.ResourceHookArgs], None]:
    """A hook that warns of secrets that do not exist, before pods wait for them until the time limit."""

    def warn(_: pulumi.ResourceHookArgs) -> None:
        for name in missing():
            pulumi.log.warn(
                f"the secret {name} does not exist in the namespace {namespace}, and pods refer to it: create it now, "
                "and they start"
            )

    return warn


def _with_fingerprint(value: Any, fingerprint: pulumi.Input[str]) -> Any:
    """A copy of the values with the fingerprint instead of its placeholder."""
    if isinstance(value, Mapping):
        return {key: _with_fingerprint(inner, fingerprint) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_fingerprint(inner, fingerprint) for inner in value]
    return fingerprint if value == FINGERPRINT_PLACEHOLDER else value
