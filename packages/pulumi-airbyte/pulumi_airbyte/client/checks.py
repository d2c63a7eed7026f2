"""Whether a saved source or destination works: its connector is run, and says."""

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import ActorKind, ConnectionCheck, parse

NEEDED_BY = "Checks of sources and destinations (`checkConnection`) need"


class Checks(Calls):
    """Connection checks, which only the Config API has."""

    def check_actor(self, kind: ActorKind, actor_id: str) -> str:
        """Let the connector try its configuration; takes minutes where the other side is slow.

        Returns:
            An empty text where it works, else why not, in the connector's words and without secrets.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        what = f"check the connection of {kind} {actor_id}"
        # An answer that takes too long is not asked for again: the connector would run once more.
        answer = self._config(
            f"/{kind}s/check_connection", what, {f"{kind}Id": actor_id}, needed_by=NEEDED_BY, effect="acts"
        )
        found = parse(ConnectionCheck, answer, what)
        if found.status == "succeeded":
            return ""
        said = found.message or found.job.failure.text
        return self.redactor.line(said) or "the connector does not say why"

    def require_checks(self) -> None:
        """Refuse what would need a check later.

        Raises:
            AirbyteError: the server has no Config API.
        """
        self._require_config_api(NEEDED_BY)
