"""`lotus diff`: what differs between two stacks of one lake, by their files alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lotus_infra.commands.cli import lotus
from tests.support.lakes import Document, Files, clean_files, destination, discovered, source, stream, write

VALUES = """\
config:
  airbyte:serverUrl: https://airbyte.example.com/api/public/v1
  lotus:workspaceId: {workspace}
  lotus:landing_bucket: {bucket}
  lotus:crm_count: 3
  lotus:s3_secret_access_key:
    secure: v1:{bucket}
"""
STAGING = VALUES.format(workspace="11111111-1111-1111-1111-111111111111", bucket="landing-of-staging")
PROD = VALUES.format(workspace="22222222-2222-2222-2222-222222222222", bucket="landing")
ZONE = "  lotus:landingZone: {{server: aws, region: us-west-1, landing: {0}-l, backup: {0}-b, state: the-state}}\n"
DAGSTER = """\
  lotus:dagster:
    deploy: true
    chart: {{version: 1.13.27}}
    image: ghcr.io/example/lotus-dagster:{0}
    cluster: {{context: {0}}}
  lotus:dagster_db_password: {{secure: v1:x}}
  lotus:ducklake_db_password: {{secure: v1:x}}
"""
TWO: Files = {
    "crm/_source.json": source(name="CRM", configuration={"count": {"$config": "crm_count", "as": "integer"}}),
    "crm/deals.json": stream(stream="deals"),
    "crm/_discovered/deals.json": discovered(stream="deals"),
    "_destinations/s3_staging.json": destination(name="S3 of staging"),
}


def overlay(**sources: object) -> Document:
    return {"sources": sources}


def project(directory: Path, staging: str = STAGING, prod: str = PROD, files: Files | None = None) -> Path:
    """A project with two stacks around a lake with two sources; returns the lake's folder."""
    (directory / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    (directory / "Pulumi.staging.yaml").write_text(staging)
    (directory / "Pulumi.prod.yaml").write_text(prod)
    return write(directory / "streams", {**clean_files(), **TWO, **(files or {})})


def run(lake: Path, *arguments: str, stacks: tuple[str, ...] = ("staging", "prod")) -> Result:
    named = [word for stack in stacks for word in ("--stack", stack)]
    return CliRunner().invoke(lotus, ["diff", "--streams", str(lake), *named, *arguments])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [line.strip() for line in result.stdout.splitlines() if line.startswith("  ")]


def test_sources_schedules_destinations_and_status_differ_by_the_overlays(tmp_path: Path) -> None:
    daily = {"type": "cron", "cron": "0 0 6 * * ?", "time_zone": "Europe/Berlin"}
    files: Files = {
        "shop/_source.json": source(schedule={"type": "basic", "every": "1 hours"}),
        "_stacks/staging.json": overlay(
            crm={"deployed": False},
            shop={"schedule": daily, "destination": "s3_staging", "status": "inactive"},
        ),
    }
    assert lines(run(project(tmp_path, prod=STAGING, files=files))) == [
        "crm: staging not deployed, prod deployed",
        "shop destination: staging s3_staging, prod s3",
        "shop schedule: staging cron 0 0 6 * * ? Europe/Berlin, prod every 1 hours",
        "shop status: staging inactive, prod active",
        # The two stacks are equal here, except for what the workspaces are in a real project.
    ]


def test_values_workspace_and_landing_zone_are_shown_and_secrets_are_not(tmp_path: Path) -> None:
    staging = STAGING.replace("  lotus:s3_secret_access_key:\n    secure: v1:landing-of-staging\n", "")
    result = run(project(tmp_path, staging + ZONE.format("staging"), PROD + ZONE.format("prod")))
    assert lines(result) == [
        "landing_bucket: staging landing-of-staging, prod landing",
        "s3_secret_access_key: staging not set, prod set",
        "lotus:workspaceId: staging 11111111-1111-1111-1111-111111111111, prod 22222222-2222-2222-2222-222222222222",
        "lotus:landingZone.backup: staging staging-b, prod prod-b",
        "lotus:landingZone.landing: staging staging-l, prod prod-l",
    ]
    assert "v1:" not in result.output
    assert result.stdout.endswith("\n5 differences between staging and prod\n")


def test_a_secret_in_plain_text_is_not_shown(tmp_path: Path) -> None:
    secret = "  lotus:s3_secret_access_key: {}\n"
    cut = STAGING.index("  lotus:s3_secret")
    first, second = STAGING[:cut] + secret.format("tomato"), STAGING[:cut] + secret.format("potato")
    result = run(project(tmp_path, first, second))
    assert result.output == "No differences between staging and prod\n"


def test_a_default_and_the_same_value_written_out_are_no_difference(tmp_path: Path) -> None:
    prod = STAGING + '  lotus:production: false\n  lotus:protectSources: "false"\n'
    assert run(project(tmp_path, prod=prod)).output == "No differences between staging and prod\n"


def test_protection_that_follows_from_the_zone_is_no_difference_from_the_same_written_out(
    tmp_path: Path,
) -> None:
    staging = STAGING + ZONE.format("the")
    prod = staging + '  lotus:protectSources: "true"\n'
    assert "protectSources" not in run(project(tmp_path, staging, prod)).output


def test_dagster_differs_as_a_whole_or_by_its_parts(tmp_path: Path) -> None:
    zone = ZONE.format("the")
    alone = run(project(tmp_path, STAGING + zone, STAGING + zone + DAGSTER.format("0000000")))
    assert lines(alone) == [
        "lotus:dagster: staging not set, prod set",
        "lotus:dagster_db_password: staging not set, prod set",
        "lotus:ducklake_db_password: staging not set, prod set",
    ]
    both = run(
        project(tmp_path, STAGING + zone + DAGSTER.format("a1b2c3d"), STAGING + zone + DAGSTER.format("0000000"))
    )
    assert [line.partition(":")[2].partition(":")[0] for line in lines(both)] == [
        "dagster.cluster.context",
        "dagster.image",
    ]


def test_long_texts_of_one_length_still_differ(tmp_path: Path) -> None:
    first, second = (f"{STAGING}  kubernetes:kubeconfig: {char * 300}\n" for char in "ab")
    assert lines(run(project(tmp_path, first, second))) == [
        "kubernetes:kubeconfig: staging a text of 300 characters, prod another, a text of 300 characters"
    ]


def test_the_exit_code_says_whether_anything_differs_only_when_asked(tmp_path: Path) -> None:
    lake = project(tmp_path)
    assert run(lake).exit_code == 0
    assert run(lake, "--exit-code").exit_code == 1
    assert run(project(tmp_path, prod=STAGING), "--exit-code").exit_code == 0


def test_the_document_has_both_sides_of_each_difference(tmp_path: Path) -> None:
    files: Files = {"_stacks/staging.json": overlay(crm={"deployed": False})}
    result = run(project(tmp_path, prod=STAGING, files=files), "--json", "--exit-code", stacks=("prod", "staging"))
    assert json.loads(result.stdout) == {
        "ok": False,
        "same": False,
        "stacks": ["prod", "staging"],
        "differences": [{"group": "sources", "name": "crm", "first": "deployed", "second": "not deployed"}],
    }


@pytest.mark.parametrize(
    ("stacks", "told"),
    [
        (("staging",), "two stacks are needed for a comparison: pass --stack NAME twice, two of prod, staging"),
        (("staging", "org/lotus/staging"), "two stacks are needed for a comparison"),
        (("staging", "prod", "dev"), "the stack dev has no file Pulumi.dev.yaml: known stacks are prod, staging"),
    ],
)
def test_anything_but_two_stacks_of_the_project_is_an_error(stacks: tuple[str, ...], told: str, tmp_path: Path) -> None:
    result = run(project(tmp_path), stacks=stacks)
    assert result.exit_code == 1
    assert told in str(result.exception)


def test_a_stack_or_a_lake_with_mistakes_is_not_compared(tmp_path: Path) -> None:
    result = run(project(tmp_path, STAGING + "  lotus:prodution: true\n"))
    assert result.exit_code == 1
    assert 'did you mean "production"?' in str(result.exception)
    result = run(project(tmp_path, files={"_stacks/staging.json": "{"}))
    assert result.exit_code == 1
    assert "_stacks/staging.json is not JSON" in str(result.exception)
