"""Reads a dbt project's models and YAML files, each by itself: one that can't be read hides nothing of the others."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lotus_infra.dbt.entries import Entries, EntriesError, read_entries
from lotus_infra.dbt.parts import MODELS_FOLDER, PROJECT_FILE, Arrivals, Latest, Model, Project, Settings
from lotus_infra.dbt.query import QueryError, Reads, columns_read
from lotus_infra.dbt.template import Call, Template, read_template
from lotus_infra.errors import ProjectError
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.loader import collector_paused


@collector_paused()
def load_project(directory: Path) -> Project:
    """Load a dbt project.

    Raises:
        ProjectError: The folder is no dbt project.
    """
    if not (directory / PROJECT_FILE).is_file():
        raise ProjectError(f"{directory} has no {PROJECT_FILE}", "name the dbt project's folder with --dbt")
    findings: list[Diagnostic] = []
    models: list[Model] = []
    entries: list[Entries] = []
    for file in sorted((directory / MODELS_FOLDER).rglob("*")):
        if file.suffix not in {".sql", ".yml", ".yaml"} or not file.is_file():
            continue
        name = file.relative_to(directory).as_posix()
        text = _text(file, name, findings)
        if text is None:
            continue
        if file.suffix == ".sql":
            models.append(read_model(name, text, findings))
        else:
            entries.extend(_entries(name, text, findings))
    return project_of(directory, models, entries, findings)


def project_of(
    directory: Path, models: Iterable[Model], entries: Iterable[Entries], findings: Iterable[Diagnostic] = ()
) -> Project:
    """Put a project together: what a YAML file says of a model holds for the model too."""
    entries = tuple(entries)
    described = {entry.name: entry.settings for file in entries for entry in file.models}
    return Project(
        directory,
        tuple(replace(model, settings=_joined(model.settings, described.get(model.name))) for model in models),
        tuple(source for file in entries for source in file.sources),
        tuple(entry for file in entries for entry in file.models),
        tuple(findings),
    )


def read_model(file: str, text: str, findings: list[Diagnostic]) -> Model:
    """Read a model's text.

    Args:
        file: Relative to the project's folder.
        text: What it says.
        findings: Gains a notice when something can't be told from the text.
    """
    template = read_template(text)
    calls = template.calls
    reads, notice = _reads(file, template)
    if notice is not None:
        findings.append(notice)
    return Model(
        name=PurePosixPath(file).stem,
        file=file,
        settings=_settings(call for call in calls if call.name == "config"),
        arrivals=_read_by("arrivals", calls, reads),
        sources=_read_by("source", calls, reads),
        latest=tuple(
            Latest(_unquoted(call.texts("key")), _unquoted([call.text("cursor")])[0], call.line)
            for call in calls
            if call.name == "latest"
        ),
        refs=tuple(dict.fromkeys(call.text("model") for call in calls if call.name == "ref")),
        absent=reads.absent,
        computes_arrivals=template.computes("arrivals"),
    )


def _read_by(macro: str, calls: Iterable[Call], reads: Reads) -> tuple[Arrivals, ...]:
    """The calls of a macro that stands for a stream's rows, with what is read of each."""
    return tuple(
        Arrivals(
            (call.text("source_name"), call.text("stream")),
            call.line,
            tuple(read for table, read in reads.columns if table == call.stand_in),
        )
        for call in calls
        if call.name == macro
    )


def _reads(file: str, template: Template) -> tuple[Reads, Diagnostic | None]:
    """What a model reads, and a notice when that may not be all that it reads of what has arrived."""
    what, line, reads = "", 0, Reads((), ())
    if template.unknown:
        line, written = template.unknown[0]
        what = f"has {' '.join(written.split())} in it, so the fields that it reads are not all checked"
    if not template.has_statements:
        try:
            reads = columns_read(template.sql, {call.stand_in for call in template.calls if call.stand_in})
        except QueryError as error:
            what, line = f"can't be read as SQL ({error}), so the fields that it reads are not checked", error.line or 1
    has_arrivals = template.computes("arrivals") or any(call.name == "arrivals" for call in template.calls)
    remedy = "look at them yourself, or write it without"
    return reads, Diagnostic(file, (), what, remedy, line, harmless=True) if what and has_arrivals else None


def _text(file: Path, name: str, findings: list[Diagnostic]) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        findings.append(Diagnostic(name, (), f"can't be read ({reason})", "make it a readable text file", 1))
        return None


def _entries(file: str, text: str, findings: list[Diagnostic]) -> Iterator[Entries]:
    try:
        yield read_entries(file, text)
    except EntriesError as error:
        findings.append(Diagnostic(file, (), "is not YAML", "mend it", error.line))


def _settings(configs: Iterable[Call]) -> Settings:
    settings: Settings | None = None
    for call in configs:
        settings = _joined(Settings(call.texts("tags"), _unquoted(call.texts("unique_key")), call.line), settings)
    return settings or Settings()


def _joined(nearer: Settings, further: Settings | None) -> Settings:
    """Tags add up; of two keys the nearer one holds."""
    if further is None:
        return nearer
    tags = dict.fromkeys((*nearer.tags, *further.tags))
    return Settings(tuple(tags), nearer.unique_key or further.unique_key, nearer.line)


def _unquoted(names: Iterable[str]) -> tuple[str, ...]:
    """Names without the quotes that SQL wants around some of them."""
    return tuple(
        name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name for name in names
    )
