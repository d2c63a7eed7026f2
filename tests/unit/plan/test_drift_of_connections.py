"""Changes in Airbyte that go to the place of one connection of several, or that no file can hold for it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.commands.drift import FilePatch, patch_of
from lotus_infra.plan.drift import Drift, DriftedObject, PropertyDrift, connection_values
from tests.support.lakes import clean_files, destination, discovered, source, stream, write

Document = dict[str, Any]
Change = tuple[tuple[str, ...], Any, Any]
"""A path, the value of code and state, and the live value."""
FIELDS: list[Any] = ["email", "id", "updated_at"]
STREAM: Document = {
    "name": "orders",
    "syncMode": "incremental_append",
    "cursorField": ["updated_at"],
    "primaryKey": [["id"]],
    "selectedFields": FIELDS,
}
HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
CONNECTIONS: Document = {
    "hourly": {"destination": "s3", "namespace": "shop_hourly", "streams": ["orders"]},
    "daily": {"destination": "s3", "schedule": {"type": "basic", "every": "24 hours"}, "streams": ["orders", "users"]},
}


def lake(connections: Document | None = None) -> Document:
    """The files of a source with two connections, which share one stream."""
    given = CONNECTIONS if connections is None else connections
    split = {key: value for key, value in source(connections=given).items() if key != "destination"}
    users: Document = {"stream": "users", "fields": {"id": {"type": "integer"}}, "sync_mode": "full_refresh"}
    users |= {"destination_sync_mode": "append", "primary_key": [["id"]]}
    offered = discovered(stream="users", fields={"id": {"type": "integer"}, "name": {"type": "string"}})
    files: Document = {"shop/users.json": users, "shop/_discovered/users.json": offered}
    return files | ({"shop/_source.json": split} if given else {})


def patched(
    folder: Path,
    objects: Mapping[str, tuple[Document, Iterable[Change]]],
    files: Document | None = None,
    stack: str = "",
) -> FilePatch:
    """The patch of some connections' changes, by the names of the connections."""
    found = [
        DriftedObject(
            "connection",
            name,
            tuple(PropertyDrift(path, code, code, new) for path, code, new in changes),
            (),
            live,
        )
        for name, (live, changes) in objects.items()
    ]
    write(folder / "streams", clean_files() | (lake() if files is None else files))
    return patch_of(Drift(tuple(found), {}), folder / "streams", stack)


def changed_lines(patch: FilePatch) -> list[str]:
    lines = patch.text.splitlines()
    return [line for line in lines if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]


def unresolved(patch: FilePatch) -> list[str]:
    return [f"{each.where}: {each.what}" for each in patch.left]


def streams(*several: Document, **settings: Any) -> Document:
    return {"configurations": {"streams": list(several)}, **settings}


