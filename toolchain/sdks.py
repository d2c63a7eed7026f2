"""Writes the SDKs of pulumi-airbyte for other languages, generated from its schema.

Usage: `python -m toolchain.sdks OUT [--language LANGUAGE]...`, of nodejs, python, go and dotnet, by default all.
It writes one folder for each into OUT, in place of what the folder has. The Python SDK that people use is
`pulumi_airbyte` itself; the generated one shows that the schema holds for Python too.
Exit codes: 0, 1 with one message.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pulumi_airbyte.provider import schema

from toolchain.engine import HERE, EngineError, engine_folders, pinned_engine
from toolchain.languages import LANGUAGES, generators

PACKAGE: Final = HERE.parent / "packages" / "pulumi-airbyte"
SCHEMA: Final = PACKAGE / "pulumi_airbyte" / "schema.json"


def write_sdks(out: Path, languages: Iterable[str] = LANGUAGES) -> list[Path]:
    """Writes the SDKs.

    Returns:
        The folder of each language.

    Raises:
        EngineError: the engine or a generator is missing, or refused the schema.
    """
    wanted = list(dict.fromkeys(languages))
    folders = [generators(wanted), *engine_folders()]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "PATH": path, "PULUMI_HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        return [_written(out, language, environment) for language in wanted]


def _written(out: Path, language: str, environment: dict[str, str]) -> Path:
    command = ["pulumi", "package", "gen-sdk", str(SCHEMA), "--language", language, "--out", str(out)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise EngineError(f"Pulumi could not write the SDK for {language}:\n{answer.stdout}{answer.stderr}")
    folder = out / language
    (folder / "LICENSE").write_bytes((PACKAGE / "LICENSE").read_bytes())
    if language == "go":
        oldest = ".".join(map(str, pinned_engine()))  # The generator is as new, and so the code needs an SDK as new.
        (folder / "go.mod").write_text(
            f"module {schema.GO_MODULE}\n\ngo 1.24\n\nrequire github.com/pulumi/pulumi/sdk/v3 v{oldest}\n",
            encoding="utf-8",
        )
    return folder


def main() -> int:
    """Parses the arguments, writes, and returns the exit code."""
    arguments = argparse.ArgumentParser(description="Write the SDKs of pulumi-airbyte for other languages.")
    arguments.add_argument("out", type=Path, help="the folder that gets a folder for each language")
    arguments.add_argument("--language", action="append", choices=LANGUAGES, help="one language; may be repeated")
    options = arguments.parse_args()
    try:
        for folder in write_sdks(options.out, options.language or LANGUAGES):
            print(folder)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
