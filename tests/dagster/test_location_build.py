"""What the code location says of its build, and how it loads where nothing may be written."""

from pathlib import Path

import dagster as dg
import pytest
from lotus_dagster import definitions as loading
from lotus_dagster.definitions import REPOSITORY, current_manifest, project_folder
from lotus_dagster.location_build import NO_COMMIT, Build

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import ProjectError


def test_an_image_says_what_it_was_told_when_it_was_built() -> None:
    told = Build.of(REPOSITORY, {"LOTUS_COMMIT": "3f9c2a1", "LOTUS_DEFINITIONS": "abc"})
    assert (told.commit, told.definitions) == ("3f9c2a1", "abc")


def test_elsewhere_the_files_themselves_are_asked() -> None:
    found = Build.of(REPOSITORY, {})
    assert (found.commit, found.definitions) == (NO_COMMIT, definitions_fingerprint(REPOSITORY))


def test_the_code_location_has_it_as_a_resource() -> None:
    resources = loading.load().get_repository_def().get_top_level_resources()
    assert isinstance(resources["build"], dg.ResourceDefinition)


def test_a_manifest_where_nothing_can_be_written_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "target" / ".lock").mkdir(parents=True)  # a folder in the place of a file: not even root opens it
    file = tmp_path / "target" / "manifest.json"
    file.write_text("{}", encoding="utf-8")
    assert current_manifest(tmp_path) == file


def test_dagster_loads_the_lake_that_it_is_started_in_and_elsewhere_the_repository_of_its_code(tmp_path: Path) -> None:
    inside = tmp_path / "lake" / "dagster" / "dbt"
    inside.mkdir(parents=True)
    (inside / "dbt_project.yml").write_text("name: lotus\n", encoding="utf-8")
    assert project_folder(inside) == REPOSITORY  # without streams/ it is no lake

    (tmp_path / "lake" / "streams").mkdir()
    assert project_folder(tmp_path / "lake") == project_folder(inside) == tmp_path / "lake"
    assert project_folder(tmp_path) == REPOSITORY


def test_without_a_lake_anywhere_the_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"dbt_project\.yml with streams/ .* start Dagster in the lake's folder"):
        project_folder(tmp_path, own=tmp_path)
