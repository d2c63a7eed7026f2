"""Builds a release into a folder: `python -m toolchain.release FOLDER [--tag v1.2.3] [--without-sdks]`.

    FOLDER/python/    wheel and source archive of each package, for the package index
    FOLDER/           the plugin's archive for each platform, generated SDKs, the registry's pages, RELEASE.md, and
                      SHA256SUMS of the rest

All packages have one version, and a release's tag is `v` and that version, as the engine expects of a plugin's. The tag
is checked before anything is built. The plugin's archive holds the wheels and their dependencies, locked with hashes;
the engine's Python host installs them into the plugin's folder. It is the same for every platform, except for its name.
"""

import argparse
import gzip
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lotus_infra.errors import LotusError
from toolchain.connectors import LOCAL_UV
from toolchain.engine import EngineError
from toolchain.registry_pages import registry_pages
from toolchain.sdks import write_sdks

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("airbyte-model", "airbyte-twin", "pulumi-airbyte")
LAKE: Final = {"lotus-infra": ".", "lotus-dagster": "dagster"}
"""The packages that a lake of one's own depends on, by name, with their folders. They share one changelog."""
PLUGIN: Final = ("airbyte-model", "pulumi-airbyte")
"""The packages that the plugin's archive holds; their dependencies come from the package index."""
PLATFORMS: Final = ("darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64")
"""The names that the engine looks for."""
LANGUAGES: Final = ("nodejs", "go", "dotnet")
"""Those with generated SDKs; Python's is in the package itself."""
DEFINITION: Final = """\
# pip installs requirements.txt beside this file: the wheels, and what they need, locked with hashes.
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: venv
"""
CHANGELOG: Final = "CHANGELOG.md"
CHECKSUMS: Final = "SHA256SUMS"


def version() -> str:
    """The one version of all packages.

    Raises:
        LotusError: They differ.
    """
    versions = {name: _version(folder) for name, folder in _folders().items()}
    if len(set(versions.values())) > 1:
        listed = ", ".join(f"{name} {one}" for name, one in versions.items())
        raise LotusError(f"the packages have several versions: {listed}", "give all of them one")
    return versions[PACKAGES[0]]


def _folders() -> dict[str, Path]:
    """The folder of each package, by name."""
    own = {name: REPOSITORY / "packages" / name for name in PACKAGES}
    return own | {name: REPOSITORY / folder for name, folder in LAKE.items()}


