"""Connector configurations against references, secrets and pinned specifications."""

from pathlib import Path
from typing import cast

import pytest
from airbyte_model.secrets import MASK

from lotus_infra.lake.references import StackValues
from lotus_infra.naming import PATH_FORMAT
from tests.support.lakes import Document, Files, destination, problems_of, report_on, source

PASSWORD: Document = {"$secret": "shop_password"}


def shopify(**changes: object) -> Document:
    credentials: Document = {"auth_method": "api_password", "api_password": PASSWORD}
    return source(connector="source-shopify", configuration={"shop": "acme", "credentials": credentials} | changes)


def check(directory: Path, file: Document, name: str = "shop/_source.json") -> list[str]:
    """The problems of a configuration, without file and line, and with paths below `configuration`."""
    problems = problems_of(directory, {name: file})
    return [problem.split(": ", maxsplit=1)[1].removeprefix("configuration.") for problem in problems]


WRONG: list[tuple[Document, str]] = [
    ({"shop": 3}, "shop: has the wrong type: write a string"),
    ({"shop": "!"}, "shop: has the wrong form: write what matches the pattern "),
    ({"start_date": "25.12.2025"}, "start_date: has the wrong form"),
    ({"lookback_window_in_days": 31}, "lookback_window_in_days: is too large: write at most 30"),
    ({"lookback_window_in_days": -1}, "lookback_window_in_days: is too small: write at least 0"),
    ({"bulk_window_in_days": "30"}, "bulk_window_in_days: has the wrong type: write an integer"),
    ({"start_dat": "2025-12-25"}, 'start_dat: is not a key of the connector: did you mean "start_date"?'),
    ({"credentials": "open sesame"}, "credentials: has the wrong type: write an object"),
    ({"credentials": {"auth_method": "api_password"}}, "credentials.api_password: is required: add it"),
    (
        {"credentials": {"api_password": PASSWORD}},
        "credentials.auth_method: is required: write one of oauth2.0, api_password",
    ),
    (
        {"credentials": {"auth_method": "api_pasword", "api_password": PASSWORD}},
        "credentials.auth_method: is not an allowed value: did you mean ",
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": "hunter2"}},
        "credentials.api_password: is a secret in plain text: keep the value in the stack and name it",
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": ""}},
        "credentials.api_password: is a secret in plain text",
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": MASK}},
        "credentials.api_password: is the mask that Airbyte shows for a secret: name the secret instead",
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": {"$config": "password"}}},
        "credentials.api_password: is a secret, but the reference is not: write ",
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": PASSWORD | {"rotate": True}}},
        'credentials.api_password: a $secret reference can\'t also have rotate: did you mean "rotates"?',
    ),
    (
        {"credentials": {"auth_method": "api_password", "api_password": PASSWORD | {"rotates": "yes"}}},
        'credentials.api_password: "rotates" is not true or false: write "rotates": true where Airbyte rotates the ',
    ),
    (
        {"shop": {"$config": "shop", "rotates": True}},
        "shop: a $config reference can't also have rotates: write ",
    ),
    ({"shop": {"$confg": "shop"}}, 'shop: $confg is not a kind of reference: did you mean "$config"?'),
    (
        {"bulk_window_in_days": {"$config": "days"}},
        'bulk_window_in_days: is read as the wrong type: add "as": "integer" to the',
    ),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_a_configuration_that_does_not_fit_the_connector_is_reported(
    changes: Document, expected: str, tmp_path: Path
) -> None:
    problems = check(tmp_path, shopify(**changes))

    assert len(problems) == 1
    assert problems[0].startswith(expected)


@pytest.mark.parametrize("value", ["hunter2", 12345, ["hunter2"], {"inner": "hunter2"}])
def test_a_secret_that_is_written_out_is_never_repeated(value: object, tmp_path: Path) -> None:
    credentials = {"auth_method": "api_password", "api_password": value}

    problems = check(tmp_path, shopify(credentials=credentials))

    assert problems
    assert not any("hunter2" in problem or "12345" in problem for problem in problems)


RIGHT: list[Document] = [
    {"shop": {"$config": "shop"}},
    {"start_date": {"$config": "start"}},
    {"bulk_window_in_days": {"$config": "days", "as": "integer"}},
    {"bulk_window_in_days": {"$config": "days", "as": "json"}},
    {"credentials": {"auth_method": {"$config": "method"}, "api_password": PASSWORD}},
    {"credentials": {"auth_method": "api_password", "api_password": "secret_coordinate::vault/shop"}},
    {"credentials": {"$config": "credentials", "as": "json"}},
    {"credentials": {"auth_method": "api_password", "api_password": PASSWORD | {"rotates": True}}},
]


@pytest.mark.parametrize("changes", RIGHT)
def test_a_reference_fits_where_its_value_could(changes: Document, tmp_path: Path) -> None:
    assert check(tmp_path, shopify(**changes)) == []


@pytest.mark.parametrize("key", ["*", "odd\\"])
def test_a_secret_whose_path_the_engine_cannot_be_given_may_not_rotate(key: str, tmp_path: Path) -> None:
    file = source(connector="5a1c0f1e-0000-4000-8000-000000000011", configuration={key: PASSWORD | {"rotates": True}})

    [problem] = problems_of(tmp_path, {"shop/_source.json": file})

    assert 'can\'t be marked "rotates": the engine has no path' in problem


def test_a_required_key_is_missed(tmp_path: Path) -> None:
    klaviyo = source(connector="source-klaviyo", configuration={"num_workers": 5})

    assert check(tmp_path, klaviyo) == ["api_key: is required: add it"]


def test_a_wrong_choice_of_format_is_reported_with_the_right_one(tmp_path: Path) -> None:
    configuration = destination()["configuration"]
    assert isinstance(configuration, dict)
    wrong = destination(configuration=configuration | {"format": {"format_type": "parquet"}})

    assert check(tmp_path, wrong, "_destinations/s3.json") == [
        'format.format_type: is not an allowed value: did you mean "Parquet"?'
    ]


def test_a_long_list_of_values_suggests_the_nearest(tmp_path: Path) -> None:
    configuration = destination()["configuration"]
    assert isinstance(configuration, dict)
    wrong = destination(configuration=configuration | {"s3_bucket_region": "us-wst-1"})

    assert check(tmp_path, wrong, "_destinations/s3.json")[0].endswith('did you mean "us-west-1"?')


def test_a_key_that_the_specification_does_not_have_is_noticed(tmp_path: Path) -> None:
    report = report_on(tmp_path, {"shop/_source.json": source(configuration={"undocumented": True})})

    assert report.problems == ()
    assert [notice.field for notice in report.notices] == ["configuration.undocumented"]


def test_a_connector_that_is_not_pinned_takes_what_it_is_given(tmp_path: Path) -> None:
    custom = source(connector="11111111-2222-3333-4444-555555555555", configuration={"anything": ["goes"]})

    assert check(tmp_path, custom) == []


def test_a_mask_is_refused_even_where_nothing_is_known_of_the_connector(tmp_path: Path) -> None:
    custom = source(connector="11111111-2222-3333-4444-555555555555", configuration={"keys": [{"key": MASK}]})

    assert check(tmp_path, custom)[0].startswith("keys[0].key: is the mask")


def pinned(spec: Document) -> Document:
    """A connector of its own, and nothing else about it."""
    return {"connector": "source-own", "definition_id": "11111111-2222-3333-4444-555555555555", "spec": spec}


BROKEN_SPECS: list[tuple[Document, str]] = [
    ({"type": "objekt"}, "spec: is no JSON Schema"),
    ({"properties": {"a": {"$ref": "https://example.invalid/a.json"}}}, "spec: points to what it doesn't have"),
    ({"properties": {"a": {"$ref": "#/definitions/gone"}}}, "spec: points to what it doesn't have"),
]


@pytest.mark.parametrize(("spec", "expected"), BROKEN_SPECS)
def test_a_pinned_specification_that_can_not_be_used_is_reported(spec: Document, expected: str, tmp_path: Path) -> None:
    changes = {
        "_connectors/source-own.json": pinned(spec),
        "shop/_source.json": source(connector="source-own", configuration={"a": 1}),
    }

    problems = problems_of(tmp_path, changes)

    assert len(problems) == 1
    assert problems[0].split(": ", maxsplit=1)[1].startswith(expected)


def test_a_pattern_of_another_language_is_left_to_the_server(tmp_path: Path) -> None:
    spec: Document = {"properties": {"a": {"type": "string", "pattern": "^\\p{Alnum}+$"}}}
    changes = {
        "_connectors/source-own.json": pinned(spec),
        "shop/_source.json": source(connector="source-own", configuration={"a": "x"}),
    }

    assert problems_of(tmp_path, changes) == []


def test_secrets_inside_lists_are_secrets(tmp_path: Path) -> None:
    key = {"type": "object", "properties": {"key": {"type": "string", "airbyte_secret": True}}}
    changes = {
        "_connectors/source-own.json": pinned({"properties": {"keys": {"type": "array", "items": key}}}),
        "shop/_source.json": source(connector="source-own", configuration={"keys": [{"key": PASSWORD}, {"key": "x"}]}),
    }

    problems = problems_of(tmp_path, changes)

    assert len(problems) == 1
    assert "configuration.keys[1].key: is a secret in plain text" in problems[0]


def test_a_value_that_a_stack_does_not_have_is_reported_for_each_such_stack(tmp_path: Path) -> None:
    full = StackValues("prod", frozenset({"landing_bucket", "s3_secret_access_key"}))
    empty = StackValues("sandbox", frozenset())

    assert problems_of(tmp_path, {}, full, empty) == [
        (
            '_destinations/s3.json:4: configuration.s3_bucket_name: the value "landing_bucket" is not set in the stack '
            "sandbox: run `pulumi config set --stack sandbox lotus:landing_bucket`"
        ),
        (
            '_destinations/s3.json:9: configuration.secret_access_key: the secret "s3_secret_access_key" is not set in '
            "the stack sandbox: run `pulumi config set --secret --stack sandbox lotus:s3_secret_access_key`"
        ),
    ]


def test_a_destination_that_no_source_uses_needs_no_values(tmp_path: Path) -> None:
    spare = destination(name="Spare", configuration=destination()["configuration"])
    elsewhere: Document = {"connector": "11111111-2222-3333-4444-555555555555", "configuration": {}}
    changes: Files = {"_destinations/spare.json": spare, "_destinations/s3.json": elsewhere}

    assert problems_of(tmp_path, changes, StackValues("prod", frozenset())) == []


def test_a_stack_without_a_landing_zone_is_reported_for_each_part_that_a_destination_takes(tmp_path: Path) -> None:
    changes: Files = {
        "_destinations/s3.json": destination(
            configuration={
                "s3_bucket_name": {"$landing": "bucket"},
                "s3_bucket_path": {"$landing": "prefix"},
                "s3_bucket_region": "us-west-1",
                "secret_access_key": {"$landing": "secret_access_key"},
                "format": {"format_type": "Parquet"},
                "s3_path_format": PATH_FORMAT,
            }
        )
    }
    bare, full = StackValues("dev", frozenset()), StackValues("prod", frozenset({"landingZone"}))

    problems = problems_of(tmp_path, changes, bare, full)

    assert [line.partition(": ")[2].partition(":")[0] for line in problems] == [
        "configuration.s3_bucket_name",
        "configuration.s3_bucket_path",
        "configuration.secret_access_key",
    ]
    assert all("the stack dev has no landing zone" in line for line in problems)


def test_a_public_part_of_the_landing_zone_can_not_stand_for_a_secret(tmp_path: Path) -> None:
    configuration = dict(cast("dict[str, object]", destination()["configuration"]))
    configuration["secret_access_key"] = {"$landing": "bucket"}

    [problem] = problems_of(tmp_path, {"_destinations/s3.json": destination(configuration=configuration)})

    assert "configuration.secret_access_key: is a secret, but the reference is not" in problem
