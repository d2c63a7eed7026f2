"""`lotus comment` and `lotus gate` as a user runs them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands.lab import Lab
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.lakes import OWN_STREAMS
from tests.support.previews import CONNECTION, KLAVIYO, SOURCE, Digest, Stream, actor, connection


@pytest.fixture
def lotus(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside the lake, in a project with the stack `prod`, whose Airbyte is the twin."""
    write_stack(tmp_path, "prod", lab.values | {"lotus:acknowledge": ["source shop"]})
    return lotus_in(tmp_path, monkeypatch)


def written(folder: Path, digest: Digest) -> str:
    (folder / "preview.json").write_text(digest.text(), encoding="utf-8")
    return "preview.json"


def test_the_gate_names_each_object_with_its_ways_out_and_takes_what_the_stack_acknowledges(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = Digest().step("delete", SOURCE, "shop", actor()).step("delete", SOURCE, "other", actor())
    preview = written(tmp_path, digest)

    assert lotus("gate", "--preview", preview) == 1
    blocked, accepted = capsys.readouterr().out.splitlines()
    assert blocked.startswith("blocked: source other is deleted")
    assert blocked.endswith(
        'label the pull request accepts-data-loss, or add "source other" to lotus:acknowledge in the stack\'s file'
    )
    assert accepted.startswith("accepted: source shop is deleted")
    assert lotus("gate", "--preview", preview, "--label", "accepts-data-loss", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_comment_goes_into_a_file_with_the_rows_that_jobs_brought(
    lotus: Lotus, lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("sync", "shop", "--no-wait") == 0
    lab.drive(1, "succeeded", rows_synced=1234)
    [job] = lab.twin.store.jobs
    tokens = connection([Stream()], backfills={"orders": "again"})
    old, places = connection([Stream()]), ["backfills.orders"]
    digest = Digest().step("update", CONNECTION, "shop", old, tokens, *places, id=job.connection_id)
    preview = written(tmp_path, digest)

    assert lotus("comment", "--preview", preview, "--airbyte", "--output", "comment.md") == 0

    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- lotus:comment stack=prod -->")
    assert "up to about 1,234 rows, which 1 job read" in comment
    capsys.readouterr()
    assert lotus("comment", "--preview", preview, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["verdict"]) == (True, "touches data")
    assert document["stale"] == ["source shop"]
    assert "the number of rows is unknown without `--airbyte`" in document["markdown"]


def test_what_is_not_there_is_one_error(lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus("gate", "--preview", "nothing.json") == 1
    assert capsys.readouterr().err.startswith("lotus: nothing.json can't be read (No such file or directory): create")

    assert lotus("comment", "--preview", written(tmp_path, Digest()), "--stack", "staging") == 1
    assert "the stack staging has no file Pulumi.staging.yaml: known stacks are prod" in capsys.readouterr().err


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside the project's own lake, with a stack whose store and bucket are in the clear."""
    shutil.copytree(OWN_STREAMS, tmp_path / "streams")
    zone = {"server": "aws", "region": "us-west-1", "landing": "example-lake-landing", "backup": "example-lake-backup"}
    write_stack(tmp_path, "prod", {"lotus:landingZone": zone, "lotus:shopify_store": "a-store"})
    return lotus_in(tmp_path, monkeypatch)


def test_a_source_that_takes_its_address_from_a_secret_is_named_and_closes_the_gate(
    own: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = {"credentials": {"api_password": "[secret]"}, "shop": "[secret]"}
    old = actor({**hidden, "shop": "a-store"})
    preview = written(tmp_path, Digest().step("update", SOURCE, "shopify", old, actor(hidden), "configuration.shop"))

    assert own("gate", "--preview", preview) == 1
    assert (
        "blocked: source shopify may point to another place: shop (hidden); if so, its secrets"
        in capsys.readouterr().out
    )
    assert own("comment", "--preview", preview) == 0
    assert "⚠️ `shop`: `a-store` → hidden" in capsys.readouterr().out
    assert own("gate", "--preview", preview, "--label", "accepts-data-loss") == 0


def test_a_rotated_secret_of_the_pinned_specification_leaves_the_gate_open_and_is_named(
    own: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = actor({"credentials": {"api_password": "[secret]"}, "shop": "a-store"})
    digest = Digest().step("update", SOURCE, "shopify", same, same, "configuration.credentials.api_password")

    assert own("gate", "--preview", written(tmp_path, digest)) == 0
    assert own("comment", "--preview", "preview.json") == 0

    comment = capsys.readouterr().out
    assert "secrets changed: `configuration.credentials.api_password` (another account can't be told apart" in comment
    assert "safe: no data is touched" not in comment


def test_an_added_source_is_shown_with_its_host_its_secrets_and_the_bucket_that_it_fills(
    own: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "streams" / "shop_two"
    shutil.copytree(tmp_path / "streams" / "klaviyo", folder)
    configuration = {"api_key": "[secret]", "endpoint": "https://klaviyo.example.net"}
    digest = Digest().step("create", SOURCE, "shop_two", None, actor(configuration, definitionId=KLAVIYO))
    digest.step("create", CONNECTION, "shop_two", None, connection([Stream()], namespaceFormat="shop_two"))

    assert own("comment", "--preview", written(tmp_path, digest), "--json") == 0

    document = json.loads(capsys.readouterr().out)
    [target] = document["targets"]
    assert [(each["name"], each["after"]) for each in target["addresses"]] == [
        ("configuration.endpoint", "https://klaviyo.example.net")
    ]
    [secret] = target["secrets"]
    assert (secret["name"], secret["readers"]) == ("klaviyo_api_key", ["source klaviyo"])
    assert target["writes"]["destination"] == "s3"
    assert [each["after"] for each in target["writes"]["addresses"][:3]] == ["example-lake-landing", "raw", "us-west-1"]
    for shown in ("`https://klaviyo.example.net`", "also read by `source klaviyo`", "`example-lake-landing`"):
        assert shown in document["markdown"]


def test_a_lake_that_can_not_be_read_leaves_nothing_hidden_a_known_credential(
    own: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = actor({"client_id": "[secret]", "password": "[secret]"})
    paths = ("configuration.client_id", "configuration.password")
    preview = written(tmp_path, Digest().step("update", SOURCE, "shopify", same, same, *paths))
    (tmp_path / "streams").rename(tmp_path / "lake")

    assert own("gate", "--preview", preview) == 1
    assert "may point to another place: client_id (hidden);" in capsys.readouterr().out
    assert own("comment", "--preview", preview) == 0
    assert "because the lake's files can't be read" in capsys.readouterr().out
