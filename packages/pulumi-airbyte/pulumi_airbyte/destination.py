"""`airbyte.Destination`."""

import pulumi

from pulumi_airbyte.actor import Actor


class Destination(Actor):
    """A place that data goes to: a connector with its configuration (`airbyte:index/destination:Destination`)."""

    _token = "airbyte:index/destination:Destination"

    @property
    @pulumi.getter(name="destinationId")
    def destination_id(self) -> pulumi.Output[str]:
        """The destination's id."""
        return pulumi.get(self, "destination_id")

    @property
    @pulumi.getter(name="destinationType")
    def destination_type(self) -> pulumi.Output[str]:
        """The connector's type name; empty for custom connectors."""
        return pulumi.get(self, "destination_type")
