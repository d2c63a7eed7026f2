"""Changes of a connection's streams in words, for the engine's message beside the JSON diff."""

from airbyte_model.streams import shown

from pulumi_airbyte.provider.properties import Property, unwrap
from pulumi_airbyte.values import Path

Difference = tuple[Path, Property, Property]


def explain_streams(differences: list[Difference]) -> str:
    """One line such as `orders: + field note, - field tags; + stream customers (namespace shop)`."""
    by_stream: dict[str, list[Difference]] = {}
    for path, old, new in differences:
        if len(path) > 1:
            by_stream.setdefault(str(path[1]), []).append((path[2:], old, new))
    return "; ".join(_explain_stream(shown(key), found) for key, found in sorted(by_stream.items()))


def _explain_stream(name: str, differences: list[Difference]) -> str:
    path, old, _ = differences[0]
    if not path:
        return f"+ stream {name}" if old is None else f"- stream {name}"
    parts = []
    for key in sorted({str(where[0]) for where, _, _ in differences}):
        found = [item for item in differences if str(item[0][0]) == key]
        parts.append(_explain_fields(found) if key == "selectedFields" else f"~ {key}")
    return f"{name}: {', '.join(parts)}"


def _explain_fields(differences: list[Difference]) -> str:
    old, new = (_names(differences, side) for side in (1, 2))
    if any(where == ("selectedFields",) and new_value is None for where, _, new_value in differences):
        return "~ all fields"
    if any(where == ("selectedFields",) and old_value is None for where, old_value, _ in differences):
        return f"~ only fields {', '.join(sorted(new))}"
    added = [f"+ field {field}" for field in sorted(new - old)]
    return ", ".join(added + [f"- field {field}" for field in sorted(old - new)])


def _names(differences: list[Difference], side: int) -> set[str]:
    names: set[str] = set()
    for difference in differences:
        value = unwrap(difference[side])  # type: ignore[arg-type]
        names |= (
            {str(item) for item in value}
            if isinstance(value, list)
            else {str(value)}
            if isinstance(value, str)
            else set()
        )
    return names
