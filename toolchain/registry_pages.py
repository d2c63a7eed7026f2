"""The provider's pages in the form of Pulumi's registry, one per resource and function, generated from the schema.

Run as `python -m toolchain.registry_pages FOLDER`. A release has them as an archive; the repository has none of them.
Each page has the same sections in the same order: summary, example, creation or use, properties, supporting types, and,
for a resource, import. Names and types are those of each language. Examples are the programs in `docs/examples`.
"""

import argparse
import html
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi_airbyte
from pulumi_airbyte.provider import schema

PACKAGE: Final = Path(__file__).resolve().parents[1] / "packages" / "pulumi-airbyte"
CONFIGURATION_PAGE: Final = "installation-configuration.md"
"""The one page that is written by hand, in the package's `docs`."""
EXAMPLES: Final = PACKAGE / "docs" / "examples"
LANGUAGES: Final = {
    "typescript": "index.ts",
    "python": "__main__.py",
    "go": "main.go",
    "csharp": "Program.cs",
    "yaml": "Pulumi.yaml",
}
"""The registry's languages, and the file of an example in each."""
SCALARS: Final = {
    "string": {"typescript": "string", "python": "str", "go": "string", "csharp": "string", "yaml": "String"},
    "integer": {"typescript": "number", "python": "int", "go": "int", "csharp": "int", "yaml": "Number"},
    "number": {"typescript": "number", "python": "float", "go": "float64", "csharp": "double", "yaml": "Number"},
    "boolean": {"typescript": "boolean", "python": "bool", "go": "bool", "csharp": "bool", "yaml": "Boolean"},
}
ANY: Final = {"typescript": "any", "python": "Any", "go": "interface{}", "csharp": "object", "yaml": "Any"}
LISTS: Final = {"typescript": "{}[]", "python": "Sequence[{}]", "go": "[]{}", "csharp": "List<{}>", "yaml": "List<{}>"}
MAPS: Final = {
    "typescript": "{{[key: string]: {}}}",
    "python": "Mapping[str, {}]",
    "go": "map[string]{}",
    "csharp": "Dictionary<string, {}>",
    "yaml": "Map<{}>",
}
PYTHON_NAMES: Final = {"ConnectionTag": "TagArgs"}
"""Object types that the Python SDK calls otherwise."""

FIRST_PAGE: Final = """\
---
title: Airbyte
title_tag: Airbyte Provider
meta_desc: Manage Airbyte's sources, destinations and connections with Pulumi.
layout: package
---

The Airbyte provider for Pulumi manages sources, destinations, connections, workspaces, tags, permissions, OAuth
credentials and connectors of one's own. It works with self-managed servers from 1.2 on and with Airbyte Cloud. After
an `up`, `preview` shows no changes; an edit in Airbyte's pages shows as drift. Replaced connections keep their cursors.

[Install and configure it](installation-configuration.md), then sync two streams every hour:

"""

Document = Mapping[str, Any]
"""A part of the schema, a JSON object."""


def registry_pages() -> dict[str, str]:
    """Every page by its path."""
    package: Document = json.loads(schema.rendered())
    pages = {
        "_index.md": FIRST_PAGE + _programs("Connection").strip() + "\n",
        CONFIGURATION_PAGE: (PACKAGE / "docs" / CONFIGURATION_PAGE).read_text(encoding="utf-8"),
    }
    return pages | {f"api-docs/{path}": text for path, text in _api_pages(package).items()}


def _api_pages(package: Document) -> dict[str, str]:
    pages = {"_index.md": _overview(package)}
    for token, resource in package["resources"].items():
        pages[f"{_member(token).lower()}/_index.md"] = "".join(_resource(package, token, resource))
    pages["provider/_index.md"] = "".join(_provider(package))
    for token, function in package["functions"].items():
        pages[f"{_member(token).lower()}/_index.md"] = "".join(_function(package, token, function))
    return pages


