"""A lake that was made by hand is taken over without a change."""

import json
from typing import Any

import pytest

from tests.engine.lake import SECRETS, VALUES, Lake

MASK = "*" * 10


def placed(value: Any, names: dict[str, str]) -> Any:
    """The configuration with the stack's values in the places of references."""
    if isinstance(value, dict):
        reference = value.get("$secret") or value.get("$config")
        return names[reference] if reference else {key: placed(item, names) for key, item in value.items()}
    return value


def read(lake: Lake, file: str) -> Any:
    return json.loads((lake.pulumi.project / "streams" / file).read_text(encoding="utf-8"))


def made_by_hand(lake: Lake, secrets: dict[str, str]) -> list[dict[str, Any]]:
    """Make all seven objects as a person would; returns an import file's resources."""

    def actor(kind: str, file: str) -> str:
        described = read(lake, file)
        connector = read(lake, f"_connectors/{described['connector']}.json")
        made = lake.api(
            "POST",
            f"/{kind}s",
            {
                "name": described["name"],
                "workspaceId": lake.twin.workspace_id,
                "definitionId": connector["definition_id"],
                "configuration": placed(described["configuration"], VALUES | secrets),
            },
        )
        return str(made[f"{kind}Id"])

    destination = actor("destination", "_destinations/s3.json")
    resources: list[dict[str, Any]] = [
        {"type": "airbyte:index/destination:Destination", "name": "s3", "id": destination}
    ]
    for name in ("shopify", "klaviyo", "faker"):
        source = actor("source", f"{name}/_source.json")
        connection = connected(lake, name, source, destination)
        parent = {"parent": f"{name}-pipeline", "logicalName": name}
        resources += [
            {"type": "lotus:airbyte:Pipeline", "name": f"{name}-pipeline", "logicalName": name, "component": True},
            {"type": "airbyte:index/source:Source", "name": f"{name}-source", "id": source, **parent},
            {"type": "airbyte:index/connection:Connection", "name": f"{name}-connection", "id": connection, **parent},
        ]
    return resources


def connected(lake: Lake, name: str, source: str, destination: str) -> str:
    described = read(lake, f"{name}/_source.json")
    streams = [json.loads(file.read_text(encoding="utf-8")) for file in stream_files(lake, name)]
    schedule = described["schedule"]
    cron = {"cronExpression": schedule["cron"]} if "cron" in schedule else {}
    made = lake.api(
        "POST",
        "/connections",
        {
            "name": f"{described['name']} → S3",
            "sourceId": source,
            "destinationId": destination,
            "namespaceDefinition": "custom_format",
            "namespaceFormat": name,
            "nonBreakingSchemaUpdatesBehavior": described["non_breaking_changes"],
            "schedule": {"scheduleType": schedule["type"], **cron},
            "configurations": {
                "streams": [
                    {
                        "name": stream["stream"],
                        "syncMode": "incremental_append",
                        "cursorField": stream["cursor_field"],
                        "primaryKey": stream["primary_key"],
                        "selectedFields": [{"fieldPath": [field]} for field in reversed(stream["fields"])],
                    }
                    for stream in reversed(streams)
                ]
            },
        },
    )
    return str(made["connectionId"])


def stream_files(lake: Lake, source: str) -> list[Any]:
    return sorted((lake.pulumi.project / "streams" / source).glob("[a-z]*.json"))


def imported(lake: Lake, resources: list[dict[str, Any]]) -> None:
    file = lake.pulumi.project / "import.json"
    file.write_text(json.dumps({"resources": resources}), encoding="utf-8")
    options = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
    lake.pulumi.run("import", "--file", str(file), *options).ok()


def test_an_import_of_everything_leaves_nothing_to_do(lake: Lake) -> None:
    imported(lake, made_by_hand(lake, SECRETS))
    lake.twin.clear_calls()

    assert lake.changes() == []

    assert "11 unchanged" in lake.pulumi.up().ok().stdout
    assert [call for call in lake.writes() if "specifications" not in call[1]] == []


def test_the_first_rotation_after_an_import_is_one_update_that_names_its_path(lake: Lake) -> None:
    imported(lake, made_by_hand(lake, SECRETS))
    assert "configuration.api_key: imported as masks" in lake.pulumi.preview().ok().output
    lake.pulumi.up().ok()
    lake.pulumi.config_set("lotus:klaviyo_api_key", "another-value-of-the-klaviyo-key", secret=True)

    [step] = lake.pulumi.preview("--json").ok().changes()

    assert (step.op, step.name, list(step.detailed)) == ("update", "klaviyo", ["configuration.api_key"])
    lake.pulumi.up().ok()
    assert "another-value-of-the-klaviyo-key" in [secret.value for secret in lake.twin.store.secrets]
    assert lake.changes("--refresh") == []


def test_a_mask_in_code_is_refused_before_anything_is_written(lake: Lake) -> None:
    lake.pulumi.config_set("lotus:shopify_api_password", MASK, secret=True)

    refused = lake.pulumi.up().failed().output

    assert "configuration.credentials.api_password" in refused
    assert "is the server's mask, not a value" in refused
    assert not [item for item in lake.live("sources") if item["name"] == "Shopify"]


def test_a_mask_in_code_is_refused_after_an_import_too(lake: Lake) -> None:
    imported(lake, made_by_hand(lake, SECRETS))
    lake.pulumi.config_set("lotus:klaviyo_api_key", MASK, secret=True)

    assert "is the server's mask, not a value" in lake.pulumi.preview().failed().output


@pytest.mark.parametrize("kind", ["source", "destination", "connection"])
def test_importing_what_does_not_exist_is_refused(lake: Lake, kind: str) -> None:
    token = f"airbyte:index/{kind}:{kind.title()}"
    nobody = "12345678-1234-1234-1234-123456789012"

    refused = lake.pulumi.import_(token, "nobody", nobody).failed().output

    assert "does not exist" in refused
