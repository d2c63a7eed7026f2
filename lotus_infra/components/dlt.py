"""Sources that dlt reads: for each a component with its settings, and the Kubernetes secret of its runs in Dagster.

dlt has no server that keeps objects: Dagster's image contains the source's files and module, and a run reads them. The
component creates nothing outside the cluster. Its inputs are those of a connection in Airbyte, so that a preview
shows every change that decides which rows land.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_airbyte as airbyte
import pulumi_kubernetes as kubernetes
from airbyte_model.choices import ConnectionStatus, NamespaceDefinition
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from lotus_infra import naming
from lotus_infra.components.airbyte import schedule_args
from lotus_infra.config.credentials import Credentials
from lotus_infra.lake.models import Resources, Schedule

TYPE: Final = "lotus:dlt:Source"


@dataclass(frozen=True)
class DltSourceArgs:
    """The arguments of a source that dlt reads.

    Attributes:
        module: The name of its module in `dagster/sources/`.
        shown: Its configuration as previews show it: secrets are references.
        configuration: Its configuration with all values, which its runs get.
        streams: The selected streams, at least one.
        destination: The name of the destination's file.
        path: The destination's path in the landing bucket.
        schedule: Of its runs.
        namespace_definition: Where the namespace in the bucket comes from.
        namespace: The namespace of a custom one; None for the other definitions.
        prefix: Put before every stream's name.
        status: Inactive for a source whose schedule is stopped.
        resources: What the pods of its runs get; None for the default of runs.
        writer: The access key to write the landing bucket; None if the stack does not deploy Dagster.
        secret_namespace: The Kubernetes namespace of Dagster; empty if the stack does not deploy it.
    """

    module: str
    shown: Mapping[str, Any]
    configuration: Mapping[str, Any]
    streams: tuple[airbyte.ConnectionConfigurationsStreamArgs, ...]
    destination: str
    path: str
    schedule: Schedule
    namespace_definition: NamespaceDefinition
    namespace: str | None
    prefix: str
    status: ConnectionStatus
    resources: Resources | None
    writer: Credentials | None
    secret_namespace: str


class DltSource(pulumi.ComponentResource):
    """A source that dlt reads (`lotus:dlt:Source`), named after its folder; a child of Dagster, which runs it.

    If Dagster runs outside of the stack, the component has no secret, and no parent.

    A run reads the secret when its pod starts, so a rotated value replaces no pod. The source is not protected: dlt's
    state stays in the bucket without it, and so do the files.
    """

    def __init__(self, name: str, args: DltSourceArgs, opts: pulumi.ResourceOptions) -> None:
        """Declare the component and its secret.

        Args:
            name: The source's folder.
            args: Its settings.
            opts: Dagster as the parent, with the provider and the dependencies of its objects; without Dagster, none.
        """
        own = pulumi.ResourceOptions(protect=False, aliases=[_elsewhere(name, opts)])
        super().__init__(TYPE, name, _inputs(args), pulumi.ResourceOptions.merge(opts, own))
        if args.writer is not None:
            self._make_secret(name, args, args.writer, opts)
        self.register_outputs({})

    def _make_secret(self, name: str, args: DltSourceArgs, writer: Credentials, opts: pulumi.ResourceOptions) -> None:
        secret = naming.source_secret(name)
        kubernetes.core.v1.Secret(
            secret,
            metadata=ObjectMetaArgs(name=secret, namespace=args.secret_namespace),
            string_data=_variables(name, args.configuration, writer),
            opts=pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on),
        )


def _elsewhere(name: str, opts: pulumi.ResourceOptions) -> str | pulumi.Alias:
    """The component's place with Dagster outside of the stack, or in it: it is the same source if Dagster moves."""
    if opts.parent is not None:
        return pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::lotus:dagster:Dagster${TYPE}::{name}"


def _inputs(args: DltSourceArgs) -> dict[str, Any]:
    """The component's inputs, under the names that a connection's have."""
    configurations = airbyte.ConnectionConfigurationsArgs(args.streams)
    inputs = {
        "module": args.module,
        "configuration": args.shown,
        "configurations": configurations.to_wire(),
        "backfills": configurations.backfills(),
        "destination": args.destination,
        "path": args.path,
        "schedule": schedule_args(args.schedule).to_wire(),
        "namespaceDefinition": args.namespace_definition,
        "namespaceFormat": args.namespace,
        "prefix": args.prefix or None,
        "status": None if args.status == "active" else args.status,
        "resourceRequirements": args.resources.model_dump(exclude_none=True) if args.resources is not None else None,
    }
    return {key: value for key, value in inputs.items() if value is not None}


def _variables(source: str, configuration: Mapping[str, Any], writer: Credentials) -> dict[str, pulumi.Input[str]]:
    """The environment variables of the source's runs."""
    text: pulumi.Output[str] = pulumi.Output.json_dumps(configuration, sort_keys=True)
    key = dict(zip(naming.WRITER_VARIABLES, (writer.access_key_id, writer.secret_access_key), strict=True))
    return {naming.source_variable(source): pulumi.Output.secret(text), **key}
