"""`lotus migrate` on the real engine: all is lost, or all is Terraform's, and nothing is made twice."""

import json
import re
import shlex
import shutil
from typing import Any

from airbyte_twin.testing import RunningTwin

from lotus_infra.commands.migrate import Migration, MigrationOptions, carry_out, commands, prepare
from tests.engine.lake import SECRETS, VALUES, Document, Lake, config_call
from tests.engine.test_import import made_by_hand, placed, read

CURSOR = {"updated_at": "2026-01-05T00:00:00Z"}
LOOKS = re.compile(r"GET .*|POST .*(/list|/list_for_workspace|/get|/discover_schema)")
"""Calls that change nothing; of the Config API every call is a POST."""


def migrated(lake: Lake, origin: str) -> Migration:
    """Take over what exists, as `lotus migrate --yes` does."""
    project = lake.pulumi.project
    order = MigrationOptions(origin, project / "streams", project / "import.json", lake.pulumi.stack)
    return carry_out(prepare(order, lake.pulumi.environment))


def imported(lake: Lake, migration: Migration) -> None:
    """Run the command that the plan prints."""
    lake.forget_values()
    [command] = [each for each in commands(migration) if each.startswith("pulumi import")]
    lake.pulumi.run(*shlex.split(command)[1:], "--yes", "--skip-preview").ok()


def cursors(twin: RunningTwin, connections: list[str]) -> list[Any]:
    return [config_call(twin, "/state/get", {"connectionId": each}) for each in connections]


def synced(lake: Lake) -> list[str]:
    """Give each connection's streams a cursor; returns the connections' ids."""
    connections = lake.live("connections")
    for each in connections:
        streams = [stream["name"] for stream in each["configurations"]["streams"]]
        rows = [{"streamDescriptor": {"name": name}, "streamState": CURSOR} for name in streams]
        state = {"connectionId": each["connectionId"], "stateType": "stream", "streamState": rows}
        body = {"connectionId": each["connectionId"], "connectionState": state}
        config_call(lake.twin, "/state/create_or_update_safe", body)
    return [str(each["connectionId"]) for each in connections]


def nothing_is_done(lake: Lake, connections: list[str], before: list[Any]) -> None:
    """A preview is empty, nothing was written to Airbyte, and the cursors are where they were."""
    assert lake.changes() == []
    called = [f"{call.method} {call.path}" for call in lake.twin.calls()]
    assert [call for call in called if not LOOKS.fullmatch(call)] == []
    assert [str(each["connectionId"]) for each in lake.live("connections")] == connections
    assert cursors(lake.twin, connections) == before


def test_a_lake_whose_state_and_files_are_lost_comes_back_from_what_is_live(applied: Lake) -> None:
    connections = synced(applied)
    before = cursors(applied.twin, connections)
    shutil.rmtree(applied.pulumi.state / ".pulumi")
    shutil.rmtree(applied.pulumi.project / "streams")
    applied.pulumi.run("stack", "init", applied.pulumi.stack).ok()
    applied.twin.clear_calls()

    migration = migrated(applied, "live")

    # The names of secrets are those of the lake that was lost, so that the stack has their values.
    assert {each.name for each in migration.plan.secrets} == set(SECRETS)
    assert migration.plan.notes == ()
    imported(applied, migration)
    nothing_is_done(applied, connections, before)


def test_settings_that_no_specification_describes_come_back_as_secrets_of_their_types(applied: Lake) -> None:
    shopify = applied.one("sources", "Shopify")
    extra = {"headers": ["Bearer abc123"], "pin": 480913, "query": {"$match": {"a": 1}}, "port": 8080}
    body = {key: shopify[key] for key in ("name", "workspaceId")} | {"configuration": shopify["configuration"] | extra}
    applied.api("PUT", f"/sources/{shopify['sourceId']}", body)
    connections = synced(applied)
    before = cursors(applied.twin, connections)
    shutil.rmtree(applied.pulumi.state / ".pulumi")
    shutil.rmtree(applied.pulumi.project / "streams")
    applied.pulumi.run("stack", "init", applied.pulumi.stack).ok()

    migration = migrated(applied, "live")

    undescribed = {each.name: each.type for each in migration.plan.secrets if each.reason == "undescribed"}
    assert undescribed == {
        "shopify_headers_item_0": "string",
        "shopify_pin": "integer",
        "shopify_query": "json",
    }
    assert not [value for value in ("abc123", "480913", "$match") if value in written(applied)]
    # The values as text, as a person enters them at the prompts.
    entered = {"headers_item_0": "Bearer abc123", "pin": "480913", "query": '{"$match": {"a": 1}}'}
    applied.pulumi.run(
        "config", "set-all", *(f"--secret=lotus:shopify_{key}={text}" for key, text in entered.items())
    ).ok()
    imported(applied, migration)
    applied.twin.clear_calls()
    nothing_is_done(applied, connections, before)


