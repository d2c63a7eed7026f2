"""What the models refuse in one file, and the words in which it is reported."""

from pathlib import Path

import pytest

from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.models import MANUAL, SourceConfig, StreamConfig
from tests.support.lakes import Document, problems_of, source, stream

REFUSED_STREAMS: list[tuple[Document, str]] = [
    ({"curser_field": ["id"]}, '25: curser_field: is not a known key: did you mean "cursor_field"?'),
    ({"Fields": {}}, '25: Fields: is not a known key: did you mean "fields"?'),
    ({"zzz": 1}, "25: zzz: is not a known key: known keys are $schema, backfill, cursor_field, "),
    ({"schedule": "0 * * * *"}, "25: schedule: is not a known key: write it in the source's _source.json"),
    ({"connector": "dlt"}, "25: connector: is not a known key: write it in the source's _source.json"),
    ({"initial_value": "2020-01-01"}, "25: initial_value: is not a known key: delete it: the source's module says"),
    ({"stream": 7}, "2: stream: must be a string, not a number: write a string"),
    ({"sync_mode": "incremntal"}, '3: sync_mode: "incremntal" is not a valid value: did you mean "incre'),
    ({"sync_mode": "zzz"}, '3: sync_mode: "zzz" is not a valid value: write one of full_refresh, incre'),
    ({"sync_mode": None}, "3: sync_mode: must be a string, not null: write one of full_refresh, incremental"),
    ({"primary_key": ["a", "b"]}, "5: primary_key: must be a list of paths, not of names: write "),
    ({"primary_key": [["id"], "b"]}, "9: primary_key[1]: must be a list, not a string: write a list"),
    ({"cursor_field": "id"}, "10: cursor_field: must be a list, not a string: write a list"),
    ({"selected": 1}, "25: selected: must be true or false, not a number: write true or false"),
    ({"backfill": 1}, "25: backfill: must be true, false or a token: write a token such as"),
    ({"backfill": "False"}, "25: backfill: is a token that looks like a boolean: write false without quotes"),
    ({"backfill": "a b"}, "25: backfill: can't be a token: use 1 to 100 letters"),
    ({"backfill": ""}, "25: backfill: can't be a token: use 1 to 100 letters"),
    ({"fields": []}, '13: fields: must be an object or "all": write'),
    ({"fields": {"id": "integer"}}, "14: fields.id: must be an object, not a string: write an object"),
    ({"fields": {"id": {}}}, '14: fields.id.type: is missing: add "type"'),
    ({"fields": {"id": {"type": "int"}}}, '15: fields.id.type: "int" is not a valid value: did you mean'),
    ({"fields": {"id": {"type": ["null", 3]}}}, "17: fields.id.type[1]: must be a string, not a number"),
    ({"fields": {"id": {"type": "object", "proprties": {}}}}, "16: fields.id.proprties: is not a known key: did you "),
    (
        {"fields": {"a": {"type": "array", "items": {"sku": {"type": "strng"}}}}},
        '18: fields.a.items.sku.type: "strng" is not a valid value',
    ),
]

REFUSED_SOURCES: list[tuple[Document, str]] = [
    ({"connector": "shopify"}, "2: connector: is neither a connector's name nor a definition id"),
    ({"name": " Shop"}, "3: name: can't be a label"),
    ({"name": ""}, "3: name: can't be a label"),
    ({"namespace": "${STREAM_NAME}"}, "8: namespace: has ${STREAM_NAME}, which Airbyte does not fill in"),
    ({"tags": ["x" * 31]}, "9: tags[0]: has 31 characters"),
    ({"tags": ["nightly", "nightly"]}, '8: tags: names the tag "nightly" twice'),
    ({"connections": {}}, "8: connections: "),
    ({"connections": {"Daily": {}}}, "9: connections.Daily: can't name a connection"),
    (
        {"connections": {"daily": {"scedule": {}}}},
        "10: connections.daily.scedule: is not a known key: did",
    ),
    ({"configuration": []}, "4: configuration: must be an object, not a list"),
    ({"schedule": "hourly"}, "8: schedule: must be an object, not a string"),
    (
        {"schedule": {"type": "corn"}},
        '9: schedule.type: "corn" is not a valid value: did you mean "cron"?',
    ),
    ({"schedule": {"type": "cron", "corn": "0"}}, '10: schedule.corn: is not a known key: did you mean "cron"?'),
    ({"non_breaking_changes": "propagate"}, '8: non_breaking_changes: "propagate" is not a valid value'),
]


