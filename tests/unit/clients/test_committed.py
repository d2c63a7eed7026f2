"""States and passphrases in a repository are reported."""

import subprocess
from pathlib import Path

import pytest

from lotus_infra.clients.git import find_committed_secrets
from lotus_infra.commands.check import check_lake_files
from tests.support.lakes import clean_files, write

STATE = '{\n    "version": 3,\n    "deployment": {\n        "manifest": {}\n    }\n}\n'
CHECKPOINT = '{"version":3,"checkpoint":{"stack":"organization/lotus/prod","latest":{}}}'
REFUSED = {
    ".pulumi/stacks/lotus/prod.json.zst": "",
    "old/terraform.tfstate": "{}",
    "old/terraform.tfstate.1700000000.backup": "{}",
    "export.json": STATE,
    "copies/prod.json": CHECKPOINT,
    "sorted.json.bak": '{"deployment":{"manifest":{},"resources":[]},"version":3}',
    "shown.json": '{"format_version":"1.0","terraform_version":"1.11.4","values":{}}',
    "passphrase.txt": "a word",
    ".pulumi-passphrase": "a word",
}
FINE = {
    "Pulumi.prod.yaml": "config: {}\n",
    "import.json": '{"resources": []}',
    "streams/deployment.json": '{"stream": "deployment", "checkpoint": {}}',
    "app.json": '{"version": 1, "deployment": {"replicas": 2}}',
    "passphrases.md": "how to choose one",
    "reset_password.sql": "select 1",
}


@pytest.mark.parametrize("cloned", [False, True])
def test_each_state_and_passphrase_is_found_and_nothing_else(tmp_path: Path, *, cloned: bool) -> None:
    ignored = {".venv/lib/prod.json": STATE, ".sandbox/terraform.tfstate": "{}"}
    for file, content in (REFUSED | FINE | ignored).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content, encoding="utf-8")
    if cloned:
        (tmp_path / ".gitignore").write_text(".venv/\n.sandbox/\n", encoding="utf-8")
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "-f", ".pulumi"], cwd=tmp_path, check=True)

    found = list(find_committed_secrets(tmp_path))

    assert {finding.file for finding in found} == set(REFUSED)
    assert all(f"`git rm --cached {finding.file}`" in finding.remedy for finding in found)


def test_a_committed_state_is_a_problem_of_the_lake(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n", encoding="utf-8")
    lake = write(tmp_path / "streams", clean_files())
    assert check_lake_files(lake).problems == ()
    (tmp_path / "export.json").write_text(STATE, encoding="utf-8")

    [problem] = check_lake_files(lake).problems

    assert problem.file.endswith("export.json")
    assert problem.what == "is an exported state or a checkpoint of the engine"
