"""One fingerprint for everything that decides what Dagster loads, the same on every machine.

An image is given the fingerprint when it is built, the deployed code location shows it, and `lotus verify` compares it
with the repository's. A change of the Pulumi program or of the documents leaves it as it is, one of the lock file
does not.

`python -m lotus_infra.definitions` prints the fingerprint of the project in this folder.
"""

import hashlib
import sys
from pathlib import Path

from lotus_infra.errors import LotusError

DBT_PROJECT = Path("dagster", "dbt")
DBT_FILES = ("dbt_project.yml", "profiles.yml", "models/**/*.*", "macros/**/*.sql", "tests/**/*.sql")
"""What dbt's manifest is made of, as patterns below the dbt project."""
_NEEDED = (
    "uv.lock",
    "streams/[!.]*/**/*.json",
    "lotus_infra/__init__.py",
    "lotus_infra/clients/__init__.py",
    "lotus_infra/clients/storage.py",
    "lotus_infra/dagster_fingerprint.py",
    "lotus_infra/errors.py",
    "lotus_infra/naming.py",
    "lotus_infra/lake/**/*.py",
    "packages/airbyte-model/airbyte_model/**/*.py",
    "dagster/lotus_dagster/**/*.py",
    f"{DBT_PROJECT.as_posix()}/dbt_project.yml",
)


_FILES = (*_NEEDED, *(f"{DBT_PROJECT.as_posix()}/{pattern}" for pattern in DBT_FILES))


class DefinitionsError(LotusError):
    """A folder is no project that Dagster could load."""


def fingerprint(project: Path) -> str:
    """The SHA-256, in hexadecimal, of the names and contents of the files that decide what Dagster loads.

    Args:
        project: The folder of the repository, or one with the same files in the same places, as an image has it.

    Raises:
        DefinitionsError: Something that Dagster needs is not in the folder, or can't be read.
    """
    digest = hashlib.sha256()
    for name in files(project):
        try:
            content = (project / name).read_bytes()
        except OSError as error:
            raise DefinitionsError(f"{name} can't be read: {error.strerror}", "make it readable") from None
        # Names and lengths keep apart what a plain concatenation would not: where a file ends, and which one it is.
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def files(project: Path) -> list[str]:
    """The files behind the fingerprint, sorted, as POSIX paths below the project.

    Raises:
        DefinitionsError: Something that Dagster needs is not in the folder.
    """
    found = {pattern: {path for path in project.glob(pattern) if path.is_file()} for pattern in _FILES}
    missing = [pattern for pattern in _NEEDED if not found[pattern]]
    if missing:
        raise DefinitionsError(f"{project} has no {' and no '.join(missing)}", "name the folder of the repository")
    return sorted({path.relative_to(project).as_posix() for paths in found.values() for path in paths})


def main(arguments: list[str]) -> int:
    """Print the fingerprint of this folder; with `--expect <fingerprint>`, fail where it is another one."""
    try:
        found = fingerprint(Path.cwd())
    except DefinitionsError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if arguments and arguments != ["--expect", found]:
        sys.stderr.write(f"error: the definitions are {found}, and not those of {' '.join(arguments)}\n")
        return 1
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
