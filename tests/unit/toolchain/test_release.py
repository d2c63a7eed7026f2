"""What a release is built of, and which tags are refused."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from lotus_infra.errors import LotusError
from toolchain import release


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The descriptions and changelogs of the packages in a folder of their own, ready for the release 1.2.3."""
    folders = {name: tmp_path / "packages" / name for name in release.PACKAGES}
    for name, folder in (folders | {name: tmp_path / place for name, place in release.LAKE.items()}).items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.2.3"\n', "utf-8")
        (folder / "CHANGELOG.md").write_text(
            f"# Changelog\n\n## [1.2.3] - 2026-03-04\n\n- New in {name}.\n\n## [1.2.2] - 2026-01-02\n\n- Old.\n",
            "utf-8",
        )
    monkeypatch.setattr(release, "REPOSITORY", tmp_path)
    return tmp_path


def edit(repository: Path, path: str, old: str, new: str) -> None:
    file = repository / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_tag_of_the_packages_version_is_a_release(repository: Path) -> None:
    release.check_tag("v1.2.3")


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2.4", "v1.2.3-rc.1", "", "latest"])
def test_any_other_tag_is_refused(repository: Path, tag: str) -> None:
    with pytest.raises(LotusError, match=r"is not v1\.2\.3, the packages' version"):
        release.check_tag(tag)


def test_a_version_without_a_day_in_a_changelog_is_refused(repository: Path) -> None:
    edit(repository, "packages/airbyte-twin/CHANGELOG.md", "2026-03-04", "unreleased")

    with pytest.raises(LotusError, match=r"^packages/airbyte-twin/CHANGELOG.md has no day for 1.2.3"):
        release.check_tag("v1.2.3")


def test_packages_of_several_versions_are_refused_with_each(repository: Path) -> None:
    edit(repository, "packages/airbyte-model/pyproject.toml", "1.2.3", "1.3.0")

    with pytest.raises(LotusError, match=r"airbyte-model 1.3.0, airbyte-twin 1.2.3, pulumi-airbyte 1.2.3"):
        release.check_tag("v1.2.3")


def test_a_lakes_packages_have_the_version_too(repository: Path) -> None:
    edit(repository, "dagster/pyproject.toml", "1.2.3", "1.3.0")

    with pytest.raises(LotusError, match=r"several versions: .*lotus-infra 1.2.3, lotus-dagster 1.3.0"):
        release.check_tag("v1.2.3")


def test_the_text_of_a_release_is_the_changes_of_lotus_and_of_the_provider_in_this_version(repository: Path) -> None:
    assert release.notes() == "# Lotus\n\n- New in lotus-infra.\n\n# pulumi-airbyte\n\n- New in pulumi-airbyte.\n"


def test_the_packages_of_this_repository_have_one_version() -> None:
    assert release.version()


def test_a_folder_that_holds_something_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")

    assert release.main([str(tmp_path)]) == 1

    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir(parents=True)
        raise LotusError("the build failed", "repair it")

    monkeypatch.setattr(release, "build_packages", fail)

    assert release.main([str(tmp_path / "dist")]) == 1

    assert list(tmp_path.iterdir()) == []


def test_downloads_of_a_release_can_be_checked_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "airbyte_model-0.1.0-py3-none-any.whl").write_bytes(b"wheel")

    monkeypatch.setattr(release, "build_packages", build)
    monkeypatch.setattr(release, "plugin_archive", lambda wheels: b"plugin")

    built = [path for path in release.build(tmp_path / "dist", sdks=False) if path.name != "RELEASE.md"]

    lines = (tmp_path / "dist" / release.CHECKSUMS).read_text(encoding="utf-8").splitlines()
    named = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert named == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built if path.name != release.CHECKSUMS
    }


def test_the_plugins_archive_pins_its_wheels_and_every_dependency_and_is_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "_locked_requirements", lambda: "grpcio==1.2.3 --hash=sha256:00\n")
    for name in ("airbyte_model", "airbyte_twin", "pulumi_airbyte"):
        (tmp_path / f"{name}-0.1.0-py3-none-any.whl").write_bytes(name.encode())

    content = release.plugin_archive(tmp_path)

    assert content == release.plugin_archive(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = archive.getmembers()
        requirements = archive.extractfile("requirements.txt")
        assert requirements is not None
        lines = requirements.read().decode().splitlines()
    assert [member.name for member in members] == [
        "LICENSE",
        "PulumiPlugin.yaml",
        "__main__.py",
        "requirements.txt",
        "wheels/airbyte_model-0.1.0-py3-none-any.whl",
        "wheels/pulumi_airbyte-0.1.0-py3-none-any.whl",
    ]
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}
    assert lines == [
        f"./wheels/{name}-0.1.0-py3-none-any.whl --hash=sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        for name in ("airbyte_model", "pulumi_airbyte")
    ] + ["grpcio==1.2.3 --hash=sha256:00"]