def _version(folder: Path) -> str:
    return str(tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _changelogs() -> tuple[Path, ...]:
    return (REPOSITORY / CHANGELOG, *(REPOSITORY / "packages" / name / CHANGELOG for name in PACKAGES))


def check_tag(tag: str) -> None:
    """Check that a tag is the packages' version, and that each changelog has this version with a day.

    Raises:
        LotusError: It is another version, or a changelog does not have it.
    """
    if tag != f"v{version()}":
        raise LotusError(f"the tag {tag} is not v{version()}, the packages' version", "change one of them")
    for changelog in _changelogs():
        heading = rf"^## \[{re.escape(version())}\] - \d{{4}}-\d{{2}}-\d{{2}}$"
        if not re.search(heading, changelog.read_text(encoding="utf-8"), re.MULTILINE):
            raise LotusError(
                f"{changelog.relative_to(REPOSITORY)} has no day for {version()}", "write the day of the release"
            )


def build(folder: Path, *, sdks: bool = True) -> list[Path]:
    """Build everything into an empty or a new folder. A build that fails leaves nothing.

    Returns:
        The files, in order of their paths.

    Raises:
        LotusError: The folder holds something, or a build failed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise LotusError(f"{folder} is not empty", "choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".release-") as scratch:
        built = Path(scratch) / "built"
        build_packages(built / "python")
        archive = plugin_archive(built / "python")
        for platform in PLATFORMS:
            (built / f"pulumi-resource-airbyte-v{version()}-{platform}.tar.gz").write_bytes(archive)
        if sdks:
            build_sdks(built)
        pages = {path: text.encode() for path, text in registry_pages().items()}
        (built / f"pulumi-airbyte-registry-pages-v{version()}.tar.gz").write_bytes(_archive(pages))
        (built / CHECKSUMS).write_text(checksums(built), encoding="utf-8")
        (built / "RELEASE.md").write_text(notes(), encoding="utf-8")
        built.rename(folder)
    return _files(folder)


def checksums(folder: Path) -> str:
    """The lines of `sha256sum` for the files of a folder, by their names alone: a release's page has no folders."""
    return "".join(f"{_digest(path.read_bytes())}  {path.name}\n" for path in _files(folder))


def notes() -> str:
    """The text of the release: the changes of Lotus and of the provider in this version."""
    provider = REPOSITORY / "packages" / "pulumi-airbyte" / CHANGELOG
    return f"# Lotus\n\n{_changes(REPOSITORY / CHANGELOG)}\n\n# pulumi-airbyte\n\n{_changes(provider)}\n"


def _changes(changelog: Path) -> str:
    section = changelog.read_text(encoding="utf-8").partition(f"\n## [{version()}]")[2].partition("\n## [")[0]
    return section.partition("\n")[2].strip()


def build_packages(folder: Path) -> None:
    """Build a wheel and a source archive of each package into a folder, the wheels out of the archives."""
    for name in _folders():
        _run(_uv(), "build", "--quiet", "--package", name, "--out-dir", str(folder))
    (folder / ".gitignore").unlink(missing_ok=True)  # uv puts one beside what it builds.


def plugin_archive(wheels: Path) -> bytes:
    """Make what `pulumi plugin install` takes, out of the wheels in a folder. The same wheels give the same bytes."""
    paths = [path for name in PLUGIN for path in wheels.glob(f"{name.replace('-', '_')}-*.whl")]
    chosen = {path.name: path.read_bytes() for path in paths}
    own = "".join(f"./wheels/{name} --hash=sha256:{_digest(content)}\n" for name, content in chosen.items())
    files = {
        "PulumiPlugin.yaml": DEFINITION.encode(),
        "__main__.py": (REPOSITORY / "packages" / "pulumi-airbyte" / "__main__.py").read_bytes(),
        "requirements.txt": f"{own}{_locked_requirements()}".encode(),
        "LICENSE": (REPOSITORY / "LICENSE").read_bytes(),
        **{f"wheels/{name}": content for name, content in chosen.items()},
    }
    return _archive(files)


def _locked_requirements() -> str:
    options = ("--frozen", "--no-dev", "--no-emit-workspace", "--no-header", "--no-annotate", "--package")
    return _run(_uv(), "export", "--quiet", *options, "pulumi-airbyte")


def build_sdks(folder: Path) -> None:
    """Generate the SDK of each language, as an archive in a folder.

    Raises:
        EngineError: The engine or a generator is missing, or refused the schema.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for generated in write_sdks(Path(scratch), LANGUAGES):
            files = {str(path.relative_to(generated)): path.read_bytes() for path in _files(generated)}
            name = f"pulumi-airbyte-{generated.name}-sdk-v{version()}.tar.gz"
            (folder / name).write_bytes(_archive(files))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A compressed tar file without times, owners and modes of the machine that built it."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), mtime=0)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _uv() -> str:
    uv = shutil.which("uv") or (str(LOCAL_UV) if LOCAL_UV.exists() else None)
    if uv is None:
        raise LotusError("there is no uv on PATH", "run `make setup` first, or see https://docs.astral.sh/uv/")
    return uv


def _run(*command: str) -> str:
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise LotusError(f"`{' '.join(command)}` failed", ran.stderr.strip())
    return ran.stdout


def main(arguments: list[str]) -> int:
    """Build a release; print its files, or what the user can repair with exit code 1."""
    parser = argparse.ArgumentParser(description="Build a release of all packages.")
    parser.add_argument("folder", type=Path, help="where to build it: an empty or a new folder")
    parser.add_argument("--tag", help="the release's tag, which must be the packages' version")
    parser.add_argument("--without-sdks", action="store_true", help="leave out the generated SDKs")
    options = parser.parse_args(arguments)
    try:
        if options.tag is not None:
            check_tag(options.tag)
        files = build(options.folder, sdks=not options.without_sdks)
    except (EngineError, LotusError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for file in files:
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
