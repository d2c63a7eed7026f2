"""The settings of a source and of its connections: connector, destination, schedule, and that a stream is selected."""

import re
from collections.abc import Iterator
from typing import Final

from airbyte_model import schedules
from airbyte_model.suggestions import nearest, suggestion

from lotus_infra.lake.dagster_schedule import UnscheduledError, cron_of
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.lake import CONNECTORS_FOLDER, DESTINATIONS_FOLDER, Connection, Lake
from lotus_infra.lake.models import ConnectionConfig, Schedule, is_definition_id

_MANIFEST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml")


def sources_have_streams(lake: Lake) -> Iterator[Diagnostic]:
    """A connection has a stream: otherwise Airbyte would select for itself (airbyte-platform, AirbyteCatalogHelper)."""
    for source in lake.sources:
        for connection in source.connections if source.complete else ():
            if not connection.streams:
                taken = any(map(connection.takes, source.streams))
                what = "none of its streams is selected" if taken else "has no streams"
                whole = "the connection" if connection.is_listed else "the folder"
                yield Diagnostic(source.file, connection.path(), what, f"select a stream, or delete {whole}")


def connections_are_written_once(lake: Lake) -> Iterator[Diagnostic]:
    """The settings of connections are beside the connector or in `connections`, and every stream file is taken."""
    for source in lake.sources:
        if source.config is None or source.config.connections is None:
            continue
        for key in sorted(source.config.model_fields_set & ConnectionConfig.model_fields.keys()):
            what = 'is a setting of a connection beside "connections"'
            yield Diagnostic(source.file, (key,), what, "move it into each of the connections")
        names = {stream.name for stream in source.streams}
        for connection in source.connections if source.complete else ():
            for index, name in enumerate(connection.config.streams or ()):
                if name not in names:
                    remedy = suggestion(name, names, f"add {source.name}/{name}.json, or delete it here")
                    what = f'"{name}" is no stream file of the source "{source.name}"'
                    yield Diagnostic(source.file, connection.path("streams", index), what, remedy)
        for stream in source.streams:
            if not any(connection.takes(stream) for connection in source.connections):
                remedy = f'name it in the "streams" of a connection in {source.file}, or write "selected": false'
                if stream.config.selected:
                    yield Diagnostic(stream.file, (), "is taken by no connection of its source", remedy)


def destinations_exist(lake: Lake) -> Iterator[Diagnostic]:
    """A connection's destination has a file."""
    for connection in lake.connections:
        name = connection.config.destination
        if name not in lake.destinations:
            known = f" or name one of {', '.join(lake.destinations)}" if lake.destinations else ""
            remedy = suggestion(name, lake.destinations, f"add {DESTINATIONS_FOLDER}/{name}.json{known}")
            yield Diagnostic(
                connection.file, connection.path("destination"), f'there is no destination "{name}"', remedy
            )


def connectors_are_known(lake: Lake) -> Iterator[Diagnostic]:
    """A connector is of the right kind, and its definition is known: by its id, or by its file in `_connectors/`."""
    for name, connector in lake.connectors.items():
        if connector is not None:
            yield from _definition(f"{CONNECTORS_FOLDER}/{name}.json", connector)
    for source in lake.sources:
        if source.config is not None and source.config.connector is not None:
            yield from _connector(lake, source.file, source.config.connector, "source")
    for name, destination in lake.destinations.items():
        if destination is not None:
            yield from _connector(lake, f"{DESTINATIONS_FOLDER}/{name}.json", destination.connector, "destination")


def _definition(file: str, connector: Connector) -> Iterator[Diagnostic]:
    """A pinned connector has one definition: that of an id, or its own by an image or a manifest."""
    given = [key for key in ("definition_id", "image", "manifest") if getattr(connector, key) is not None]
    if not given:
        remedy = "add the definition_id that Airbyte has, or the image or the manifest of a connector of your own"
        yield Diagnostic(file, (), "has no definition", remedy)
    elif len(given) > 1:
        yield Diagnostic(file, (given[1],), f"is a second definition, beside {given[0]}", "delete one of the two")
    if connector.manifest is None:
        return
    if connector.connector.startswith("destination-"):
        yield Diagnostic(file, ("manifest",), "is of a destination, which has no manifests in Airbyte", "name an image")
    if not _MANIFEST.fullmatch(connector.manifest):
        what = "is not a YAML file of this folder"
        yield Diagnostic(file, ("manifest",), what, f'write a name such as "{connector.connector}.yaml"')


def _connector(lake: Lake, file: str, connector: str, kind: str) -> Iterator[Diagnostic]:
    pinned = lake.pinned(connector)
    name = pinned.connector if pinned is not None else connector
    if not name.startswith(f"{kind}-") and (pinned is not None or not is_definition_id(connector)):
        yield Diagnostic(
            file, ("connector",), f'"{name}" is not a {kind} connector', f'name a connector that starts with "{kind}-"'
        )
    elif connector not in lake.connectors and not is_definition_id(connector):
        known = {name.removeprefix(f"{kind}-") for name in lake.connectors if name.startswith(f"{kind}-")}
        likely = nearest(connector.removeprefix(f"{kind}-"), known)
        remedy = f"run `lotus connector add {connector}`, or give its definition id"
        if likely is not None:
            remedy = f'did you mean "{kind}-{likely}"?'
        yield Diagnostic(file, ("connector",), f'the connector "{connector}" is not pinned', remedy)


def schedules_run(lake: Lake) -> Iterator[Diagnostic]:
    """Who starts the syncs of a source, Airbyte or Dagster, accepts its schedule."""
    by_dagster = {source.name for source in lake.sources if source.reader.scheduler == "dagster"}
    for connection in lake.connections:
        flaws = list(_schedule_flaws(connection.config.schedule))
        for key, what, remedy in flaws:
            yield Diagnostic(connection.file, connection.path("schedule", key), what, remedy)
        if not flaws and connection.source in by_dagster:
            yield from _beyond_dagster(connection)


def _beyond_dagster(connection: Connection) -> Iterator[Diagnostic]:
    """A valid schedule that Dagster can't express."""
    try:
        cron_of(connection.config.schedule)
    except UnscheduledError as error:
        yield Diagnostic(connection.file, connection.path("schedule", error.part), error.what, error.remedy)


def _schedule_flaws(schedule: Schedule) -> Iterator[tuple[str, str, str]]:
    """Yield key, what is wrong, and what to do."""
    rules = schedules.Schedule(schedule.type, schedule.cron, schedule.time_zone, schedule.every)
    zone = schedules.split_zone(schedule.cron)[1] if schedule.type == "cron" and schedule.cron else schedules.UTC
    if zone == schedules.UTC:
        yield from ((part, *flaw) for part, flaw in rules.flaws())
    else:
        # Airbyte also accepts a zone behind the expression; a file has one place for it, `time_zone`.
        yield "cron", f'"{zone}" is a time zone', f'leave it out here, and write "time_zone": "{zone}" beside it'