SETTINGS: dict[str, tuple[Document, list[Change], list[str]]] = {
    "a prefix": (streams(STREAM, prefix="x_"), [(("prefix",), "", "x_")], ['+      "prefix": "x_",']),
    "a status": (
        streams(STREAM, status="inactive"),
        [(("status",), "active", "inactive")],
        ['+      "status": "inactive",'],
    ),
    "tags": (
        streams(STREAM, tags=[{"tagId": "1", "name": "finance"}, {"tagId": "2", "name": "daily"}]),
        [(("tags",), None, ["daily", "finance"])],
        ['+      "tags": [', '+        "daily",', '+        "finance"', "+      ],"],
    ),
    "a name": (streams(STREAM, name="Mine"), [(("name",), "Shop Daily → S3", "Mine")], ['+      "name": "Mine",']),
    "a namespace": (
        streams(STREAM, namespaceDefinition="custom_format", namespaceFormat="Shop-${SOURCE_NAMESPACE}"),
        [(("namespaceFormat",), "shop", "Shop-${SOURCE_NAMESPACE}")],
        ['+      "namespace": "Shop-${SOURCE_NAMESPACE}",'],
    ),
    "a namespace of the source": (
        streams(STREAM, namespaceDefinition="source"),
        [(("namespaceDefinition",), "custom_format", "source"), (("namespaceFormat",), "shop", "")],
        ['+      "namespace_definition": "source",'],
    ),
    "a schedule": (
        streams(STREAM, schedule={"scheduleType": "basic", "basicTiming": "Every 12 HOURS"}),
        [(("schedule",), "every 24 hours", "every 12 hours")],
        ['-        "every": "24 hours"', '+        "every": "12 hours"'],
    ),
    "pods": (
        streams(STREAM, resourceRequirements={"memory_limit": "2Gi"}),
        [(("resourceRequirements", "memory_limit"), None, "2Gi")],
        ['+      "resource_requirements": {', '+        "memory_limit": "2Gi"', "+      },"],
    ),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_setting_goes_to_its_connection_in_the_sources_file(tmp_path: Path, what: str) -> None:
    live, changes, lines = SETTINGS[what]

    patch = patched(tmp_path, {"shop/daily": (live, changes)})

    assert unresolved(patch) == []
    # The last entry has no comma, and the one before it gets one.
    found = [line.rstrip(",") for line in changed_lines(patch)]
    assert [line for line in lines if line.rstrip(",") not in found] == []
    moved = [line for line in found if line.rstrip(",") not in [each.rstrip(",") for each in lines]]
    assert {line[1:].rstrip(",") for line in moved} <= {'      "destination": "s3"', "      ]", "      }"}


def test_settings_of_the_short_form_stay_in_it(tmp_path: Path) -> None:
    live = streams(
        STREAM, status="inactive", tags=[{"tagId": "1", "name": "finance"}], namespaceDefinition="destination"
    )
    changes: list[Change] = [
        (("status",), "active", "inactive"),
        (("tags",), None, ["finance"]),
        (("namespaceDefinition",), "custom_format", "destination"),
        (("namespaceFormat",), "shop", ""),
    ]

    patch = patched(tmp_path, {"shop": (live, changes)}, {})

    assert patch.ok, patch
    for line in ('+  "namespace_definition": "destination"', '+  "status": "inactive"', '+    "finance"'):
        assert line in [each.rstrip(",") for each in changed_lines(patch)]


def test_a_status_that_airbyte_itself_may_have_set_is_for_people_to_decide(tmp_path: Path) -> None:
    difference = PropertyDrift(("status",), "active", "active", "inactive", perhaps_server=True)
    write(tmp_path / "streams", clean_files())
    drifted = DriftedObject("connection", "shop", (difference,), (), streams(STREAM, status="inactive"))

    patch = patch_of(Drift((drifted,), {}), tmp_path / "streams")

    assert patch.text == ""
    assert unresolved(patch) == ["connection shop: status: Airbyte itself may have disabled it"]


@pytest.mark.parametrize("status", ["locked", "deprecated"])
def test_a_status_that_no_file_has_is_refused(tmp_path: Path, status: str) -> None:
    patch = patched(tmp_path, {"shop/daily": (streams(STREAM, status=status), [(("status",), "active", status)])})

    assert unresolved(patch) == [f"connection shop/daily: status: a file can't make a connection {status}"]


def test_a_namespace_of_another_definition_that_stays_in_airbyte_is_reported(tmp_path: Path) -> None:
    live = streams(STREAM, namespaceDefinition="source", namespaceFormat="shop")

    patch = patched(tmp_path, {"shop/daily": (live, [(("namespaceDefinition",), "custom_format", "source")])})

    assert [line for line in changed_lines(patch) if "namespace" in line] == [
        '+      "namespace_definition": "source",'
    ]
    assert unresolved(patch) == [
        "connection shop/daily: namespaceFormat: a file has no namespace beside the definition source"
    ]


def test_another_destination_has_a_reason(tmp_path: Path) -> None:
    patch = patched(tmp_path, {"shop/daily": (streams(STREAM), [(("destinationId",), "1", "2")])})

    assert unresolved(patch) == ["connection shop/daily: destinationId: no file of the lake has a key for it"]


# Streams

NO_EMAIL: Change = (("streams", "orders", "fields", "email"), True, None)
WITHOUT_EMAIL = {**STREAM, "selectedFields": ["id", "updated_at"]}


def test_a_change_of_a_shared_stream_in_one_connection_is_refused(tmp_path: Path) -> None:
    patch = patched(tmp_path, {"shop/daily": (streams(WITHOUT_EMAIL), [NO_EMAIL])})

    assert patch.text == ""
    assert unresolved(patch) == [
        "connection shop/daily: orders.fields.email: the connection shop/hourly has the same file"
    ]
    assert "a file of its own" in patch.left[0].remedy


def test_a_change_of_a_shared_stream_in_all_of_its_connections_is_one_edit(tmp_path: Path) -> None:
    both = {name: (streams(WITHOUT_EMAIL), [NO_EMAIL]) for name in ("shop/daily", "shop/hourly")}

    patch = patched(tmp_path, both)

    assert patch.ok, patch
    assert changed_lines(patch)[0] == '-    "email": {'


def test_a_stream_that_leaves_one_of_its_connections_leaves_the_list(tmp_path: Path) -> None:
    patch = patched(tmp_path, {"shop/daily": (streams(), [(("streams", "orders"), True, None)])})

    assert changed_lines(patch) == ['-        "orders",']
    assert patch.ok


def test_a_stream_that_leaves_its_only_connection_is_no_longer_selected(tmp_path: Path) -> None:
    patch = patched(tmp_path, {"shop/daily": (streams(STREAM), [(("streams", "users"), True, None)])})

    assert '+  "selected": false' in changed_lines(patch)


def test_a_stream_that_leaves_a_connection_of_every_file_makes_a_list(tmp_path: Path) -> None:
    connections = {"hourly": {"destination": "s3"}, "daily": {"destination": "s3", "prefix": "d_"}}

    patch = patched(tmp_path, {"shop/daily": (streams(), [(("streams", "orders"), True, None)])}, lake(connections))

    assert [line.strip(" +,") for line in changed_lines(patch) if line.startswith("+")][-3:] == [
        '"streams": [',
        '"users"',
        "]",
    ]


def test_the_last_stream_of_a_connection_can_not_leave_it(tmp_path: Path) -> None:
    patch = patched(tmp_path, {"shop/hourly": (streams(), [(("streams", "orders"), True, None)])})

    assert patch.text == ""
    assert unresolved(patch) == ["connection shop/hourly: stream orders: a connection needs a stream"]


def test_a_stream_that_comes_to_another_connection_joins_its_list(tmp_path: Path) -> None:
    users = {"name": "users", "syncMode": "full_refresh_append", "selectedFields": ["id"]}
    changes: list[Change] = [(("streams", "users"), None, True)]

    patch = patched(tmp_path, {"shop/hourly": (streams(STREAM, users), changes)})

    assert [line.strip(" +,") for line in changed_lines(patch) if line.startswith("+")] == ['"orders"', '"users"']
    assert unresolved(patch) == []


def test_a_new_stream_of_any_name_gets_a_file_and_joins_the_list(tmp_path: Path) -> None:
    offered = discovered(stream="Sheet 1", fields={"id": {"type": "integer"}})
    live = streams(STREAM, {"name": "Sheet 1", "syncMode": "full_refresh_append"})
    changes: list[Change] = [(("streams", "Sheet 1"), None, True)]

    patch = patched(tmp_path, {"shop/daily": (live, changes)}, lake() | {"shop/_discovered/Sheet 1.json": offered})

    assert "+++ b/streams/shop/sheet_1.json" in patch.text
    assert '+  "stream": "Sheet 1",' in patch.text
    assert '+  "fields": "all"' in patch.text
    assert '+        "sheet_1"' in patch.text
    assert patch.ok, patch


def test_a_new_stream_is_no_file_where_another_connection_takes_every_file(tmp_path: Path) -> None:
    connections = {
        "hourly": {"destination": "s3"},
        "daily": {"destination": "s3", "prefix": "d_", "streams": ["users"]},
    }
    live = streams({"name": "refunds", "syncMode": "full_refresh_append", "selectedFields": ["id"]})
    offered = discovered(stream="refunds")
    changes: list[Change] = [(("streams", "refunds"), None, True)]

    patch = patched(
        tmp_path,
        {"shop/daily": (live, changes)},
        lake(connections) | {"shop/_discovered/refunds.json": offered},
    )

    assert patch.text == ""
    assert unresolved(patch) == [
        "connection shop/daily: stream refunds: the connection shop/hourly takes every file of the source"
    ]


def test_a_stream_of_a_second_namespace_is_a_second_file(tmp_path: Path) -> None:
    files = {
        "shop/orders.json": stream(namespace="public"),
        "shop/_discovered/orders.json": None,
        "shop/_discovered/orders@public.json": discovered(namespace="public"),
        "shop/_discovered/orders@app.json": discovered(namespace="app"),
    }
    live = streams(
        {**STREAM, "namespace": "public"}, {**STREAM, "namespace": "app", "selectedFields": ["id", "updated_at"]}
    )
    added: list[Change] = [(("streams", '["app","orders"]'), None, True)]

    patch = patched(tmp_path, {"shop": (live, added)}, files)

    assert "+++ b/streams/shop/app_orders.json" in patch.text
    assert '+  "namespace": "app",' in patch.text
    assert unresolved(patch) == []


ONE = {"shop/_source.json": source()}


def test_every_field_is_a_word_of_the_file_and_back(tmp_path: Path) -> None:
    every = {key: value for key, value in STREAM.items() if key != "selectedFields"}
    path = ("streams", "orders", "fields")

    patch = patched(tmp_path / "all", {"shop": (streams(every), [(path, ", ".join(FIELDS), "every field")])}, ONE)
    assert changed_lines(patch)[-1] == '+  "fields": "all"'
    assert patch.ok, patch

    files = {"shop/orders.json": stream(fields="all")}
    patch = patched(tmp_path / "some", {"shop": (streams(STREAM), [(path, "every field", ", ".join(FIELDS))])}, files)
    assert changed_lines(patch)[0] == '-  "fields": "all"'
    assert [line.strip(' +":{') for line in changed_lines(patch) if line.endswith('": {')] == [
        "fields",
        *sorted(FIELDS),
    ] or ({line.strip(' +":{') for line in changed_lines(patch) if line.endswith('": {')} == {"fields", *FIELDS})
    assert patch.ok, patch


def mappers(*several: Document) -> list[Document]:
    return [{"type": each["type"], "mapperConfiguration": each["configuration"]} for each in several]


def test_mappers_files_and_objects_are_keys_of_the_streams_file(tmp_path: Path) -> None:
    hashed = {"type": "hashing", "configuration": HASHING}
    live = streams({**STREAM, "mappers": mappers(hashed), "includeFiles": True, "destinationObjectName": "Contact"})
    changes: list[Change] = [
        (("streams", "orders", "mappers"), None, mappers(hashed)),
        (("streams", "orders", "includeFiles"), None, True),
        (("streams", "orders", "destinationObjectName"), None, "Contact"),
    ]

    patch = patched(tmp_path, {"shop": (live, changes)}, ONE)

    lines = [line.strip(" +,") for line in changed_lines(patch)]
    assert '"include_files": true' in lines
    assert '"destination_object_name": "Contact"' in lines
    assert '"method": "SHA-256"' in lines
    assert '"configuration": {' in lines
    assert unresolved(patch) == []


def test_mappers_that_are_removed_leave_the_file(tmp_path: Path) -> None:
    hashed = {"type": "hashing", "configuration": HASHING}
    changes: list[Change] = [(("streams", "orders", "mappers"), mappers(hashed), None)]

    patch = patched(tmp_path, {"shop": (streams(STREAM), changes)}, {"shop/orders.json": stream(mappers=[hashed])})

    assert '-  "mappers": [' in changed_lines(patch)
    assert patch.ok, patch


def encryption(key: Any, suffix: str = "_sealed") -> Document:
    settings = {"algorithm": "AES", "mode": "CBC", "padding": "PKCS5Padding", "targetField": "email", "key": key}
    return {"type": "encryption", "configuration": settings | {"fieldNameSuffix": suffix}}


def test_a_key_of_a_mapper_stays_a_reference(tmp_path: Path) -> None:
    written = encryption({"$secret": "shop_key"})
    before, after = mappers(encryption("**********"))[0], mappers(encryption("**********", "_x"))[0]
    changes: list[Change] = [(("streams", "orders", "mappers"), [before], [after])]

    patch = patched(tmp_path, {"shop": (streams(STREAM), changes)}, {"shop/orders.json": stream(mappers=[written])})

    assert [line.strip(" ") for line in changed_lines(patch) if "Suffix" in line] != []
    assert all("shop_key" not in line for line in changed_lines(patch))
    assert unresolved(patch) == []


def test_a_new_key_of_a_mapper_is_refused(tmp_path: Path) -> None:
    changes: list[Change] = [(("streams", "orders", "mappers"), None, mappers(encryption("**********")))]

    patch = patched(tmp_path, {"shop": (streams(STREAM), changes)}, ONE)

    assert patch.text == ""
    assert unresolved(patch) == ["connection shop: orders.mappers: a mapper holds a key, which Airbyte does not show"]
    assert "--secret" in patch.left[0].remedy


def test_secret_streams_have_a_reason(tmp_path: Path) -> None:
    changes: list[Change] = [(("configurations",), "[secret]", "[another secret]")]

    patch = patched(tmp_path, {"shop": ({"configurations": "[secret]"}, changes)}, ONE)

    what = "its streams are secret, because a mapper holds a key: the difference is not shown"
    assert unresolved(patch) == [f"connection shop: configurations: {what}"]


def test_tags_are_compared_by_name() -> None:
    code = connection_values({"tags": [{"tagId": "2", "name": "finance"}, {"tagId": "1", "name": "daily"}]})
    live = connection_values({"tags": [{"tagId": "1", "name": "daily"}, {"tagId": "2", "name": "finance"}]})

    assert code == live
    assert code["tags",] == ["daily", "finance"]
    assert connection_values({"tags": []}) == connection_values({})


def test_a_connection_that_airbyte_lost_is_named_by_its_own_name(tmp_path: Path) -> None:
    write(tmp_path / "streams", clean_files() | lake() | {"_destinations/eu.json": destination()})
    gone = PropertyDrift((), True, True, None)

    patch = patch_of(Drift((DriftedObject("connection", "shop/daily", (gone,), (), {}),), {}), tmp_path / "streams")

    assert unresolved(patch) == ["connection shop/daily: it was deleted in Airbyte"]


@pytest.mark.parametrize(
    ("kind", "name", "path", "remedy"),
    [
        ("connector", "source-mine", ("dockerImageTag",), "lotus connector add"),
        ("tag", "daily", ("name",), "write the name into each of them"),
    ],
)
def test_objects_of_several_files_are_for_people_to_change(
    tmp_path: Path, kind: str, name: str, path: tuple[str, ...], remedy: str
) -> None:
    write(tmp_path / "streams", clean_files())
    changed = PropertyDrift(path, "1.0.0", "1.0.0", "1.1.0")

    patch = patch_of(Drift((DriftedObject(kind, name, (changed,), (), {}),), {}), tmp_path / "streams")

    assert patch.text == ""
    assert unresolved(patch)[0].startswith(f"{kind} {name}: {path[0]}: ")
    assert remedy in patch.left[0].remedy


NIGHTLY: Document = {"type": "basic", "every": "12 hours"}
EVERY_DAY: tuple[Document, list[Change]] = (
    streams(STREAM, schedule={"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}),
    [(("schedule",), "every 12 hours", "every 24 hours")],
)


def test_what_a_stack_sets_for_one_connection_goes_to_the_stacks_file(tmp_path: Path) -> None:
    own = {"sources": {"shop": {"connections": {"daily": {"schedule": NIGHTLY}}}}}

    patch = patched(tmp_path, {"shop/daily": EVERY_DAY}, lake() | {"_stacks/prod.json": own}, "prod")

    assert "+++ b/streams/_stacks/prod.json" in patch.text
    assert [line.strip(" ") for line in changed_lines(patch)] == [
        '-            "every": "12 hours"',
        '+            "every": "24 hours"',
    ]
    assert patch.left == ()


def test_what_a_stack_sets_for_every_connection_of_a_source_is_refused_for_one(tmp_path: Path) -> None:
    every = {"sources": {"shop": {"schedule": NIGHTLY, "status": "active"}}}
    live, changes = EVERY_DAY
    paused: Change = (("status",), "active", "inactive")

    patch = patched(
        tmp_path,
        {"shop/daily": (live | {"status": "inactive"}, [*changes, paused])},
        lake() | {"_stacks/prod.json": every},
        "prod",
    )

    assert patch.text == ""
    assert unresolved(patch) == [
        "connection shop/daily: schedule.every: _stacks/prod.json sets it for all connections of shop",
        "connection shop/daily: status: _stacks/prod.json sets it for all connections of shop",
    ]
    assert all("for daily alone" in each.remedy for each in patch.left)
