"""Sources of other engines: what their files may have, and what their modules must have."""

import shutil
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from lotus_infra.lake.capabilities import READERS, TABLE
from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.diagnostics import LocatedDiagnostic
from lotus_infra.lake.json_schema import json_schema
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.report import Report, check_lake
from tests.support.lakes import Document, Files, clean_files, destination, source, stream, told, write

MODULE = """
import dlt


@dlt.resource
def orders(url: str, key: str):
    yield {"id": 1}


@dlt.source
def erp(url: str, api_key: str = dlt.secrets.value, page_size: int = 100):
    return orders(url, api_key)
"""


def erp(**overrides: object) -> Document:
    clean: Document = {
        "engine": "dlt",
        "configuration": {"url": {"$config": "erp_url"}, "api_key": {"$secret": "erp_api_key"}},
        "destination": "s3",
    }
    return clean | overrides


def dlt_report(project: Path, changes: Files, module: str | None = MODULE) -> Report:
    """Check a project with a lake of an Airbyte and a dlt source, with some files of the lake changed."""
    files = clean_files() | {"erp/_source.json": erp(), "erp/orders.json": stream()} | dict(changes)
    write(project, {"Pulumi.yaml": "name: lotus-lake\n", "dagster/sources/erp.py": module})
    return check_lake(write(project / "streams", files))


def dlt_problems(project: Path, changes: Files, module: str | None = MODULE) -> list[str]:
    return told_all(dlt_report(project, changes, module).problems, project)


def told_all(found: tuple[LocatedDiagnostic, ...], project: Path) -> list[str]:
    return [told(each, project / "streams") for each in found]


def test_a_source_with_a_module_is_clean(tmp_path: Path) -> None:
    report = dlt_report(tmp_path, {})

    assert told_all(report.problems, tmp_path) == []
    assert told_all(report.notices, tmp_path) == []


def test_a_lake_that_is_in_no_project_has_no_modules_to_check(tmp_path: Path) -> None:
    files = clean_files() | {"erp/_source.json": erp(), "erp/orders.json": stream()}

    report = check_lake(write(tmp_path, files))

    assert report.lake.modules is None
    assert report.problems == ()


def test_a_lake_of_airbyte_alone_reads_no_module(tmp_path: Path) -> None:
    write(tmp_path, {"Pulumi.yaml": "name: lotus-lake\n", "dagster/sources/shop.py": "not Python at all"})
    lake = load_lake(write(tmp_path / "streams", clean_files())).lake

    assert lake.modules is None


def test_a_module_is_never_run(tmp_path: Path) -> None:
    assert dlt_problems(tmp_path, {}, f"raise SystemExit('ran')\n{MODULE}") == []


MODULES: list[tuple[str | None, str]] = [
    (None, "2: engine: there is no dagster/sources/erp.py: write it with `@dlt.source` above `def erp(…):`"),
    ("def erp(:", "2: engine: dagster/sources/erp.py: line 1 is not Python"),
    ("import dlt\n", '2: engine: dagster/sources/erp.py has no function "erp": write `@dlt.source` above'),
    (
        "import dlt\n@dlt.source\ndef erb():\n    pass\n",
        '2: engine: dagster/sources/erp.py has no function "erp": did you mean "erb"?',
    ),
    ("def erp():\n    pass\n", '2: engine: "erp" in dagster/sources/erp.py is not a function with @dlt.source'),
    ("import dlt\nerp = dlt.source(print)\n", '2: engine: "erp" in dagster/sources/erp.py is not a function'),
    (
        "from other import source\n@source\ndef erp():\n    pass\n",
        '2: engine: "erp" in dagster/sources/erp.py is not a',
    ),
    (
        "import dlt\n@dlt.resource\ndef erp():\n    pass\n",
        '2: engine: "erp" in dagster/sources/erp.py is not a function',
    ),
    ("import dlt\n@dlt.source\nasync def erp():\n    pass\n", '2: engine: "erp" in dagster/sources/erp.py is async'),
]


@pytest.mark.parametrize(("module", "expected"), MODULES)
def test_a_module_that_has_no_source_of_its_name_is_reported(module: str | None, expected: str, tmp_path: Path) -> None:
    [problem] = dlt_problems(tmp_path, {}, module)

    assert problem.startswith(f"erp/_source.json:{expected}")


