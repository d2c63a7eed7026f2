"""The lake and the dbt project side by side, looked up by name: what every rule of the contract is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lotus_infra import naming
from lotus_infra.dbt.parts import Arrivals, Model, Project, StreamName, Table
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import Lake, SourceFolder, StreamFile


@dataclass(frozen=True, slots=True)
class Joined:
    """Both sides.

    Attributes:
        project: The dbt project.
        sources: The lake's source folders, by name.
        streams: The lake's streams, selected or not.
        prefixes: Where each stream's files are; only for sources whose files could all be read.
        tables: What the project declares of each stream.
        tags: The stream of each dbt tag.
        own_models: The stream of each model's name.
    """

    project: Project
    sources: Mapping[str, SourceFolder]
    streams: Mapping[StreamName, StreamFile]
    prefixes: Mapping[StreamName, str]
    tables: Mapping[StreamName, Table]
    tags: Mapping[str, StreamName]
    own_models: Mapping[str, StreamName]

    @classmethod
    def of(cls, lake: Lake, project: Project) -> "Joined":
        """Look everything up once."""
        streams = {(stream.source, stream.name): stream for stream in lake.streams}
        return cls(
            project=project,
            sources={source.name: source for source in lake.sources},
            streams=streams,
            prefixes={
                (source.name, stream.name): lake.prefix_of(source, stream.name)
                for source in lake.sources
                if source.config is not None and lake.destination_of(source) is not None
                for stream in source.streams
            },
            tables={table.stream: table for source in project.sources for table in source.tables},
            tags={naming.dbt_tag(*name): name for name in streams},
            own_models={naming.dbt_model(*name): name for name in streams},
        )

    @property
    def selected(self) -> Iterator[StreamFile]:
        """The streams that land."""
        return (stream for stream in self.streams.values() if stream.config.selected)

    @property
    def arrivals(self) -> Iterator[tuple[Model, Arrivals, StreamFile]]:
        """Each call of `arrivals` in a model whose stream the lake has."""
        for model in self.project.models:
            yield from self._known(model, model.arrivals)

    @property
    def reads(self) -> Iterator[tuple[Model, Arrivals, StreamFile]]:
        """Each call of `arrivals` or `source` in a model whose stream the lake has."""
        for model in self.project.models:
            yield from self._known(model, (*model.arrivals, *model.sources))

    def _known(self, model: Model, calls: Iterable[Arrivals]) -> Iterator[tuple[Model, Arrivals, StreamFile]]:
        for call in calls:
            stream = self.streams.get(call.stream)
            if stream is not None:
                yield model, call, stream

    def owner(self, model: Model) -> StreamFile | None:
        """The stream whose own model this is, by its name; a stream may have others besides."""
        name = self.own_models.get(model.name)
        return self.streams[name] if name is not None else None

    @property
    def owned(self) -> Iterator[tuple[Model, StreamFile]]:
        """Each stream's own model."""
        for model in self.project.models:
            stream = self.owner(model)
            if stream is not None:
                yield model, stream

    def may_exist(self, stream: StreamName) -> bool:
        """Whether the lake has a stream, or can't tell because a file of its source could not be read."""
        source = self.sources.get(stream[0])
        return stream in self.streams or (source is not None and not source.complete)

    def may_be_named(self, tag: str) -> bool:
        """Whether a tag is that of a stream, or may be that of one whose file could not be read."""
        unread = (source.name for source in self.sources.values() if not source.complete)
        return tag in self.tags or any(tag.startswith(naming.dbt_tag(source, "")) for source in unread)


def shown(stream: StreamName) -> str:
    """A stream as people say it: `shopify/orders`."""
    return "/".join(stream)


def folded(names: Iterable[str]) -> set[str]:
    """Names as DuckDB compares them: upper and lower case make no difference."""
    return {name.casefold() for name in names}


Rule = Callable[[Joined], Iterable[Diagnostic]]
