"""dbt-coves, unchanged, against the twin: its caller of the API, its generator of Airflow tasks, and its commands."""

from typing import Any

import pytest
from clients_support import Client, ClientError, Worker, guarded, null_connection, stale_facts, steps_of
from sync_support import DEV_NULL
from twin_support import MASK, Api, faker, fields, s3, serving, stream

CLIENT = "dbt-coves"
pytestmark = pytest.mark.nightly


def called(client: Client, api: Api, method: str, /, **arguments: Any) -> Any:
    """What a method of the caller returns."""
    return client.do(api, "call", method=method, **arguments)


def command(client: Client, api: Api, verb: str, files: dict[str, Any]) -> Any:
    """The files that a command leaves."""
    done = client.do(api, "command", verb=verb, files=files)
    assert done["code"] == 0, done["output"]
    return done["files"]


def test_it_signs_in_with_a_token(client: Client) -> None:
    with guarded() as api:
        token = api.http.headers["Authorization"].removeprefix("Bearer ")
        assert called(client, api, "workspace_id", token=token) == api.twin.workspace_id
        with pytest.raises(ClientError, match="401"):
            called(client, api, "workspace_id")


def test_it_lists_everything_at_its_start(client: Client, api: Api) -> None:
    connection = null_connection(api)
    for kind, member in (("connections", "connectionId"), ("sources", "sourceId"), ("destinations", "destinationId")):
        assert [each[member] for each in called(client, api, f"{kind}_list")] == [connection[member]]


def test_it_goes_on_without_definitions_which_the_public_api_does_not_have(client: Client, api: Api) -> None:
    """It asks for `connector_definitions/sources`, a path that the server does not have."""
    assert called(client, api, "load_definitions") is None
    assert called(client, api, "source_definitions") == []
    assert called(client, api, "get_source_spec", definition_id=DEV_NULL) is None
    assert called(client, api, "get_destination_spec", definition_id=DEV_NULL) is None


def test_it_creates_changes_and_deletes_a_source(client: Client, api: Api) -> None:
    made = called(client, api, "create_source", body=faker(api.twin.workspace_id, count=3))
    changed = called(client, api, "update_source", source_id=made["sourceId"], body={"name": "Renamed"})
    assert changed == {**made, "name": "Renamed"}
    assert called(client, api, "delete_source", source_id=made["sourceId"]) is None
    assert api.get("/sources")["data"] == []


def test_it_creates_changes_and_deletes_a_destination(client: Client, api: Api) -> None:
    made = called(client, api, "create_destination", body=s3(api.twin.workspace_id))
    one = {"destination_id": made["destinationId"]}
    assert called(client, api, "update_destination", **one, body={"name": "Renamed"}) == {**made, "name": "Renamed"}
    assert called(client, api, "delete_destination", **one) is None
    assert api.get("/destinations")["data"] == []


def test_its_checks_fail_since_the_public_api_has_none(client: Client, api: Api) -> None:
    connection = null_connection(api)
    for kind in ("source", "destination"):
        with pytest.raises(ClientError, match="404"):
            called(client, api, f"check_{kind}", **{f"{kind}_id": connection[f"{kind}Id"]})


def test_it_creates_changes_and_deletes_a_connection(client: Client, api: Api) -> None:
    ids = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    body = {**ids, "name": "Made", "configurations": {"streams": [stream()]}}
    made = called(client, api, "create_connection", body=body)
    one = {"connection_id": made["connectionId"]}
    assert called(client, api, "update_connection", **one, body={"status": "inactive"})["status"] == "inactive"
    assert called(client, api, "delete_connection", **one) is None
    assert api.get("/connections")["data"] == []


def test_it_generates_airflow_tasks_for_connections(client: Client, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    made = client.do(api, "tasks", connection_ids=[connection])
    assert list(made["tasks"]) == ["faker_null"]
    assert connection in made["tasks"]["faker_null"]
    with pytest.raises(ClientError, match="there is no Airbyte connection"):
        client.do(api, "tasks", connection_ids=[api.twin.workspace_id])


def test_it_finds_no_connection_behind_a_table_of_a_bucket(client: Client, api: Api) -> None:
    api.connection()
    assert client.do(api, "pipelines", db="lake", schema="raw", table="orders") is None


def test_its_extract_writes_what_its_load_creates_elsewhere(client: Client, api: Api) -> None:
    null_connection(api, stream("users", selectedFields=fields("id", "updated_at")))
    files = command(client, api, "extract", {})
    # Its own load only reads files that end in `.json`.
    files["connections/faker-null.json"] = files.pop("connections/faker-null_json")
    assert sorted(files) == ["connections/faker-null.json", "destinations/null.json", "sources/faker.json"]
    with serving() as other:
        command(client, other, "load", files)
        again = command(client, other, "extract", {})
        for kind in ("sources/faker.json", "destinations/null.json"):
            assert again[kind] == files[kind]
        made, wanted = again["connections/faker-null_json"], files["connections/faker-null.json"]
        assert made["configurations"] == wanted["configurations"]


def test_its_load_cannot_send_back_a_stream_with_all_of_its_fields(client: Client, api: Api) -> None:
    """The server lists `selectedFields: []` for such a stream, and refuses the same in a request."""
    null_connection(api)
    files = command(client, api, "extract", {})
    files["connections/faker-null.json"] = files.pop("connections/faker-null_json")
    api.delete(f"/connections/{api.get('/connections')['data'][0]['connectionId']}")
    done = client.do(api, "command", verb="load", files=files)
    assert (done["code"], "Airbyte API error (400)" in done["output"]) == (1, True)


def test_its_load_takes_secrets_from_files(client: Client, api: Api) -> None:
    api.destination()
    files = command(client, api, "extract", {})
    assert files["destinations/s3.json"]["configuration"]["secret_access_key"] == MASK
    keys = {"access_key_id": "second-key", "secret_access_key": "second-secret"}
    with serving() as other:
        other.post("/sources", faker(other.twin.workspace_id))
        command(client, other, "load", {**files, "secrets/destinations/s3.json": keys})
        (made,) = other.get("/destinations")["data"]
        assert made["configuration"]["secret_access_key"] == MASK


def test_each_method_of_its_caller_is_used(worker: Worker) -> None:
    assert set(worker.take({"step": "methods", "twin": {}, "with": {}})) <= steps_of(CLIENT)
    assert stale_facts(CLIENT, globals()) == set()
