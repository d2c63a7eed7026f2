"""JSON values and dotted paths, shared by the SDK, the client and the plugin. Knows neither Pulumi nor HTTP."""

import json

from airbyte_model.json_values import JsonObject, JsonValue, Path, canonical_json, is_list, leaves
from airbyte_model.secrets import MASK

__all__ = ["MASK", "JsonObject", "JsonValue", "Path", "canonical_json", "is_list", "leaves", "render_path"]


def render_path(path: Path) -> str:
    """A property path as the engine writes it: `configuration.credentials.api_password`, `tags[0]`, `a["b.c"]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier() or key.replace("-", "_").isidentifier():
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text
