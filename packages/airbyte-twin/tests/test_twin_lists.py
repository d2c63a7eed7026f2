"""Pages: limits, links, filters, order, and their cost."""

from itertools import pairwise
from uuid import uuid4

import pytest
from twin_support import PUBLIC, Api, faker, serving, shopify

LISTS = ["/sources", "/destinations", "/connections", "/workspaces", "/jobs"]


def names(api: Api, count: int) -> list[str]:
    created = [f"source {number}" for number in range(count)]
    for name in created:
        api.post("/sources", {**faker(api.twin.workspace_id), "name": name})
    return created


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("name", "flaw"), [("limit", "LIMIT"), ("offset", "OFFSET")])
def test_only_the_database_refuses_negative_bounds(api: Api, path: str, name: str, flaw: str) -> None:
    refused = api.get(path, 500, **{name: -1})
    assert refused["data"]["message"].endswith(f"ERROR: {flaw} must not be negative")


@pytest.mark.parametrize("path", LISTS)
def test_no_row_and_more_than_a_hundred_rows_can_be_had(api: Api, path: str) -> None:
    assert api.get(path, limit=0) == {"previous": "", "next": "", "data": []}
    api.get(path, limit=101)


def test_a_page_may_be_larger_than_the_document_says(api: Api) -> None:
    created = names(api, 105)
    assert [each["name"] for each in api.get("/sources", limit=1000)["data"]] == created


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", [{"limit": "x"}, {"offset": 2**40}, {"limit": "1_0"}])
def test_what_is_no_number_does_not_convert(api: Api, path: str, query: dict[str, object]) -> None:
    (name, value), *_ = query.items()
    wrong = api.get(path, 400, **query)["_embedded"]["errors"][0]
    reason = f'For input string: "{value}"'
    assert wrong["message"] == f"Failed to convert argument [{name}] for value [{value}] due to: {reason}"


@pytest.mark.parametrize("path", LISTS)
def test_ids_are_checked_and_what_is_not_true_is_false(api: Api, path: str) -> None:
    wrong = api.get(path, 400, workspaceIds="x")
    assert wrong["_links"]["self"]["href"] == f"{PUBLIC}{path}?workspaceIds=x"
    api.get(path, includeDeleted="maybe", limit="")


def test_a_page_has_twenty_rows_unless_told_otherwise(api: Api) -> None:
    created = names(api, 21)
    assert [each["name"] for each in api.get("/sources")["data"]] == created[:20]
    assert [each["name"] for each in api.get("/sources", limit=100)["data"]] == created
    assert [each["name"] for each in api.get("/sources", limit=5, offset=18)["data"]] == created[18:]


def test_a_last_page_still_has_a_next_and_only_an_empty_one_has_none(api: Api) -> None:
    names(api, 3)
    page = api.get("/sources", limit=2, offset=2)
    root = "http://localhost:8001/api/public/v1/sources"
    assert page["next"] == f"{root}?includeDeleted=false&limit=2&offset=4"
    assert page["previous"] == f"{root}?includeDeleted=false&limit=2&limit=2&offset=0"
    empty = api.get("/sources", limit=2, offset=4)
    assert (empty["next"], empty["data"]) == ("", [])
    assert api.get("/sources")["previous"] == ""


@pytest.mark.parametrize("path", ["/sources", "/destinations", "/connections", "/workspaces"])
def test_links_name_deletion_and_join_the_workspaces_whatever_else_was_sent(api: Api, path: str) -> None:
    ids = [api.twin.workspace_id, str(uuid4())]
    sent = {"workspaceIds": ids, "includeDeleted": "TRUE", "name": "x", "offset": 20}
    query = f"includeDeleted=true&workspaceIds={'%2C'.join(ids)}&limit=20&offset=0"
    assert api.get(path, **sent)["previous"] == f"http://localhost:8001/api/public/v1{path}?{query}"


def test_workspaces_filter_repeated_or_joined(api: Api) -> None:
    other = api.post("/workspaces", {"name": "other"})["workspaceId"]
    api.source()
    api.post("/sources", shopify(other))
    both = [api.twin.workspace_id, other]
    assert len(api.get("/sources")["data"]) == 2
    assert len(api.get("/sources", workspaceIds=other)["data"]) == 1
    assert len(api.get("/sources", workspaceIds=both)["data"]) == 2
    assert len(api.get("/sources", workspaceIds=",".join(both))["data"]) == 2
    assert api.get("/sources", workspaceIds=str(uuid4()))["data"] == []
    assert len(api.get("/workspaces", workspaceIds=other)["data"]) == 1


def test_a_row_that_is_written_moves_to_the_end_so_that_pages_can_miss_others(api: Api) -> None:
    for name in names(api, 5):
        assert name
    first = api.get("/sources", limit=2)["data"]
    api.patch(f"/sources/{first[0]['sourceId']}", {"name": "renamed"})
    rest = [each["name"] for offset in (2, 4) for each in api.get("/sources", limit=2, offset=offset)["data"]]
    assert rest == ["source 3", "source 4", "renamed"]


def test_lists_can_be_unstable_but_lose_nothing_within_one_answer() -> None:
    with serving(unstable_lists=True) as api:
        created = names(api, 10)
        pages = [tuple(each["name"] for each in api.get("/sources", limit=100)["data"]) for _ in range(5)]
        assert all(sorted(page) == sorted(created) for page in pages)
        assert any(one != other for one, other in pairwise(pages))


def test_a_thousand_connections_are_listed_in_ten_calls(api: Api) -> None:
    connection = api.connection()
    stored = api.twin.store.connections.get(connection["connectionId"])
    assert stored is not None
    for _ in range(999):
        api.twin.store.connections.put(stored.model_copy(update={"id": str(uuid4())}))
    api.twin.clear_calls()
    pages = [api.get("/connections", limit=100, offset=offset)["data"] for offset in range(0, 1000, 100)]
    assert len({each["connectionId"] for page in pages for each in page}) == 1000
    assert api.twin.counts() == {"GET": 10}
