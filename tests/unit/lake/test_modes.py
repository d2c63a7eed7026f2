"""Sync modes, cursors and keys, by the server's rules."""

from pathlib import Path
from typing import get_args

import pytest
from airbyte_model.modes import MODES, DestinationMode, SourceMode

from tests.support.lakes import Document, discovered, problems_of, report_on, stream

ANY_MODE: Document = {"connector": "11111111-2222-3333-4444-555555555555", "configuration": {}}
"""A destination whose modes are not pinned."""

OWN_CURSOR: Document = {"source_defined_cursor": True}
OWN_KEY: Document = {"source_defined_primary_key": [["id"]]}
NO_DEFAULTS: Document = {"defaults": {"primary_key": [], "cursor_field": []}}
DEDUP: Document = {"destination_sync_mode": "append_dedup"}
FULL_REFRESH: Document = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}


def check(directory: Path, ours: Document, theirs: Document, destination: Document = ANY_MODE) -> list[str]:
    """What is said of a stream, without its file and line."""
    changes = {
        "_destinations/s3.json": destination,
        "shop/orders.json": stream(**ours),
        "shop/_discovered/orders.json": discovered(**theirs),
    }
    return [problem.split(": ", maxsplit=1)[1] for problem in problems_of(directory, changes)]


@pytest.mark.parametrize("sync_mode", get_args(SourceMode))
@pytest.mark.parametrize("destination_sync_mode", get_args(DestinationMode))
def test_exactly_the_pairs_that_airbyte_has_are_modes(
    sync_mode: SourceMode, destination_sync_mode: DestinationMode, tmp_path: Path
) -> None:
    problems = check(tmp_path, {"sync_mode": sync_mode, "destination_sync_mode": destination_sync_mode}, {})

    assert (problems == []) == ((sync_mode, destination_sync_mode) in MODES)


def test_a_pair_that_airbyte_does_not_have_is_reported_with_the_pairs_that_it_has(tmp_path: Path) -> None:
    assert check(tmp_path, {"destination_sync_mode": "overwrite"}, {}) == [
        (
            "destination_sync_mode: overwrite does not go with incremental: "
            "write one of append, append_dedup, update, soft_delete"
        )
    ]


def test_a_mode_that_the_source_does_not_support_is_reported(tmp_path: Path) -> None:
    assert check(tmp_path, {}, {"options": {"sync_modes": ["full_refresh"]}}) == [
        "sync_mode: incremental is not supported by the source for this stream: write full_refresh"
    ]


def test_full_refresh_with_overwrite_needs_no_support(tmp_path: Path) -> None:
    """The server takes this mode without asking either side."""
    append_only: Document = {"connector": "source-x", "definition_id": str(ANY_MODE["connector"]), "spec": {}}
    pinned = append_only | {"connector": "destination-x", "destination_sync_modes": ["append"]}
    changes = {
        "_connectors/destination-x.json": pinned,
        "_destinations/s3.json": ANY_MODE,
        "shop/orders.json": stream(**FULL_REFRESH),
        "shop/_discovered/orders.json": discovered(options={"sync_modes": ["incremental"]}),
    }

    assert problems_of(tmp_path, changes) == []


