"""What is published: each distribution's licence, metadata, changelog and version, as its files say them."""

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import REPOSITORY

PUBLISHED = sorted(path.parent for path in (REPOSITORY / "packages").glob("*/pyproject.toml"))
DISTRIBUTIONS = [REPOSITORY, REPOSITORY / "dagster", *PUBLISHED]
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")


def project(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return document


def by_name(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=by_name)
def test_every_distribution_has_the_licence_as_text_and_as_metadata(folder: Path) -> None:
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert text == (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert text.count("Copyright [") == len(re.findall(r"Copyright [^\w\s]", text)) == 1  # the template's line alone
    assert project(folder)["license"] == "Apache-2.0"
    assert project(folder)["license-files"] == ["LICENSE"]
    assert project(folder)["authors"] == [{"name": "Lotus developers"}]


def test_every_distribution_names_the_same_repository() -> None:
    [repository] = {project(folder)["urls"]["Repository"] for folder in DISTRIBUTIONS}
    for folder in PUBLISHED:
        assert project(folder)["urls"] == {
            "Homepage": repository,
            "Documentation": f"{repository}/tree/main/packages/{folder.name}",
            "Repository": repository,
            "Issues": f"{repository}/issues",
            "Changelog": f"{repository}/blob/main/packages/{folder.name}/CHANGELOG.md",
        }


@pytest.mark.parametrize("folder", PUBLISHED, ids=by_name)
def test_a_package_says_how_mature_it_is_and_that_it_has_types(folder: Path) -> None:
    described = project(folder)
    assert described["description"].endswith(".")
    assert described["readme"] == "README.md"
    assert described["classifiers"] == sorted(described["classifiers"])
    assert {"Typing :: Typed", "Programming Language :: Python :: 3.11"} <= set(described["classifiers"])
    assert not [classifier for classifier in described["classifiers"] if classifier.startswith("License ::")]
    assert (folder / folder.name.replace("-", "_") / "py.typed").exists()


@pytest.mark.parametrize("folder", PUBLISHED, ids=by_name)
def test_a_package_has_one_semantic_version_that_its_changelog_begins_with(folder: Path) -> None:
    version = project(folder)["version"]
    assert SEMANTIC.fullmatch(version)
    assert metadata.version(folder.name) == version
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.*?)\]", changelog, re.MULTILINE)[0] == version
    sources = (folder / folder.name.replace("-", "_")).rglob("*.py")
    assert not [path for path in sources if re.search(r"__version__ ?=", path.read_text(encoding="utf-8"))]
