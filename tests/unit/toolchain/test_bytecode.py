"""The environment is compiled when it is installed, also where later runs write no bytecode."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
RUN = ("lotus_infra/program", "lotus_infra/commands/check", "pulumi_airbyte/provider/servicer", "pulumi/resource")


def test_what_a_run_imports_is_compiled_although_the_environment_writes_no_bytecode(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    subprocess.run([sys.executable, "-m", "toolchain.bytecode"], cwd=REPOSITORY, env=environment, check=True)

    compiled = [str(file.with_suffix("").with_suffix("")) for file in tmp_path.rglob("*.pyc")]
    assert [each for each in RUN if not any(file.endswith(f"/{each}") for file in compiled)] == []
