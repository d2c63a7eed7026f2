"""The check of answers itself: it must be on, and it must be able to fail."""

import pytest
from twin_contract import check_answer, shared_data
from twin_support import Api

SOURCE = "/api/public/v1/sources/x"


def test_answers_are_checked_against_the_reference_documents() -> None:
    assert (shared_data() / "airbyte" / "airbyte-public-api.yaml").is_file()


def test_an_answer_with_a_missing_a_wrong_or_an_undeclared_member_is_found(api: Api) -> None:
    shared_data()
    source = api.source()
    check_answer("GET", SOURCE, 200, "application/json", source)
    for spoilt in (
        {key: value for key, value in source.items() if key != "name"},
        {**source, "createdAt": "now"},
        {**source, "sourceId": source["sourceId"].upper()},
        {**source, "tombstone": False},
    ):
        with pytest.raises(AssertionError, match="GET"):
            check_answer("GET", SOURCE, 200, "application/json", spoilt)


def test_an_undeclared_call_status_or_error_is_found() -> None:
    shared_data()
    for method, path, status in (("GET", "/api/v1/nope", 200), ("POST", "/api/public/v1/sources", 201)):
        with pytest.raises(AssertionError):
            check_answer(method, path, status, "application/json", {})
    for body in ({"title": "x"}, {"errorId": "x"}, {"error": "x"}):
        with pytest.raises((AssertionError, ValueError)):
            check_answer("GET", SOURCE, 400, "application/json", body)
