"""What the server is: its version and edition, by the Config API."""

import threading

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import Wire, parse
from pulumi_airbyte.client.settings import ClientSettings


class Instance(Wire):
    """A server (InstanceConfigurationResponse)."""

    version: str
    edition: str


class Instances(Calls):
    """Asks once."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._asking = threading.Lock()
        self._instance: Instance | None = None

    def instance(self, needed_by: str) -> Instance:
        """GET /instance_configuration; that it answers shows that there is a Config API.

        Args:
            needed_by: what can't be had without, for the error, such as `Basic schedules need`.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        what = "tell its version"
        with self._asking:
            if self._instance is None:
                answer = self._config_get("/instance_configuration", what, needed_by=needed_by)
                self._instance = parse(Instance, answer, what)
            return self._instance
