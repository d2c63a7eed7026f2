"""The variables of Dagster's runs which a stack with a cluster keeps in Kubernetes secrets.

They are of the sources that dlt reads, of Postgres destinations, and of Airbyte's jobs. A lake without any of these has
none, and the engine is not asked.
"""

import json
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Connection, Lake
from lotus_infra.lake.loader import load_stack_lake
from lotus_infra.lake.models import Configuration
from lotus_infra.lake.postgres_address import connection_string
from lotus_infra.lake.references import Reference, parse_text, substitute
from sandbox.engine import Engine
from sandbox.layout import S3_KEY, STACK, Layout

_NAMESPACE: Final = "lotus:"


class _Value(BaseModel):
    """A value of the stack, as the engine prints it."""

    value: str | None = None


def of_runs(engine: Engine, airbyte_url: str) -> dict[str, str]:
    """The variables, with the values of the deployed stack.

    Args:
        engine: of the sandbox, whose stack is up.
        airbyte_url: the root of Airbyte's public API.

    Raises:
        LotusError: the engine does not answer, or a file refers to a value that the stack does not have.
    """
    lake = load_stack_lake(engine.layout.project / "streams", STACK)
    by_jobs = [one for one in lake.airbyte.connections if _arrives_by_jobs(lake, one)]
    if not (by_jobs or lake.dlt.sources):
        return {}
    values = _Values(engine)
    found = {
        naming.source_variable(source.name): json.dumps(values.in_place_of_references(source.config.configuration))
        for source in lake.dlt.sources
        if source.config is not None
    }
    if by_jobs:
        ids = {name: each.connection_id for name, each in engine.connections().items()}
        found[naming.AIRBYTE_VARIABLE] = json.dumps({"url": airbyte_url})
        found[naming.CONNECTIONS_VARIABLE] = json.dumps({one.resource: ids[one.resource] for one in by_jobs})
    for connection in by_jobs:
        config = lake.destination_of(connection)
        if config is not None and lake.place(connection) == "postgres":
            name = naming.warehouse_variable(connection.config.destination)
            found[name] = connection_string(values.in_place_of_references(config.configuration))
    return found


def of_last_up(layout: Layout) -> dict[str, str]:
    """The variables, as they were when the stack was up last; none before."""
    try:
        return TypeAdapter(dict[str, str]).validate_json(layout.variables_file.read_bytes())
    except (OSError, ValidationError):
        return {}


def _arrives_by_jobs(lake: Lake, connection: Connection) -> bool:
    holds = lake.capabilities(connection)
    return holds is not None and holds.arrival == "job"


class _Values:
    """The stack's values, secrets among them, which protect nothing in the sandbox."""

    def __init__(self, engine: Engine) -> None:
        shown = TypeAdapter(dict[str, _Value]).validate_json(engine.configuration())
        self._values = {key.removeprefix(_NAMESPACE): each.value for key, each in shown.items()}
        self._zone = Project.needed(engine.layout.project).settings(STACK).lotus.landing_zone

    def in_place_of_references(self, configuration: Configuration) -> dict[str, Any]:
        """A configuration with values."""
        found = substitute(configuration, self._value)
        assert isinstance(found, dict)
        return found

    def _value(self, reference: Reference) -> Any:
        if reference.part is not None:
            zone = self._zone
            parts = {"bucket": zone.landing, "region": zone.region, "prefix": naming.LANDING_PATH} if zone else {}
            keys = {"access_key_id": S3_KEY, "secret_access_key": S3_KEY}
            return (parts | keys).get(reference.part, "")
        text = self._values.get(reference.name)
        if text is None:
            hint = f"run `pulumi config set --stack {STACK} lotus:{reference.name}`"
            raise LotusError(f"the stack {STACK} has no value of {reference.name}", hint)
        return parse_text(reference.type, text)
