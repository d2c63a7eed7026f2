"""An old lake in the Config API's style: the community Terraform provider's calls, replayed from a list of requests."""

import re
from pathlib import Path
from typing import Any

import yaml
from twin_support import Api

CALLS = yaml.safe_load((Path(__file__).parent / "community_terraform.yaml").read_text(encoding="utf-8"))
NAME = re.compile(r"<(\w+)>")


def filled(value: Any, kept: dict[str, str]) -> Any:
    """A body with the kept values in it."""
    if isinstance(value, dict):
        return {key: filled(member, kept) for key, member in value.items()}
    if isinstance(value, list):
        return [filled(item, kept) for item in value]
    return NAME.sub(lambda found: kept[found[1]], value) if isinstance(value, str) else value


def replayed(api: Api, until: str = "") -> tuple[dict[str, str], list[Any]]:
    """Make the calls up to the first of a path; gives the kept values and the answers."""
    kept: dict[str, str] = {}
    answers = []
    for call in CALLS:
        if call["call"] == until:
            break
        answer = api.config(call["call"], filled(call["body"], kept), call.get("status", 200))
        for member, value in filled(call.get("shows", {}), kept).items():
            assert answer[member] == value, (call["call"], member)
        kept |= {name: answer[member] for name, member in call.get("keep", {}).items()}
        answers.append(answer)
    return kept, answers


def test_an_old_lake_is_made_read_changed_and_deleted(api: Api) -> None:
    _, answers = replayed(api)
    assert len(answers) == len(CALLS)
    assert api.twin.twin.defects == []


def test_the_public_api_has_the_old_lake_too(api: Api) -> None:
    kept, _ = replayed(api, until="/workspaces/update")
    workspace = kept["workspace"]
    source = api.get(f"/sources/{kept['source']}")
    assert (source["sourceType"], source["workspaceId"]) == ("shopify", workspace)
    assert api.get(f"/destinations/{kept['destination']}")["destinationType"] == "s3"
    connection = api.get(f"/connections/{kept['connection']}")
    assert connection["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 6 HOURS"}
    [stream] = connection["configurations"]["streams"]
    assert (stream["name"], stream["syncMode"]) == ("orders", "incremental_append")
    assert stream["selectedFields"] == [{"fieldPath": ["id"]}, {"fieldPath": ["updated_at"]}]
    assert api.get(f"/workspaces/{workspace}")["name"] == "Old lake"
    assert api.get(f"/workspaces/{workspace}/definitions/sources/{kept['ledger']}")["name"] == "Ledger"
    api.delete(f"/workspaces/{workspace}")
    assert api.config("/connections/get", {"connectionId": kept["connection"]})["status"] == "deprecated"


def test_every_kind_of_resource_of_the_provider_is_in_the_list() -> None:
    paths = {call["call"] for call in CALLS}
    kinds = ("workspaces", "sources", "destinations", "connections", "operations")
    assert paths >= {f"/{kind}/{verb}" for kind in kinds for verb in ("create", "get", "update", "delete")}
    definitions = ("source_definitions", "destination_definitions")
    verbs = ("create_custom", "get", "update", "delete")
    assert paths >= {f"/{kind}/{verb}" for kind in definitions for verb in verbs}
    manifests = ("create_manifest", "update_active_manifest")
    assert paths >= {f"/declarative_source_definitions/{verb}" for verb in manifests}
    assert "/sources/discover_schema" in paths
