"""Which stacks share an Airbyte workspace, and what cannot be compared."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lotus_infra.config.stack_files import Encrypted
from lotus_infra.config.workspaces import CLOUD, Workspace, check, shared
from lotus_infra.errors import LotusError

URL = "https://airbyte.example.com/api/public/v1"
ONE, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def values(server: object = URL, workspace: object = ONE) -> dict[str, object]:
    """The values of a stack; those that are None are not set."""
    given = {"airbyte:serverUrl": server, "lotus:workspaceId": workspace}
    return {key: value for key, value in given.items() if value is not None}


def sharing(**stacks: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(found.other, found.stack) for found in shared(stacks)]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://AIRBYTE.Example.com/api/public/v1",
        "HTTPS://airbyte.example.com/api/public/v1/",
        "https://airbyte.example.com:443/api/public/v1//",
        f" {URL} ",
    ],
)
def test_a_server_is_the_same_however_its_address_is_written(url: str) -> None:
    assert sharing(prod=values(), staging=values(url, ONE.upper())) == [("prod", "staging")]


@pytest.mark.parametrize(
    "another",
    [
        values(workspace=OTHER),
        values("http://airbyte.example.com/api/public/v1"),
        values("https://airbyte.example.com:8443/api/public/v1"),
        values("https://airbyte.example.com/another/api/public/v1"),
        values("https://staging.example.com/api/public/v1"),
    ],
    ids=str,
)
def test_another_server_or_workspace_is_not_shared(another: dict[str, object]) -> None:
    assert sharing(prod=values(), staging=another) == []


@pytest.mark.parametrize(
    "unknown",
    [
        {},
        values(workspace=None),
        values(workspace=Encrypted()),
        values(workspace="00000000-0000-0000-0000-000000000000"),
        values(workspace="mine"),
        values(workspace=1),
    ],
    ids=str,
)
def test_a_stack_without_a_workspace_shares_none(unknown: dict[str, object]) -> None:
    assert Workspace.of(unknown) is None
    assert sharing(one=unknown, two=unknown, three=values()) == []


@pytest.mark.parametrize(
    "unknown",
    [
        values(server=Encrypted()),
        values(server=""),
        values(server="airbyte.example.com"),
        values(server="https://[::1"),
        values(server="https://airbyte.example.com:port"),
    ],
    ids=str,
)
def test_a_server_that_cannot_be_compared_may_be_any(unknown: dict[str, object]) -> None:
    assert sharing(one=unknown, two=unknown) == [("one", "two")]
    assert sharing(prod=values(), two=unknown) == [("prod", "two")]
    assert sharing(prod=values(workspace=OTHER), two=unknown) == []


def test_stacks_without_a_server_have_the_same_one() -> None:
    unset, cloud = values(server=None), values(server=CLOUD)

    assert sharing(one=unset, two=unset) == [("one", "two")]
    assert sharing(one=unset, two=cloud) == [("one", "two")]
    assert sharing(one=unset, two=values()) == []
    assert list(shared({"one": unset, "two": values()}, URL)) != []


def test_of_several_stacks_each_is_reported_with_the_first() -> None:
    assert sharing(c=values(), b=values(), a=values(), d=values(workspace=OTHER)) == [("a", "b"), ("a", "c")]


def project(folder: Path, **stacks: str) -> Path:
    (folder / "Pulumi.yaml").write_text(f"name: lotus\nconfig:\n  workspaceId: {ONE}\n", encoding="utf-8")
    for stack, content in stacks.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(content, encoding="utf-8")
    return folder


ELSEWHERE = "config:\n  airbyte:serverUrl: https://elsewhere.example.com\n"


def test_a_stack_may_not_run_beside_one_of_the_same_workspace(tmp_path: Path) -> None:
    server = f"config:\n  airbyte:serverUrl: {URL}\n"
    folder = project(tmp_path, prod=server, staging=server, dev=ELSEWHERE)

    with pytest.raises(LotusError) as refused:
        check(folder, "prod", values(), {})

    assert str(refused.value) == (
        f"Pulumi.staging.yaml names the same Airbyte workspace as Pulumi.prod.yaml, the workspace {ONE} of {URL}: "
        "give each stack a workspace of its own (`pulumi config set --stack staging lotus:workspaceId <id>`), "
        "or delete the file of a stack that is gone"
    )
    check(folder, "prod", values(workspace=OTHER), {})
    check(folder, "dev", values(workspace=OTHER), {})


def test_the_engines_values_override_those_of_the_stacks_file(tmp_path: Path) -> None:
    folder = project(tmp_path, prod=f"config:\n  airbyte:serverUrl: {URL}\n", dev=ELSEWHERE)

    check(folder, "dev", {}, {})
    with pytest.raises(LotusError, match=r"Pulumi\.prod\.yaml names the same Airbyte workspace as Pulumi\.dev\.yaml"):
        check(folder, "dev", values(), {})


def test_the_environments_server_is_that_of_a_stack_that_names_none(tmp_path: Path) -> None:
    folder = project(tmp_path, prod=f"config:\n  airbyte:serverUrl: {URL}\n", dev="")

    check(folder, "dev", values(server=None), {})
    with pytest.raises(LotusError, match="names the same Airbyte workspace"):
        check(folder, "dev", values(server=None), {"AIRBYTE_SERVER_URL": URL})
