"""Models against streams: which belongs to which, and whether names, tags, places, keys and cursors say so."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.dbt.columns import Identity, identity
from lotus_infra.dbt.contract.joined import Joined, folded, shown
from lotus_infra.dbt.parts import Model, StreamName
from lotus_infra.lake.diagnostics import Diagnostic, suggestion


def streams_have_models(joined: Joined) -> Iterator[Diagnostic]:
    """Every stream that lands has its own model."""
    names = {model.name for model in joined.project.models}
    for stream in joined.selected:
        model = naming.dbt_model(stream.source, stream.name)
        if model not in names and naming.dbt_model_file(stream.source, stream.name) not in joined.project.unread:
            what = f"has no model {model} in the dbt project"
            yield Diagnostic(stream.file, (), what, f"run `lotus scaffold {stream.source} {stream.name}`")


def models_have_streams(joined: Joined) -> Iterator[Diagnostic]:
    """Every model that reads arrivals, or is named like one that does, has a stream, and one that lands."""
    for model in joined.project.models:
        for arrivals in model.arrivals:
            stream = joined.streams.get(arrivals.stream)
            if stream is not None and not stream.config.selected:
                what = f"reads {shown(arrivals.stream)}, which is not selected: nothing new arrives"
                remedy = f"select it in {stream.file}, or delete the model"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, arrivals.line, harmless=True)
            elif not joined.may_exist(arrivals.stream):
                remedy = suggestion(
                    shown(arrivals.stream), map(shown, joined.streams), "add the stream, or delete this"
                )
                what = f"{shown(arrivals.stream)} is no stream of the lake"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, arrivals.line)
        made_of_something = model.arrivals or model.sources or model.refs or model.computes_arrivals
        tag = model.name.removeprefix(naming.MODEL_PREFIX)
        if _has_stream_shape(tag) and tag != model.name and not made_of_something and not joined.may_be_named(tag):
            remedy = suggestion(model.name, joined.own_models, "add the stream, or delete the model")
            yield Diagnostic(model.file, (), "is named as the model of a stream that the lake does not have", remedy)


def models_read_one_stream(joined: Joined) -> Iterator[Diagnostic]:
    """A stream's own model reads what arrives of it, and no model reads two streams."""
    for model, stream in joined.owned:
        name = (stream.source, stream.name)
        if name not in _streams_of(model) and not model.computes_arrivals:
            what = f"does not read what arrives of {shown(name)}"
            yield Diagnostic(model.file, (), what, f"read it from {{{{ arrivals('{name[0]}', '{name[1]}') }}}}")
    for model in joined.project.models:
        for arrivals in model.arrivals[1:]:
            if arrivals.stream != model.arrivals[0].stream:
                what = f"reads {shown(arrivals.stream)} beside {shown(model.arrivals[0].stream)}"
                remedy = "read one stream in a model: it is remembered which files of one were read"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, arrivals.line)


def tags_are_the_streams(joined: Joined) -> Iterator[Diagnostic]:
    """A model has the tag of the stream that it reads, by which Dagster finds it, and of no other."""
    for model in joined.project.models:
        read = [name for name in _streams_of(model) if name in joined.streams]
        owner = joined.owner(model)
        wanted = {naming.dbt_tag(*name): name for name in [*read, *([(owner.source, owner.name)] if owner else [])]}
        settings = model.settings
        missing = [tag for tag in wanted if tag not in settings.tags]
        if missing:
            what = f"lack {missing[0]}, by which Dagster finds the models of {shown(wanted[missing[0]])}"
            yield Diagnostic(model.file, ("tags",), what, f"write tags=['{missing[0]}']", settings.line)
            continue
        for tag in settings.tags:
            if _has_stream_shape(tag) and not joined.may_be_named(tag):
                remedy = suggestion(tag, joined.tags, "delete it, or add the stream")
                yield Diagnostic(model.file, ("tags",), f"{tag} is the tag of no stream", remedy, settings.line)
            elif read and tag in joined.tags and tag not in wanted:
                what = f"{tag} is the tag of {shown(joined.tags[tag])}, of which the model reads nothing"
                yield Diagnostic(model.file, ("tags",), what, "delete it", settings.line)


def models_are_in_place(joined: Joined) -> Iterator[Diagnostic]:
    """A stream's model is where its name says, and what else reads arrivals is in the folder of the source."""
    for model in joined.project.models:
        owner = joined.owner(model)
        if owner is not None:
            file = naming.dbt_model_file(owner.source, owner.name)
            if model.file != file:
                yield Diagnostic(
                    model.file,
                    (),
                    f"is not where the model of {owner.source}/{owner.name} belongs",
                    f"move it to {file}",
                )
            continue
        for source in sorted({source for source, stream in _streams_of(model) if (source, stream) in joined.streams}):
            folder, prefix = f"{naming.dbt_models_folder(source)}/", naming.dbt_model(source, "")
            if not model.file.startswith(folder):
                yield Diagnostic(
                    model.file, (), f'reads what arrives of "{source}" from outside {folder}', f"move it to {folder}"
                )
            elif not model.name.startswith(prefix):
                yield Diagnostic(
                    model.file, (), f'reads what arrives of "{source}" and is not named after it', f"name it {prefix}…"
                )


def keys_and_cursors_agree(joined: Joined) -> Iterator[Diagnostic]:
    """A stream's own model has the stream's key and cursor; paths that lead into objects are left to the reader."""
    for model, stream in joined.owned:
        if (stream.source, stream.name) not in _streams_of(model):
            continue
        ours, settings = identity(stream), model.settings
        keys = [("unique_key", settings.unique_key, settings.line)]
        keys += [("key", latest.key, latest.line) for latest in model.latest]
        for name, key, line in keys:
            if all(len(path) == 1 for path in ours.key) and folded(key) != folded(ours.key_columns):
                yield Diagnostic(model.file, (name,), *_wrong_key(name, key, ours, stream.file), line)
        for latest in model.latest:
            if len(ours.cursor) == 1 and latest.cursor.casefold() != ours.cursor_column.casefold():
                what = f"is {latest.cursor} where that of {stream.file} is {ours.cursor_column}"
                yield Diagnostic(model.file, ("cursor",), what, f"write cursor='{ours.cursor_column}'", latest.line)


def _wrong_key(name: str, key: tuple[str, ...], ours: Identity, file: str) -> tuple[str, str]:
    columns = ", ".join(f"'{column}'" for column in ours.key_columns)
    written = columns if len(ours.key_columns) == 1 else f"[{columns}]"
    there = "has no primary_key" if ours.is_keyless else f"has the primary_key {', '.join(ours.key_columns)}"
    given = f"is {', '.join(key)}" if key else "is missing"
    return f"{given} where {file} {there}", f"write {name}={written}"


def _streams_of(model: Model) -> list[StreamName]:
    return list(dict.fromkeys(arrivals.stream for arrivals in model.arrivals))


def _has_stream_shape(tag: str) -> bool:
    """Whether a tag looks like `<source>__<stream>`."""
    source, separator, stream = tag.partition("__")
    return bool(separator) and naming.is_identifier(source) and naming.is_identifier(stream)
