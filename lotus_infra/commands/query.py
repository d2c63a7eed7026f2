"""`lotus query`: read the lake's tables and the streams' files with SQL, and change nothing."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, Literal

import click

from lotus_infra import naming
from lotus_infra.clients.ducklake import CATALOG, LAKE_DATA, LANDING, LakeAddress
from lotus_infra.clients.lake_reader import FileFormat, LakeReader, Query, QueryError, Table, reading
from lotus_infra.commands.options import JSON, OUTPUT, STACK, STREAMS
from lotus_infra.commands.output import prose, table, write
from lotus_infra.config.production import ENDPOINT_VARIABLE
from lotus_infra.config.stack import Project
from lotus_infra.errors import DOCS, LotusError
from lotus_infra.lake.disk import beside
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_usable_lake

Format = FileFormat | Literal["table", "markdown"]
FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "json", "jsonl", "markdown", "parquet")
SUFFIXES: Final[Mapping[str, Format]] = {
    "": "table", ".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".md": "markdown", ".ndjson": "jsonl",
    ".parquet": "parquet", ".txt": "table",
}  # fmt: skip
FIRST_ROWS: Final = 100
WIDE: Final = 10_000
"""Characters of a line of a table in a file."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is written.

    Attributes:
        kind: The format.
        limit: The maximum of rows; 0 for all.
        output: The file; None for standard output.
    """

    kind: Format
    limit: int
    output: Path | None = None


@click.command()
@click.argument("sql", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False), help="Read the query from FILE.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="Default: by the suffix of --output, else table.")
@click.option(
    "--limit", type=click.IntRange(0), help=f"Rows at most; 0 for all; default: {FIRST_ROWS} in a table, else all."
)
@click.option("--catalog", metavar="CATALOG", help=f"DuckLake's catalog; default: ${CATALOG}.")
@click.option("--ui", is_flag=True, help="Open DuckDB's UI on the lake.")
@OUTPUT
@STACK
@STREAMS
@JSON
def query(
    sql: str | None,
    file: Path | None,
    kind: Format | None,
    limit: int | None,
    output: Path | None,
    *,
    catalog: str | None,
    ui: bool,
    stack: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Run a query on the lake's tables, or list them.

    SQL is one SELECT in DuckDB's dialect; - reads it from standard input. Tables are main.fct_sales and so on. The
    files of a stream, as they landed, are landing.<source>__<stream>; a stream's table in a Postgres destination
    is <destination>.<schema>.<table>. A query only reads.

    Example: lotus query "select * from main.fct_sales limit 5"
    """
    text = _text(sql, file)
    if as_json and kind not in {None, "json"}:
        raise click.UsageError("--json is --format json: pass one of them.")
    shape = _shape("json" if as_json else kind, limit, output)
    address, environment = find_lake(directory, stack, catalog, os.environ)
    with reading(address, environment) as lake:
        if ui:
            _serve_ui(lake, directory, stack, address)
        else:
            run_query(lake, Streams(directory, stack, address.landing), text, shape, environment)


def find_lake(
    directory: Path, stack: str | None, catalog: str | None, environment: Mapping[str, str]
) -> tuple[LakeAddress, dict[str, str]]:
    """Find a lake: by the environment's variables, as Dagster does, and else by the stack's landing zone.

    Args:
        directory: The lake's folder.
        stack: The stack; else `$PULUMI_STACK`, else the only stack of the project.
        catalog: The catalog of the option.
        environment: The environment's variables.

    Returns:
        Where it is, and the variables with those of the bucket's server.

    Raises:
        LotusError: No catalog is named, or the stack does not exist.
    """
    found = catalog or environment.get(CATALOG, "")
    if not found:
        raise LotusError(
            f"no catalog: neither --catalog nor {CATALOG} is set",
            f"in the sandbox run `. .sandbox/env` first; for a cluster follow {DOCS}/how-to/query-the-lake.md",
        )
    landing, server = environment.get(LANDING, ""), dict(environment)
    name = Project.selected(directory, stack, environment) if not landing else ""
    zone = Project.needed(directory).settings(name).lotus.landing_zone if name else None
    if zone is not None:
        landing = f"s3://{zone.landing}"
        server = {"AWS_REGION": zone.region} | ({ENDPOINT_VARIABLE: zone.endpoint} if zone.endpoint else {}) | server
    return LakeAddress(landing, found, environment.get(LAKE_DATA, "")), server


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams whose files a query may read.

    Attributes:
        directory: The lake's folder.
        stack: The stack whose lake it is.
        landing: `s3://<bucket>` or a folder; empty if it is not known.
    """

    directory: Path
    stack: str | None
    landing: str

    def files(self) -> dict[str, str]:
        """The files of each stream as a table in SQL, by `<source>__<stream>`.

        Raises:
            LakeError: The lake's files can't be read.
        """
        # Loading the SQL parser takes a quarter of a second, which only queries of files should pay.
        from lotus_infra.dbt.sql import landed_files  # noqa: PLC0415

        root = self.landing.rstrip("/").replace("'", "''")
        return {name: landed_files(root, prefix) for name, prefix in self._prefixes(self._lake())}

    def names(self) -> list[str]:
        """The names of the streams; none if the lake's folder is elsewhere."""
        if not self.landing or not self.directory.is_dir():
            return []
        return sorted(name for name, _ in self._prefixes(self._lake()))

    def _lake(self) -> Lake:
        return load_usable_lake(self.directory, Project.selected(self.directory, self.stack, os.environ))

    @staticmethod
    def _prefixes(lake: Lake) -> Iterator[tuple[str, str]]:
        for source in lake.sources:
            for stream in source.selected_streams:
                prefix = lake.prefix_of(source, stream)
                if prefix is not None:
                    yield naming.dbt_tag(source.name, stream.name), prefix


