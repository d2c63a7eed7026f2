"""The script that takes a cluster's released programs for the workflows."""

import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / ".ci" / "released-cluster"
CURL = """#!/bin/sh
while [ "$1" != --output ]; do shift; done
echo changed on the way > "$2"
"""


def test_a_download_that_differs_from_what_was_released_is_refused_and_removed(tmp_path: Path) -> None:
    programs, folder = tmp_path / "programs", tmp_path / "cluster"
    programs.mkdir()
    (programs / "curl").write_text(CURL, encoding="utf-8")
    (programs / "curl").chmod(0o755)

    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run([SCRIPT, folder], env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "kubernetes-server-linux-amd64.tar.gz has another checksum" in ran.stderr
    assert list(folder.iterdir()) == []


def test_the_released_api_server_is_the_one_that_is_built_elsewhere() -> None:
    [released] = re.findall(r"^kubernetes=(\S+)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    module = (REPOSITORY / "toolchain" / "cluster" / "server" / "go.mod").read_text(encoding="utf-8")
    assert f"k8s.io/kubernetes {released}\n" in module
