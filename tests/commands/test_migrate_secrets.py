"""`lotus migrate` writes no secret, whatever the state or the server holds and wherever it is."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.records import Temper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_infra.lake.report import check_lake
from tests.commands.lab import Lab
from tests.support import terraform as made
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.lakes import OWN_STREAMS

MARKER = "Zq7mK0wX4vB9"
UNKNOWN_CONNECTOR = "0b1f1c9e-2f6d-4a55-9d3c-8a4f1f2e3d4c"
"""A definition that is neither pinned nor known, such as a custom connector's."""
AWS = 'provider["registry.terraform.io/hashicorp/aws"]'


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


# Every place of a state


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "in a URL": lambda text: f"redis://:{text}@cache.example.com:6379/0",
    "in a query": lambda text: f"https://account.example.com/c?sv=1&sig={text}",
    "in a header": lambda text: f"Authorization: Bearer {text}",
    "in JSON": lambda text: json.dumps({"type": "service_account", "private_key": text}),
    "in a key file": lambda text: f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n",
}
OF_TERRAFORM = {"type", "provider", "provider_name", "address", "module", "index_key"}
OF_CATALOGS = {"json_schema", "cursor_field", "primary_key", "field_path", "default_cursor_field", "alias_name"}
OF_CATALOGS |= {"source_defined_primary_key", "destination_object_name", "namespace"}
OF_CONNECTIONS = {"namespace_format", "namespace_definition", "prefix", "status", "schedule_type"}
OF_CONNECTIONS |= {"non_breaking_changes_preference", "non_breaking_schema_updates_behavior"}
OF_MAPPERS = {"algorithm", "targetField", "fieldNameSuffix"}
PUBLIC_BY_CONTRACT = {"name"} | OF_TERRAFORM | OF_CATALOGS | OF_CONNECTIONS | OF_MAPPERS
"""Keys of a state whose values Airbyte and Terraform show to everyone: names, and the words of a connection."""


def full_state(*, mapped: bool = False) -> Any:
    """A state of the Config API's provider with all that it may hold besides: outputs, other resources, marks."""
    encryption = {"algorithm": "AES", "targetField": "id", "fieldNameSuffix": "_x", "key": "0011223344", "other": "x"}
    streams = (made.stream(mappers=[{"type": "encryption", "mapper_configuration": encryption}]),) if mapped else ()
    hook = {"notification_type": ["slack"], "slack_configuration": {"webhook": "https://hooks.example.com/T/B/x"}}
    manifest = json.dumps({"version": "1", "streams": [{"requester": {"authenticator": {"api_token": "x"}}}]})
    oauth = {"source_definition_id": made.SHOPIFY, "params": json.dumps({"client_id": "a", "client_secret": "b"})}
    state = json.loads(
        made.state(
            made.resource("airbyte_source", made.source(tags=["a"]), name="shopify", module="module.lake"),
            made.resource("airbyte_destination", made.destination(), name="s3"),
            made.resource("airbyte_connection", made.connection(*streams), name="shopify_to_s3"),
            made.resource("airbyte_workspace", {"workspace_id": made.WORKSPACE, "notifications": [hook]}),
            made.resource("airbyte_source_definition", {"manifest": manifest, "name": "Custom"}),
            made.resource("airbyte_source_oauth", oauth),
            made.resource("airbyte_workspace", {"email": "a"}, mode="data"),
            made.resource("aws_db_instance", {"password": "x"}, provider=AWS),
        )
    )
    marked = [[{"type": "get_attr", "value": "connection_configuration"}]]
    state["resources"][0]["instances"][0]["sensitive_attributes"] = marked
    state["outputs"] = {"password": {"value": "x", "type": "string", "sensitive": True}}
    return state