def run_query(
    lake: LakeReader, streams: Streams, text: str | None, shape: Shape, environment: Mapping[str, str] = os.environ
) -> None:
    """Answer a query; without one, list the tables and the streams.

    Args:
        lake: The lake.
        streams: Those whose files it may read.
        text: The query.
        shape: How the answer is written.
        environment: The variables with the addresses of Postgres destinations.

    Raises:
        LotusError: The query is refused, or failed, or the output can't be written.
    """
    if text is None:
        files = [Table(f"landing.{name}", "files") for name in streams.names()]
        asked = lake.listing(sorted([*lake.tables(), *files], key=_place_in_listing))
    else:
        asked = lake.parse(text)
        _add_files(lake, streams, asked)
        for name in sorted(asked.places):
            if environment.get(naming.warehouse_variable(name)):
                lake.attach_database(name, environment)
    if shape.kind == "table" or shape.kind == "markdown":  # noqa: PLR1714, mypy narrows it
        lake.restrict()
        _draw(lake, asked, shape)
    else:
        with _written(shape.output) as file:
            lake.restrict(output=file)
            lake.write(asked, file, shape.kind, shape.limit)


def _place_in_listing(listed: Table) -> tuple[int, str]:
    """Models and marts first, then files, and then other schemas, such as those of Dagster's bookkeeping."""
    is_main = listed.name.startswith(f"{naming.MAIN_SCHEMA}.")
    return (0 if is_main else 1 if listed.kind == "files" else 2), listed.name


def _add_files(lake: LakeReader, streams: Streams, asked: Query) -> None:
    if not asked.files:
        return
    if not streams.landing:
        raise QueryError("the landing zone is not known", f"set {LANDING}, or select a stack with --stack")
    files = streams.files()
    for name in sorted(asked.files):
        if name not in files:
            raise QueryError(f"no stream has files named landing.{name}", "`lotus query` lists them")
        lake.add_files(name, files[name])


def _draw(lake: LakeReader, asked: Query, shape: Shape) -> None:
    """Print an answer as a table, or write it to the file."""
    more = lake.answer(asked, shape.limit)
    if shape.kind == "markdown":
        columns, rows = lake.texts()
        cells = ([prose(cell) if cell is not None else "" for cell in row] for row in rows)
        drawn = table([prose(column) for column in columns], cells)
    else:
        drawn = lake.drawn(shutil.get_terminal_size().columns if shape.output is None else WIDE)
    if shape.output is None:
        click.echo(drawn)
    else:
        write(shape.output, f"{drawn}\n")
    if more:
        click.echo(f"the first {shape.limit:,} rows: --limit 0 shows all, --output FILE writes them", err=True)


@contextmanager
def _written(output: Path | None) -> Iterator[Path]:
    """A new file that then takes the place of the output, or is printed; it is deleted if the query fails."""
    if output is None or (output.exists() and not output.is_file()):
        # A device or a pipe keeps its place: it is written to, as standard output is.
        with tempfile.TemporaryDirectory(prefix="lotus-query-") as folder:
            yield (file := Path(folder).resolve() / "answer")
            _print(file, output)
        return
    target = output.resolve()
    file = beside(target, "new")
    try:
        yield file
        if target.exists():
            shutil.copymode(target, file)
        file.replace(target)
    except OSError as error:
        raise LotusError(f"{output} can't be written ({error.strerror or error})", "name another file") from None
    finally:
        with suppress(OSError):
            file.unlink()


def _print(answer: Path, output: Path | None) -> None:
    """Write an answer to standard output, or to a device or a pipe.

    Raises:
        LotusError: The device can't be written to.
    """
    with answer.open("rb") as read:
        if output is None:
            sys.stdout.flush()
            shutil.copyfileobj(read, sys.stdout.buffer)
            sys.stdout.flush()
            return
        try:
            with output.open("wb") as written:
                shutil.copyfileobj(read, written)
        except OSError as error:
            raise LotusError(f"{output} can't be written ({error.strerror or error})", "name another file") from None


def _serve_ui(lake: LakeReader, directory: Path, stack: str | None, address: LakeAddress) -> None:
    """Serve DuckDB's UI until the user stops it."""
    streams = Streams(directory, stack, address.landing)
    for name, files in (streams.files() if streams.names() else {}).items():
        with suppress(QueryError):  # a stream without files
            lake.add_files(name, files)
    click.echo(lake.start_ui())
    click.echo("Press Ctrl-C to stop it.")
    with suppress(KeyboardInterrupt):
        Event().wait()


def _text(sql: str | None, file: Path | None) -> str | None:
    """The text of the query; None without one.

    Raises:
        LotusError: The file can't be read.
    """
    if sql is not None and file is not None:
        raise click.UsageError("pass the query either as an argument or with --file.")
    if file is None and sql != "-":
        return sql
    try:
        return file.read_text(encoding="utf-8") if file is not None else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LotusError(f"{file or 'standard input'} can't be read: {reason}", "name a file with a query") from None


def _shape(kind: Format | None, limit: int | None, output: Path | None) -> Shape:
    """The format, by the options and the suffix of the file."""
    suffix = output.suffix.lower() if output is not None else ""
    if kind is None and suffix not in SUFFIXES:
        raise click.UsageError(f"{suffix} is not a suffix of a known format: name another FILE, or pass --format.")
    chosen = kind or SUFFIXES[suffix]
    if chosen == "parquet" and output is None:
        raise click.UsageError("--format parquet needs --output FILE.")
    default = FIRST_ROWS if chosen in {"table", "markdown"} and output is None else 0
    return Shape(chosen, default if limit is None else limit, output)
