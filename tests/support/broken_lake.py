"""A lake with one mistake of every kind, and what must be said of each: for whoever lists problems to users.

The line that is expected is found by a piece of text that only the mistake's line has, not by the code under test.
"""

from dataclasses import dataclass
from pathlib import Path

from airbyte_model.secrets import MASK

from tests.support.lakes import Document, clean_files, discovered, source, stream, write

UNSET_SECRET = "left_unset"
VALUES = frozenset({"landing_bucket", "s3_secret_access_key"})
"""The names that a stack must have, so that of all values only `UNSET_SECRET` is missing."""

KEYED_DESTINATION = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Mistake:
    """One mistake, and what is expected of a report: the file and line, the field, and a part of the words."""

    file: str
    marker: str
    field: str
    words: str
    content: Document | str | bytes | None = None


def _field(kind: str, **more: object) -> Document:
    return {"type": kind, **more}


ID, TIME = _field("integer"), _field("string", format="date-time")
UNREADABLE = (
    Mistake("shop/bad_json.json", "oops", "", "is not JSON", '{\n  "stream": "bad_json",\n  oops\n}'),
    Mistake("shop/bom.json", "", "", "byte order mark", b"\xef\xbb\xbf{}"),
    Mistake("shop/empty.json", "", "", "is empty", ""),
    Mistake("shop/latin.json", "stream", "", "is not UTF-8", b'{\n"stream": "\xe9t\xe9"}'),
    Mistake("shop/a_list.json", "", "", "must hold one JSON object", "[]"),
    Mistake(
        "shop/twice.json",
        '"selected": false',
        "selected",
        "is a duplicate key",
        '{"selected": true,\n"selected": false}',
    ),
    Mistake("notes.txt", "", "", "is not a file that a lake has", "remember the milk"),
    Mistake("orders.json", "", "", "move it into the folder", stream()),
    Mistake("shop/draft.jsn", "", "", "is not a file that a lake has", "{}"),
    Mistake("homeless/_source.json", "", "", 'source "homeless" has no _source.json', None),
    Mistake("shop/Upper-Case.json", "", "", "can't name a stream", stream(stream="Upper-Case")),
)
MODELS = (
    Mistake(
        "shop/misspelt.json",
        "curser_field",
        "curser_field",
        '"cursor_field"?',
        stream(stream="misspelt", selected=False, curser_field=["id"]),
    ),
    Mistake("shop/misnamed.json", '"stream"', "stream", '"another" is no stream', stream(stream="another")),
    Mistake(
        "shop/no_mode.json", "", "sync_mode", "is missing", {k: v for k, v in stream().items() if k != "sync_mode"}
    ),
    Mistake("shop/odd_mode.json", "sync_mode", "sync_mode", '"incremental"?', stream(sync_mode="incrementl")),
    Mistake("shop/flat_key.json", "primary_key", "primary_key", 'write [["id"]]', stream(primary_key=["id"])),
    Mistake("shop/backfilled.json", "backfill", "backfill", "without quotes", stream(backfill="true")),
    Mistake("shop/quoted.json", '"selected"', "selected", "must be true or false", stream(selected="yes")),
    Mistake("shop/odd_type.json", '"strng"', "fields.id.type", '"string"?', stream(fields={"id": _field("strng")})),
)
OFFERS = (
    Mistake("shop/ordrs.json", '"stream"', "stream", 'did you mean "orders"?', None),
    Mistake("shop/unknown_field.json", '"emial"', "fields.emial", 'did you mean "email"?', None),
    Mistake("shop/other_type.json", '"number"', "fields.id.type", "is number where the source has integer", None),
    Mistake("shop/nested.json", '"boolean"', "fields.address.properties.zip.type", "where the source has string", None),
    Mistake("shop/no_fields.json", '"fields"', "fields", "selects no field", None),
    Mistake("shop/unreadable_mode.json", '"sync_mode"', "sync_mode", "not supported by the source", None),
    Mistake("shop/odd_pair.json", "overwrite", "destination_sync_mode", "does not go with incremental", None),
    Mistake("shop/unwritable_mode.json", "append_dedup", "destination_sync_mode", "by destination-s3", None),
    Mistake("shop/other_cursor.json", '"cursor_field"', "cursor_field", "differs from the source's own", None),
    Mistake("shop/no_cursor.json", '"cursor_field"', "cursor_field", "is missing", None),
    Mistake("shop/unknown_cursor.json", '"cursor_field"', "cursor_field", "is not a field", None),
    Mistake("shop/unselected_cursor.json", '"cursor_field"', "cursor_field", "not among the selected", None),
    Mistake("keyed/other_key.json", '"primary_key"', "primary_key", "differs from the source's own key", None),
    Mistake("shop/unknown_key.json", "    [", "primary_key[0]", "is not a field", None),
    Mistake("keyed/no_key.json", '"primary_key"', "primary_key", "is missing", None),
    Mistake("keyed/unselected_key.json", '"primary_key"', "primary_key", "not among the selected", None),
)
_CONFIGURATION: tuple[tuple[str, str, str, str, Document], ...] = (
    ("masked", "***", "configuration.api_key", "is the mask", {"configuration": {"api_key": MASK}}),
    (
        "plain",
        "hunter2",
        "configuration.api_key",
        "is a secret in plain text",
        {"configuration": {"api_key": "hunter2"}},
    ),
    (
        "open",
        '"api_key"',
        "configuration.api_key",
        "but the reference is not",
        {"configuration": {"api_key": {"$config": "landing_bucket"}}},
    ),
    ("malformed", "api_key", "configuration.api_key", '"$secret"?', {"configuration": {"api_key": {"$secrt": "key"}}}),
    ("keyless", '"configuration"', "configuration.api_key", "is required", {"configuration": {}}),
    ("too_many", "num_workers", "configuration.num_workers", "is too large", {}),
    ("typo", "num_wrkers", "configuration.num_wrkers", '"num_workers"?', {}),
    ("nul", "u0000", "configuration.note", "has a NUL character", {}),
    ("long", '"name"', "name", "has 300 characters", {"name": "L" * 300}),
    ("unset", '"api_key"', "configuration.api_key", "is not set in the stack", {}),
    (
        "fast",
        '"cron":',
        "schedule.cron",
        "seconds must be a number",
        {"schedule": {"type": "cron", "cron": "* 0 * * * ?"}},
    ),
    ("lost", '"destination"', "destination", 'no destination "s4"', {"destination": "s4"}),
    ("strange", '"connector"', "connector", "is not pinned", {"connector": "source-klavio"}),
    ("twin", '"name"', "name", "is already that of shop/_source.json", {"name": "Shop"}),
    ("dashed", '"namespace"', "namespace", "which Airbyte does not fill in", {"namespace": "a-${STREAM_NAME}"}),
    ("idle", "", "", "none of its streams is selected", {}),
)
_API_KEY = {"$secret": "s3_secret_access_key"}
_SETTINGS: dict[str, Document] = {
    "too_many": {"api_key": _API_KEY, "num_workers": 500},
    "typo": {"api_key": _API_KEY, "num_wrkers": 5},
    "nul": {"api_key": _API_KEY, "note": "a\0b"},
    "unset": {"api_key": {"$secret": UNSET_SECRET}},
}
SOURCES = tuple(
    Mistake(f"{name}/_source.json", marker, field, words) for name, marker, field, words, _ in _CONFIGURATION
)
MISTAKES = (*UNREADABLE, *MODELS, *OFFERS, *SOURCES)