@pytest.mark.parametrize(
    "text",
    [
        "import dlt\n@dlt.source\ndef erp(url, api_key): ...\n",
        "import dlt\n@dlt.source(name='other', max_table_nesting=0)\ndef erp(*, url, api_key=None): ...\n",
        "import dlt as d\n@d.source\ndef erp(**given): ...\n",
        "from dlt import source\n@source\ndef erp(url, api_key): ...\n",
        "from dlt import source as reads\n@reads()\ndef erp(url, api_key): ...\n",
        "import dlt.sources\nfrom dlt.extract.decorators import source\n@source\ndef erp(url, api_key): ...\n",
        "# -*- coding: latin-1 -*-\nimport dlt\n@dlt.source\ndef erp(url, api_key):\n    return '\\d'\n",
    ],
)
def test_every_way_to_write_a_source_is_found(text: str, tmp_path: Path) -> None:
    assert dlt_problems(tmp_path, {}, text) == []


def test_a_module_of_another_name_is_named_by_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"dagster/sources/shared_erp.py": MODULE.replace("def erp", "def shared_erp")})

    assert dlt_problems(tmp_path, {"erp/_source.json": erp(module="shared_erp")}, None) == []
    [problem] = dlt_problems(tmp_path, {"erp/_source.json": erp(module="shared")}, None)
    assert "module: there is no dagster/sources/shared.py" in problem


CONFIGURATIONS: list[tuple[Document, str]] = [
    (
        {"url": "x", "api_key": {"$secret": "k"}, "page_sise": 5},
        '8: configuration.page_sise: is not a parameter of "erp" in dagster/sources/erp.py: did you mean "page_size"?',
    ),
    (
        {"api_key": {"$secret": "k"}},
        '3: configuration: lacks "url", which "erp" in dagster/sources/erp.py requires: add "url": …',
    ),
    (
        {"url": "x"},
        '3: configuration: lacks "api_key", which "erp" in dagster/sources/erp.py requires: add "api_key": {',
    ),
    (
        {"url": "x", "api_key": "plain"},
        '5: configuration.api_key: is a secret in plain text: keep the value in the stack: {"$secret": "erp_api_key"}',
    ),
    (
        {"url": "x", "api_key": {"$config": "erp_api_key"}},
        "5: configuration.api_key: is a secret in plain text: keep the value in the stack",
    ),
    (
        {"url": "x", "api_key": {"$secret": "k", "rotates": True}},
        '5: configuration.api_key: is marked "rotates", and dlt does not write a secret back: leave "rotates" out',
    ),
    (
        {"url": "x", "api_key": {"$secrt": "k"}},
        '5: configuration.api_key: $secrt is not a kind of reference: did you mean "$secret"?',
    ),
]


@pytest.mark.parametrize(("configuration", "expected"), CONFIGURATIONS)
def test_a_configuration_that_the_source_does_not_take_is_reported(
    configuration: Document, expected: str, tmp_path: Path
) -> None:
    problems = dlt_problems(tmp_path, {"erp/_source.json": erp(configuration=configuration)})

    assert any(problem.startswith(f"erp/_source.json:{expected}") for problem in problems)
    assert len(problems) == 1 + ("$secrt" in str(configuration))


def test_a_source_with_a_type_of_secrets_takes_no_plain_text(tmp_path: Path) -> None:
    module = "import dlt\nfrom dlt import TSecretStrValue\n@dlt.source\ndef erp(token: TSecretStrValue = ''): ...\n"

    [problem] = dlt_problems(tmp_path, {"erp/_source.json": erp(configuration={"token": "abc"})}, module)

    assert "configuration.token: is a secret in plain text" in problem


SETTINGS: list[tuple[str, Document]] = [
    ("connections", {"connections": {"daily": {}}}),
    ("namespace_definition", {"namespace_definition": "source"}),
    ("tags", {"tags": ["sales"]}),
    ("non_breaking_changes", {"non_breaking_changes": "ignore"}),
    ("notify_schema_changes", {"notify_schema_changes": True}),
    ("resource_allocation.jobs", {"resource_allocation": {"jobs": {"sync": {"cpu_limit": "1"}}}}),
]