@pytest.mark.parametrize(("change", "expected"), REFUSED_STREAMS)
def test_a_stream_that_the_model_refuses_is_reported_in_plain_words(
    change: Document, expected: str, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, {"shop/orders.json": stream(**change)})

    assert len(problems) == 1
    assert problems[0].startswith(f"shop/orders.json:{expected}")


@pytest.mark.parametrize(("change", "expected"), REFUSED_SOURCES)
def test_a_source_that_the_model_refuses_is_reported_in_plain_words(
    change: Document, expected: str, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, {"shop/_source.json": source(**change)})

    assert len(problems) == 1
    assert problems[0].startswith(f"shop/_source.json:{expected}")


@pytest.mark.parametrize("key", ["stream", "sync_mode", "destination_sync_mode"])
def test_what_a_stream_must_say_is_missed(key: str, tmp_path: Path) -> None:
    document = {name: value for name, value in stream().items() if name != key}

    assert problems_of(tmp_path, {"shop/orders.json": document}) == [
        f'shop/orders.json:1: {key}: is missing: add "{key}"'
    ]


def test_all_mistakes_of_one_file_are_reported_at_once(tmp_path: Path) -> None:
    document = stream(sync_mode="zzz", backfill=3, extra=1)

    assert len(problems_of(tmp_path, {"shop/orders.json": document})) == 3


def test_a_refused_configuration_is_reported_without_its_values(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/_source.json": source(configuration="hunter2", name=3)})

    assert len(problems) == 2
    assert "hunter2" not in "".join(problems)


def test_what_a_stream_need_not_say_has_a_default() -> None:
    required = {key: stream()[key] for key in ("stream", "sync_mode", "destination_sync_mode", "fields")}
    config = StreamConfig.model_validate(required)

    assert (config.backfill, config.selected, config.primary_key, config.cursor_field) == (False, True, (), ())


def test_what_a_source_need_not_say_has_a_default() -> None:
    config = SourceConfig.model_validate({"connector": "source-faker", "configuration": {}})

    assert config.destination == "s3"
    assert config.schedule == MANUAL
    assert config.non_breaking_changes == "propagate_columns"
    assert (config.name, config.namespace, config.prefix) == (None, None, "")


@pytest.mark.parametrize("token", ["2026-02-01-reprice", "a", "1.2:3_4"])
def test_a_backfill_may_be_a_token(token: str) -> None:
    assert StreamConfig.model_validate(stream(backfill=token)).backfill == token


def test_array_items_may_be_a_bare_map_of_fields() -> None:
    bare = {"a": {"type": "array", "items": {"type": {"type": "string"}, "id": {"type": "integer"}}}}
    typed = {"a": {"type": "array", "items": {"type": "object", "properties": bare["a"]["items"]}}}

    assert (
        StreamConfig.model_validate(stream(fields=bare)).fields
        == StreamConfig.model_validate(stream(fields=typed)).fields
    )


def test_a_definition_id_is_kept_in_small_letters() -> None:
    connector = Connector.model_validate(
        {"connector": "source-a", "definition_id": "9DA77001-AF33-4BCD-BE46-6252BF9342B9", "spec": {}}
    )

    assert connector.definition_id == "9da77001-af33-4bcd-be46-6252bf9342b9"


def test_a_connector_without_a_real_definition_id_is_refused(tmp_path: Path) -> None:
    document: Document = {"connector": "source-faker", "definition_id": "faker", "spec": {}}

    problems = problems_of(tmp_path, {"_connectors/source-faker.json": document})

    place = "_connectors/source-faker.json:3: definition_id"
    assert problems == [f"{place}: is not a definition id: write the UUID of the connector's definition in Airbyte"]