def test_a_terraform_state_of_the_old_lake_is_taken_over_with_its_stream_files(lake: Lake) -> None:
    streams = lake.pulumi.project / "streams"
    made = made_by_hand(lake, SECRETS)
    for each in lake.live("connections"):
        hourly = {"basicSchedule": {"timeUnit": "hours", "units": 1}}
        settings = {"scheduleType": "basic", "scheduleData": hourly, "notifySchemaChanges": True}
        config_call(lake.twin, "/connections/update", {"connectionId": each["connectionId"], **settings})
    terraform = lake.pulumi.project / "terraform.tfstate"
    terraform.write_text(json.dumps(old_state(lake, made)), encoding="utf-8")
    old_files(lake)
    connections = synced(lake)
    before = cursors(lake.twin, connections)
    orders = (streams / "shopify" / "orders.json").read_bytes()
    lake.twin.clear_calls()

    migration = migrated(lake, str(terraform))

    assert [(each.kind, each.subject) for each in migration.plan.notes] == [
        ("left", 'source "Faker"'),
        ("left", 'connection "Faker → S3"'),
        ("told", "klaviyo/_catalog.json"),
    ]
    assert {path.name for path in migration.fresh} == {"_source.json", "s3.json", "import.json"}
    assert (streams / "shopify" / "orders.json").read_bytes() == orders
    assert not [value for value in SECRETS.values() if value in written(lake)]
    imported(lake, migration)
    nothing_is_done(lake, connections, before)


def written(lake: Lake) -> str:
    """What is in the lake's folder, and the import file."""
    files = [*(lake.pulumi.project / "streams").rglob("*.json"), lake.pulumi.project / "import.json"]
    return "".join(file.read_text(encoding="utf-8") for file in files)


def old_files(lake: Lake) -> None:
    """Leave of the lake's folder what the old lake had: stream files, and a catalog that was made of them."""
    for file in ("faker", "_destinations", "shopify/_source.json", "klaviyo/_source.json"):
        lake.remove(file)
    for source in ("shopify", "klaviyo"):
        lake.remove(f"{source}/_discovered")
    catalog = lake.pulumi.project / "streams" / "klaviyo" / "_catalog.json"
    catalog.write_text('{"streams": []}\n', encoding="utf-8")


def old_state(lake: Lake, made: list[Document]) -> Document:
    """The state of Terraform that has all but the faker, as its provider for the Config API writes it."""
    ids = {(each["type"].rsplit(":", 1)[-1].lower(), each["name"]): each["id"] for each in made if "id" in each}
    destination = actor(lake, "destination", "s3", "_destinations/s3.json", ids["destination", "s3"])
    resources = [resource("destination", "s3", destination)]
    for name in ("shopify", "klaviyo"):
        source = actor(lake, "source", name, f"{name}/_source.json", ids["source", f"{name}-source"])
        resources.append(resource("source", name, source))
        shown = config_call(lake.twin, "/connections/get", {"connectionId": ids["connection", f"{name}-connection"]})
        resources.append(resource("connection", f"{name}_to_lake", snake(shown)))
    return {"version": 4, "terraform_version": "1.9.8", "serial": 12, "outputs": {}, "resources": resources}


def actor(lake: Lake, kind: str, name: str, file: str, identity: str) -> Document:
    described = read(lake, file)
    connector = read(lake, f"_connectors/{described['connector']}.json")
    return {
        f"{kind}_id": identity,
        f"{kind}_definition_id": connector["definition_id"],
        "name": described["name"],
        "workspace_id": lake.twin.workspace_id,
        "connection_configuration": json.dumps(placed(described["configuration"], VALUES | SECRETS)),
    }


def resource(kind: str, name: str, attributes: Document) -> Document:
    return {
        "mode": "managed",
        "type": f"airbyte_{kind}",
        "name": name,
        "provider": 'provider["registry.terraform.io/aballiet/airbyte-oss"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def snake(value: Any) -> Any:
    """A document of the Config API in Terraform's spelling; a schema becomes a map of JSON texts."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    others = {key: item for key, item in value.items() if key != "jsonSchema"}
    made = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): snake(item) for key, item in others.items()}
    if "jsonSchema" in value:
        made["json_schema"] = {key: json.dumps(item) for key, item in value["jsonSchema"].items()}
    return made
