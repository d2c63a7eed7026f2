"""`make sandbox`, in a checkout of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from lotus_infra.errors import LotusError
from lotus_infra.lake.models import ConnectionConfig
from sandbox import aws_plugin, s3
from sandbox import twin as twins
from sandbox.down import down
from sandbox.lakehouse import Contents, Lakehouse
from sandbox.layout import STATE_BUCKET, Layout, locked
from sandbox.phases import Phases
from sandbox.process import stop
from sandbox.up import NEXT_STEPS, Standing, stand_up, up
from tests.engine.harness import REPOSITORY
from toolchain.engine import EngineError

MARTS = ("fct_sales", "dim_customers", "fct_purchases")
LINKED = ("Pulumi.yaml", "Pulumi.sandbox.yaml", "__main__.py", "streams", "toolchain", "lotus_infra", ".venv")


@pytest.fixture
def place(tmp_path: Path, engine: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    # What the sandbox starts is measured where it is tested by itself, as in `harness.py`.
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)
    for name in LINKED:
        (tmp_path / name).symlink_to(REPOSITORY / name)
    place = Layout(tmp_path)
    yield place
    running = twins.found(place)
    if running is not None:
        stop(running)
    server = s3.found(place)
    if server is not None:
        stop(server)


def pulumi(place: Layout, command: str) -> str:
    """What a command of the CLI prints in a shell that means the sandbox."""
    shell = f". {place.environment_file} && pulumi {command}"
    return subprocess.run(["sh", "-c", shell], cwd=place.project, capture_output=True, text=True, check=True).stdout


def stand(place: Layout) -> Standing:
    return stand_up(place, Phases(Console()))


def contents_of(place: Layout) -> Contents:
    server = s3.found(place)
    assert server is not None
    with Lakehouse(place, server) as house:
        return house.contents()


def keep_faker(place: Layout) -> Path:
    """Leave one source of three: Dagster's runs, one a stream, take most of the time. Returns the lake's folder."""
    (place.project / "streams").unlink()
    shutil.copytree(
        REPOSITORY / "streams", place.project / "streams", ignore=shutil.ignore_patterns("klaviyo", "shopify")
    )
    stack = place.project / "Pulumi.sandbox.yaml"
    lines = stack.read_text(encoding="utf-8").splitlines(keepends=True)
    stack.unlink()
    kept = [line for line in lines if "klaviyo" not in line and "shopify" not in line]
    stack.write_text("".join(kept), encoding="utf-8")
    return place.project / "streams"


DEV_NULL = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"
SILENT = {"test_destination": {"test_destination_type": "SILENT"}}


def test_a_source_with_several_connections_is_counted_where_its_files_are_read(
    place: Layout, capfd: pytest.CaptureFixture[str]
) -> None:
    lake = keep_faker(place)
    source = json.loads((lake / "faker/_source.json").read_text())
    own = {key: source.pop(key) for key in tuple(ConnectionConfig.model_fields) if key in source}
    source["connections"] = {
        "faker": own,
        "copy": {"destination": "nowhere", "prefix": "Odd [name]*", "streams": ["users"]},
        "spare": {"destination": "nowhere", "streams": ["products"], "status": "inactive"},
    }
    (lake / "faker/_source.json").write_text(json.dumps(source))
    nowhere = {"connector": DEV_NULL, "name": "Nowhere", "configuration": SILENT}
    (lake / "_destinations/nowhere.json").write_text(json.dumps(nowhere))

    up(place, verbose=True)

    shown = capfd.readouterr().out
    assert "3 connections, 5 streams" in shown
    assert "faker/copy" in shown
    assert re.search(r"faker/spare +│ +│ paused", shown)
    contents = contents_of(place)
    assert {one.connection for one in contents.streams if one.landed} == {"faker"}
    landed = sum(one.landed for one in contents.streams)
    assert f"The syncs brought {landed:,} rows, and the Parquet files contain exactly as many." in shown
    users = next(one.landed for one in contents.streams if one.name == "users")
    assert f"No files to count: faker/copy ({users:,} rows)." in shown


def test_rows_of_a_real_connector_go_to_their_mart(place: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    keep_faker(place)

    up(place)

    contents = contents_of(place)
    landed = {one.name: one for one in contents.streams if one.landed}
    assert landed.keys() == {"products", "purchases", "users"}
    assert all(one.latest == one.landed for one in landed.values())
    # The marts of the other sources are there, with no rows.
    rows = dict.fromkeys(MARTS, 0) | {"fct_purchases": landed["purchases"].landed}
    assert {one.name: one.rows for one in contents.marts} == rows
    down(place)
    assert "make sandbox" in capfd.readouterr().out
    assert (twins.found(place), s3.found(place)) == (None, None)


def test_rows_go_from_the_sources_to_the_marts_and_are_counted_on_their_way(
    place: Layout, capfd: pytest.CaptureFixture[str]
) -> None:
    up(place, verbose=True)

    shown = capfd.readouterr().out
    assert "3 connections, 12 streams" in shown
    assert re.search(r"dagster +│ +[0-9]", shown)
    assert "3 buckets on http://127.0.0.1:" in shown
    contents = contents_of(place)
    landed = sum(one.landed for one in contents.streams)
    assert f"The syncs brought {landed:,} rows, and the Parquet files contain exactly as many." in shown
    # Some orders are destroyed.
    assert {one.name: (one.landed > 0, one.latest == one.landed) for one in contents.streams} == {
        one.name: (True, one.name != "orders") for one in contents.streams
    }
    assert {one.name: (one.rows > 100, len(one.first)) for one in contents.marts} == dict.fromkeys(MARTS, (True, 3))

    down(place)
    assert "make sandbox" in shown
    assert (twins.found(place), s3.found(place)) == (None, None)


def test_the_sandbox_comes_up_stays_as_it_is_and_goes_down(place: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    standing = stand(place)
    assert sum(len(source.streams) for source in standing.engine.connections().values()) == 12
    capfd.readouterr()
    twin = twins.found(place)
    assert twin is not None
    httpx.delete(f"{twin.url}/_twin/calls")

    stand(place)
    assert "21 unchanged" in capfd.readouterr().out
    assert set(httpx.get(f"{twin.url}/_twin/counts").json()) <= {"GET"}

    down(place)
    assert twins.found(place) is None
    assert s3.found(place) is None

    stand(place)
    assert "21 unchanged" in capfd.readouterr().out


def test_a_sandbox_whose_airbyte_was_lost_is_made_anew(place: Layout) -> None:
    lost = stand(place).engine.connections()
    down(place)
    shutil.rmtree(place.twin_data)

    made = stand(place).engine.connections()

    assert made.keys() == lost.keys()
    assert {one.connection_id for one in made.values()}.isdisjoint({one.connection_id for one in lost.values()})


@pytest.mark.parametrize("damage", ["", "{", '{"pid": "abc", "url": 3}'])
def test_a_damaged_note_of_the_twin_is_as_none(place: Layout, damage: str) -> None:
    place.twin_file.write_text(damage, encoding="utf-8")

    assert twins.found(place) is None


def test_a_twin_that_does_not_start_is_one_error_with_a_remedy(place: Layout) -> None:
    place.twin_data.mkdir()
    (place.twin_data / "state.json").write_text("no JSON", encoding="utf-8")

    with pytest.raises(LotusError, match=r"did not start[\s\S]+state\.json[\s\S]+rm -r \.sandbox"):
        twins.start(place)


def test_a_second_command_waits_for_the_first(place: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = threading.Thread(target=lambda: locked(place).__enter__(), daemon=True)
    with locked(place):
        waiting.start()
        while "waiting" not in capsys.readouterr().out:
            waiting.join(0.01)
        assert waiting.is_alive()
    waiting.join()


def test_state_and_landing_are_on_the_s3_server_and_only_the_state_outlives_the_stack(place: Layout) -> None:
    client = stand(place).server.client()
    state = [found.get("Key", "") for found in client.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert any(key.startswith(".pulumi/stacks/lotus/sandbox.json") for key in state)
    assert client.get_bucket_versioning(Bucket="landing")["Status"] == "Enabled"
    [rule] = client.get_bucket_ownership_controls(Bucket="landing")["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"
    for body in (b"first", b"second"):
        client.put_object(Bucket="landing", Key="raw/faker/users/part_0.parquet", Body=body)

    assert '"adoptExisting": "identical"' in pulumi(place, "stack export")
    pulumi(place, "destroy --yes --skip-preview --non-interactive")

    assert [bucket.get("Name") for bucket in client.list_buckets()["Buckets"]] == [STATE_BUCKET]
    assert client.get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Enabled"


def test_the_s3_server_refuses_a_wrong_key(place: Layout) -> None:
    server = s3.start(place)
    stranger = boto3.session.Session("sandbox", "wrong", region_name="us-west-1").client("s3", endpoint_url=server.url)

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_buckets()


def test_without_go_and_without_versitygw_the_sandbox_lasts_until_it_is_taken_down(
    place: Layout, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def there_is_none() -> Path:
        raise EngineError("no Go")

    monkeypatch.setattr(s3, "s3_server", there_is_none)
    for _ in range(2):
        assert len(stand(place).engine.connections()) == 3
        assert "20 created" in capfd.readouterr().out
        stand(place)
        assert "21 unchanged" in capfd.readouterr().out
        down(place)
        assert s3.found(place) is None
        assert twins.found(place) is None


@pytest.mark.parametrize("damage", ["", "{", '{"pid": "abc", "url": 3}'])
def test_a_damaged_note_of_the_s3_server_is_as_none(place: Layout, damage: str) -> None:
    place.s3_file.write_text(damage, encoding="utf-8")

    assert s3.found(place) is None


def test_an_s3_server_that_does_not_start_is_one_error_with_a_remedy(
    place: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "path" / "versitygw"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho the disk is full\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)

    with pytest.raises(LotusError, match=r"did not start[\s\S]+the disk is full[\s\S]+rm -r \.sandbox"):
        s3.start(place)


def test_the_official_aws_plugin_is_preferred_and_never_found_in_the_sandbox_itself(
    place: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(place.home))
    assert aws_plugin.install(place) is False
    assert aws_plugin.install(place) is False
    [link] = place.home.rglob(aws_plugin.NAME)
    assert link.resolve() == aws_plugin.STAND_IN

    official = tmp_path / "user" / link.relative_to(place.home)
    official.parent.mkdir(parents=True)
    official.touch()
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "user"))
    assert aws_plugin.install(place) is True
    assert link.resolve() == official


def test_the_environment_file_makes_pulumi_mean_the_sandbox(place: Layout) -> None:
    stand(place)

    shell = f". {place.environment_file} && pulumi preview --non-interactive"
    shown = subprocess.run(["sh", "-c", shell], cwd=place.project, capture_output=True, text=True, check=True)

    assert "21 unchanged" in shown.stdout


def steps_of(output: str) -> list[str]:
    """The commands that an output of `lotus` or `make sandbox` ends with."""
    after = output.partition("Then:\n")[2]
    listed = [line.strip() for line in after.splitlines() if line.startswith("  ")]
    return listed + [line.removeprefix("next: ") for line in output.splitlines() if line.startswith("next: ")]


def keep_its_own_files(place: Layout) -> None:
    """Copy what `lotus add` and `lotus scaffold` write to."""
    for name in ("streams", "dagster/dbt"):
        (place.project / name).unlink(missing_ok=True)
        shutil.copytree(REPOSITORY / name, place.project / name)
    (place.project / "Pulumi.sandbox.yaml").unlink()
    # The state of the second stack is elsewhere.
    for name in ("Pulumi.sandbox.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / name, place.project)


@pytest.mark.nightly
def test_every_next_step_works_in_the_sandboxs_shell(place: Layout) -> None:
    keep_its_own_files(place)
    stand(place)
    ran: list[str] = []

    def run(step: str) -> str:
        ran.append(step)
        call = subprocess.run(
            ["sh", "-c", f". {place.environment_file} && {step}"],
            cwd=place.project,
            env=os.environ | {"LOTUS_STRIPE_CLIENT_SECRET": "any", "PULUMI_SKIP_CONFIRMATIONS": "true"},
            input="any",
            capture_output=True,
            text=True,
            check=False,
        )
        assert call.returncode == 0, f"{step}\n{call.stdout}{call.stderr}"
        return call.stdout

    def follow(step: str) -> None:
        for each in steps_of(run(step)):
            follow(each)

    follow(
        "lotus add source stripe --connector source-stripe --config account_id=acct_1234"
        " --config start_date=2026-01-01T00:00:00Z --stream customers --yes"
    )
    run("pulumi up --yes --skip-preview")
    follow("lotus add stream stripe charges --yes")
    follow("lotus discover faker")
    (place.project / "drift.patch").write_text(run("lotus drift --patch || test $? = 1"), encoding="utf-8")
    for line in NEXT_STEPS.splitlines():
        words = line.split("  ")
        if line.startswith("    ") and words[2].startswith(("lotus ", "pulumi ")):
            follow(words[2])
    assert {"lotus status", "lotus sync faker", "lotus graph", "pulumi preview"} < set(ran)
    assert any(step.startswith("lotus scaffold stripe") for step in ran)
    assert any("dbt build" in step for step in ran)
    assert "pulumi config set --secret --stack sandbox lotus:stripe_client_secret" in ran


def test_unknown_words_are_refused_with_the_usage() -> None:
    command = [sys.executable, "-m", "sandbox", "sideways"]
    refused = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (refused.returncode, refused.stderr) == (2, "usage: python -m sandbox up [-v]|down|ui [PORT]\n")
