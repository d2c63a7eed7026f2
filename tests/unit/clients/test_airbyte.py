"""How a command finds the Airbyte that a stack is deployed to."""

from pathlib import Path

import pytest

from lotus_infra.clients.airbyte import airbyte_workspace
from lotus_infra.errors import LotusError

URL = "https://airbyte.example.com/api/public/v1"
WORKSPACE = "11111111-2222-4333-8444-555555555555"
PLAIN = f"  airbyte:serverUrl: {URL}\n  lotus:workspaceId: {WORKSPACE}\n"
SEALED = "  airbyte:clientId: an-id\n  airbyte:clientSecret:\n    secure: v1:abc\n"


def project(directory: Path, **stacks: str) -> Path:
    """A Pulumi project with these values in its stacks; returns the lake's folder."""
    (directory / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    for stack, values in stacks.items():
        (directory / f"Pulumi.{stack}.yaml").write_text(f"config:\n{values}")
    return directory / "streams"


def refused(lake: Path, stack: str | None = None, **environment: str) -> str:
    with pytest.raises(LotusError) as caught:
        airbyte_workspace(lake, stack, environment)
    return str(caught.value)


def test_a_stacks_plain_values_are_enough_for_a_server_without_credentials(tmp_path: Path) -> None:
    settings, workspace = airbyte_workspace(project(tmp_path, dev=PLAIN), None, {})

    assert (settings.public_url, settings.config_url) == (URL, "https://airbyte.example.com/api/v1")
    assert (settings.auth.mode, workspace) == ("none", WORKSPACE)


def test_the_environment_is_enough_without_any_project(tmp_path: Path) -> None:
    environment = {"AIRBYTE_SERVER_URL": URL, "AIRBYTE_BEARER_AUTH": "t", "AIRBYTE_WORKSPACE_ID": WORKSPACE.upper()}

    settings, workspace = airbyte_workspace(tmp_path, None, environment)

    assert (settings.public_url, settings.auth.mode, workspace) == (URL, "bearer", WORKSPACE)


def test_encrypted_values_are_never_decrypted_and_come_from_the_environment(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=PLAIN + SEALED)

    assert refused(lake) == (
        "the stack prod and the environment do not configure a connection to Airbyte: "
        "airbyte:clientSecret is encrypted: export AIRBYTE_CLIENT_SECRET"
    )
    settings, _ = airbyte_workspace(lake, None, {"AIRBYTE_CLIENT_SECRET": "a-secret"})
    assert (settings.auth.client_id, settings.auth.client_secret) == ("an-id", "a-secret")


def test_the_stack_wins_over_the_environment_as_it_does_in_the_plugin(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=PLAIN + "  airbyte:configUrl: https://config.example.com/api/v1\n")

    settings, _ = airbyte_workspace(lake, None, {"AIRBYTE_SERVER_URL": "https://other.example.com/api/public/v1"})

    assert (settings.public_url, settings.config_url) == (URL, "https://config.example.com/api/v1")


def test_all_missing_settings_are_reported_at_once(tmp_path: Path) -> None:
    assert refused(project(tmp_path, dev="")) == (
        "the stack dev and the environment do not configure a connection to Airbyte: "
        "`pulumi config set airbyte:serverUrl https://<host>/api/public/v1` or export AIRBYTE_SERVER_URL; "
        "`pulumi config set lotus:workspaceId <the id in the workspace's address>` or export AIRBYTE_WORKSPACE_ID"
    )


@pytest.mark.parametrize("value", ["00000000-0000-0000-0000-000000000000", "replace-me", "17"])
def test_a_placeholder_workspace_is_missing(tmp_path: Path, value: str) -> None:
    lake = project(tmp_path, dev=f"  airbyte:serverUrl: {URL}\n  lotus:workspaceId: {value}\n")

    assert "lotus:workspaceId" in refused(lake)


def test_credentials_alone_mean_airbyte_cloud(tmp_path: Path) -> None:
    lake = project(tmp_path, dev=f"  lotus:workspaceId: {WORKSPACE}\n")

    settings, _ = airbyte_workspace(lake, None, {"AIRBYTE_CLIENT_ID": "i", "AIRBYTE_CLIENT_SECRET": "s"})

    assert settings.public_url == "https://api.airbyte.com/v1"


def test_half_of_the_credentials_is_reported(tmp_path: Path) -> None:
    lake = project(tmp_path, dev=PLAIN)

    assert "clientId and clientSecret go together" in refused(lake, AIRBYTE_CLIENT_ID="i")


def test_an_encrypted_address_is_reported_with_how_to_set_it(tmp_path: Path) -> None:
    sealed = "  airbyte:serverUrl:\n    secure: v1:a\n  airbyte:configUrl:\n    secure: v1:b\n"
    message = refused(project(tmp_path, dev=sealed + f"  lotus:workspaceId: {WORKSPACE}\n"))

    assert "airbyte:serverUrl is encrypted: export AIRBYTE_SERVER_URL" in message
    assert "airbyte:configUrl is encrypted: `pulumi config set --plaintext airbyte:configUrl <value>`" in message


def test_an_invalid_value_is_reported(tmp_path: Path) -> None:
    message = refused(project(tmp_path, dev=PLAIN.replace("https://", "")))

    assert message == "Pulumi.dev.yaml:2: airbyte:serverUrl: is not an address: write one that starts with https://"


def test_one_of_several_stacks_is_selected_by_option_or_variable(tmp_path: Path) -> None:
    other = PLAIN.replace("airbyte.example", "other.example")
    lake = project(tmp_path, prod=PLAIN, dev=other)

    assert "choose a stack (--stack dev, --stack prod), or `pulumi config set" in refused(lake)
    assert airbyte_workspace(lake, "prod", {}).settings.public_url == URL
    assert airbyte_workspace(lake, "organization/lotus/prod", {"PULUMI_STACK": "dev"}).settings.public_url == URL
    assert "other.example" in airbyte_workspace(lake, None, {"PULUMI_STACK": "dev"}).settings.public_url


def test_a_missing_stack_is_reported(tmp_path: Path) -> None:
    assert "the stack staging has no file" in refused(project(tmp_path, prod=PLAIN), "staging")
    (tmp_path / "alone").mkdir()
    (tmp_path / "Pulumi.yaml").unlink()
    assert "no Pulumi.yaml at or above" in refused(tmp_path / "alone", "prod")


def test_numbers_and_project_defaults_are_values_too(tmp_path: Path) -> None:
    lake = project(tmp_path, dev=PLAIN + "  airbyte:username: 12345\n")
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nconfig:\n  airbyte:password: {value: p}\n")

    settings, _ = airbyte_workspace(lake, None, {})

    assert (settings.auth.username, settings.auth.password) == ("12345", "p")
