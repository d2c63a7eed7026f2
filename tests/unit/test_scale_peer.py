"""`benchmarks/scale.py --peer`: Terraform or OpenTofu beside Pulumi."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._cost import BenchmarkError
from benchmarks.scale import PEERS, PROVIDER, local_provider, peers, running_twin, terraform_rows
from tests.engine.harness import REPOSITORY

ODD = 'a "quoted" folder'
RECORD = """#!/bin/sh
cp "$TF_CLI_CONFIG_FILE" "$0.rc"
echo "$@" >> "$0.log"
cat main.tf >> "$0.tf"
echo '{}' > terraform.tfstate
"""


def executable(file: Path, text: str = "#!/bin/sh\n") -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return file


def test_the_settings_file_has_the_override_in_a_block(tmp_path: Path) -> None:
    assert local_provider(tmp_path).splitlines() == [
        "provider_installation {",
        "  dev_overrides {",
        f'    "airbytehq/airbyte" = "{tmp_path}"',
        "  }",
        "  direct {}",
        "}",
    ]


@pytest.mark.parametrize("name", PEERS)
def test_the_tool_accepts_the_settings_file(name: str, tmp_path: Path) -> None:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"no {name} on PATH")
    (tmp_path / ODD).mkdir()
    settings = tmp_path / "rc"
    settings.write_text(local_provider(tmp_path / ODD), encoding="utf-8")
    variables = os.environ | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"}

    ran = subprocess.run([tool, "version"], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "problems with the CLI configuration" not in ran.stdout


def test_it_applies_plans_and_applies_one_change_with_the_given_executables(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    tool, provider = executable(folder / "tofu", RECORD), executable(folder / PROVIDER)
    assert peers(folder) == ([tool], provider)

    with running_twin(tmp_path / "run", 0) as twin:
        rows = list(terraform_rows(2, tmp_path / "run", twin, tool, provider))

    operations = ["first apply", "no-change plan", "one-change apply"]
    assert [(row["tool"], row["operation"], row["state_bytes"]) for row in rows] == [
        ("tofu", operation, 3) for operation in operations
    ]
    assert (folder / "tofu.log").read_text(encoding="utf-8").splitlines() == [
        "apply -no-color -input=false -auto-approve",
        "plan -no-color -input=false -detailed-exitcode",
        "apply -no-color -input=false -auto-approve",
    ]
    assert (folder / "tofu.rc").read_text(encoding="utf-8") == local_provider(folder)
    programs = (folder / "tofu.tf").read_text(encoding="utf-8")
    assert (programs.count('"region_0000_"'), programs.count('"changed_"')) == (2, 1)
    assert twin.url in programs


def test_both_tools_are_measured_where_both_are(tmp_path: Path) -> None:
    for name in (*PEERS, PROVIDER):
        executable(tmp_path / name)

    assert [tool.name for tool in peers(tmp_path)[0]] == ["terraform", "tofu"]


def test_a_missing_executable_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no executable terraform or tofu"):
        peers(tmp_path)
    executable(tmp_path / "terraform")
    with pytest.raises(BenchmarkError, match=f"no executable {PROVIDER}"):
        peers(tmp_path)


def test_the_command_ends_with_that_message_before_it_measures(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/scale.py", "--peer", str(tmp_path), "--json"]

    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    expected = f"error: {tmp_path} has no executable terraform or tofu: put one into the folder\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", expected)