def _overview(package: Document) -> str:
    resources = [_member(token) for token in package["resources"]]
    functions = [_member(token) for token in package["functions"]]
    return (
        _front("Airbyte", "Resources and functions of the Airbyte provider.")
        + "## Resources\n\n"
        + "".join(f"* [{name}]({name.lower()}/)\n" for name in sorted([*resources, "Provider"]))
        + "\n## Functions\n\n"
        + "".join(f"* [{name}]({name.lower()}/)\n" for name in sorted(functions))
        + f"\n## Package Details\n\nRepository: [{package['repository']}]({package['repository']})  \n"
        + f"License: {package['license']}\n"
    )


def _resource(package: Document, token: str, resource: Document) -> Iterator[str]:
    name = _member(token)
    outputs = {key: value for key, value in resource["properties"].items() if key not in resource["inputProperties"]}
    yield _front(f"airbyte.{name}", f"The resource airbyte.{name}: example, inputs, outputs and import.")
    yield f"{resource['description']}\n\n"
    yield _example(name)
    yield f"## {name} Resource Properties {{#properties}}\n\n"
    inputs = {"properties": resource["inputProperties"], "required": resource.get("requiredInputs", [])}
    yield _properties("Inputs", package, inputs, name)
    yield "All inputs are implicitly available as output properties. The resource also has these:\n\n"
    yield _properties("Outputs", package, {"properties": outputs}, name)
    yield _supporting_types(package, [*resource["inputProperties"].values(), *outputs.values()])
    yield "## Import {#import}\n\nBy id, which is part of the address of the object's page in Airbyte:\n\n"
    yield f"```sh\npulumi import {token} example <id>\n```\n"


def _provider(package: Document) -> Iterator[str]:
    yield _front("airbyte.Provider", "The provider resource airbyte.Provider: how to reach an Airbyte server.")
    yield f"{package['provider']['description']}\n\n"
    yield "## Provider Resource Properties {#properties}\n\n"
    yield _properties("Inputs", package, {"properties": package["provider"]["inputProperties"]}, "Provider")


def _function(package: Document, token: str, function: Document) -> Iterator[str]:
    name = _member(token)
    yield _front(f"airbyte.{name}", f"The function airbyte.{name}: example, arguments and result.")
    yield f"{function['description']}\n\n"
    yield _example(name)
    yield f"## Using {name} {{#using}}\n\n"
    yield _properties("Arguments", package, function["inputs"], name)
    yield f"## {name} Result {{#result}}\n\n"
    yield _properties("Properties", package, function["outputs"], name)
    properties = [*function["inputs"]["properties"].values(), *function["outputs"]["properties"].values()]
    yield _supporting_types(package, properties)


def _front(title: str, description: str) -> str:
    return (
        f'---\ntitle: "{title}"\ntitle_tag: "{title}"\nmeta_desc: "{description}"\nlayout: api\n'
        "no_edit_this_page: true\n---\n\n"
        "<!-- Generated from the schema and the programs in docs/examples. -->\n\n"
    )


def _example(name: str) -> str:
    programs = _programs(name)
    return f"## Example Usage {{#example-usage}}\n\n{programs}" if programs else ""


def _programs(name: str) -> str:
    folder = EXAMPLES / name
    texts = {language: folder / file for language, file in LANGUAGES.items() if (folder / file).exists()}
    blocks = {language: f"```{language}\n{file.read_text('utf-8').strip()}\n```\n" for language, file in texts.items()}
    return _chosen(blocks) if blocks else ""


def _properties(title: str, package: Document, described: Document, owner: str) -> str:
    if not described.get("properties"):
        return ""
    return f"### {title}\n\n{_lists(package, described, owner)}"


def _lists(package: Document, described: Document, owner: str) -> str:
    return _chosen({language: _Writer(package, language).properties(described, owner) for language in LANGUAGES})


def _supporting_types(package: Document, properties: list[Document]) -> str:
    found = dict.fromkeys(_referred(package, properties))
    if not found:
        return ""
    parts = ["## Supporting Types {#supporting-types}\n\n"]
    for token in sorted(found, key=_member):
        name, described = _member(token), package["types"][token]
        parts.append(f"### {name} {{#{name.lower()}}}\n\n")
        if "description" in described:
            parts.append(f"{described['description']}\n\n")
        if "enum" in described:
            parts.append("".join(f"* `{each['value']}`\n" for each in described["enum"]) + "\n")
        else:
            parts.append(_lists(package, described, name))
    return "".join(parts)


