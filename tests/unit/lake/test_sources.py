"""A source's own settings."""

from pathlib import Path

import pytest

from lotus_infra.lake.references import StackValues
from lotus_infra.lake.report import check_lake
from tests.support.lakes import Document, Files, clean_files, destination, problems_of, source, stream, write

UUID = "dfd88b22-b603-4c3d-aad7-3701784586b1"


def test_a_source_without_a_selected_stream_is_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/orders.json": stream(selected=False)}) == [
        "shop/_source.json:1: (file): none of its streams is selected: select a stream, or delete the folder"
    ]


def test_a_source_without_streams_is_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"idle/_source.json": source(name="Idle")}) == [
        "idle/_source.json:1: (file): has no streams: select a stream, or delete the folder"
    ]


def test_a_source_whose_streams_can_not_be_read_is_not_called_empty(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/orders.json": ""})

    assert [problem.split(":")[0] for problem in problems] == ["shop/orders.json"]


WRONG: list[tuple[Document, str]] = [
    ({"destination": "s4"}, '5: destination: there is no destination "s4": add _destinations/s4.json or name one'),
    (
        {"destination": "lake"},
        '5: destination: there is no destination "lake": add _destinations/lake.json or name one of s3',
    ),
    (
        {"connector": "source-fakr"},
        '2: connector: the connector "source-fakr" is not pinned: did you mean "source-faker"?',
    ),
    (
        {"connector": "source-zzz"},
        '2: connector: the connector "source-zzz" is not pinned: run `lotus connector add source-zzz`',
    ),
    (
        {"connector": "destination-s3"},
        '2: connector: "destination-s3" is not a source connector: name a connector that starts with',
    ),
    ({"schedule": {"type": "cron"}}, "6: schedule.cron: is required for a cron schedule: write when to sync, such as"),
    (
        {"schedule": {"type": "cron", "cron": "* * * * * ?"}},
        "8: schedule.cron: seconds must be a number: write 0 first",
    ),
    ({"schedule": {"type": "manual", "cron": "0 0 * * * ?"}}, "8: schedule.cron: is never used by a manual schedule"),
    (
        {"schedule": {"type": "basic"}},
        '6: schedule.every: is required for a basic schedule: write how often to sync, such as "1 hours"',
    ),
    ({"schedule": {"type": "basic", "every": "hourly"}}, '8: schedule.every: "hourly" is no interval: write a number'),
    (
        {"schedule": {"type": "basic", "every": "1 hours", "time_zone": "UTC"}},
        "9: schedule.time_zone: is never used by a basic schedule: delete it",
    ),
    (
        {"schedule": {"type": "cron", "cron": "0 0 * * * ?", "time_zone": "Europe/Berln"}},
        '9: schedule.time_zone: there is no time zone "Europe/Berln": did you mean "Europe/Berlin"?',
    ),
]


@pytest.mark.parametrize(("change", "expected"), WRONG)
def test_a_setting_that_can_not_work_is_reported(change: Document, expected: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/_source.json": source(configuration={}) | change})

    assert len(problems) == 1
    assert problems[0].startswith(f"shop/_source.json:{expected}")


RIGHT: list[Document] = [
    {"schedule": {"type": "cron", "cron": "0 0 * * * ?"}},
    {"schedule": {"type": "cron", "cron": "0 0 * * * ?", "time_zone": "Europe/Berlin"}},
    {"schedule": {"type": "basic", "every": "1 hours"}},
    {"schedule": {"type": "manual"}},
    {"connector": UUID},
    {"connector": UUID.upper()},
    {"connector": "11111111-2222-3333-4444-555555555555"},
]


@pytest.mark.parametrize("change", RIGHT)
def test_a_setting_that_works_is_no_problem(change: Document, tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/_source.json": source(**change)}) == []


def test_the_id_of_a_destinations_definition_is_no_source(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/_source.json": source(connector="4816b78f-1489-44c1-9060-4b19d5fa9362")})

    assert '"destination-s3" is not a source' in problems[0]


def test_a_sources_connector_is_no_destination(tmp_path: Path) -> None:
    wrong = destination(connector="source-faker", configuration={})

    assert problems_of(tmp_path, {"_destinations/s3.json": wrong}) == [
        (
            '_destinations/s3.json:2: connector: "source-faker" is not a destination connector: '
            'name a connector that starts with "destination-"'
        )
    ]


def test_a_source_whose_destination_can_not_be_read_is_not_reported_as_missing(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"_destinations/s3.json": "{"})

    assert [problem.split(":")[0] for problem in problems] == ["_destinations/s3.json"]


SPEC: Document = {"type": "object"}
PINS: list[tuple[str, Document, str]] = [
    ("source-x", {}, "1: (file): has no definition: add the definition_id that Airbyte has, or the image"),
    (
        "source-x",
        {"definition_id": UUID, "manifest": "source-x.yaml"},
        "4: manifest: is a second definition, beside definition_id: delete one of the two",
    ),
    ("source-x", {"definition_id": {"$secret": "a"}}, "3: definition_id: is no reference to a value of the stack"),
    ("source-x", {"definition_id": "x"}, "3: definition_id: is not a definition id"),
    ("destination-x", {"manifest": "destination-x.yaml"}, "3: manifest: is of a destination, which has no manifests"),
    ("source-x", {"manifest": "../x.yaml"}, "3: manifest: is not a YAML file of this folder"),
    ("source-x", {"manifest": "gone.yaml"}, "3: manifest: there is no gone.yaml beside it"),
    ("source-x", {"image": {"repository": "a/b"}}, "3: image.tag: is missing"),
    ("source-x", {"image": {"repository": "a b", "tag": "1"}}, "4: image.repository: is empty or has blanks"),
    ("source-x", {"image": {"repository": "a/b", "tag": ""}}, "5: image.tag: is empty or has blanks"),
]


@pytest.mark.parametrize(("name", "pin", "told"), PINS)
def test_a_pinned_connector_has_one_definition(tmp_path: Path, name: str, pin: Document, told: str) -> None:
    files: Files = {
        f"_connectors/{name}.json": {"connector": name, **pin, "spec": SPEC},
        "_connectors/source-x.yaml": "type: DeclarativeSource",
        "_connectors/destination-x.yaml": "type: DeclarativeSource",
    }
    found = problems_of(tmp_path, files)
    assert [problem for problem in found if told in problem], found


def test_a_connector_of_ones_own_and_an_id_by_stack_are_no_mistakes(tmp_path: Path) -> None:
    assert (
        problems_of(
            tmp_path,
            {
                "_connectors/source-x.json": {"connector": "source-x", "manifest": "source-x.yaml", "spec": SPEC},
                "_connectors/source-x.yaml": "type: DeclarativeSource",
                "_connectors/source-y.json": {
                    "connector": "source-y",
                    "image": {"repository": "a/b", "tag": "1"},
                    "spec": SPEC,
                },
                "_connectors/source-z.json": {
                    "connector": "source-z",
                    "definition_id": {"$config": "z_definition"},
                    "spec": SPEC,
                },
            },
        )
        == []
    )


def test_the_default_of_a_secret_of_ones_own_connector_is_a_notice(tmp_path: Path) -> None:
    secret: Document = {"type": "string", "airbyte_secret": True, "default": "a-value"}
    spec: Document = {"type": "object", "properties": {"token": secret, "host": {"type": "string", "default": "h"}}}
    pin: Document = {"connector": "source-x", "image": {"repository": "a/b", "tag": "1"}, "spec": spec}
    write(tmp_path, clean_files() | {"_connectors/source-x.json": pin})

    report = check_lake(tmp_path)

    assert report.problems == ()
    [told] = [str(each) for each in report.notices if "source-x.json" in str(each)]
    assert "spec.properties.token.default: is the default of a secret" in told
    assert "a-value" not in told


def test_an_id_by_stack_is_a_value_that_each_stack_must_have(tmp_path: Path) -> None:
    pin: Document = {"connector": "source-y", "definition_id": {"$config": "y_definition"}, "spec": SPEC}
    files: Files = {"_connectors/source-y.json": pin, "shop/_source.json": source(connector="source-y")}

    def told(*names: str, encrypted: tuple[str, ...] = ()) -> list[str]:
        stack = StackValues("dev", frozenset({"s3_secret_access_key", "landing_bucket", *names}), frozenset(encrypted))
        return [
            each for each in problems_of(tmp_path / "-".join(("x", *names, *encrypted)), files, stack) if "y_" in each
        ]

    assert told("y_definition") == []
    assert [each.partition(": run")[0] for each in told()] == [
        '_connectors/source-y.json:3: definition_id: the value "y_definition" is not set in the stack dev'
    ]
    assert ["is encrypted" in each for each in told("y_definition", encrypted=("y_definition",))] == [True]
