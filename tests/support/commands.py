"""`lotus` in this process, in a project's folder, as a user runs it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lotus_infra.commands.cli import main

Lotus = Callable[..., int]


def lotus_in(project: Path, monkeypatch: pytest.MonkeyPatch, *verb: str) -> Lotus:
    """Runs `lotus`, or one verb of it, in a new project, and gives its exit code."""
    (project / "Pulumi.yaml").write_text("name: lotus\n")
    monkeypatch.chdir(project)
    monkeypatch.delenv("PULUMI_STACK", raising=False)

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["lotus", *verb, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def write_stack(project: Path, name: str, values: object) -> None:
    """A stack's file."""
    (project / f"Pulumi.{name}.yaml").write_text(json.dumps({"config": values}))


def stand_in_engine(project: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a shell script in the engine's place."""
    pulumi = project / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(f"#!/bin/sh\n{script}\n")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pulumi.parent}{os.pathsep}{os.environ['PATH']}")
