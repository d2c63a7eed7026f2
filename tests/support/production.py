"""The production stack as its file has it, with values in the places of placeholders."""

import json
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PREFIX = "lotus:"
FILLED = {
    "workspaceId": "11111111-1111-1111-1111-111111111111",
    "shopify_api_password": "the-password-of-shopify",
    "klaviyo_api_key": "the-key-of-klaviyo",
    "dagster_db_password": "the-password-of-dagster-db",
    "ducklake_db_password": "the-password-of-ducklake-db",
    "registry_password": "the-password-of-the-registry",
}
SECRETS = [f"{PREFIX}{name}" for name in FILLED if name != "workspaceId"]


def production() -> dict[str, Any]:
    """What `Pulumi.prod.yaml` says, by key without its prefix; objects as objects.

    Without its mark, which binds it to a backend and no test has.
    """
    config = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    own = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    assert own.pop("production") == "true"
    return own | FILLED


def as_config(values: dict[str, Any]) -> dict[str, str]:
    """Values as the engine hands them to a program; what is None is not set."""
    return {
        f"{PREFIX}{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of nested objects with the value at a path of keys another one; None takes the key away."""
    key, _, rest = path.partition(".")
    copy = dict(document)
    if rest:
        copy[key] = changed(copy.get(key) or {}, rest, value)
    elif value is None:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy
