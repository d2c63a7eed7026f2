"""The files of a dbt project as they would be with more streams in it; nothing is written here.

Of a YAML file that is there already, only what a stream lacks is added.
"""

from bisect import bisect_left
from collections.abc import Sequence

from lotus_infra import naming
from lotus_infra.dbt.entries import read_entries
from lotus_infra.dbt.insert import YamlPath, insert_item
from lotus_infra.dbt.parts import Project
from lotus_infra.dbt.scaffold import (
    column_entries,
    model_entry,
    model_sql,
    new_file,
    refuse_unusable,
    source_entry,
    table_entry,
)
from lotus_infra.errors import ProjectError
from lotus_infra.lake.lake import Lake, SourceFolder, StreamFile


class Draft:
    """What a project's files would be.

    Attributes:
        files: The whole text of each file that is new or changed, by its name in the project.
        told: What is new, a line for each piece, in the order in which it came.
    """

    def __init__(self, lake: Lake, project: Project) -> None:
        self.files: dict[str, str] = {}
        self.told: list[str] = []
        self._lake, self._directory = lake, project.directory
        self._models = {model.name: model.file for model in project.models}
        self._source_files = {source.name: source.file for source in reversed(project.sources)}
        self._described = {entry.name for entry in project.entries}

    def has_model(self, stream: StreamFile) -> bool:
        """Whether the stream has its own model already."""
        return naming.dbt_model(stream.source, stream.name) in self._models

    def add(self, source: SourceFolder, stream: StreamFile, *, force: bool = False) -> None:
        """Add a stream: its model, its entry among the sources, its description and tests.

        Args:
            source: The stream's source.
            stream: One of its streams.
            force: Makes a model anew that is there already.

        Raises:
            ProjectError: The model is there already, can't be made, or a file can't be added to.
        """
        refuse_unusable(stream)
        self._add_model(stream, force=force)
        self._add_table(source, stream)
        self._add_description(source, stream)

    def _add_model(self, stream: StreamFile, *, force: bool) -> None:
        name, file = naming.dbt_model(stream.source, stream.name), naming.dbt_model_file(stream.source, stream.name)
        there = self._models.get(name)
        if there is not None and there != file:
            raise ProjectError(f"the model {name} is in {there}", f"move it to {file}")
        if there is not None and not force:
            hint = "pass --force to make it anew; what was added to it by hand is lost"
            raise ProjectError(f"the model {name} is there already, in {there}", hint)
        self._models[name] = file
        self._put(file, model_sql(stream), "the model, made anew" if there is not None else "the model")

    def _add_table(self, source: SourceFolder, stream: StreamFile) -> None:
        prefix = self._lake.prefix_of(source, stream.name)
        folder = naming.dbt_models_folder(source.name)
        file = self._source_files.setdefault(source.name, f"{folder}/{naming.dbt_sources_file(source.name)}")
        text = self._text(file)
        table, what = table_entry(stream, prefix), f"the table {stream.name}"
        if text is None:
            self._put(file, new_file("sources", source_entry(source.name, source.label, table)), what)
            return
        sources = read_entries(file, text).sources
        place = next((index for index, entry in enumerate(sources) if entry.name == source.name), None)
        if place is None:
            item = source_entry(source.name, source.label, table)
            self._insert(file, ("sources",), item, len(sources), what)
            return
        tables = [entry.stream[1] for entry in sources[place].tables]
        if stream.name not in tables:
            self._insert(file, ("sources", place, "tables"), table, _place_in(tables, stream.name), what)
            return
        there = tables.index(stream.name)
        columns = list(sources[place].tables[there].columns)
        for column, item in column_entries(stream):
            if column not in columns:
                path = ("sources", place, "tables", there, "columns")
                before = next(
                    (index for index, name in enumerate(columns) if name.startswith("_airbyte_")), len(columns)
                )
                self._insert(file, path, item, before, f"the column {column} of {stream.name}")
                columns.insert(before, column)

    def _add_description(self, source: SourceFolder, stream: StreamFile) -> None:
        name = naming.dbt_model(stream.source, stream.name)
        if name in self._described:
            return
        self._described.add(name)
        file = f"{naming.dbt_models_folder(source.name)}/{naming.dbt_models_file(source.name)}"
        text, item, what = self._text(file), model_entry(stream, source.label), f"description and tests of {name}"
        if text is None:
            self._put(file, new_file("models", item), what)
        else:
            names = [entry.name for entry in read_entries(file, text).models]
            self._insert(file, ("models",), item, _place_in(names, name), what)

    def _insert(self, file: str, path: YamlPath, item: str, index: int, what: str) -> None:
        text = self._text(file)
        if text is None:
            raise ProjectError(f"{file} is gone", "run the command again")
        try:
            self._put(file, insert_item(text, path, item, index), what)
        except ProjectError as error:
            raise ProjectError(f"{file}: {error.message}", error.hint) from None

    def _put(self, file: str, text: str, what: str) -> None:
        self.files[file] = text
        self.told.append(f"{file}: {what}")

    def _text(self, file: str) -> str | None:
        """A file as it is in the draft, or else on disk with its own line ends; None when it is not there."""
        if file not in self.files and not (self._directory / file).exists():
            return None
        return self.files[file] if file in self.files else (self._directory / file).read_bytes().decode()


def draft_of(lake: Lake, project: Project) -> Draft:
    """An empty draft.

    Raises:
        ProjectError: One of the project's files can't be read.
    """
    for finding in project.findings:
        if not finding.harmless:
            raise ProjectError(f"{project.directory / finding.file}:{finding.line} {finding.what}", finding.remedy)
    return Draft(lake, project)


def _place_in(names: Sequence[str], name: str) -> int:
    """Where a name belongs among names that are in order; at the end of those that aren't."""
    return bisect_left(names, name) if list(names) == sorted(names) else len(names)
