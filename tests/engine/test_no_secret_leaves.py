"""No secret leaves: every command of `lotus` in a world whose secrets are markers, none of which is found anywhere.

`planted` says what is a marker, and what is searched. Here are the command lines, and how things go wrong.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from airbyte_twin.faults import Fault

from lotus_infra.commands.cli import COMMANDS
from tests.engine.planted import (
    ELSEWHERE,
    ROTATED,
    Planted,
    Ran,
    call,
    live,
    planted,
)
from tests.support import terraform
from tests.support.clone import commit, git
from tests.support.cluster import FakeCluster, serving, write_kubeconfig
from tests.support.markers import marker
from tests.support.relay import SAYS, Answer, Request

UP: Final = "up --yes --skip-preview"
REVIEWED: Final = "--preview=.review/test/preview.json"
LINES: Final[dict[str, tuple[str, ...]]] = {
    "add": (
        "add source second --connector=source-shopify --config=shop=second --secret=credentials.api_password --yes",
        "add source third --connector=source-shopify --config=shop=3 --secret=credentials.api_password --no-discover",
        "add stream shopify draft_orders --yes",
        "add destination archive --connector=destination-s3 --by-stack=s3_bucket_name --json",
    ),
    "audit": ("audit", "audit --json --strict", "audit --no-state"),
    "backfill": (
        "backfill shopify orders --estimate --dry-run",
        "backfill shopify orders --estimate --dry-run --json",
    ),
    "check": ("check", "check --json"),
    "comment": (f"comment {REVIEWED} --airbyte --output=comment.md", f"comment {REVIEWED} --json"),
    "completion": ("completion bash",),
    "connector": ("connector add source-shopify --yes", "connector update --all --json"),
    "deploy": ("deploy --reviewed=.review/test --yes", "deploy --yes --json"),
    "diff": ("diff --stack=test --stack=other", "diff --stack=test --stack=other --json"),
    "discover": ("discover --all --dry-run", "discover shopify --json"),
    "doctor": ("doctor", "doctor --json", "doctor --unlock --yes"),
    "drift": ("drift", "drift --json", "drift --patch --output=drift.patch"),
    "gate": (f"gate {REVIEWED}", f"gate {REVIEWED} --json"),
    "graph": ("graph", "graph --json"),
    "init": ("init a-lake", "init b-lake --json"),
    "migrate": (
        "migrate --from=live --into=one --imports=one.json --yes",
        "migrate --from=live --into=two --imports=two.json --json",
    ),
    "preview": ("preview", "preview --json"),
    "query": ("query", "query --json"),
    "scaffold": ("scaffold --all --dry-run", "scaffold --all --json"),
    "schema": ("schema", "schema --write --json"),
    "status": ("status", "status --json"),
    "sync": ("sync --all", "sync shopify --json", "sync shopify --cancel", "sync --all --no-wait"),
    "up": (
        f"{UP} --diff --show-full-output --show-reads --show-config",
        f"{UP} --json",
        f"{UP} --logtostderr -v=8 --debug",
    ),
    "verify": ("verify", "verify --json"),
}
"""Each command with the options that show or write something else."""
CALLS: Final = ("audit", "backfill", "comment", "discover", "doctor", "drift", "migrate", "status", "sync", "preview")
"""Commands that call Airbyte and write nothing there."""
READS: Final = ("audit", "doctor", "status --json", "discover shopify", "drift --json", UP)


def every(*names: str) -> list[str]:
    return [line for name in names for line in LINES[name]]


def clean(ran: Ran) -> Ran:
    """The command left no marker anywhere, and did not end by a fault of its own."""
    assert ran.findings == []
    assert "Traceback" not in ran.output, ran.output
    return ran


@contextmanager
def deployed(folder: Path, engine: list[Path]) -> Iterator[Planted]:
    with planted(folder, engine) as made:
        assert clean(made.lotus(UP)).exit_code == 0
        assert clean(made.lotus("preview")).exit_code == 0
        live(made)
        yield made


@pytest.fixture
def world(tmp_path: Path, engine: list[Path]) -> Iterator[Planted]:
    """The world, deployed and reviewed, with an Airbyte that has been used."""
    with deployed(tmp_path, engine) as made:
        yield made


@pytest.fixture(scope="module")
def kept_world(tmp_path_factory: pytest.TempPathFactory, engine: list[Path]) -> Iterator[Planted]:
    with deployed(tmp_path_factory.mktemp("world"), engine) as made:
        yield made


@pytest.fixture
def shared(kept_world: Planted) -> Iterator[Planted]:
    """The same for tests that change nothing in Airbyte: it takes ten seconds to make."""
    searched = kept_world.searched
    markers, allowed = kept_world.planted, dict(searched.allowed)
    yield kept_world
    kept_world.relay.rule = None
    git(kept_world.project, "reset", "-q", "--hard")
    git(kept_world.project, "clean", "-q", "-d", "--force")
    kept_world.planted, searched.allowed = markers, allowed


def test_every_command_has_its_lines() -> None:
    assert LINES.keys() == COMMANDS.keys()


def test_no_secret_leaves_by_day(world: Planted) -> None:
    """A slice of what the nights run: each way out of the program once."""
    told = clean(world.lotus("status")).output
    assert "[secret]" in told
    for line in (f"comment {REVIEWED}", "doctor --json", "query"):
        clean(world.lotus(line))
    world.lake.pulumi.config_set("lotus:shopify_api_password", ROTATED.value, secret=True)
    world.relay.rule = lambda request: SAYS["422"](request.text) if request.method == "PUT" else None
    assert "422" in clean(world.lotus(f"{UP} --diff")).output
    world.relay.rule = lambda request: None if request.asks_for_token else SAYS["403"](request.text)
    assert "403" in clean(world.lotus("audit")).output


def test_no_command_shows_or_writes_a_secret_where_all_is_well(world: Planted) -> None:
    for line in every(*COMMANDS):
        clean(world.lotus(line))


@pytest.mark.parametrize("failure", SAYS)
def test_nor_where_airbyte_fails_and_repeats_what_it_was_sent(shared: Planted, failure: str) -> None:
    shared.relay.rule = lambda request: None if request.asks_for_token else SAYS[failure](request.text)
    for line in [LINES[name][0] for name in (*CALLS, "add", "connector")] + ["status --json", "doctor --json"]:
        clean(shared.lotus(line))


@pytest.mark.parametrize("failure", ["401", "400", "500 in HTML", "no JSON", "a redirect"])
def test_nor_where_no_token_is_issued(shared: Planted, failure: str) -> None:
    shared.relay.rule = lambda request: SAYS[failure](request.text) if request.asks_for_token else None
    for line in READS:
        clean(shared.lotus(line))


@pytest.mark.parametrize("failure", ["400", "422", "409", "500 in HTML", "502 in plain text", "a redirect", "nothing"])
def test_nor_where_a_write_fails(world: Planted, failure: str) -> None:
    def answer(request: Request) -> Answer | None:
        looks = request.asks_for_token or request.method == "GET" or "/api/v1/" in request.path
        return None if looks else SAYS[failure](request.text)

    world.relay.rule = answer
    for name in ("shopify_api_password", "s3_secret_access_key"):
        world.lake.pulumi.config_set(f"lotus:{name}", ROTATED.value, secret=True)
    clean(world.lotus("backfill shopify orders --yes --token=another"))
    commit(world.project, "B")
    for line in (
        *every("up"),
        "up --yes --target=**Connection::shopify --target-replace=**::klaviyo",
        *every("deploy"),
    ):
        clean(world.lotus(line))


def test_nor_where_a_backfill_fails_with_the_configuration_in_its_message(world: Planted) -> None:
    for options, shown in (("", "401 Unauthorized"), ("--target=**Connection::shopify", "may quote secrets")):
        clean(world.lotus(f"backfill shopify orders --yes --token={len(options)}"))
        assert shown in clean(world.lotus(f"{UP} {options}")).output


def test_nor_where_a_run_is_killed(world: Planted) -> None:
    world.lake.pulumi.config_set("lotus:shopify_api_password", ROTATED.value, secret=True)
    world.lake.twin.twin.faults.add(Fault(method="PUT", hold="after"))
    command = [str(Path(sys.executable).parent / "lotus"), *UP.split()]
    output = world.place / "killed.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=world.project, env=world.environment, stdout=file, stderr=subprocess.STDOUT, process_group=0
        )
    assert world.lake.twin.held() is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    world.lake.twin.twin.faults.clear()
    for line in ("doctor", "doctor --unlock --yes", f"{UP} --refresh"):
        clean(world.lotus(line))


def test_nor_where_somebody_wrote_secrets_into_airbyte(world: Planted) -> None:
    twin = world.lake.twin
    [source] = [each for each in call(twin, "GET", "/sources?limit=100")["data"] if each["name"] == "Shopify"]
    theirs = {
        "auth_method": "api_password",
        "api_password": ELSEWHERE["a secret that somebody wrote into Airbyte"].value,
    }
    body = {"name": source["name"], "configuration": source["configuration"] | {"credentials": theirs}}
    call(twin, "PUT", f"/sources/{source['sourceId']}", body)
    key = {
        "algorithm": "AES",
        "targetField": "email",
        "fieldNameSuffix": "_e",
        "mode": "CBC",
        "padding": "PKCS5Padding",
    }
    mapper = {"type": "encryption", "mapperConfiguration": key | {"key": ELSEWHERE["a mapper's key"].value}}
    for connection in call(twin, "GET", "/connections?limit=100")["data"]:
        streams = connection["configurations"]["streams"]
        for stream in streams:
            stream["mappers"] = [mapper] if stream["name"] == "orders" else []
        call(twin, "PATCH", f"/connections/{connection['connectionId']}", {"configurations": {"streams": streams}})
    assert clean(world.lotus("drift")).exit_code == 1
    for line in (
        *every("drift", "preview", "comment", "gate", "audit", "migrate", "doctor"),
        f"{UP} --refresh --diff",
    ):
        clean(world.lotus(line))


@pytest.mark.parametrize("variable", ["PULUMI_CONFIG_PASSPHRASE", "AIRBYTE_CLIENT_SECRET"])
def test_nor_where_a_credential_is_wrong_or_missing(shared: Planted, variable: str) -> None:
    wrong = shared.plant(marker("a wrong credential", "{atom}/+=%{atom}"))
    for line in READS:
        clean(shared.lotus(line, **{variable: wrong}))
        clean(shared.lotus(line, **{variable: ""}))


def test_a_connectors_message_is_not_shown_where_the_stacks_secrets_are_unknown(shared: Planted) -> None:
    told = clean(shared.lotus("status", PULUMI_CONFIG_PASSPHRASE="another")).output
    assert "may quote secrets" in told
    assert "401 Unauthorized" not in told


@pytest.mark.parametrize(
    "address",
    [
        "http://user:{secret}@127.0.0.1:1/api/public/v1",
        "http://127.0.0.1:1/v1?token={secret}",
        "http://[{secret}?x",
        "{secret}%",
    ],
)
def test_nor_where_the_servers_address_holds_a_secret(shared: Planted, address: str) -> None:
    secret = shared.plant(marker("a secret in an address", "{atom}"))
    for line in READS:
        clean(shared.lotus(line, AIRBYTE_SERVER_URL=address.replace("{secret}", secret)))


def test_nor_where_a_proxys_address_holds_one(shared: Planted) -> None:
    proxy = f"http://user:{shared.plant(marker('a secret of a proxy', '{atom}'))}@127.0.0.1:1"
    for line in READS:
        clean(shared.lotus(line, HTTP_PROXY=proxy, ALL_PROXY=proxy, NO_PROXY=""))


@pytest.mark.parametrize(
    "option", ["-v=9 --logtostderr", "-yv9", "--verbose 11 --logflow", "--tracing=file:trace", "--show-secrets"]
)
def test_an_option_that_would_show_secrets_is_refused(shared: Planted, option: str) -> None:
    ran = clean(shared.lotus(f"{UP} {option}"))
    assert (ran.exit_code, "secrets in plain text" in ran.output) == (1, True)


@pytest.mark.parametrize("variable", ["PULUMI_OPTION_VERBOSE", "PULUMI_DEBUG_GRPC", "PULUMI_OPTION_SHOW_SECRETS"])
def test_a_variable_that_would_show_secrets_is_refused(shared: Planted, variable: str) -> None:
    value = {"PULUMI_OPTION_VERBOSE": "9", "PULUMI_DEBUG_GRPC": str(shared.place / "calls.json")}.get(variable, "true")
    for line in (UP, "preview", "deploy --yes", "drift"):
        ran = clean(shared.lotus(line, **{variable: value}))
        assert (ran.exit_code, "secrets in plain text" in ran.output) == (1, True), ran.output
    clean(shared.lotus("doctor", **{variable: value}))


BROKEN: Final = {
    "an open quote": '  lotus:x: "{secret}\n',
    "a tab": "\t{secret}: x\n",
    "two colons": "  lotus:y: {secret}: {secret}\n",
    "a secret that is no ciphertext": "  lotus:z:\n    secure: {secret}\n",
    "another salt": "encryptionsalt: {secret}\n",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_nor_where_the_stacks_file_is_broken_beside_a_secret(shared: Planted, broken: str) -> None:
    file = shared.project / "Pulumi.test.yaml"
    secret = shared.plant(marker("what a broken file has", "{atom}{atom}"), file.name)
    file.write_text(file.read_text(encoding="utf-8") + BROKEN[broken].replace("{secret}", secret), encoding="utf-8")
    for name in ("check", "doctor", "audit", "status", "preview", "up", "deploy", "migrate", "drift"):
        clean(shared.lotus(LINES[name][0]))


@pytest.mark.parametrize(
    "key",
    [
        "lotus:workspaceId", "lotus:protectSources", "lotus:production", "lotus:acknowledge", "lotus:landingZone",
        "airbyte:serverUrl", "airbyte:configUrl", "airbyte:tokenUrl", "airbyte:clientId", "airbyte:bearerAuth",
        "airbyte:adoptExisting", "airbyte:parallelWrites",
    ],
)  # fmt: skip
def test_nor_where_a_setting_is_encrypted_and_wrong(shared: Planted, key: str) -> None:
    zone = {"server": "{atom}", "region": "{atom}", "landing": "{atom}", "unknown": "{atom}"}
    form = json.dumps(zone) if key == "lotus:landingZone" else "{atom}-{atom}"
    shared.lake.pulumi.config_set(key, shared.plant(marker("an encrypted setting", form)), secret=True)
    for line in ("check", "doctor", "audit", f"comment {REVIEWED}", "drift --json", UP):
        clean(shared.lotus(line))


@pytest.mark.parametrize("written", ["whole", "shown"])
def test_nor_of_a_state_of_terraform(shared: Planted, written: str) -> None:
    names = ("terraform: password", "terraform: key id", "terraform: access key")
    text = getattr(terraform, written)()
    for hidden, name in zip(terraform.HIDDEN, names, strict=True):
        # In a JSON text inside the document, or in the document itself.
        old, new = json.dumps(hidden), json.dumps(ELSEWHERE[name].value)
        text = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]).replace(old, new)
    document: dict[str, Any] = json.loads(text)
    output = {"password": {"value": ELSEWHERE["terraform: output"].value, "type": "string", "sensitive": True}}
    document["outputs"] = output
    file = shared.given / "terraform.tfstate"
    whole = json.dumps(document)
    for state in (whole, whole[:-40], whole.replace("configuration", "configuratio"), "- " + whole):
        file.write_text(state, encoding="utf-8")
        for number, options in enumerate(("", "--offline", "--offline --json --yes", "--yes")):
            into = f"--into=into-{number} --imports=into-{number}.json"
            clean(shared.lotus(f"migrate --from={file} {into} {options}"))


@pytest.mark.parametrize("known", [True, False])
def test_nor_of_a_kubeconfig(shared: Planted, monkeypatch: pytest.MonkeyPatch, *, known: bool) -> None:
    token = ELSEWHERE["the kubeconfig's token"].value
    monkeypatch.setattr("tests.support.cluster.TOKEN", token)
    cluster = FakeCluster(known=known)
    stack = {"lotus:dagster": {"deploy": True, "chart": {"version": "1.13.27"}, "image": "ghcr.io/o/lake:3f9c2a1"}}
    (shared.project / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": stack}), encoding="utf-8")
    with serving(cluster) as address:
        file = write_kubeconfig(shared.given / "kubeconfig", address)
        for line in (*every("verify"), f"verify --kubeconfig={file} --json", "doctor"):
            clean(shared.lotus(f"{line} --stack=prod"))
