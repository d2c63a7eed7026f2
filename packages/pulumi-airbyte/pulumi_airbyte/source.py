"""`airbyte.Source`."""

import pulumi

from pulumi_airbyte.actor import Actor


class Source(Actor):
    """A place that data comes from: a connector with its configuration (`airbyte:index/source:Source`)."""

    _token = "airbyte:index/source:Source"

    @property
    @pulumi.getter(name="sourceId")
    def source_id(self) -> pulumi.Output[str]:
        """The source's id."""
        return pulumi.get(self, "source_id")

    @property
    @pulumi.getter(name="sourceType")
    def source_type(self) -> pulumi.Output[str]:
        """The connector's type name; empty for custom connectors."""
        return pulumi.get(self, "source_type")