def shown_state() -> Any:
    """A state of the public API's provider, with properties that its typed resource does not know."""
    state = json.loads(made.shown())
    [source, _] = state["values"]["root_module"]["child_modules"][0]["resources"]
    source["values"]["configuration"]["additional_properties"] = json.dumps({"headers": [{"value": "x"}]})
    return state


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every text in a document, also in the JSON texts of configurations."""
    if isinstance(document, dict):
        for key, inner in document.items():
            yield from places(inner, (*path, key))
    elif isinstance(document, list):
        for index, inner in enumerate(document):
            yield from places(inner, (*path, index))
    elif isinstance(document, str):
        if document.startswith("{"):
            yield from places(json.loads(document), (*path, "as JSON"))
        yield path


def planted(document: Any, path: tuple[Any, ...], value: str) -> Any:
    """A copy of a document with another text at a path."""
    if not path:
        return value
    if path[0] == "as JSON":
        return json.dumps(planted(json.loads(document), path[1:], value))
    changed = copy.copy(document)
    changed[path[0]] = planted(document[path[0]], path[1:], value)
    return changed


def is_public(path: tuple[Any, ...]) -> bool:
    keys = [step for step in path if isinstance(step, str)]
    # The values of configurations are public only where a specification says so.
    return "connection_configuration" not in keys and "configuration" not in keys and bool(PUBLIC_BY_CONTRACT & {*keys})


class Runs:
    """Runs of the command on one state after another, each into a lake of its own."""

    def __init__(self, lotus: Lotus, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.lotus, self.folder, self.capsys = lotus, folder, capsys

    def offline(self, state: Any, *, pinned: str | None = None) -> str:
        """All that the runs of a state leave behind and print, as text and as JSON."""
        (self.folder / "terraform.tfstate").write_text(json.dumps(state))
        return self.run("--from", "terraform.tfstate", "--offline", pinned=pinned)

    def run(self, *arguments: str, pinned: str | None = None) -> str:
        lake, imports = self.folder / "lake", self.folder / "imports.json"
        shutil.rmtree(lake, ignore_errors=True)
        imports.unlink(missing_ok=True)
        if pinned:
            shutil.copytree(OWN_STREAMS / "_connectors", lake / "_connectors")
        for more in ("--json", "--yes"):
            assert self.lotus(*arguments, "--into", "lake", "--imports", "imports.json", more) in {0, 1}
        files = [file for file in lake.rglob("*") if file.is_file() and file.parent.name != "_connectors"]
        texts = [f"{file}\n{file.read_text()}" for file in [*files, *([imports] if imports.exists() else [])]]
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        return "\n".join((*texts, printed.out, printed.err))


@pytest.fixture
def runs(lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runs:
    return Runs(lotus, tmp_path, capsys)


SPECIFIED = pytest.mark.parametrize("pinned", [None, "pinned"], ids=["no specification", "pinned specification"])
WRAPPED = [
    pytest.param(name, marks=() if name in {"alone", "in a URL"} else pytest.mark.nightly, id=name)
    for name in WRAPPINGS
]


@pytest.mark.parametrize("wrapped", WRAPPED)
@SPECIFIED
# A state with mappers has every place that one without them has.
@pytest.mark.parametrize(
    "provider",
    [pytest.param("Config API", marks=pytest.mark.nightly), "Config API with mappers", "public API"],
)
def test_a_credential_is_written_from_no_place_of_a_state(
    runs: Runs, provider: str, pinned: str | None, wrapped: str
) -> None:
    state = shown_state() if provider == "public API" else full_state(mapped="mappers" in provider)
    described = {"s3_bucket_name", "s3_bucket_path", "s3_bucket_region", "s3_path_format"}
    described |= {"shop", "start_date"} if pinned else set()
    for path in places(state):
        if wrapped == "alone" and (is_public(path) or path[-1] in described):
            continue
        seen = runs.offline(planted(state, path, WRAPPINGS[wrapped](MARKER)), pinned=pinned)
        assert MARKER not in seen, path


def test_the_bucket_and_the_path_of_the_lake_are_readable_without_a_specification(lotus: Lotus, tmp_path: Path) -> None:
    migrated(lotus, tmp_path, made.whole())

    document = json.loads((tmp_path / "streams" / "_destinations" / "s3.json").read_text())
    references = {"access_key_id": "s3_access_key_id", "secret_access_key": "s3_secret_access_key"}
    assert document["configuration"] == made.BUCKET | {key: {"$secret": name} for key, name in references.items()}


@SPECIFIED
def test_a_state_that_can_be_migrated_is_migrated(runs: Runs, pinned: str | None) -> None:
    seen = runs.offline(full_state(mapped=True), pinned=pinned)
    assert "shopify_api_password" in seen
    assert "shopify_orders_id_key" in seen


# Random configurations

KEYS = ["host", "port", "url", "base_url", "webhook_url", "endpoint", "region", "auth_type", "start_date", "time_zone"]
KEYS += [
    "schedule",
    "headers",
    "name",
    "value",
    "username",
    "database",
    "pwd",
    "pat",
    "accessKeyId",
    "sas_url",
    "timeout",
]
KEYS += ["private.key", "a-b", "delimiter", "locale", "x1", "additional_properties", "credentials"]
SECRETS = st.sampled_from(sorted(WRAPPINGS)).map(lambda name: WRAPPINGS[name](MARKER))
HARMLESS = st.sampled_from(["", "2025-01-01", "db.example.com", "eu-west-1", 5432, True, None, 1.5])
ODD_KEYS = st.sampled_from(["$secret", "$x", MARKER * 2, f"Bearer {MARKER}", f"redis://:{MARKER}@h"])
INSIDE = st.recursive(
    SECRETS | HARMLESS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | ODD_KEYS, inner, max_size=3),
    max_leaves=8,
)
CONFIGURATIONS = st.dictionaries(st.sampled_from(KEYS), INSIDE, min_size=1, max_size=5)


@given(CONFIGURATIONS, st.sampled_from([UNKNOWN_CONNECTOR, made.SHOPIFY]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_random_configuration_of_a_state_shows_a_credential(
    runs: Runs, configuration: dict[str, Any], connector: str
) -> None:
    if connector == made.SHOPIFY:
        configuration = made.SHOP | configuration
    state = json.loads(state_with(configuration))
    state["resources"][0]["instances"][0]["attributes"]["source_definition_id"] = connector
    seen = runs.offline(state, pinned="pinned" if connector == made.SHOPIFY else None)
    assert MARKER not in seen
    assert MARKER not in runs.offline(of_public_provider(state))


def of_public_provider(state: Any) -> Any:
    """The same state, as the public API's provider writes it."""
    [source, destination, _] = [each["instances"][0]["attributes"] for each in state["resources"]]
    ends = {"source_id": made.SOURCE_ID, "destination_id": made.DESTINATION_ID, "connection_id": made.CONNECTION_ID}
    streams = {"configurations": {"streams": [made.SHOWN_STREAM]}}
    return json.loads(
        made.state(
            *(
                made.resource(
                    f"airbyte_{kind}",
                    {
                        f"{kind}_id": each[f"{kind}_id"],
                        "name": each["name"],
                        "workspace_id": made.WORKSPACE,
                        "definition_id": each[f"{kind}_definition_id"],
                        "configuration": each["connection_configuration"],
                    },
                    provider=made.PUBLIC,
                )
                for kind, each in (("source", source), ("destination", destination))
            ),
            made.resource("airbyte_connection", {**ends, **streams, "name": "Shopify → S3"}, provider=made.PUBLIC),
        )
    )


