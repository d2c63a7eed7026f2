"""The fingerprint of what Dagster loads: what changes it, and what does not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lotus_infra.dagster_fingerprint import DefinitionsError, definitions_fingerprint, fingerprinted_files, main
from tests.support.clone import REPOSITORY, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files behind the fingerprint, made in an order that is not theirs."""
    return write_project(tmp_path / "project")


def test_a_copy_elsewhere_has_the_same_fingerprint_whatever_its_times_and_modes(project: Path) -> None:
    os.utime(project / "uv.lock", (0, 0))
    (project / "uv.lock").chmod(0o600)

    assert definitions_fingerprint(project) == definitions_fingerprint(REPOSITORY)


@pytest.mark.parametrize(
    "name",
    [
        "uv.lock",
        "streams/shopify/orders.json",
        "streams/shopify/_source.json",
        "dagster/lotus_dagster/sensors.py",
        "dagster/dbt/dbt_project.yml",
        "dagster/dbt/profiles.yml",
        "dagster/dbt/models/marts/fct_sales.sql",
        "dagster/dbt/macros/latest.sql",
        "lotus_infra/naming.py",
        "lotus_infra/lake/models.py",
    ],
)
def test_a_change_of_what_dagster_loads_changes_it(name: str, project: Path) -> None:
    before = definitions_fingerprint(project)
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("\n")

    assert definitions_fingerprint(project) != before


def test_a_new_and_a_removed_and_a_moved_file_change_it(project: Path) -> None:
    orders, elsewhere = project / "streams/shopify/orders.json", project / "streams/shopify/sales.json"
    seen = {definitions_fingerprint(project)}
    orders.rename(elsewhere)
    seen.add(definitions_fingerprint(project))
    orders.write_bytes(elsewhere.read_bytes())
    seen.add(definitions_fingerprint(project))
    orders.unlink()
    elsewhere.unlink()
    seen.add(definitions_fingerprint(project))
    (project / "streams/_stacks").mkdir()
    (project / "streams/_stacks/staging.json").write_text('{"sources": {"faker": {"deployed": false}}}')
    seen.add(definitions_fingerprint(project))
    (project / "dagster/sources").mkdir(exist_ok=True)
    (project / "dagster/sources/erp.py").write_text("import dlt\n")
    seen.add(definitions_fingerprint(project))

    assert len(seen) == 6


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "Pulumi.prod.yaml",
        "lotus_infra/program.py",
        "lotus_infra/components/airbyte.py",
        "streams/.schema/stream.json",
        "streams/README.md",
        "dagster/dbt/target/manifest.json",
        "dagster/dbt/logs/dbt.log",
        "dagster/lotus_dagster/__pycache__/lake.cpython-311.pyc",
    ],
)
def test_a_change_of_any_other_file_leaves_it_unchanged(name: str, project: Path) -> None:
    before = definitions_fingerprint(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("{}", encoding="utf-8")

    assert definitions_fingerprint(project) == before


def test_every_module_of_ours_that_the_code_location_imports_is_behind_the_fingerprint() -> None:
    code = (
        "import sys, lotus_dagster.code_location, lotus_dagster.duckdb_plugin\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('lotus_infra', 'lotus_dagster')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {Path(file).relative_to(REPOSITORY).as_posix() for file in ran.stdout.split()}

    assert imported
    assert imported <= set(fingerprinted_files(REPOSITORY))


def test_a_folder_that_is_not_a_project_is_refused_with_all_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DefinitionsError, match=r"has no uv\.lock and no streams/.* name the folder of the repository"):
        definitions_fingerprint(tmp_path)


def test_a_lake_without_lotuss_own_code_needs_none_and_its_lock_decides_which_code_it_has(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    for folder in ("lotus_infra", "packages", "dagster/lotus_dagster"):
        shutil.rmtree(project / folder)
        if folder != "dagster/lotus_dagster":
            with pytest.raises(DefinitionsError, match="has no lotus_infra"):
                definitions_fingerprint(project)

    before = definitions_fingerprint(project)
    with (project / "uv.lock").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert definitions_fingerprint(project) != before
    (project / "uv.lock").unlink()
    with pytest.raises(DefinitionsError, match=r"has no uv\.lock: run `uv lock`"):
        definitions_fingerprint(project)


def test_the_command_prints_it_and_refuses_another(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    found = definitions_fingerprint(project)

    assert main([]) == 0
    assert main(["--expect", found]) == 0
    assert capsys.readouterr() == (f"{found}\n" * 2, "")
    assert main(["--expect", "another"]) == 1
    assert main(["--expect"]) == 1
    assert capsys.readouterr().err.startswith(
        f"error: the fingerprint of the definitions is {found}, not --expect another\n"
    )