def write_broken_lake(directory: Path) -> tuple[Mistake, ...]:
    """Write the lake, and return the mistakes in it; one is only there for a stack that lacks `UNSET_SECRET`."""
    files = clean_files() | {"_destinations/keyed.json": {"connector": KEYED_DESTINATION, "configuration": {}}}
    files |= {mistake.file: mistake.content for mistake in (*UNREADABLE, *MODELS)}
    for mistake in MODELS:
        _offer(files, mistake.file.removesuffix(".json"))
    _write_offers(files)
    for name, _, _, _, changes in _CONFIGURATION:
        settings = _SETTINGS.get(name, {"api_key": _API_KEY})
        clean = source(connector="source-klaviyo", name=name.title(), configuration=settings)
        files[f"{name}/_source.json"] = clean | changes
        files[f"{name}/orders.json"] = stream(selected=name != "idle")
        _offer(files, f"{name}/orders")
    files["keyed/_source.json"] = source(name="Keyed", destination="keyed")
    files["homeless/orders.json"] = stream()
    _offer(files, "homeless/orders")
    _offer(files, "shop/Upper-Case")
    write(directory, files)
    return MISTAKES


def expected_line(directory: Path, mistake: Mistake) -> int:
    """The first line that has the mistake's marker; 1 when it is the whole file that is wrong."""
    if not mistake.marker:
        return 1
    lines = (directory / mistake.file).read_bytes().split(b"\n")
    return next(number for number, line in enumerate(lines, start=1) if mistake.marker.encode() in line)


def _offer(files: dict[str, Document | str | bytes | None], path: str, **overrides: object) -> None:
    """Let a source have a stream."""
    folder, name = path.split("/")
    files[f"{folder}/_discovered/{name}.json"] = discovered(**({"stream": name} | overrides))


def _write_offers(files: dict[str, Document | str | bytes | None]) -> None:
    """Write the streams that are wrong only beside what the source has."""
    own_cursor: Document = {"source_defined_cursor": True}
    no_default: Document = {"defaults": {"primary_key": [], "cursor_field": []}}
    broken: dict[str, tuple[Document, Document]] = {
        "shop/unknown_field": ({"fields": {"id": ID, "emial": _field("string"), "updated_at": TIME}}, {}),
        "shop/other_type": ({"fields": {"id": _field("number"), "updated_at": TIME}}, {}),
        "shop/nested": (
            {"fields": {"updated_at": TIME, "address": _field("object", properties={"zip": _field("boolean")})}},
            {},
        ),
        "shop/no_fields": ({"fields": {}}, {}),
        "shop/unreadable_mode": ({}, {"options": {"sync_modes": ["full_refresh"]}}),
        "shop/odd_pair": ({"destination_sync_mode": "overwrite"}, {}),
        "shop/unwritable_mode": ({"destination_sync_mode": "append_dedup"}, {}),
        "shop/other_cursor": ({"cursor_field": ["id"]}, own_cursor),
        "shop/no_cursor": ({"cursor_field": []}, no_default),
        "shop/unknown_cursor": ({"cursor_field": ["changed_at"]}, {}),
        "shop/unselected_cursor": ({"cursor_field": ["created_at"]}, {}),
        "keyed/other_key": (
            {"destination_sync_mode": "append_dedup", "primary_key": [["email"]]},
            {"source_defined_primary_key": [["id"]]},
        ),
        "shop/unknown_key": ({"primary_key": [["nope"]]}, {}),
        "keyed/no_key": ({"destination_sync_mode": "append_dedup", "primary_key": []}, {}),
        "keyed/unselected_key": ({"destination_sync_mode": "append_dedup", "primary_key": [["created_at"]]}, {}),
    }
    for path, (ours, theirs) in broken.items():
        files[f"{path}.json"] = stream(**({"stream": path.split("/")[1]} | ours))
        _offer(files, path, **theirs)
    files["shop/ordrs.json"] = stream(stream="ordrs")
