"""The declared resources of the project's own lake."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from lotus_infra import program
from lotus_infra.lake.loader import load_lake
from tests.graph.recorder import Graph, drained

REPOSITORY = Path(__file__).resolve().parents[2]
WORKSPACE = "11111111-1111-1111-1111-111111111111"
UNPINNED = "99999999-9999-9999-9999-999999999999"
"""The definition of a connector without a specification in the lake."""
ZONE = {
    "server": "s3",
    "endpoint": "http://127.0.0.1:9000",
    "region": "us-west-1",
    "landing": "landing",
    "backup": "backup",
    "state": "lotus-state",
}
CONFIG = {
    "lotus:workspaceId": WORKSPACE,
    "lotus:shopify_store": "a-store",
    "lotus:shopify_api_password": "the-password",
    "lotus:klaviyo_api_key": "the-key",
    "lotus:landingZone": json.dumps(ZONE),
    "lotus:s3_access_key_id": "the-id",
    "lotus:s3_secret_access_key": "the-secret",
}
SECRETS = [
    "lotus:shopify_api_password",
    "lotus:klaviyo_api_key",
    "lotus:s3_access_key_id",
    "lotus:s3_secret_access_key",
]
Declare = Callable[..., Graph]


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(REPOSITORY / "streams", tmp_path / "streams"))


@pytest.fixture
def declare(lake: Path) -> Declare:
    def run(**overrides: str | None) -> Graph:
        config = CONFIG | {f"lotus:{name}": value for name, value in overrides.items()}
        return drained(program.run, {key: value for key, value in config.items() if value is not None}, SECRETS)

    return run


def edit(file: Path, **changes: Any) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | changes), encoding="utf-8")


def test_a_lake_is_one_destination_and_a_pipeline_for_each_source(declare: Declare) -> None:
    declared = sorted((item.type, item.name) for item in declare().resources if not item.type.startswith("pulumi:"))

    sources = ("faker", "klaviyo", "shopify")
    assert declared == sorted(
        [
            ("airbyte:index/destination:Destination", "s3"),
            *(("airbyte:index/source:Source", name) for name in sources),
            *(("airbyte:index/connection:Connection", name) for name in sources),
            *(("lotus:airbyte:Pipeline", name) for name in sources),
            *(("aws:s3/bucket:Bucket", name) for name in ("backup", "landing", "state")),
            ("lotus:landing:LandingZone", "landing-zone"),
        ]
    )


def test_source_and_connection_belong_to_their_pipeline(declare: Declare) -> None:
    graph = declare()
    for kind in ("Source", "Connection"):
        assert graph.request(kind, "shopify").parent.endswith("lotus:airbyte:Pipeline::shopify")


def test_a_connection_joins_its_source_to_the_destination(declare: Declare) -> None:
    inputs = declare().named("Connection", "klaviyo").inputs

    assert (inputs["sourceId"], inputs["destinationId"]) == ("source-klaviyo", "destination-s3")
    assert inputs["name"] == "Klaviyo → S3"
    assert (inputs["namespaceDefinition"], inputs["namespaceFormat"]) == ("custom_format", "klaviyo")


def test_a_source_with_several_connections_declares_each(declare: Declare, lake: Path) -> None:
    file = lake / "klaviyo" / "_source.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    beside = {"connector", "name", "configuration"}
    kept = {key: value for key, value in document.items() if key in beside}
    parked = {"status": "inactive", "streams": ["lists"], "namespace": "Old-${SOURCE_NAMESPACE}", "name": "Old lists"}
    moved = {"prefix": "v2_", "resource_requirements": {"memory_limit": "2Gi"}}
    file.write_text(json.dumps(kept | {"connections": {"klaviyo": moved, "parked": parked}}), encoding="utf-8")

    graph = declare()

    main, other = (graph.named("Connection", name).inputs for name in ("klaviyo", "klaviyo/parked"))
    assert (main["name"], main["prefix"], "status" in main) == ("Klaviyo → S3", "v2_", False)
    assert main["resourceRequirements"] == {"memory_limit": "2Gi"}
    assert (other["name"], other["status"], other["namespaceFormat"]) == (
        "Old lists",
        "inactive",
        "Old-${SOURCE_NAMESPACE}",
    )
    assert [each["name"] for each in json.loads(other["configurations"])["streams"]] == ["lists"]
    assert graph.request("Connection", "klaviyo/parked").parent.endswith("lotus:airbyte:Pipeline::klaviyo")


def test_an_id_that_differs_by_stack_is_the_stacks(declare: Declare, lake: Path) -> None:
    file = lake / "_connectors" / "source-faker.json"
    pinned = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(pinned | {"definition_id": {"$config": "faker_definition"}}), encoding="utf-8")

    graph = declare(faker_definition=pinned["definition_id"])

    assert graph.named("Source", "faker").inputs["definitionId"] == pinned["definition_id"]


def test_connectors_of_ones_own_and_tags_are_declared_once(declare: Declare, lake: Path) -> None:
    own = {"connector": "source-mine", "manifest": "source-mine.yaml", "name": "Mine", "spec": {"type": "object"}}
    (lake / "_connectors" / "source-mine.json").write_text(json.dumps(own), encoding="utf-8")
    (lake / "_connectors" / "source-mine.yaml").write_text("type: DeclarativeSource\n", encoding="utf-8")
    for source, tags in (("faker", ["finance"]), ("klaviyo", ["finance", "marketing"])):
        edit(lake / source / "_source.json", tags=tags)
    edit(lake / "faker" / "_source.json", connector="source-mine")

    graph = declare()

    definition = graph.named("DeclarativeSourceDefinition", "source-mine").inputs
    assert (definition["name"], definition["manifest"]) == ("Mine", "type: DeclarativeSource\n")
    assert graph.named("Source", "faker").inputs["definitionId"] == "declarativesourcedefinition-source-mine"
    # The engine registers resources in no fixed order.
    assert sorted(item.name for item in graph.resources if item.type == "airbyte:index/tag:Tag") == [
        "finance",
        "marketing",
    ]
    assert [tag["name"] for tag in graph.named("Connection", "klaviyo").inputs["tags"]] == ["finance", "marketing"]


def test_mappers_are_sent_with_the_stacks_secrets(declare: Declare, lake: Path) -> None:
    key = {"$secret": "klaviyo_api_key"}
    settings = {"algorithm": "AES", "targetField": "id", "mode": "CBC", "padding": "PKCS5Padding"}
    mapper = {"type": "encryption", "configuration": settings | {"fieldNameSuffix": "_x", "key": key}}
    edit(lake / "klaviyo" / "lists.json", mappers=[mapper], fields="all")

    graph = declare()

    sent = json.loads(graph.named("Connection", "klaviyo").inputs["configurations"])["streams"]
    [lists] = [each for each in sent if each["name"] == "lists"]
    assert lists["mappers"][0]["mapperConfiguration"]["key"] == "the-key"
    assert "selectedFields" not in lists


def test_streams_are_sent_as_one_text_with_sorted_fields(declare: Declare) -> None:
    text = declare().named("Connection", "shopify").inputs["configurations"]

    streams = json.loads(text)["streams"]
    assert [stream["name"] for stream in streams] == ["customers", "order_refunds", "orders"]
    assert all(stream["selectedFields"] == sorted(stream["selectedFields"]) for stream in streams)


def test_references_in_a_configuration_are_replaced_by_the_stacks_values(declare: Declare) -> None:
    configuration = declare(shopify_store="other-store").named("Source", "shopify").inputs["configuration"]

    assert configuration["shop"] == "other-store"
    assert configuration["credentials"]["auth_method"] == "api_password"


def test_only_secrets_are_secret(declare: Declare) -> None:
    graph = declare()
    text = {
        kind: str(graph.request(kind, name).object) for kind, name in (("Source", "shopify"), ("Destination", "s3"))
    }
    marker = "1b47061264138c4ac30d75fd1eb44270"
    assert text["Source"].count(marker) == 1
    assert text["Destination"].count(marker) == 2


def drained_with_an_encrypted_store() -> Graph:
    """The program over a stack that has encrypted a value which the lake takes for a plain one."""
    return drained(program.run, CONFIG, [*SECRETS, "lotus:shopify_store"])


@pytest.mark.usefixtures("lake")
def test_an_encrypted_value_that_the_lake_takes_for_a_plain_one_declares_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "declare", lambda *_: pytest.fail("the program continued"))

    with pytest.raises(pulumi.RunError, match='"shopify_store" is encrypted in the stack test') as refused:
        drained_with_an_encrypted_store()

    assert CONFIG["lotus:shopify_store"] not in str(refused.value)


@pytest.mark.usefixtures("lake")
def test_an_encrypted_value_is_secret_even_if_no_check_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "load_checked_lake", lambda stack: load_lake(stack.streams).lake)

    sent = drained_with_an_encrypted_store().request("Source", "shopify").object["configuration"]

    assert "1b47061264138c4ac30d75fd1eb44270" in str(sent["shop"])  # the engine's mark of a secret


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("lotus:prodution", "true", 'did you mean "production"?'),
        ("lotus:protectSource", "true", 'did you mean "protectSources"?'),
        ("lotus:protectSources", "ja", "write true or false"),
        ("lotus:archive_bucket", "a", "delete it, or refer to it"),
        ("lotsu:production", "true", 'did you mean "lotus"?'),
        ("airbyte:serverURL", "https://a", 'did you mean "serverUrl"?'),
    ],
)
@pytest.mark.usefixtures("lake")
def test_a_key_that_is_not_known_declares_nothing(
    monkeypatch: pytest.MonkeyPatch, key: str, text: str, words: str
) -> None:
    monkeypatch.setattr(program, "load_checked_lake", lambda *_: pytest.fail("the program continued"))

    with pytest.raises(pulumi.RunError) as refused:
        drained(program.run, CONFIG | {key: text}, SECRETS)

    assert str(refused.value).startswith(f"{key}: ")
    assert words in str(refused.value)


def test_changes_of_a_rotating_secret_are_ignored(declare: Declare, lake: Path) -> None:
    source, destination = (lake / "shopify" / "_source.json", lake / "_destinations" / "s3.json")
    configuration = json.loads(source.read_text(encoding="utf-8"))["configuration"]
    rotating = {"$secret": "shopify_api_password", "rotates": True}
    edit(
        source, configuration=configuration | {"credentials": configuration["credentials"] | {"api_password": rotating}}
    )
    zone = json.loads(destination.read_text(encoding="utf-8"))["configuration"]
    # A connector that is not pinned: where there is no specification, any place may be secret.
    edit(destination, connector=UNPINNED, configuration=zone | {"a.b": [{"token": rotating}]})

    graph = declare()

    assert list(graph.request("Source", "shopify").ignoreChanges) == ["configuration.credentials.api_password"]
    assert list(graph.request("Destination", "s3").ignoreChanges) == ['configuration["a.b"][0].token']
    assert list(graph.request("Source", "klaviyo").ignoreChanges) == []
    made = graph.named("Source", "shopify").inputs["configuration"]
    assert made["credentials"]["api_password"] == "the-password"
    assert graph.request("Source", "shopify").parent.endswith("lotus:airbyte:Pipeline::shopify")


def test_exports_have_the_prefix_of_each_stream(declare: Declare) -> None:
    sources = declare().exports["sources"]

    assert set(sources) == {"faker", "klaviyo", "shopify"}
    assert sources["faker"]["connectionId"] == "connection-faker"
    assert sources["faker"]["streams"]["users"] == "raw/faker/users/"


THROWAWAY = json.dumps(ZONE | {"protect": False})


@pytest.mark.parametrize(
    ("setting", "zone", "protected"),
    [
        (None, THROWAWAY, False),
        (None, json.dumps(ZONE), True),
        ("true", THROWAWAY, True),
        ("false", json.dumps(ZONE), False),
    ],
    ids=["unprotected buckets", "protected buckets", "set to true", "set to false"],
)
def test_sources_and_connections_are_protected_if_buckets_are_or_the_stack_sets_it(
    declare: Declare,
    setting: str | None,
    zone: str,
    protected: bool,  # noqa: FBT001
) -> None:
    graph = declare(protectSources=setting, landingZone=zone)

    assert graph.request("Source", "faker").protect is protected
    assert graph.request("Connection", "faker").protect is protected


def test_an_acknowledged_connection_may_be_replaced_and_no_other(declare: Declare) -> None:
    graph = declare(protectSources="true", acknowledge=json.dumps(["connection faker"]))

    assert graph.request("Connection", "faker").protect is False
    assert graph.request("Source", "faker").protect is True
    assert graph.request("Connection", "shopify").protect is True


def test_resource_names_come_from_folders_so_that_labels_can_change(declare: Declare, lake: Path) -> None:
    edit(lake / "faker" / "_source.json", name="Made up")

    graph = declare()

    assert graph.named("Source", "faker").inputs["name"] == "Made up"
    assert graph.named("Connection", "faker").inputs["name"] == "Made up → S3"


def test_a_stream_that_is_not_selected_is_in_no_connection(declare: Declare, lake: Path) -> None:
    edit(lake / "faker" / "users.json", selected=False)

    streams = json.loads(declare().named("Connection", "faker").inputs["configurations"])["streams"]

    assert [stream["name"] for stream in streams] == ["products", "purchases"]


def test_a_mistake_anywhere_declares_nothing(declare: Declare, lake: Path) -> None:
    edit(lake / "faker" / "users.json", cursor_field=["nowhere"])
    edit(lake / "shopify" / "orders.json", strem="orders")

    with pytest.raises(pulumi.RunError) as refused:
        declare()

    assert "streams/faker/users.json:" in str(refused.value)
    assert "streams/shopify/orders.json:" in str(refused.value)


@pytest.mark.parametrize(
    ("overrides", "advice"),
    [
        ({"workspaceId": None}, "workspaceId is not set"),
        ({"workspaceId": "mine"}, "lotus:workspaceId: is not an id"),
        ({"workspaceId": "00000000-0000-0000-0000-000000000000"}, "workspaceId is not set"),
        ({"shopify_api_password": "replace-me"}, "shopify_api_password"),
        ({"shopify_api_password": None}, "shopify_api_password"),
        ({"streams": "elsewhere"}, "elsewhere"),
    ],
)
def test_a_stack_without_a_needed_value_is_refused(
    declare: Declare, overrides: dict[str, str | None], advice: str
) -> None:
    with pytest.raises(pulumi.RunError, match=advice):
        declare(**overrides)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "12", 12),
        ("number", "0.5", 0.5),
        ("boolean", "false", False),
        ("json", "[1]", [1]),
        ("string", "1", "1"),
    ],
)
def test_a_value_has_the_type_that_the_lake_asks_for(
    declare: Declare, lake: Path, kind: str, text: str, value: object
) -> None:
    seen = lake / "faker" / "_source.json"
    edit(seen, configuration={"extra": {"$config": "extra", "as": kind}})

    assert declare(extra=text).named("Source", "faker").inputs["configuration"] == {"extra": value}


def test_a_secret_has_the_type_that_the_lake_asks_for(declare: Declare, lake: Path) -> None:
    # A connector that is not pinned: where there is no specification, any place may be secret.
    configuration = {"extra": {"$secret": "extra", "as": "integer"}}
    edit(lake / "faker" / "_source.json", connector=UNPINNED, configuration=configuration)

    text = str(declare(extra="12").request("Source", "faker").object)
    assert text.count("1b47061264138c4ac30d75fd1eb44270") == 1
    assert "number_value: 12" in text


def test_a_secret_of_another_type_is_refused_without_its_value(declare: Declare, lake: Path) -> None:
    edit(lake / "faker" / "_source.json", configuration={"extra": {"$secret": "extra", "as": "integer"}})

    with pytest.raises(pulumi.RunError, match="lotus:extra: has another type, and the lake asks for type") as refused:
        declare(extra="many-words")
    assert "many-words" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "text"), [("integer", "many"), ("integer", "true"), ("boolean", "yes"), ("number", "[]")]
)
def test_a_value_of_another_type_is_refused(declare: Declare, lake: Path, kind: str, text: str) -> None:
    edit(lake / "faker" / "_source.json", configuration={"extra": {"$config": "extra", "as": kind}})

    with pytest.raises(pulumi.RunError, match=f"asks for type {kind}"):
        declare(extra=text)


def test_production_without_a_backend_of_its_own_declares_nothing(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "declare", lambda *_: pytest.fail("the program continued"))
    monkeypatch.setattr(program, "load_checked_lake", lambda *_: pytest.fail("the program continued"))

    with pytest.raises(pulumi.RunError, match=r"may not run like this\n  Pulumi\.yaml names no backend"):
        declare(production="true")


@pytest.mark.parametrize("marked", ["Pulumi.yaml", "Pulumi.test.yaml"])
def test_production_on_the_state_that_its_files_name_is_declared(
    declare: Declare, lake: Path, monkeypatch: pytest.MonkeyPatch, marked: str
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    project = {"name": "lotus", "backend": {"url": "s3://lotus-state?region=us-west-1&endpoint=127.0.0.1:9000"}}
    for name, document in (("Pulumi.yaml", project), ("Pulumi.test.yaml", {})):
        whole = document | ({"config": {"lotus:production": True}} if name == marked else {})
        (lake.parent / name).write_text(json.dumps(whole), encoding="utf-8")
    monkeypatch.setitem(CONFIG, "airbyte:serverUrl", "https://airbyte.example.com/api/public/v1")

    assert declare(production="true").named("Source", "faker")


def test_two_stacks_of_one_workspace_declare_nothing(
    declare: Declare, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://airbyte.example.com/api/public/v1"
    config = {"lotus:workspaceId": WORKSPACE, "airbyte:serverUrl": url}
    (lake.parent / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    (lake.parent / "Pulumi.prod.yaml").write_text(json.dumps({"config": config}), encoding="utf-8")
    monkeypatch.setitem(CONFIG, "airbyte:serverUrl", f"{url}/")
    declared = declare(workspaceId="22222222-2222-2222-2222-222222222222")
    assert declared.named("Source", "faker")

    monkeypatch.setattr(program, "load_checked_lake", lambda *_: pytest.fail("the program continued"))
    with pytest.raises(pulumi.RunError) as refused:
        declare()

    assert "Pulumi.test.yaml names the same Airbyte workspace as Pulumi.prod.yaml" in str(refused.value)
