"""What differs in one stack: `_stacks/<stack>.json`, and the lake that a stack has with it.

An overlay is small: which sources are deployed, and schedule, destination and status of their connections. Everything
else of a lake is the same in every stack, so that a stack tries exactly what the next one gets. `for_stack` applies an
overlay; its result is a `Lake` like any other, so no reader of a lake knows of overlays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from airbyte_model.choices import ConnectionStatus
from pydantic import Field as PydanticField

from lotus_infra.errors import LakeError
from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.json_text import Edit
from lotus_infra.lake.lake import SOURCE_FILE, STACKS_FOLDER, Lake, SourceFolder
from lotus_infra.lake.models import LakeFile, LakeModel, Schedule, SourceConfig

SETTINGS: Final = ("schedule", "destination", "status")
"""The settings of a connection that a stack may have of its own."""
_CONNECTIONS: Final = "connections"


class ConnectionOverlay(LakeModel):
    """What differs in one connection; a key that is left out is as in the source's file."""

    schedule: Schedule | None = None
    """When the connection syncs in this stack; replaces the whole schedule."""

    destination: str | None = None
    """The name of the destination's file in _destinations/ that the connection writes to in this stack."""

    status: ConnectionStatus | None = None
    """Whether the connection syncs in this stack."""

    @property
    def given(self) -> dict[str, object]:
        """The settings that differ, by key."""
        return {key: value for key in SETTINGS if (value := getattr(self, key)) is not None}


class SourceOverlay(ConnectionOverlay):
    """What differs in one source; its settings are those of all its connections."""

    deployed: bool = PydanticField(default=True, strict=True)
    """False leaves the source and its connections out of this stack."""

    connections: dict[str, ConnectionOverlay] = PydanticField(default={})
    """What differs in single connections, by their names; these settings win over those of the source."""

    def of(self, key: str) -> dict[str, object]:
        """The settings of a connection that differ, by key."""
        own = self.connections.get(key)
        return self.given | (own.given if own is not None else {})


class StackOverlay(LakeFile):
    """What differs in one stack, `_stacks/<stack>.json`."""

    sources: dict[str, SourceOverlay] = PydanticField(default={})
    """The sources that differ, by the names of their folders."""


def overlay_file(stack: str) -> str:
    """The file of a stack's overlay, relative to the lake's folder."""
    return f"{STACKS_FOLDER}/{stack}.json"


def for_stack(lake: Lake, stack: str) -> Lake:
    """The lake of a stack: the lake itself if the stack has no overlay.

    Names in the overlay that the lake lacks have no effect; a rule reports them.

    Args:
        lake: The lake as its files have it.
        stack: The stack's name, `prod` or `organization/project/prod`; empty for none.

    Raises:
        LakeError: The overlay can't be read, so that it is unknown what is deployed.
    """
    stack = stack.rsplit("/", maxsplit=1)[-1]
    if stack not in lake.overlays:
        return replace(lake, stack=stack)
    overlay = lake.overlays[stack]
    if overlay is None:
        raise LakeError(f"{overlay_file(stack)} can't be used", "`lotus check` has details")
    kept = [_overlaid(source, overlay) for source in lake.sources if _is_deployed(source, overlay)]
    left_out = tuple(source for source in lake.sources if not _is_deployed(source, overlay))
    return replace(lake, stack=stack, sources=tuple(kept), undeployed=left_out)


def connection_settings(source: SourceFolder) -> Mapping[str, Mapping[str, object]]:
    """The settings of each connection of a source that a stack may have of its own, by the connection's name.

    Empty if the source's file can't be read.
    """
    return {each.name: {key: getattr(each.config, key) for key in SETTINGS} for each in source.connections}


def overlaid_path(overlay: StackOverlay, file: str, path: JsonPath) -> JsonPath | None:
    """Where an overlay sets what a path of a source's file means; None if it leaves it as it is.

    Args:
        overlay: The overlay.
        file: The file, relative to the lake's folder.
        path: The path in that file, `("schedule", "cron")` or `("connections", "daily", "schedule", "cron")`.
    """
    name, _, end = file.rpartition("/")
    source = overlay.sources.get(name) if end == SOURCE_FILE else None
    if source is None or not path:
        return None
    is_listed = path[0] == _CONNECTIONS and len(path) > 1
    key, inner = (str(path[1]), path[2:]) if is_listed else (name, path)
    own = source.connections.get(key)
    if own is not None and inner and inner[0] in own.given:
        return ("sources", name, _CONNECTIONS, key, *inner)
    return ("sources", name, *inner) if inner and inner[0] in source.given else None


def in_files_of_stack(lake: Lake, edits: Mapping[str, Sequence[Edit]]) -> dict[str, list[Edit]]:
    """Edits of the lake's files, in the overlay of a stack where that sets the value.

    Args:
        lake: The lake of the stack.
        edits: The edits by file, relative to the lake's folder.
    """
    overlay, found = lake.overlays.get(lake.stack), dict[str, list[Edit]]()
    for file, edit in ((file, edit) for file, each in edits.items() for edit in each):
        place = overlaid_path(overlay, file, edit.path) if overlay is not None else None
        own = edit if place is None else replace(edit, path=tuple(map(str, place)))
        found.setdefault(file if place is None else overlay_file(lake.stack), []).append(own)
    return found


def _is_deployed(source: SourceFolder, overlay: StackOverlay) -> bool:
    given = overlay.sources.get(source.name)
    return given is None or given.deployed


def _overlaid(source: SourceFolder, overlay: StackOverlay) -> SourceFolder:
    """A source with the settings of a stack."""
    given = overlay.sources.get(source.name)
    if given is None or source.config is None:
        return source
    return replace(source, config=_with_settings(source.name, source.config, given))


def _with_settings(name: str, config: SourceConfig, given: SourceOverlay) -> SourceConfig:
    """A source's file with the settings of a stack, in the form in which it has its connections."""
    if config.connections is None:
        return config.model_copy(update=given.of(name))
    connections = {key: each.model_copy(update=given.of(key)) for key, each in config.connections.items()}
    return config.model_copy(update={_CONNECTIONS: connections})
