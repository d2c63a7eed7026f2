"""Labels and descriptions that dbt, YAML, SQL or Markdown would read as their own: dbt reads the same text."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from airbyte_twin.landing.names import column_name
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.clients.yaml_helper import load_yaml_text
from hypothesis import example, given
from hypothesis import strategies as st
from lotus_dagster.definitions import DBT_PROJECT

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_all
from lotus_infra.dbt.scaffold import described, model_entry, source_entry, table_entry
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import StreamConfig
from tests.dagster.lake import Lake
from tests.support.lakes import clean_files, destination, source, stream, write

PLANTED = "LOTUS_PLANTED"
HOSTILE = [
    "{{ env_var('LOTUS_PLANTED') }}",
    "{% do exceptions.raise_compiler_error('run') %}",
    "{# gone #}",
    "{{{ 1 }}}",
    "{%- raw -%} {{ x }}",
    "}} %} #} {",
    "{{ '{' }}{ 1 }}",
    'it\'s "x" \\ \\n \\u0041 $HOME `id` $(id)',
    "-- /* */ ; drop table x",
    "key: value # no comment",
    "- [a, {b: c}] & *anchor !tag | > % @",
    "<script>alert(1)</script> | a | b",
    "'",
    '"',
    "yes",
    "12",
    "ü 😀 …",
]
PIECES = st.sampled_from(
    ["{", "}", "%", "#", "{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "\\", "-", " ", "raw", "x", ":"]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), min_size=1).map("".join).filter(str.isprintable)


def orders(description: str) -> StreamFile:
    fields = {
        "id": {"type": "integer"},
        "updated_at": {"type": "string"},
        "note": {"type": "string", "description": description},
    }
    config = StreamConfig.model_validate(stream(fields=fields), strict=False)
    return StreamFile("shop/orders.json", "shop", "orders", config)


def as_dbt_reads(entry: str) -> Any:
    """A document by dbt's own YAML reader, with each description rendered as dbt renders it."""

    def rendered(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {key: rendered(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [rendered(inner) for inner in value]
        return get_rendered(value, {}) if key == "description" else value

    document = load_yaml_text(entry)
    assert document == yaml.safe_load(entry)
    return rendered(document)


@given(TEXTS)
@example("{{ 1 }}")
def test_dbt_renders_a_description_to_the_same_text(text: str) -> None:
    assert get_rendered(json.loads(described(text)), {}) == text


@given(TEXTS.map(str.strip).filter(bool))
def test_a_label_and_a_description_are_read_back_by_dbt(text: str) -> None:
    place = "raw/shop/orders/"
    table = table_entry(orders(text), place)
    assert as_dbt_reads(source_entry("shop", text, table, place))["description"] == (
        f"What Airbyte lands from {text}, one folder a stream."
    )
    entry = as_dbt_reads(model_entry(orders(text), text))
    assert entry["description"] == f"{text}'s orders, the latest row of each `id`."
    described_columns = {column["name"]: column.get("description") for column in entry["columns"]}
    assert described_columns.get("note") == " ".join(text.split())


def test_dbt_itself_reads_a_project_that_was_made_of_hostile_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"s{number}": text for number, text in enumerate(HOSTILE)}
    files: dict[str, Any] = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    for name, text in texts.items():
        files[f"{name}/_source.json"] = source(name=text.strip())
        files[f"{name}/orders.json"] = stream(
            fields={"id": {"type": "integer"}, "updated_at": {"type": "string", "description": "x"}}
            | {"note": {"type": "string", "description": text}}
        )
    streams = write(tmp_path / "streams", files)
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    project = tmp_path / "dagster" / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "core", "marts", "sales*"))
    scaffold_all(streams)
    assert check_lake_files(streams).problems == ()

    monkeypatch.setenv(PLANTED, "planted")
    paths = ["--project-dir", project, "--profiles-dir", project, "--target-path", tmp_path / "target"]
    parsed = dbtRunner().invoke(["parse", "--quiet", "--log-level-file", "none", *map(str, paths)])
    assert parsed.success, parsed.exception
    manifest: Any = parsed.result
    models = {node.name: node for node in manifest.nodes.values()}
    tables = {table.source_name: table for table in manifest.sources.values()}
    for name, text in texts.items():
        model = models[f"int_{name}__orders"]
        assert model.description == f"{text}'s orders, the latest row of each `id`."
        assert model.columns["note"].description == " ".join(text.split())
        assert tables[name].source_description == f"What Airbyte lands from {text}, one folder a stream."


@pytest.mark.parametrize(
    "path", ["raw/{{ 1 }}", "raw'; drop", "raw/*", 'r"w', "raw\n", "raw\\", "raw/${NAMESPACE}", "ráw"]
)
def test_a_path_of_a_bucket_that_others_would_read_as_their_own_is_refused(path: str, tmp_path: Path) -> None:
    made: Any = destination()
    made["configuration"]["s3_bucket_path"] = path
    problems = check_lake_files(write(tmp_path, clean_files() | {"_destinations/s3.json": made})).problems
    assert [(problem.field, problem.what) for problem in problems] == [
        ("configuration.s3_bucket_path", "has characters that dbt, DuckDB or YAML read as their own")
    ]


@pytest.mark.parametrize("path", ["", "raw", "/raw/", "lake/raw_2.0/a=b", "My Lake+1@x"])
def test_a_plain_path_is_kept(path: str, tmp_path: Path) -> None:
    made: Any = destination()
    made["configuration"]["s3_bucket_path"] = path
    assert check_lake_files(write(tmp_path, clean_files() | {"_destinations/s3.json": made})).problems == ()


SIGNS = [
    *("a--b", "a/*b", "*/", "$x", "a;b", "a`b", "a:b", "#c", "- d", "null", "~", "a.b", "a[0]", "%s", "'", '"', "\\"),
    *("@x", "!y", "&z", "*w", "a, b", "?", "|", ">", "yes", "1.0", "2026-01-05", "a b", "ß", "😀", "=x", "a#b", "a #b"),
]
NAMES = [f"{sign} {number}" for number, sign in enumerate(SIGNS)]
STEPS = ["a.b", "c[0]", "*", "$", "#d", "e f"]
"""Members that the source does not declare: they are JSON under their own names."""


def test_fields_whose_names_are_signs_are_columns_with_their_values(tmp_path: Path) -> None:
    text = {"type": "string"}
    fields = {"id": {"type": "integer"}, "updated_at": text, **dict.fromkeys(NAMES, text), "data": {"type": "object"}}
    key = [["id"], ["data", *STEPS]]
    files: dict[str, Any] = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    odd = stream(stream="things", fields=fields, primary_key=key)
    streams = write(tmp_path / "streams", files | {"odd/_source.json": source(), "odd/things.json": odd})
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    project = tmp_path / "dagster" / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "core", "marts", "sales*"))
    scaffold_all(streams)
    assert check_lake_files(streams).problems == ()

    lake = Lake(tmp_path / "machine", project)
    inside: Any = "deep"
    for step in reversed(STEPS):
        inside = {step: inside}
    columns = [column_name(name) for name in NAMES]
    row = {"id": 1, "updated_at": "2026-01-05", **{column: f"of {column}" for column in columns}, "data": inside}
    lake.land("odd", "things", "2026-01-05", 0, [row], as_text=True)
    lake.dbt("build")
    selected = ", ".join('"' + name + '"' for name in [*columns, "_".join(["data", *STEPS])])
    assert lake.query(f"select {selected} from int_odd__things") == [(*(f"of {name}" for name in columns), "deep")]
