"""The fingerprint of the definitions: one hash of all files that decide what Dagster loads, the same on every machine.

An image gets the fingerprint at build time, the deployed code location reports it, and `lotus verify` compares it with
the repository's. A change of the Pulumi program or of the docs leaves it unchanged; a change of the lock file does not.

`python -m lotus_infra.dagster_fingerprint` prints the fingerprint of the project in the current folder.
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

from lotus_infra.errors import LotusError
from lotus_infra.naming import SOURCE_MODULES

DBT_PROJECT: Final = Path("dagster", "dbt")
DBT_FILES: Final = ("dbt_project.yml", "profiles.yml", "models/**/*.*", "macros/**/*.sql", "tests/**/*.sql")
"""The files that dbt derives its manifest from, as patterns below the dbt project."""
# `.dockerignore` lets in the same files. An image build without one of them fails: it expects the fingerprint.
_LAKE: Final = (
    "uv.lock",
    "streams/[!.]*/[!.]*.json",
    f"{DBT_PROJECT.as_posix()}/dbt_project.yml",
)
_OWN_CODE: Final = (
    "lotus_infra/__init__.py",
    "lotus_infra/clients/__init__.py",
    "lotus_infra/clients/ducklake.py",
    "lotus_infra/clients/storage.py",
    "lotus_infra/dagster_fingerprint.py",
    "lotus_infra/errors.py",
    "lotus_infra/naming.py",
    "lotus_infra/lake/**/*.py",
    "packages/airbyte-model/airbyte_model/**/*.py",
    "dagster/lotus_dagster/**/*.py",
)
"""Lotus's own code, in a project that has it. In any other, `uv.lock` decides which packages are installed."""
_OWN_FOLDERS: Final = ("lotus_infra", "packages/airbyte-model", "dagster/lotus_dagster")
# Leftovers of a killed command or a file manager, which the lake ignores too, begin with a dot.
_OPTIONAL: Final = (
    "streams/[!.]*/_discovered/[!.]*.json",
    f"{SOURCE_MODULES}/**/[!.]*.py",
    *(f"{DBT_PROJECT.as_posix()}/{pattern}" for pattern in DBT_FILES),
)


class DefinitionsError(LotusError):
    """A folder is not a project that Dagster can load."""


def definitions_fingerprint(project: Path) -> str:
    """The SHA-256, in hexadecimal, of the names and contents of the files that decide what Dagster loads.

    Args:
        project: The folder of a lake that depends on Lotus's packages, or of a repository with Lotus's own code; or one
            with the same files in the same places, such as an image's.

    Raises:
        DefinitionsError: A required file is missing, or a file can't be read.
    """
    fingerprint = hashlib.sha256()
    for name in fingerprinted_files(project):
        try:
            content = (project / name).read_bytes()
        except OSError as error:
            raise DefinitionsError(f"{name} can't be read: {error.strerror}", "make it readable") from None
        # Without names and lengths, moving text from the end of one file to the start of the next would not show.
        fingerprint.update(f"{name}\0{len(content)}\0".encode())
        fingerprint.update(content)
    return fingerprint.hexdigest()


def fingerprinted_files(project: Path) -> list[str]:
    """The files behind the fingerprint, sorted, as POSIX paths below the project.

    Raises:
        DefinitionsError: A required file is missing.
    """
    required = (*_LAKE, *_OWN_CODE) if any((project / folder).is_dir() for folder in _OWN_FOLDERS) else _LAKE
    found = {pattern: {path for path in project.glob(pattern) if path.is_file()} for pattern in (*required, *_OPTIONAL)}
    missing = [pattern for pattern in required if not found[pattern]]
    if missing:
        hint = "run `uv lock`, and commit it" if missing == ["uv.lock"] else "name the folder of the repository"
        raise DefinitionsError(f"{project} has no {' and no '.join(missing)}", hint)
    return sorted({path.relative_to(project).as_posix() for paths in found.values() for path in paths})


def main(arguments: list[str]) -> int:
    """Print the fingerprint of the current folder; with `--expect <fingerprint>`, fail if it is another one."""
    try:
        fingerprint = definitions_fingerprint(Path.cwd())
    except DefinitionsError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if arguments and arguments != ["--expect", fingerprint]:
        sys.stderr.write(f"error: the fingerprint of the definitions is {fingerprint}, not {' '.join(arguments)}\n")
        return 1
    sys.stdout.write(f"{fingerprint}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