# Live workspaces


@pytest.fixture
def live(lab: Lab, runs: Runs) -> Lab:
    write_stack(runs.folder, "dev", lab.values)
    return lab


def deploy(live: Lab, configuration: dict[str, Any], label: str = "Extra") -> str:
    """A live source with more settings than its connector's specification has; returns its id."""
    destination = next(each for each in live.twin.store.actors if each.name == "S3")
    body = live.body(label, {"sourceType": "faker", "count": 10, **configuration})
    made_source = live.airbyte.create_actor("source", body)
    connection: Any = {
        "sourceId": made_source.actor_id,
        "destinationId": destination.id,
        "name": f"{label} → S3",
        "configurations": {"streams": [{"name": "users", "selectedFields": [{"fieldPath": ["id"]}]}]},
    }
    live.airbyte.create_connection(connection)
    return made_source.actor_id


@pytest.mark.parametrize("answers", [None, 404, 500], ids=["specification", "no Config API", "no specification"])
@given(configuration=CONFIGURATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
def test_no_random_configuration_of_a_live_source_shows_a_credential(
    live: Lab, runs: Runs, answers: int | None, configuration: dict[str, Any]
) -> None:
    saved = live.twin.saved()
    deploy(live, configuration)
    if answers is not None:
        live.twin.twin.faults.add(Fault(path="definition_specifications", status=answers, times=None))

    seen = runs.run("--from", "live")

    live.twin.restore(saved)
    assert "Extra" in seen
    assert MARKER not in seen


def test_the_settings_that_airbytes_specification_describes_stay_values(live: Lab, runs: Runs) -> None:
    deploy(live, {"seed": 1234567, "headers": [f"Bearer {MARKER}"], "level": "free text"})

    runs.run("--from", "live")

    written = json.loads((runs.folder / "lake" / "extra" / "_source.json").read_text())["configuration"]
    assert written == {
        "count": 10,
        "seed": 1234567,
        "headers": [{"$secret": "extra_headers_item_0"}],
        "level": {"$secret": "extra_level"},
    }


def test_a_message_of_airbyte_that_repeats_a_value_is_shown_without_it(live: Lab, runs: Runs) -> None:
    actor = deploy(live, {"pat": MARKER, "cache": f"redis://:{MARKER}2@cache"})
    failure = f"can't connect to redis://:{MARKER}2@cache with {MARKER}"
    live.twin.store.discoveries.drop(actor)
    live.twin.store.tempers.put(Temper(id=actor, discover_failure=failure))

    seen = runs.run("--from", "live")

    assert "can't connect to [secret] with [secret]" in seen
    assert MARKER not in seen


def test_a_label_that_holds_a_credential_leaves_its_source_to_airbyte(live: Lab, runs: Runs) -> None:
    deploy(live, {}, label=f"Extra https://user:{MARKER}@example.com")

    seen = runs.run("--from", "live")

    assert MARKER not in seen
    assert "name of _source.json would hold a credential: change it in Airbyte" in seen


def test_a_state_is_compared_with_airbyte_without_a_value_of_either(live: Lab, runs: Runs) -> None:
    actor = deploy(live, {"pat": f"{MARKER}-live", "headers": {f"{MARKER}key": f"{MARKER}-live"}})
    hidden = {"count": 10, "pat": f"{MARKER}-state", "headers": {f"{MARKER}key": f"{MARKER}-state"}}
    shop = made.source(
        source_id=actor, name="Extra", workspace_id=live.twin.workspace_id, connection_configuration=json.dumps(hidden)
    )
    state = made.state(made.resource("airbyte_source", shop, name="extra"))
    (runs.folder / "terraform.tfstate").write_text(state)

    seen = runs.run("--from", "terraform.tfstate")

    assert "differs from Terraform's state (configuration.headers.…, configuration.pat)" in seen
    assert MARKER not in seen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"shop": "a\\ud800", "start_date": "2025-01-01"}',
            "configuration.shop of _source.json would hold a text that",
        ),
        ('{"a": ' + "[" * 900 + "1" + "]" * 900 + "}", "is not as aballiet/airbyte-oss writes it"),
        ('{"a": ' + "[" * 20_000 + "1" + "]" * 20_000 + "}", "is not as aballiet/airbyte-oss writes it"),
        ("[]", "is not as aballiet/airbyte-oss writes it"),
        (f'{{"{MARKER}": 1}}', "its configuration has a key that may be a secret, and a file would show it"),
    ],
)
def test_a_configuration_that_no_file_can_hold_leaves_its_source_to_airbyte(runs: Runs, text: str, reason: str) -> None:
    state = full_state()
    state["resources"][0]["instances"][0]["attributes"]["connection_configuration"] = text

    seen = runs.offline(state, pinned="pinned")

    assert reason in seen
    assert MARKER not in seen
    assert "lake/_destinations" not in seen


def test_a_secret_that_a_pinned_specification_does_not_describe_passes_the_check(runs: Runs) -> None:
    state = full_state()
    hidden = {**made.SHOP, "headers": [f"Bearer {MARKER}"]}
    state["resources"][0]["instances"][0]["attributes"]["connection_configuration"] = json.dumps(hidden)

    seen = runs.offline(state, pinned="pinned")

    assert '"$secret": "shopify_headers_item_0"' in seen
    assert "`lotus check` will refuse it" not in seen
    assert check_lake(runs.folder / "lake").problems == ()
