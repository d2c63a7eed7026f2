"""What differs by stack: how an overlay changes a lake, and what `lotus check` reports of one."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.drift import patch_of
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.lake import find_source
from lotus_infra.lake.loader import load_lake, load_stack_lake, load_usable_lake
from lotus_infra.lake.overlays import for_stack
from lotus_infra.lake.references import StackValues
from lotus_infra.plan.drift import Drift, DriftedObject, PropertyDrift
from tests.support.lakes import (
    Document,
    Files,
    clean_files,
    destination,
    discovered,
    problems_of,
    source,
    stream,
    write,
)

FULL = "config:\n  lotus:landing_bucket: landing\n  lotus:s3_secret_access_key:\n    secure: v1:abc\n"
HOURLY = {"type": "cron", "cron": "0 0 * * * ?"}
DAILY = {"type": "cron", "cron": "0 0 6 * * ?"}
SECOND: Files = {
    "crm/_source.json": source(name="CRM", configuration={"count": {"$config": "crm_count", "as": "integer"}}),
    "crm/deals.json": stream(stream="deals"),
    "crm/_discovered/deals.json": discovered(stream="deals"),
    "_destinations/s3_staging.json": destination(name="S3 of staging"),
}


def overlay(**sources: object) -> Document:
    return {"sources": sources}


def problems(directory: Path, staging: object, changes: Files | None = None) -> list[str]:
    """The problems of a lake with two sources, and with an overlay of the stack staging."""
    text = staging if isinstance(staging, str) else json.dumps(staging, indent=2)
    return problems_of(directory, {**SECOND, **(changes or {}), "_stacks/staging.json": text})


def project(directory: Path, files: Files, **stacks: str) -> Path:
    """A Pulumi project around a lake with two sources; returns the lake's folder."""
    (directory / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    for stack, content in stacks.items():
        (directory / f"Pulumi.{stack}.yaml").write_text(content)
    return write(directory / "streams", {**clean_files(), **SECOND, **files})


def reported(lake: Path, *stacks: str) -> tuple[list[str], list[str]]:
    """Problems and notices, each with its file's name alone."""
    found = check_lake_files(lake, stacks)
    start = f"{lake.parent.as_posix()}/"
    return [str(each).removeprefix(start) for each in found.problems], [
        str(each).removeprefix(start) for each in found.notices
    ]


def test_an_overlay_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    given = overlay(crm={"deployed": False}, shop={"schedule": HOURLY, "destination": "s3_staging"})
    base = load_lake(write(tmp_path, {**clean_files(), **SECOND, "_stacks/staging.json": given})).lake

    staging = for_stack(base, "staging")

    [shop] = staging.sources
    [left_out] = staging.undeployed
    before = find_source(base, "shop")
    assert (left_out.name, shop.name, shop.streams, shop.offered) == ("crm", "shop", before.streams, before.offered)
    assert shop.config is not None
    assert (shop.config.destination, shop.config.schedule.cron) == ("s3_staging", "0 0 * * * ?")
    assert shop.config.configuration == {"count": 10}
    assert [each.name for each in base.sources] == ["crm", "shop"]
    assert for_stack(base, "prod").sources == base.sources
    assert for_stack(base, "organization/lotus/staging").sources == staging.sources


def test_a_source_that_a_stack_leaves_out_is_named_as_that(tmp_path: Path) -> None:
    files = {**clean_files(), **SECOND, "_stacks/staging.json": overlay(crm={"deployed": False})}
    staging = load_usable_lake(write(tmp_path, files), "staging")

    with pytest.raises(LotusError, match=r'"crm" is not deployed in the stack staging: delete .*_stacks/staging\.json'):
        find_source(staging, "crm")


def test_an_overlay_that_cant_be_read_is_never_taken_for_none(tmp_path: Path) -> None:
    write(tmp_path, {**clean_files(), "_stacks/staging.json": "{"})

    with pytest.raises(LakeError, match=r"_stacks/staging\.json can't be used"):
        load_stack_lake(tmp_path, "staging")
    assert load_stack_lake(tmp_path, "prod").stack == "prod"


def test_an_overlay_of_today_and_one_of_each_setting_are_no_problem(tmp_path: Path) -> None:
    fine = overlay(crm={"deployed": False}, shop={"schedule": DAILY, "destination": "s3_staging", "status": "inactive"})
    assert problems(tmp_path, fine) == []


MISTAKES = [
    (overlay(), "_stacks/staging.json:1: (file): changes nothing"),
    ({}, "_stacks/staging.json:1: (file): changes nothing"),
    (
        {"source": {"crm": {"deployed": False}}},
        '_stacks/staging.json:2: source: is not a known key: did you mean "sources"?',
    ),
    (overlay(shop={"shedule": HOURLY}), 'sources.shop.shedule: is not a known key: did you mean "schedule"?'),
    (overlay(shop={"deployed": "no"}), "sources.shop.deployed: must be true or false, not a string"),
    (overlay(shop={"status": "off"}), 'sources.shop.status: "off" is not a valid value: write one of active, inactive'),
    (
        overlay(shop={"schedule": HOURLY | {"timezone": "UTC"}}),
        'sources.shop.schedule.timezone: is not a known key: did you mean "time_zone"?',
    ),
    (
        overlay(shop={"connections": {"shop": {"shedule": HOURLY}}}),
        'sources.shop.connections.shop.shedule: is not a known key: did you mean "schedule"?',
    ),
    (overlay(shp={"deployed": False}), '_stacks/staging.json:3: sources.shp: there is no source "shp": did you mean'),
    (overlay(shop={}), "sources.shop: changes nothing: delete it"),
    (overlay(shop={"deployed": True}), "sources.shop: changes nothing: delete it"),
    (overlay(shop={"destination": "s3"}), "sources.shop.destination: is as in shop/_source.json, and changes nothing"),
    (
        overlay(shop={"deployed": False, "schedule": HOURLY}),
        "sources.shop.schedule: has no effect, because the source is not deployed",
    ),
    (
        overlay(shop={"connections": {"dayly": {"schedule": DAILY}}}),
        'sources.shop.connections.dayly: the source "shop" has no connection "dayly": name one of shop',
    ),
    (overlay(shop={"connections": {"shop": {}}}), "sources.shop.connections.shop: changes nothing"),
    (
        overlay(shop={"destination": "s3_stagin"}),
        'there is no destination "s3_stagin" (in the stack staging): did you mean "s3_staging"?',
    ),
    (
        overlay(shop={"connections": {"shop": {"schedule": {"type": "cron", "cron": "0 6 * * *"}}}}),
        "_stacks/staging.json:8: sources.shop.connections.shop.schedule.cron: ",
    ),
]


@pytest.mark.parametrize(("given", "told"), MISTAKES)
def test_a_mistake_in_an_overlay_is_reported_at_its_line(given: Document, told: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, given)
    assert told in problem
    assert problem.startswith("_stacks/staging.json:")


def test_a_collision_in_one_stack_only_names_the_stack(tmp_path: Path) -> None:
    elsewhere = destination(name="S3 of staging")
    elsewhere["configuration"]["s3_bucket_name"] = "a-bucket-of-staging"  # type: ignore[index]
    changes: Files = {
        "_destinations/s3_staging.json": elsewhere,
        "shop2/_source.json": source(name="Shop of staging", destination="s3_staging", namespace="shop"),
        "shop2/orders.json": stream(),
        "shop2/_discovered/orders.json": discovered(),
    }
    assert problems(tmp_path, overlay(crm={"deployed": False}), changes) == []

    [problem] = problems(tmp_path, overlay(shop={"destination": "s3_staging"}), changes)

    assert 'the prefix "' in problem
    assert "(in the stack staging)" in problem


def test_a_mistake_of_the_lake_is_reported_once_whatever_the_number_of_stacks(tmp_path: Path) -> None:
    wrong: Files = {
        "shop/_source.json": source(schedule={"type": "cron", "cron": "0 6 * * *"}),
        "_stacks/prod.json": overlay(crm={"status": "inactive"}),
    }
    [problem] = problems(tmp_path, overlay(crm={"deployed": False}), wrong)
    assert problem.startswith("shop/_source.json:")
    assert "stack" not in problem


def test_a_mistake_of_the_lake_that_a_stack_overlays_is_one_still(tmp_path: Path) -> None:
    wrong: Files = {"shop/_source.json": source(schedule={"type": "cron", "cron": "0 6 * * *"})}
    [problem] = problems(tmp_path, overlay(shop={"schedule": HOURLY}), wrong)
    assert problem.startswith("shop/_source.json:")


def test_a_destination_with_another_path_would_be_read_by_no_model(tmp_path: Path) -> None:
    moved = destination(name="S3 of staging")
    moved["configuration"]["s3_bucket_path"] = "staging"  # type: ignore[index]
    [problem] = problems(
        tmp_path, overlay(shop={"destination": "s3_staging"}), {"_destinations/s3_staging.json": moved}
    )
    assert problem == (
        "_stacks/staging.json:4: sources.shop.destination: writes shop/orders below staging/shop/orders/, and its "
        "models read it below raw/shop/orders/ (in the stack staging): give the destination the same s3_bucket_path"
    )


def test_a_value_of_a_source_that_a_stack_leaves_out_is_not_required_there(tmp_path: Path) -> None:
    staging, prod = StackValues("staging", frozenset()), StackValues("prod", frozenset())
    changes: Files = {
        **SECOND,
        "_destinations/s3.json": destination(configuration={}),
        "_stacks/staging.json": overlay(crm={"deployed": False}),
    }
    told = [each for each in problems_of(tmp_path, changes, staging, prod) if "crm_count" in each]
    assert [each.rpartition("stack ")[0].startswith("crm/_source.json:") for each in told] == [True]
    assert '"crm_count" is not set in the stack prod' in told[0]


def test_each_stack_needs_the_values_of_its_own_destinations(tmp_path: Path) -> None:
    named: Document = {"s3_bucket_name": {"$config": "staging_bucket"}, "s3_bucket_path": "raw"}
    own = destination(name="S3 of staging")
    own["configuration"] = {**own["configuration"], **named}  # type: ignore[dict-item]
    files: Files = {
        "_destinations/s3_staging.json": own,
        "_stacks/staging.json": overlay(shop={"destination": "s3_staging"}, crm={"deployed": False}),
    }
    lake = project(
        tmp_path,
        files,
        prod=FULL + "  lotus:crm_count: 3\n",
        staging="config:\n  lotus:s3_secret_access_key:\n    secure: v1:abc\n",
    )

    [problem], _ = reported(lake)

    assert problem.startswith("streams/_destinations/s3_staging.json:")
    assert 'the value "staging_bucket" is not set in the stack staging' in problem


def test_an_overlay_of_no_stack_of_the_project_is_a_problem(tmp_path: Path) -> None:
    files: Files = {"_stacks/stagin.json": overlay(crm={"deployed": False})}
    values = FULL + "  lotus:crm_count: 3\n"
    lake = project(tmp_path, files, prod=values, staging=values)
    [problem], _ = reported(lake)
    what = "is for the stack stagin, and the project has no Pulumi.stagin.yaml"
    assert problem == f'streams/_stacks/stagin.json:1: (file): {what}: did you mean "staging"?'


def test_a_value_that_no_deployed_source_refers_to_is_a_notice(tmp_path: Path) -> None:
    files: Files = {"_stacks/staging.json": overlay(crm={"deployed": False})}
    values = FULL + "  lotus:crm_count: 3\n"
    found, notices = reported(project(tmp_path, files, prod=values, staging=values))
    assert found == []
    what = "is of no use: the stack staging deploys no source that refers to it"
    assert notices == [f"Pulumi.staging.yaml:5: lotus:crm_count: {what}: delete it, or deploy the source"]


def test_one_stack_alone_is_checked_with_its_own_overlay_alone(tmp_path: Path) -> None:
    files: Files = {
        "_stacks/staging.json": overlay(shop={"schedule": {"type": "cron", "cron": "0 6 * * *"}}),
        "_stacks/prod.json": overlay(crm={"deployed": False}),
    }
    lake = project(tmp_path, files, prod=FULL, staging=FULL + "  lotus:crm_count: 3\n")
    assert reported(lake, "prod")[0] == []
    [problem], _ = reported(lake, "staging")
    assert "(in the stack staging)" in problem


def test_anything_else_in_the_folder_of_overlays_is_reported(tmp_path: Path) -> None:
    assert problems(tmp_path, overlay(crm={"deployed": False}), {"_stacks/notes.txt": "x"}) == [
        "_stacks/notes.txt:1: (file): is not a file that a lake has: this folder has <name>.json files only"
    ]


SEVERAL: Files = {
    "shop/_source.json": {
        "connector": "source-faker",
        "name": "Shop",
        "configuration": {"count": 10},
        "connections": {
            "hourly": {"streams": ["orders"], "schedule": HOURLY},
            "daily": {"streams": ["customers"], "schedule": DAILY, "destination": "s3_staging"},
        },
    },
    "shop/customers.json": stream(stream="customers"),
    "shop/_discovered/customers.json": discovered(stream="customers"),
}


def test_settings_of_a_source_are_those_of_all_its_connections_and_one_may_have_its_own(tmp_path: Path) -> None:
    given = overlay(shop={"status": "inactive", "connections": {"daily": {"schedule": HOURLY, "status": "active"}}})
    staging = load_stack_lake(write(tmp_path, {**clean_files(), **SECOND, **SEVERAL, "_stacks/a.json": given}), "a")
    hourly, daily = find_source(staging, "shop").connections
    assert [(each.config.status, each.config.schedule.cron, each.config.destination) for each in (hourly, daily)] == [
        ("inactive", "0 0 * * * ?", "s3"),
        ("active", "0 0 * * * ?", "s3_staging"),
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"destination": "s4"}, '4: sources.shop.destination: there is no destination "s4" (in the stack staging)'),
        (
            {"connections": {"daily": {"destination": "s4"}}},
            '6: sources.shop.connections.daily.destination: there is no destination "s4" (in the stack staging)',
        ),
        ({"connections": {"daily": {"schedule": DAILY}}}, "is what the connection has without it, and changes nothing"),
        ({"connections": {"dayly": {"schedule": HOURLY}}}, 'has no connection "dayly": did you mean "daily"?'),
        (
            {"status": "inactive", "connections": {key: {"status": "active"} for key in ("hourly", "daily")}},
            "sources.shop.status: has no effect, because each connection has one of its own",
        ),
    ],
)
def test_a_mistake_in_one_of_several_connections_is_reported_once(given: Document, told: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, overlay(shop=given), SEVERAL)
    assert problem.startswith("_stacks/staging.json:")
    assert told in problem


@pytest.mark.parametrize(
    ("own", "file", "indent"),
    [
        ({"schedule": HOURLY}, "_stacks/staging.json", 8),
        ({"status": "inactive"}, "shop/_source.json", 4),
    ],
)
def test_a_patch_of_drift_edits_the_file_that_sets_the_value_in_the_stack(
    own: Document, file: str, indent: int, tmp_path: Path
) -> None:
    given = overlay(shop=own)
    files = {**clean_files(), "shop/_source.json": source(schedule=HOURLY), "_stacks/staging.json": given}
    lake = write(tmp_path / "streams", files)
    live: Any = {"scheduleType": "cron", "cronExpression": "0 0 6 * * ?"}
    change = PropertyDrift(("schedule",), {}, {}, live)
    drifted = Drift((DriftedObject("connection", "shop", (change,), (), {"schedule": live}),), {})

    patch = patch_of(drifted, lake, "staging")

    assert f"+++ b/streams/{file}\n" in patch.text
    changed = [line for line in patch.text.splitlines() if line.startswith("+ ")]
    assert changed == [f'+{" " * indent}"cron": "0 0 6 * * ?"']
    assert patch.left == ()
