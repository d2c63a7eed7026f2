"""Configurations that nearly fit the specifications of real connectors, and streams that nearly fit what is offered."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.support.shared import shared, shared_json

Document = Any
ANYTHING: tuple[Document, ...] = (
    *(0, 1, -5, 99999, 1.5, True, None, "", "abc", "*" * 10, "2026-13-01", "2026-01-31", "2026-01-31T00:00:00Z"),
    *([], {}, ["a", "a"], {"q": 1}),
)


@cache
def specifications() -> dict[str, Document]:
    """JSON Schemas of connectors by name: those that connectors publish, and those of the recorded server."""
    files = sorted(shared("airbyte", "specs").glob("*.json"))
    published = {file.stem: shared_json("airbyte", "specs", file.name)["connectionSpecification"] for file in files}
    recorded = shared_json("airbyte", "recorded", "setup.json")["definitions"]
    return published | {f"recorded {each['kind']} {each['type']}": each["spec"] for each in recorded}


@st.composite
def configurations(draw: st.DrawFn, schema: Document) -> Document:
    """A configuration of a specification with up to three of its places changed."""
    document = _fitting(draw, schema)
    for _ in range(draw(st.integers(0, 3))):
        document = _put(document, draw(st.sampled_from([*_paths(document)])), draw(st.sampled_from(CHANGES)), draw)
    return document if isinstance(document, dict) else {}


def _fitting(draw: st.DrawFn, schema: Document) -> Document:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return draw(st.sampled_from(schema["enum"]))
    for choice in {"oneOf", "anyOf"} & schema.keys():
        branch, own = draw(st.sampled_from(schema[choice])), {k: v for k, v in schema.items() if k != choice}
        properties = own.get("properties", {}) | branch.get("properties", {})
        return _fitting(draw, own | branch | ({"properties": properties} if properties else {}))
    if "properties" in schema:
        required = {*schema.get("required", ())}
        wanted = [key for key in schema["properties"] if key in required or draw(st.booleans())]
        return {key: _fitting(draw, schema["properties"][key]) for key in wanted}
    kind = schema.get("type", "object")
    return _scalar(draw, kind[0] if isinstance(kind, list) else kind, schema)


def _scalar(draw: st.DrawFn, kind: str, schema: Document) -> Document:
    if kind == "array":
        return [_fitting(draw, schema.get("items", {"type": "string"})) for _ in range(draw(st.integers(0, 2)))]
    if kind in {"integer", "number"}:
        low = schema.get("minimum", 0)
        return draw(st.integers(low, schema.get("maximum", low + 9)))
    examples = [str(each) for each in schema.get("examples", ())]
    values = {"string": st.sampled_from([*examples, "abc"]), "boolean": st.booleans(), "object": st.just({})}
    return draw(values.get(kind, st.none()))


def _dropped(draw: st.DrawFn, value: Document) -> Document:
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from([*value]))
        return {each: inner for each, inner in value.items() if each != key}
    return value[1:] if isinstance(value, list) else None


def _renamed(draw: st.DrawFn, value: Document) -> Document:
    if not isinstance(value, dict) or not value:
        return value
    key = draw(st.sampled_from([*value]))
    return {(f"{each}s" if each == key else each): inner for each, inner in value.items()}


def _more(draw: st.DrawFn, value: Document) -> Document:
    return {**value, "further": draw(st.sampled_from(ANYTHING))} if isinstance(value, dict) else value


def _replaced(draw: st.DrawFn, value: Document) -> Document:
    return draw(st.sampled_from(ANYTHING))


CHANGES = (_dropped, _renamed, _more, _replaced, _replaced)


def _paths(value: Document, path: tuple[str | int, ...] = ()) -> Any:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _paths(inner, (*path, step))


def _put(value: Document, path: tuple[str | int, ...], change: Any, draw: st.DrawFn) -> Document:
    if not path:
        return change(draw, value)
    inner = _put(value[path[0]], path[1:], change, draw)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [inner if index == path[0] else item for index, item in enumerate(value)]


def replaced(value: Document, path: tuple[str | int, ...], by: object) -> Document:
    """The document with another value at one of its places."""
    return _put(value, path, lambda _draw, _value: by, None)  # type: ignore[arg-type]


def places(value: Document) -> list[tuple[str | int, ...]]:
    """Every place of a document but the whole of it."""
    return [path for path in _paths(value) if path]
