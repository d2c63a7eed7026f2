"""The pages in the registry's form say what the schema says, and have an example in every language."""

import json
import re

import pytest
import yaml
from pulumi_airbyte.provider import schema

from tests.support.golden import assert_matches
from toolchain.registry_pages import EXAMPLES, LANGUAGES, PACKAGE, PAGES, registry_pages

MADE = registry_pages()
RESOURCES = [token.rpartition(":")[2] for token in json.loads(schema.rendered())["resources"]]


@pytest.mark.parametrize("path", MADE)
def test_a_page_is_what_the_schema_makes(path: str) -> None:
    assert_matches(PAGES / path, MADE[path])


def test_there_are_no_other_pages() -> None:
    found = {str(file.relative_to(PAGES)) for file in PAGES.rglob("_index.md")}
    assert found == MADE.keys()


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_has_an_example_in_every_language_and_an_import(name: str) -> None:
    page = MADE[f"api-docs/{name.lower()}/_index.md"]
    assert [language for language in LANGUAGES if f"```{language}\n" not in page] == []
    assert "## Import {#import}" in page


def test_every_example_is_on_a_page() -> None:
    assert {folder.name.lower() for folder in EXAMPLES.iterdir()} <= {
        path.split("/")[-2] for path in MADE if "/" in path
    }


@pytest.mark.parametrize("path", [*MADE, "installation-configuration.md"])
def test_a_page_begins_with_what_the_registry_reads(path: str) -> None:
    text = (PAGES / path).read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert {"title", "meta_desc", "layout"} <= front.keys()
    for opening, closing in (("{{< chooser", "{{< /chooser"), ("{{% choosable", "{{% /choosable")):
        assert text.count(opening) == text.count(closing)


def test_the_configuration_page_names_every_setting_of_the_provider() -> None:
    page = (PACKAGE / "docs" / "installation-configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`airbyte:(\w+)`", page))
    assert named == json.loads(schema.rendered())["provider"]["inputProperties"].keys()
