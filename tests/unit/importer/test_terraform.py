"""The instances of Terraform states, and the Airbyte objects among them."""

import json
from typing import Any

import pytest

from lotus_infra.errors import LotusError
from lotus_infra.importer import terraform, terraform_objects
from lotus_infra.importer.model import ExistingConnection, ExistingStream
from lotus_infra.lake.models import Schedule
from tests.support import terraform as made


def existing(text: str) -> Any:
    return terraform_objects.airbyte_objects(terraform.read_state(text, "terraform.tfstate"), "terraform.tfstate")


def test_a_file_names_modules_and_indexes_as_terraform_does() -> None:
    keyed = {"index_key": "eu", "attributes": made.source()}
    counted = {"index_key": 0, "attributes": made.source()}
    old = {"deposed": "0a1b2c3d", "attributes": made.source()}
    inside = made.resource("airbyte_source", {}, module="module.lake", instances=[keyed, counted, old])
    looked_up = made.resource("airbyte_source", made.source(), mode="data")

    found = terraform.read_state(made.state(inside, looked_up), "terraform.tfstate")

    assert [(each.address, each.provider, each.managed) for each in found] == [
        ("data.airbyte_source.main", "aballiet/airbyte-oss", False),
        ('module.lake.airbyte_source.main["eu"]', "aballiet/airbyte-oss", True),
        ("module.lake.airbyte_source.main[0]", "aballiet/airbyte-oss", True),
    ]


def test_an_instance_shows_no_value_of_its_own() -> None:
    [found, *_] = terraform.read_state(made.whole(), "terraform.tfstate")

    assert "Shopify" not in repr(found)
    assert "value-of" not in repr(existing(made.whole()).actors)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a Terraform state"),
        ('{"version": 3}', "has version 3"),
        ('{"version": 4, "resources": [{"mode": "managed"}]}', "invalid at resources.0.type"),
        ('{"encrypted_data": "x"}', "is encrypted by OpenTofu"),
        ('{"format_version": "1.2", "planned_values": {}}', "is a plan"),
        ('{"version": 3, "deployment": {}}', "is a Pulumi state"),
        ('{"format_version": "1.0"}', "has no sources, destinations or connections"),
    ],
)
def test_a_file_that_is_no_state_is_an_error_that_names_its_kind(text: str, expected: str) -> None:
    with pytest.raises(LotusError) as error:
        existing(text)

    assert expected in str(error.value)


def test_a_connection_of_the_config_apis_provider_is_read_with_its_streams_and_types() -> None:
    found = existing(made.whole())

    assert found.connections == (
        ExistingConnection(
            id=made.CONNECTION_ID,
            label="Shopify → S3",
            source_id=made.SOURCE_ID,
            destination_id=made.DESTINATION_ID,
            streams=(
                ExistingStream("orders", "incremental_append", None, ("updated_at",), (("id",),), ("id", "updated_at")),
            ),
            schedule=Schedule(type="basic", every="1 hours"),
            namespace_definition="custom_format",
            namespace_format="shopify",
            non_breaking_changes="propagate_columns",
            notify_schema_changes=True,
            address="airbyte_connection.shopify_to_s3",
        ),
    )
    facts = found.schemas[made.SOURCE_ID]["orders"]
    assert {name: field.type for name, field in facts.fields.items()} == {
        "id": "integer",
        "email": "string",
        "updated_at": "string",
    }
    assert facts.source_defined_cursor


def test_a_connection_of_the_public_apis_provider_is_read_from_what_show_prints() -> None:
    found = existing(made.shown())

    [connection] = found.connections
    assert connection.address == 'module.lake.airbyte_connection.to_s3["shopify"]'
    assert connection.schedule == Schedule(type="cron", cron="0 0 * * * ?")
    assert (connection.namespace_format, connection.non_breaking_changes) == ("shopify", "propagate_columns")
    assert connection.streams == existing(made.whole()).connections[0].streams
    assert {each.kind: each.typed for each in found.actors} == {"source": True, "destination": False}


@pytest.mark.parametrize(
    ("config", "unsupported"),
    [
        ({"selected_fields": [{"field_path": ["address", "zip"]}]}, ("the nested selection of address.zip",)),
        ({"hashed_fields": [{"field_path": ["email"]}]}, ("hashed fields",)),
        ({"alias_name": "sales"}, ("the alias sales",)),
        ({"field_selection_enabled": False}, ()),
    ],
)
def test_settings_that_a_stream_file_does_not_support_are_listed(
    config: dict[str, Any], unsupported: tuple[str, ...]
) -> None:
    found = existing(made.state(made.resource("airbyte_connection", made.connection(made.stream(**config)))))

    assert found.connections[0].streams[0].unsupported == unsupported


def test_settings_that_files_do_not_support_are_listed() -> None:
    resources = {"cpu_limit": "1", "cpu_request": None, "memory_limit": None, "memory_request": None}
    text = made.whole(notify_schema_changes_by_email=True, resource_requirements=resources)

    [connection] = existing(text).connections
    assert connection.unsupported == ("its notices by mail",)
    assert connection.resources == {"cpu_limit": "1"}