def test_a_mode_that_the_destination_can_not_write_is_reported(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/orders.json": stream(**DEDUP)})

    assert problems == [
        (
            "shop/orders.json:4: destination_sync_mode: append_dedup is not supported by destination-s3: "
            "write overwrite or append"
        )
    ]


WRONG_CURSORS: list[tuple[Document, Document, str]] = [
    ({"cursor_field": ["id"]}, OWN_CURSOR, 'differs from the source\'s own cursor, updated_at: write ["updated_at"]'),
    (
        {"cursor_field": []},
        NO_DEFAULTS,
        "is missing: the source suggests no cursor: name the field by which new rows",
    ),
    ({"cursor_field": ["created"]}, {}, '"created" is not a field that the source has: did you mean "created_at"?'),
    ({"cursor_field": ["address", "street"]}, {}, '"address.street" is not a field that the source has: did you mean'),
    ({"cursor_field": ["created_at"]}, {}, '"created_at" is not among the selected fields: add it to fields'),
    (
        {"cursor_field": [], "fields": {"id": {"type": "integer"}}},
        {},
        '"updated_at" is not among the selected fields: add it to fields',
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), WRONG_CURSORS)
def test_a_cursor_that_the_server_refuses_is_reported(
    ours: Document, theirs: Document, expected: str, tmp_path: Path
) -> None:
    problems = check(tmp_path, ours, theirs)

    assert len(problems) == 1
    assert problems[0].startswith(f"cursor_field: {expected}")


RIGHT_CURSORS: list[tuple[Document, Document]] = [
    ({"cursor_field": []}, {}),
    ({"cursor_field": []}, OWN_CURSOR),
    ({"cursor_field": ["updated_at"]}, OWN_CURSOR),
    ({"cursor_field": ["id"]}, {}),
    (FULL_REFRESH | {"cursor_field": ["nonsense"]}, {}),
]


@pytest.mark.parametrize(("ours", "theirs"), RIGHT_CURSORS)
def test_a_cursor_that_the_server_takes_is_no_problem(ours: Document, theirs: Document, tmp_path: Path) -> None:
    assert check(tmp_path, ours, theirs) == []


WRONG_KEYS: list[tuple[Document, Document, str]] = [
    (DEDUP | {"primary_key": [["email"]]}, OWN_KEY, 'primary_key: differs from the source\'s own key: write [["id"]]'),
    ({"primary_key": [["nope"]]}, {}, 'primary_key[0]: "nope" is not a field that the source has'),
    ({"primary_key": [["id"], []]}, {}, 'primary_key[1]: "" is not a field that the source has'),
    (DEDUP | {"primary_key": []}, {}, "primary_key: is missing: append_dedup matches rows by it: name the key"),
    (DEDUP | {"primary_key": [["created_at"]]}, {}, 'primary_key: "created_at" is not among the selected fields'),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), WRONG_KEYS)
def test_a_key_that_would_not_hold_is_reported(ours: Document, theirs: Document, expected: str, tmp_path: Path) -> None:
    problems = check(tmp_path, ours, theirs)

    assert len(problems) == 1
    assert problems[0].startswith(expected)


RIGHT_KEYS: list[tuple[Document, Document]] = [
    ({"primary_key": []}, {}),
    ({"primary_key": [["created_at"]]}, {}),
    ({"primary_key": [["email"]]}, OWN_KEY),
    (DEDUP | {"primary_key": []}, OWN_KEY),
    (DEDUP | {"primary_key": [["id"]]}, OWN_KEY),
    (DEDUP | {"primary_key": [["email"], ["id"]]}, {}),
    (FULL_REFRESH | {"primary_key": [["nonsense"]]}, OWN_KEY),
]


@pytest.mark.parametrize(("ours", "theirs"), RIGHT_KEYS)
def test_a_key_that_holds_is_no_problem(ours: Document, theirs: Document, tmp_path: Path) -> None:
    assert check(tmp_path, ours, theirs) == []


def test_without_a_discovery_a_cursor_must_still_be_selected(tmp_path: Path) -> None:
    changes = {"shop/_discovered/orders.json": None, "shop/orders.json": stream(cursor_field=["created_at"])}

    assert problems_of(tmp_path, changes) == [
        'shop/orders.json:10: cursor_field: "created_at" is not among the selected fields: add it to fields'
    ]


def test_a_key_that_the_server_replaces_by_the_sources_own_is_noticed(tmp_path: Path) -> None:
    changes: dict[str, Document] = {
        "shop/orders.json": stream(primary_key=[["email"]]),
        "shop/_discovered/orders.json": discovered(**OWN_KEY),
    }
    report = report_on(tmp_path, changes)

    assert report.problems == ()
    [notice] = report.notices
    assert (notice.field, notice.what) == (
        "primary_key",
        "is not the source's own key, which Airbyte uses in its place",
    )
    assert notice.remedy == 'write [["id"]]'


def test_the_key_of_rows_that_are_overwritten_by_it_must_be_selected(tmp_path: Path) -> None:
    mode: Document = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite_dedup"}

    assert check(tmp_path, mode | {"primary_key": [["created_at"]]}, {}) == [
        'primary_key: "created_at" is not among the selected fields: add it to fields'
    ]
    assert check(tmp_path, mode | {"primary_key": [["email"]]}, OWN_KEY) == []