@pytest.mark.parametrize(("field", "change"), SETTINGS)
def test_a_setting_that_only_airbyte_has_is_refused(field: str, change: Document, tmp_path: Path) -> None:
    own = erp(**change)
    if field == "connections":
        del own["destination"]

    problems = dlt_problems(tmp_path, {"erp/_source.json": own})

    assert len(problems) == 1
    assert f" {field}: is not a setting of dlt: " in problems[0]


STREAM_SETTINGS: list[tuple[str, Document]] = [
    ("namespace", {"namespace": "public"}),
    ("include_files", {"include_files": False}),
    ("destination_object_name", {"destination_object_name": "x"}),
    (
        "mappers",
        {
            "mappers": [
                {
                    "type": "hashing",
                    "configuration": {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": ""},
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("field", "change"), STREAM_SETTINGS)
def test_a_setting_of_a_stream_that_only_airbyte_has_is_refused(field: str, change: Document, tmp_path: Path) -> None:
    problems = dlt_problems(tmp_path, {"erp/orders.json": stream(**change)})

    assert any(f" {field}: is not a setting of dlt: " in problem for problem in problems)


def test_settings_that_both_engines_have_are_fine(tmp_path: Path) -> None:
    own = erp(
        name="Our ERP",
        namespace="erp_eu",
        namespace_definition="custom_format",
        prefix="v1_",
        schedule={"type": "cron", "cron": "0 15 * ? * MON-FRI", "time_zone": "Europe/Berlin"},
        status="inactive",
        resource_allocation={"default": {"memory_limit": "2Gi"}},
    )

    changes = {
        "erp/_source.json": own,
        "erp/orders.json": stream(sync_mode="full_refresh", cursor_field=[], backfill="2026-02-01"),
    }
    assert dlt_problems(tmp_path, changes) == []


def test_a_module_beside_a_connector_is_refused(tmp_path: Path) -> None:
    [problem] = dlt_problems(tmp_path, {"shop/_source.json": source(module="shop")})

    assert problem.endswith('module: is not a setting of Airbyte: delete it, or write "engine": "dlt"')


@pytest.mark.parametrize(
    ("sync_mode", "mode", "fitting"),
    [("incremental", "append_dedup", "append"), ("full_refresh", "overwrite_dedup", "append or overwrite")],
)
def test_a_mode_that_dlt_does_not_write_is_refused(sync_mode: str, mode: str, fitting: str, tmp_path: Path) -> None:
    problems = dlt_problems(
        tmp_path, {"erp/orders.json": stream(sync_mode=sync_mode, destination_sync_mode=mode, cursor_field=[])}
    )

    remedy = f"write {fitting}: the model keeps the latest row of each key"
    assert f"erp/orders.json:4: destination_sync_mode: {mode} is not a mode of dlt: {remedy}" in problems


def test_a_stream_may_be_read_in_full_and_overwritten(tmp_path: Path) -> None:
    own = stream(sync_mode="full_refresh", destination_sync_mode="overwrite", cursor_field=[])

    assert dlt_problems(tmp_path, {"erp/orders.json": own}) == []


SCHEDULES: list[tuple[Document, str]] = [
    ({"type": "cron", "cron": "0 0 6 LW * ?"}, 'schedule.cron: has the day "LW", which Dagster can\'t express'),
    ({"type": "cron", "cron": "0 0 6 * *"}, "schedule.cron: has 5 parts instead of 6 or 7"),
    ({"type": "basic", "every": "7 hours"}, 'schedule.every: "7 hours" is no part of an hour or a day'),
]


@pytest.mark.parametrize(("schedule", "expected"), SCHEDULES)
def test_a_schedule_that_dagster_can_not_run_is_refused(schedule: Document, expected: str, tmp_path: Path) -> None:
    [problem] = dlt_problems(tmp_path, {"erp/_source.json": erp(schedule=schedule)})

    assert expected in problem


def test_airbyte_runs_schedules_that_dagster_lacks(tmp_path: Path) -> None:
    assert dlt_problems(tmp_path, {"shop/_source.json": source(schedule={"type": "basic", "every": "7 hours"})}) == []


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_an_overlay_can_change_schedule_and_status_and_leave_the_source_out(stack: str, tmp_path: Path) -> None:
    changes = {"schedule": {"type": "basic", "every": "6 hours"}, "status": "inactive"}
    overlay: Document = {"sources": {"erp": {"deployed": False} if stack == "dev" else changes}}

    assert dlt_problems(tmp_path, {f"_stacks/{stack}.json": overlay}) == []


def test_a_stacks_own_schedule_that_dagster_can_not_run_is_reported_in_its_file(tmp_path: Path) -> None:
    overlay: Document = {"sources": {"erp": {"schedule": {"type": "basic", "every": "5 hours"}}}}

    [problem] = dlt_problems(tmp_path, {"_stacks/prod.json": overlay})

    assert problem.startswith("_stacks/prod.json:6: sources.erp.schedule.every:")


def test_another_destination_than_the_landing_bucket_is_refused(tmp_path: Path) -> None:
    archive = destination(
        configuration={"s3_bucket_name": "archive", "s3_bucket_path": "raw", "s3_bucket_region": "us-west-1"}
    )
    landing = destination()
    landing["configuration"] = {**dict(landing["configuration"]), "s3_bucket_name": {"$landing": "bucket"}}  # type: ignore[call-overload]
    changes = {
        "_destinations/archive.json": archive,
        "_destinations/s3.json": landing,
        "erp/_source.json": erp(destination="archive"),
    }

    problems = [each for each in dlt_problems(tmp_path, changes) if each.startswith("erp/")]

    assert problems == [
        'erp/_source.json:11: destination: "archive" is not the landing bucket, and dlt writes there alone: write s3'
    ]


def test_a_stream_that_is_no_resource_of_the_module_is_a_notice(tmp_path: Path) -> None:
    report = dlt_report(tmp_path, {"erp/orders.json": None, "erp/order.json": stream(stream="order")})

    assert report.problems == ()
    assert told_all(report.notices, tmp_path) == [
        'erp/order.json:2: stream: "order" is no resource of dagster/sources/erp.py: did you mean "orders"?'
    ]


def test_two_runs_of_one_name_in_dagster_are_reported(tmp_path: Path) -> None:
    write(tmp_path, {"dagster/sources/a.py": MODULE.replace("def erp", "def a")})
    changes = {
        "a/_source.json": erp(module="a"),
        "a/b.json": stream(),
        "a_b/_source.json": erp(module="a"),
        "a_b/orders.json": stream(),
    }

    problems = dlt_problems(tmp_path, changes)

    what = 'the job "a_b_dlt" is already that of a/b.json'
    assert problems == [f"a_b/_source.json:1: (file): {what}: rename one of the two source folders"]


def test_the_values_of_a_source_with_a_module_are_those_of_the_stack(tmp_path: Path) -> None:
    names = dlt_report(tmp_path, {}).lake.value_names

    assert names is not None
    assert {"erp_url", "erp_api_key"} <= names.keys()


def test_the_table_says_the_same_of_an_engine_in_every_place() -> None:
    assert {engine: {row.reader.label for (each, _), row in TABLE.items() if each == engine} for engine in READERS} == {
        "airbyte": {"Airbyte"},
        "dlt": {"dlt"},
    }


def test_every_rule_is_quiet_on_a_lake_of_both_engines(tmp_path: Path) -> None:
    lake = dlt_report(tmp_path, {}).lake

    assert {rule.__name__: list(rule(lake)) for rule in CHECKS} == {rule.__name__: [] for rule in CHECKS}


def test_the_modules_of_the_example_are_sources(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "erp-and-market-place"
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    write(tmp_path, {"Pulumi.yaml": "name: lotus-lake\n"})

    report = check_lake(write(tmp_path / "streams", clean_files()))

    assert (report.problems, report.notices) == ((), ())
    assert report.lake.modules is not None
    assert {name: module.has_others for name, module in report.lake.modules.items()} == {"faire": False, "odoo": False}


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        (erp(), True),
        (erp(module="shared", schedule={"type": "manual"}), True),
        (erp(engine="dltt"), False),
        (erp(modul="shared"), False),
    ],
)
def test_an_editor_knows_the_keys_of_a_source_with_a_module(document: Document, valid: bool) -> None:  # noqa: FBT001
    assert Draft7Validator(json_schema("source")).is_valid(document) is valid
