"""The tool that writes SDKs, as a command line."""

import os
import subprocess
import sys
from pathlib import Path

from tests.engine.harness import REPOSITORY


def written(folder: Path, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toolchain.sdks", str(folder), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_language_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = written(tmp_path / "out", "--language", "cobol", path="/usr/bin:/bin")
    assert done.returncode == 2
    assert "nodejs" in done.stderr
    assert not (tmp_path / "out").exists()


def test_hosts_that_refuse_to_generate_are_one_error(tmp_path: Path) -> None:
    host = tmp_path / "bin" / "pulumi-language-go"
    host.parent.mkdir()
    host.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    host.chmod(0o755)
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.write_text("#!/bin/sh\n[ $1 = version ] && echo v3.999.0 && exit\necho no such host >&2; exit 1\n")
    pulumi.chmod(0o755)
    (tmp_path / "bin" / "pulumi-language-python").symlink_to(host)
    done = written(tmp_path / "out", "--language", "go", path=f"{host.parent}:/usr/bin:/bin")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Pulumi could not write the SDK for go:")
    assert "no such host" in done.stderr