def _referred(package: Document, properties: list[Document]) -> Iterator[str]:
    """The tokens of the types that these properties have, of the types' own properties too."""
    for token in re.findall(r'"#/types/([^"]+)"', json.dumps(properties)):
        yield token
        yield from _referred(package, list(package["types"][token].get("properties", {}).values()))


@dataclass(frozen=True)
class _Writer:
    """Writes properties as HTML, in the names and types of one language."""

    package: Document
    language: str

    def properties(self, described: Document, owner: str) -> str:
        required = set(described.get("required", ()))
        items = sorted(described["properties"].items(), key=lambda item: (item[0] not in required, item[0]))
        entries = "".join(self._property(key, value, owner, is_required=key in required) for key, value in items)
        return f'<dl class="resources-properties">\n{entries}</dl>\n'

    def _property(self, key: str, value: Document, owner: str, *, is_required: bool) -> str:
        replaces, secret = bool(value.get("willReplaceOnChanges")), bool(value.get("secret"))
        kinds = "property-required" if is_required else "property-optional"
        kinds += " property-replacement" * replaces
        title = "Required" if is_required else "Optional"
        marks = " <em>Changes replace the resource.</em>" * replaces + " <em>Secret.</em>" * secret
        return (
            f'<dt class="{kinds}" title="{title}">\n'
            f'<span id="{owner.lower()}_{key.lower()}_{self.language}">{self._spelled(key)}</span>\n'
            f'<span class="property-type">{self._type(value)}</span>\n</dt>\n'
            f"<dd>{_text(value.get('description', ''))}{marks}</dd>\n"
        )

    def _spelled(self, name: str) -> str:
        if self.language == "python":
            return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        return name[:1].upper() + name[1:] if self.language in {"go", "csharp"} else name

    def _type(self, value: Document) -> str:
        if "oneOf" in value:
            return " | ".join(map(self._type, value["oneOf"]))
        if (reference := value.get("$ref", "")).startswith("#/types/"):
            return self._linked(reference.removeprefix("#/types/"))
        if reference:
            return ANY[self.language]
        if value["type"] == "array":
            return html.escape(LISTS[self.language], quote=False).format(self._type(value["items"]))
        if value["type"] == "object":
            inner = self._type(value.get("additionalProperties", {"$ref": "pulumi.json#/Any"}))
            return html.escape(MAPS[self.language], quote=False).format(inner)
        return SCALARS[value["type"]][self.language]

    def _linked(self, token: str) -> str:
        """A type of the package, with a link to its section on the page."""
        name = shown = _member(token)
        if "enum" in self.package["types"][token]:
            shown = "str" if self.language == "python" else name
        elif self.language == "python":
            names = (PYTHON_NAMES.get(name, f"{name}Args"), name)
            shown = next((each for each in names if each in pulumi_airbyte.__all__), "Mapping[str, Any]")
        return f'<a href="#{name.lower()}">{shown}</a>'


def _chosen(texts: Mapping[str, str]) -> str:
    """The text of the language that the reader has chosen."""
    opening, closing = "{{% choosable language ", "{{% /choosable %}}"
    parts = (f"{opening}{name} %}}}}\n\n{text}\n{closing}\n\n" for name, text in texts.items())
    return f'{{{{< chooser language "{",".join(texts)}" >}}}}\n\n{"".join(parts)}{{{{< /chooser >}}}}\n\n'


def _text(description: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(description, quote=False))


def _member(token: str) -> str:
    return token.rpartition(":")[2]


def main(arguments: list[str]) -> int:
    """Write the pages into a folder."""
    parser = argparse.ArgumentParser(description="Write the provider's pages in the form of Pulumi's registry.")
    parser.add_argument("folder", type=Path, help="where to write them; existing pages are overwritten")
    folder: Path = parser.parse_args(arguments).folder
    for path, text in registry_pages().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
