"""The pages in the registry's form say what the schema says, and have an example in every language."""

import json
import re
from pathlib import Path

import pytest
import yaml
from pulumi_airbyte.provider import schema

from toolchain.registry_pages import CONFIGURATION_PAGE, EXAMPLES, LANGUAGES, main, registry_pages

MADE = registry_pages()
RESOURCES = [token.rpartition(":")[2] for token in json.loads(schema.rendered())["resources"]]


def test_the_command_writes_every_page(tmp_path: Path) -> None:
    assert main([str(tmp_path / "pages")]) == 0
    written = {str(file.relative_to(tmp_path / "pages")) for file in tmp_path.rglob("*.md")}
    assert written == MADE.keys()


def test_every_input_of_a_resource_is_on_its_page_in_every_language() -> None:
    for token, resource in json.loads(schema.rendered())["resources"].items():
        page = MADE[f"api-docs/{token.rpartition(':')[2].lower()}/_index.md"]
        for name in resource["inputProperties"]:
            snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            for spelled in (name, snake, name[:1].upper() + name[1:]):
                assert f">{spelled}</span>" in page, (token, spelled)


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_has_an_example_in_every_language_and_an_import(name: str) -> None:
    page = MADE[f"api-docs/{name.lower()}/_index.md"]
    assert [language for language in LANGUAGES if f"```{language}\n" not in page] == []
    assert "## Import {#import}" in page


def test_every_example_is_on_a_page() -> None:
    assert {folder.name.lower() for folder in EXAMPLES.iterdir()} <= {
        path.split("/")[-2] for path in MADE if "/" in path
    }


@pytest.mark.parametrize("path", MADE)
def test_a_page_begins_with_what_the_registry_reads(path: str) -> None:
    text = MADE[path]
    front = yaml.safe_load(text.split("---\n")[1])
    assert {"title", "meta_desc", "layout"} <= front.keys()
    for opening, closing in (("{{< chooser", "{{< /chooser"), ("{{% choosable", "{{% /choosable")):
        assert text.count(opening) == text.count(closing)


def test_the_configuration_page_names_every_setting_of_the_provider() -> None:
    named = set(re.findall(r"`airbyte:(\w+)`", MADE[CONFIGURATION_PAGE]))
    assert named == json.loads(schema.rendered())["provider"]["inputProperties"].keys()