def test_all_other_instances_of_a_state_are_noted() -> None:
    others = [
        made.resource("airbyte_workspace", {"workspace_id": made.WORKSPACE}),
        made.resource("airbyte_source_definition", {"id": "x"}),
        made.resource("airbyte_source", {"name": "Broken", "connection_configuration": "value-of-the-password"}),
        made.resource("airbyte_source_schema", {}, mode="data"),
        made.resource("null_resource", {}, 'provider["registry.terraform.io/hashicorp/null"]', name="backfill"),
    ]
    document = json.loads(made.whole())
    document["resources"] += others

    notes = existing(json.dumps(document)).notes

    assert [(each.kind, each.subject) for each in notes] == [
        ("left", "airbyte_source.main"),
        ("left", "airbyte_source_definition.main"),
        ("left", "airbyte_workspace.main"),
        ("told", "data sources"),
        ("told", "provider hashicorp/null"),
    ]
    assert "value-of" not in str(notes)


def public_connection(*streams: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A connection of the provider for the public API."""
    ends = {"source_id": made.SOURCE_ID, "destination_id": made.DESTINATION_ID, "connection_id": made.CONNECTION_ID}
    connected = {"name": "Shopify → S3", "configurations": {"streams": list(streams)}, **settings}
    return made.resource("airbyte_connection", ends | connected, made.PUBLIC)


def test_mappers_of_the_public_apis_provider_are_read_in_the_apis_form() -> None:
    hashing = {"hashing": {"target_field": "email", "method": "SHA-256", "field_name_suffix": "_x"}, "encryption": None}
    aes = {"algorithm": "AES", "target_field": "id", "field_name_suffix": "_y", "key": "k", "mode": "CBC"}
    equal = {"equal": {"type": "EQUAL", "field_name": "id", "comparison_value": "1"}, "not": None}
    negated = {"not": {"type": "NOT", "conditions": [equal]}, "equal": None}
    mappers = [
        {"id": "a", "type": "hashing", "mapper_configuration": hashing},
        {"id": "b", "type": "encryption", "mapper_configuration": {"encryption": {"aes": aes, "rsa": None}}},
        {"id": "c", "type": "row-filtering", "mapper_configuration": {"row_filtering": {"conditions": negated}}},
    ]

    found = existing(made.state(public_connection(made.SHOWN_STREAM | {"mappers": mappers})))

    [stream] = found.connections[0].streams
    assert [(each.type, each.configuration) for each in stream.mappers] == [
        ("hashing", {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_x"}),
        (
            "encryption",
            {"algorithm": "AES", "targetField": "id", "fieldNameSuffix": "_y", "key": "k", "mode": "CBC"},
        ),
        (
            "row-filtering",
            {
                "conditions": {
                    "type": "NOT",
                    "conditions": [{"type": "EQUAL", "fieldName": "id", "comparisonValue": "1"}],
                }
            },
        ),
    ]
    assert "'k'" not in repr(found)


def test_settings_of_the_public_apis_provider_are_kept() -> None:
    tag = {"tag_id": made.SOURCE_ID, "name": "nightly", "color": "CAC7FF", "workspace_id": made.WORKSPACE}
    stream = made.SHOWN_STREAM | {"namespace": "App", "include_files": True, "destination_object_name": "Account"}
    namespace = {"namespace_definition": "custom_format", "namespace_format": "${SOURCE_NAMESPACE}_x"}

    found = existing(made.state(public_connection(stream, status="inactive", tags=[tag], **namespace)))

    [connection] = found.connections
    assert (connection.status, connection.tags) == ("inactive", ("nightly",))
    assert connection.namespace_format == "${SOURCE_NAMESPACE}_x"
    assert [(each.id, each.label) for each in found.tags] == [(made.SOURCE_ID, "nightly")]
    [read] = connection.streams
    assert (read.namespace, read.include_files, read.object_name) == ("App", True, "Account")


def test_own_connectors_of_a_state_are_definitions() -> None:
    common = {"id": made.SOURCE_ID, "workspace_id": made.WORKSPACE}
    image = {"name": "Acme", "docker_repository": "acme/source-orders", "docker_image_tag": "1.2.0", **common}
    manifest = {"name": "Orders API", "manifest": json.dumps({"streams": []}), "version": 3, **common}
    nested = {"name": "Old", "docker_repository": "acme/destination-old", "docker_image_tag": "0.1.0"}
    old = {
        "destination_definition_id": made.SOURCE_ID,
        "workspace_id": made.WORKSPACE,
        "destination_definition": nested,
    }
    resources = [
        public_connection(made.SHOWN_STREAM),
        made.resource("airbyte_source_definition", image, made.PUBLIC),
        made.resource("airbyte_declarative_source_definition", manifest, made.PUBLIC),
        made.resource("airbyte_destination_definition", old),
    ]

    found = existing(made.state(*resources))

    assert [(each.type, each.label, each.repository, each.manifest, each.address) for each in found.definitions] == [
        (
            "declarativeSourceDefinition",
            "Orders API",
            "",
            {"streams": []},
            "airbyte_declarative_source_definition.main",
        ),
        ("destinationDefinition", "Old", "acme/destination-old", None, "airbyte_destination_definition.main"),
        ("sourceDefinition", "Acme", "acme/source-orders", None, "airbyte_source_definition.main"),
    ]
    assert found.notes == ()
