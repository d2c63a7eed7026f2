"""`lotus migrate` writes no secret, whatever the state or the server holds and wherever it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.report import check_lake
from tests.support import terraform as made
from tests.support.commands import Lotus, lotus_in

MARKER = "Zq7mK0wX4vB9"
UNKNOWN_CONNECTOR = "0b1f1c9e-2f6d-4a55-9d3c-8a4f1f2e3d4c"
"""A definition that is neither pinned nor known, such as a custom connector's."""


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command in an empty project that has no engine."""
    for variable in ("AIRBYTE_SERVER_URL", "AIRBYTE_WORKSPACE_ID"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "")
    return lotus_in(tmp_path, monkeypatch, "migrate")


def state_with(configuration: Any, **overrides: Any) -> str:
    """A state of the Config API's provider whose source has an unknown connector and this configuration."""
    text = json.dumps(configuration)
    shop = made.source(connection_configuration=text, source_definition_id=UNKNOWN_CONNECTOR, **overrides)
    bucket = made.destination(connection_configuration="{}")
    return made.state(
        made.resource("airbyte_source", shop, name="shopify"),
        made.resource("airbyte_destination", bucket, name="s3"),
        made.resource("airbyte_connection", made.connection(), name="shopify_to_s3"),
    )


def migrated(lotus: Lotus, folder: Path, state: str, *arguments: str) -> None:
    (folder / "terraform.tfstate").write_text(state)
    assert lotus("--from", "terraform.tfstate", "--offline", "--yes", *arguments) == 0


def source_of(folder: Path) -> Any:
    return json.loads((folder / "streams" / "shopify" / "_source.json").read_text())["configuration"]


def everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """All that a run wrote: files, their names, and both outputs."""
    found = [file for file in folder.rglob("*") if not file.name.endswith(".tfstate")]
    texts = [file.read_text() for file in found if file.is_file()]
    printed = capsys.readouterr()
    return "\n".join((*map(str, found), *texts, printed.out, printed.err))


@pytest.mark.parametrize(
    "configuration",
    [
        {"headers": ["Accept: */*", f"Authorization: Bearer {MARKER}"]},
        {"headers": [f"Bearer {MARKER}"]},
        {"headers": [{"name": "Authorization", "value": f"Bearer {MARKER}"}]},
        {"cache": f"redis://:{MARKER}@cache.example.com:6379/0"},
        {"cache_url": f"redis://:{MARKER}@cache.example.com:6379/0"},
        {"webhook_url": f"https://hooks.example.com/services/T000/{MARKER}"},
        {"sas_url": f"https://account.blob.core.windows.net/c?sv=2024-01-01&sig={MARKER}"},
        {"pwd": MARKER},
        {"pat": MARKER},
        {"accessKeyId": MARKER},
        {"key_json": json.dumps({"type": "service_account", "private_key": MARKER})},
        {"pin": 480913, "text": MARKER},
        {"nested": {"deeper": [{"deepest": [MARKER]}]}},
        {"additional": {"$match": {"field": MARKER}}},
        {"map": {MARKER + MARKER: "value"}},
        {"host": MARKER, "port": MARKER, "region": MARKER, "start_date": MARKER, "type": MARKER},
    ],
)
def test_a_value_that_no_specification_describes_and_that_is_not_plainly_harmless_is_a_secret(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str], configuration: dict[str, Any]
) -> None:
    migrated(lotus, tmp_path, state_with(configuration))

    seen = everything(tmp_path, capsys)
    assert MARKER not in seen
    assert "480913" not in seen
    assert "$secret" in json.dumps(source_of(tmp_path))
    assert "pulumi config set --secret lotus:shopify_" in seen
    assert check_lake(tmp_path / "streams").problems == ()
