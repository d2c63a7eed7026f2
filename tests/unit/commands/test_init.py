"""`lotus init`: the folder of a new lake, what it refuses, and how Lotus's files in it are updated."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from lotus_infra.commands.cli import main
from lotus_infra.start import lake_files
from lotus_infra.start.lake_files import managed_files
from lotus_infra.start.upgrade import RECORD, digest

REPOSITORY = Path(__file__).resolve().parents[3]
OWN_WORKFLOWS = {"nightly.yml", "release.yml"}
"""The workflows for Lotus's own code."""
Init = Callable[..., int]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """`lotus init` in an empty folder; gives the exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["lotus", "init", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def texts(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_a_new_lake_passes_its_checks_and_has_one_source_with_one_model(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init("my-lake", "--bucket", "acme", "--airbyte-url", "https://airbyte.example.com/api/public/v1") == 0
    out = capsys.readouterr().out
    assert "acme-landing, acme-state, acme-backup" in out
    assert "git init -b main && make setup && make check" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-lake"]

    files = texts(tmp_path / "my-lake")
    assert {name.split("/")[1] for name in files if re.match(r"streams/[a-z]", name)} == {"faker"}
    assert [name for name in files if "/models/" in name and name.endswith(".sql")] == [
        "dagster/dbt/models/core/faker/int_faker__users.sql"
    ]
    # The samples of the repository stay there.
    written = {name: name if "/macros/" in name else name + text for name, text in files.items()}
    assert not [name for name, text in written.items() if re.search("shopify|klaviyo|<<", text, re.IGNORECASE)]
    monkeypatch.chdir(tmp_path / "my-lake")
    monkeypatch.setattr("sys.argv", ["lotus", "check"])
    main_ended = run_main()
    assert (main_ended, capsys.readouterr().out) == (0, "1 stream in 1 source and 1 model: no problems\n")


def run_main() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_stack_is_guarded_and_has_no_value_that_looks_set(init: Init, tmp_path: Path) -> None:
    assert init("my-lake", "--stack", "live", "--region", "eu-central-1") == 0

    stack = yaml.safe_load((tmp_path / "my-lake" / "Pulumi.live.yaml").read_text(encoding="utf-8"))
    assert stack == {
        "config": {
            "airbyte:serverUrl": "replace-me",
            "airbyte:clientId": "replace-me",
            "lotus:workspaceId": "00000000-0000-0000-0000-000000000000",
            "lotus:landingZone": {
                "server": "aws",
                "region": "eu-central-1",
                "landing": "my-lake-landing",
                "state": "my-lake-state",
                "backup": "my-lake-backup",
            },
            "lotus:dagster": {"deploy": False},
            "lotus:production": "true",
            "lotus:protectSources": "true",
        }
    }
    project = yaml.safe_load((tmp_path / "my-lake" / "Pulumi.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["backend"] == {"url": "s3://my-lake-state?region=eu-central-1"}
    assert project | {key: own[key] for key in ("name", "description", "backend")} == own
    assert "STACK ?= live\n" in (tmp_path / "my-lake" / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["123", "null", "on", "1e3", "2026-01-01"])
def test_a_name_that_yaml_reads_as_something_else_is_quoted(init: Init, tmp_path: Path, name: str) -> None:
    assert init("lake", "--name", name, "--bucket", "acme") == 0

    project = yaml.safe_load((tmp_path / "lake" / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == name
    assert texts(tmp_path / "lake")["README.md"].startswith(f"# {name}\n")


def test_an_address_that_yaml_reads_as_something_else_is_quoted(init: Init, tmp_path: Path) -> None:
    assert init("lake", "--airbyte-url", "https://airbyte/a:") == 0

    stack = yaml.safe_load((tmp_path / "lake" / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    assert stack["config"]["airbyte:serverUrl"] == "https://airbyte/a:"


@pytest.mark.parametrize("folder", ["my lake", "o'brien", "$(x)"])
def test_the_next_steps_can_be_pasted_whatever_the_folders_name(
    init: Init, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(folder, "--name", "lake") == 0

    (step,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  cd "))
    ran = subprocess.run(["sh", "-c", f"{step} && pwd"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stdout == f"{tmp_path / folder}\n"


@pytest.mark.parametrize(
    ("packages", "address", "reference"),
    [
        ("git+https://a.example/x/lotus@feature/query", "https://a.example/x/lotus", "feature/query"),
        ("git+ssh://git@a.example/x/lotus@v1", "ssh://git@a.example/x/lotus", "v1"),
        ("git+ssh://git@a.example/x/lotus", "ssh://git@a.example/x/lotus", None),
        ("git+file:///x/lotus@main", "file:///x/lotus", "main"),
    ],
)
def test_a_reference_of_git_may_be_a_branch_with_slashes(
    init: Init, tmp_path: Path, packages: str, address: str, reference: str | None
) -> None:
    assert init("lake", "--packages", packages) == 0

    sources = tomllib.loads((tmp_path / "lake" / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["sources"]
    assert (sources["lotus-infra"]["git"], sources["lotus-infra"].get("rev")) == (address, reference)


@pytest.mark.parametrize("packages", ["git+https://a.example/x@a\n[tool]", "git+https://a.example/x@\x7f", "\udcff"])
def test_packages_that_no_file_can_name_are_refused(
    init: Init, tmp_path: Path, packages: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / os.fsdecode(packages.encode(errors="surrogateescape"))).mkdir(parents=True)
    assert init("lake", "--packages", packages) == 1

    assert capsys.readouterr().err == "lotus: --packages has characters that can't be printed: name another place\n"


def test_a_stack_for_a_trial_is_not_guarded(init: Init, tmp_path: Path) -> None:
    assert init("trial", "--stack", "dev", "--no-production") == 0

    stack = yaml.safe_load((tmp_path / "trial" / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    assert not {"lotus:production", "lotus:protectSources"} & stack["config"].keys()


def test_the_lake_depends_on_this_version_and_its_image_leaves_the_engine_out(init: Init, tmp_path: Path) -> None:
    assert init("My_Lake", "--bucket", "acme") == 0

    document = tomllib.loads((tmp_path / "My_Lake" / "pyproject.toml").read_text(encoding="utf-8"))
    assert document["project"]["name"] == "my-lake"
    assert document["project"]["dependencies"] == ["lotus-dagster[kubernetes]==0.1.0"]
    assert document["dependency-groups"]["deploy"] == ["lotus-infra[deploy]==0.1.0", "pulumi-airbyte==0.1.0"]
    assert document["tool"] == {"uv": {"package": False, "default-groups": ["deploy", "dev"]}}
    assert "uv sync --locked --no-default-groups\n" in (tmp_path / "My_Lake/dagster/Dockerfile").read_text()


@pytest.mark.parametrize("name", ["dagster", "lotus-infra", "pulumi"])
def test_a_lake_may_be_called_as_a_package_that_it_depends_on(name: str, init: Init, tmp_path: Path) -> None:
    assert init("it", "--name", name, "--bucket", "acme") == 0

    document = tomllib.loads((tmp_path / "it" / "pyproject.toml").read_text(encoding="utf-8"))
    assert document["project"]["name"] == f"{name}-lake"


@pytest.mark.parametrize(
    ("packages", "found"),
    [
        ("https://example.com/wheels/", {"find-links": ["https://example.com/wheels/"]}),
        ("wheels", {"find-links": ["{here}/wheels"]}),
        (
            "git+https://example.com/lotus.git@v0.1.0",
            {
                "sources": {
                    "lotus-infra": {"git": "https://example.com/lotus.git", "rev": "v0.1.0"},
                    "lotus-dagster": {
                        "git": "https://example.com/lotus.git",
                        "rev": "v0.1.0",
                        "subdirectory": "dagster",
                    },
                    "pulumi-airbyte": {
                        "git": "https://example.com/lotus.git",
                        "rev": "v0.1.0",
                        "subdirectory": "packages/pulumi-airbyte",
                    },
                }
            },
        ),
    ],
)
def test_the_packages_may_come_from_a_page_a_folder_or_git(
    packages: str, found: dict[str, object], init: Init, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()

    assert init("my-lake", "--packages", packages) == 0

    text = (tmp_path / "my-lake" / "pyproject.toml").read_text(encoding="utf-8")
    uv = tomllib.loads(text)["tool"]["uv"]
    expected = json.loads(json.dumps(found).replace("{here}", str(tmp_path)))
    assert {key: uv[key] for key in uv.keys() - {"package", "default-groups"}} == expected
    assert ("==0.1.0" in text) == (not packages.startswith("git+"))


# Refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lake", "--name", "my lake"), '--name "my lake" is not valid: use up to 100'),
        (("lake", "--name", "-x"), '--name "-x" is not valid'),
        (("lake", "--stack", "organization/prod"), '--stack "organization/prod" is not valid'),
        (("lake", "--bucket", "Acme"), '"Acme-landing" is not a valid name of a bucket: pass a --bucket'),
        (("lake", "--bucket", "a..b"), '"a..b-landing" is not a valid name'),
        (("lake", "--bucket", "a" * 56), "is not a valid name of a bucket"),
        (("lake", "--region", "frankfurt"), '--region "frankfurt" is not valid: write one such as eu-central-1'),
        (("lake", "--airbyte-url", "airbyte.example.com"), "--airbyte-url is not an address: write one such as https"),
        (("lake", "--airbyte-url", "https://a\n  lotus:x: y"), "--airbyte-url is not an address"),
        (("lake", "--airbyte-url", "https://me:word@a.example.com"), "--airbyte-url has credentials in it"),
        (("lake", "--packages", "git+https://me:word@example.com/x"), "--packages has credentials in it"),
        (("lake", "--packages", "missing"), "--packages missing is not a folder: name a folder with the wheels"),
        (("taken",), "taken is not empty: choose a new or an empty folder"),
        (("lake/file/below",), "can't be written to"),
        ((".",), "is not empty"),
    ],
)
def test_what_it_refuses_leaves_nothing(
    arguments: tuple[str, ...], message: str, init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    if "file" in arguments[0]:
        (tmp_path / "lake").mkdir()
        (tmp_path / "lake" / "file").write_text("mine")
    before = texts(tmp_path)

    assert init(*arguments) == 1

    shown = capsys.readouterr().err
    assert shown.startswith("lotus: ")
    assert message in shown
    assert "word" not in shown
    assert texts(tmp_path) == before
    assert not list(tmp_path.rglob(".lotus*"))


def test_several_mistakes_are_told_at_once(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("lake", "--stack", "a/b", "--region", "x", "--bucket", "B") == 1
    assert capsys.readouterr().err.count("is not") == 3


def test_an_empty_clone_becomes_the_lake(init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = tmp_path / "clone"
    subprocess.run(["git", "init", "-q", lake], check=True)
    monkeypatch.chdir(lake)

    assert init(".") == 0

    assert (lake / ".git" / "HEAD").is_file()
    assert yaml.safe_load((lake / "Pulumi.yaml").read_text(encoding="utf-8"))["name"] == "clone"
    assert init(".") == 1


def test_as_json_it_is_one_document(init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("my-lake", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert set(document["files"]) == set(texts(tmp_path / "my-lake"))
    assert document["next"][0] == "cd my-lake"
    assert init("my-lake", "--json") == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


# One source of each file


def test_the_lake_has_the_recipes_that_the_pages_of_its_first_deploy_copy(init: Init, tmp_path: Path) -> None:
    assert init("lake", "--ci", "none") == 0
    for page in ("set-up-ci.md", "set-up-production.md"):
        text = (REPOSITORY / "docs" / "how-to" / page).read_text(encoding="utf-8")
        # `.review/recipes` is the copy.
        named = set(re.findall(r"(?<![\w/])docs/recipes(?:/[\w-]+(?:\.\w+)?)*", text))
        assert named
        assert [name for name in sorted(named) if not (tmp_path / "lake" / name).exists()] == []


def test_workflows_call_only_targets_and_programs_that_the_lake_has(init: Init, tmp_path: Path) -> None:
    assert init("lake") == 0
    lake = tmp_path / "lake"
    targets = set(re.findall(r"^([a-z-]+):", (lake / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    workflows = {file.name: file for file in (lake / ".github" / "workflows").iterdir()}
    assert workflows.keys() == {file.name for file in (REPOSITORY / ".github/workflows").iterdir()} - OWN_WORKFLOWS
    for name, file in workflows.items():
        text = file.read_text(encoding="utf-8")
        assert f"{yaml.safe_load(text)['name']}.yml" == name
        commands = re.sub(r"(?m)^\s*#.*$", "", text)
        assert set(re.findall(r"\bmake (?:-s )?([a-z-]+)", commands)) <= targets
        assert not [path for path in re.findall(r"(?:toolchain|\.ci)/[\w./-]+", commands) if not (lake / path).exists()]
        assert not [
            path for path in re.findall(r"uses: \./(\S+)", commands) if not (lake / path / "action.yml").exists()
        ]
    own = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    check = yaml.safe_load((lake / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    assert check["jobs"] == {job: own["jobs"][job] for job in ("lake", "image")}


def test_the_workflows_pass_the_linter(init: Init, tmp_path: Path) -> None:
    assert init("lake") == 0
    zizmor = [str(Path(sys.executable).with_name("zizmor")), "--quiet", "--offline"]
    zizmor += ["--config", str(REPOSITORY / ".github" / "zizmor.yml"), "lake/.github"]
    linted = subprocess.run(zizmor, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout

    def pinned(folder: Path) -> set[tuple[str, str]]:
        texts = [file.read_text(encoding="utf-8") for file in (folder / ".github").rglob("*.yml")]
        return {pair for text in texts for pair in re.findall(r"uses: ([\w/-]+)@(\S+)", text)}

    own = dict(pinned(REPOSITORY))
    assert not [(action, commit) for action, commit in pinned(tmp_path / "lake") if own.get(action, commit) != commit]


def test_make_has_a_line_for_each_target_and_the_plugin_can_be_started(init: Init, tmp_path: Path) -> None:
    assert init("lake") == 0
    listed = subprocess.run(["make"], cwd=tmp_path / "lake", capture_output=True, text=True, check=True).stdout
    names = {line.split()[1] for line in listed.splitlines()}
    assert {"setup", "check", "preview", "comment", "gate", "deploy", "verify", "drift", "image"} <= names
    assert os.access(tmp_path / "lake" / "toolchain" / "plugins" / "pulumi-resource-airbyte", os.X_OK)


def test_the_image_ends_as_the_repositorys_does(init: Init, tmp_path: Path) -> None:
    assert init("lake") == 0
    made, own = (
        DockerfileParser(path=str(folder / "dagster"), env_replace=False).structure
        for folder in (tmp_path / "lake", REPOSITORY)
    )

    def end(steps: list[dict[str, str]]) -> list[str]:
        last = max(index for index, step in enumerate(steps) if step["instruction"] == "FROM")
        return [step["content"] for step in steps[last + 2 :]]

    assert end(made) == end(own)
    assert [step["content"] for step in made if step["instruction"] == "ARG"][:1] == [
        step["content"] for step in own if step["instruction"] == "ARG"
    ][:1]
    hadolint = [Path(sys.executable).with_name("hadolint"), tmp_path / "lake" / "dagster" / "Dockerfile"]
    linted = subprocess.run(hadolint, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_without_ci_there_are_no_workflows(init: Init, tmp_path: Path) -> None:
    assert init("lake", "--ci", "none") == 0
    assert not (tmp_path / "lake" / ".github").exists()
    assert not (tmp_path / "lake" / "toolchain" / "github.py").exists()
    assert (tmp_path / "lake" / "Makefile").exists()


# Upgrades


def older(lake: Path, **changed: str) -> None:
    """Make a lake's files those of an older Lotus: each changed file had this text, and was not edited."""
    record = json.loads((lake / RECORD).read_text(encoding="utf-8"))
    record["version"] = "0.0.9"
    for name, text in changed.items():
        path = {
            "makefile": "Makefile",
            "latest": "dagster/dbt/macros/latest.sql",
            "gone": "dagster/dbt/macros/gone.sql",
        }
        (lake / path[name]).write_text(text, encoding="utf-8")
        record["files"][path[name]] = digest(text)
    (lake / RECORD).write_text(json.dumps(record), encoding="utf-8")


def test_an_upgrade_of_the_same_version_changes_nothing(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("lake")
    before = texts(tmp_path)
    capsys.readouterr()

    assert init("--upgrade", "lake") == 0

    assert capsys.readouterr().out == "Lotus 0.1.0: no changes.\n"
    assert texts(tmp_path) == before


def test_an_upgrade_replaces_what_nobody_edited_and_leaves_the_users_files(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("lake")
    lake = tmp_path / "lake"
    current = texts(lake)
    older(lake, makefile="all:\n", gone="-- an old macro\n")
    (lake / "README.md").write_text("mine", encoding="utf-8")
    (lake / "toolchain" / "plugins" / "pulumi-resource-airbyte").unlink()
    record = json.loads((lake / RECORD).read_text(encoding="utf-8"))
    del record["files"]["toolchain/plugins/pulumi-resource-airbyte"]  # new in this version
    (lake / RECORD).write_text(json.dumps(record), encoding="utf-8")
    capsys.readouterr()

    assert init("--upgrade", "lake") == 1  # it asks, and this is no terminal
    assert (lake / "Makefile").read_text(encoding="utf-8") == "all:\n"
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "~ lake/Makefile",
        "+ lake/toolchain/plugins/pulumi-resource-airbyte",
        "- lake/dagster/dbt/macros/gone.sql",
    ]

    assert init("--upgrade", "lake", "--yes") == 0
    assert texts(lake) == {**current, "README.md": "mine"}
    assert os.access(lake / "toolchain" / "plugins" / "pulumi-resource-airbyte", os.X_OK)


def test_an_edited_file_stays_and_its_differences_are_shown_once(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("lake")
    lake = tmp_path / "lake"
    older(lake, makefile="all:\n", latest="-- as it was\n")
    (lake / "Makefile").write_text("all:\n\nmine:\n", encoding="utf-8")
    (lake / "dagster/dbt/profiles.yml").write_text("mine: {}\n", encoding="utf-8")  # edited, and the same in Lotus
    (lake / "dagster/dbt/macros/exact.sql").unlink()
    capsys.readouterr()

    assert init("--upgrade", "lake", "--yes") == 0

    out = capsys.readouterr().out
    assert "~ lake/dagster/dbt/macros/latest.sql\n" in out
    assert "lake/dagster/dbt/macros/exact.sql: deleted here, stays deleted\n" in out
    assert "lake/Makefile: edited here, and not replaced. Merge by hand, or --replace Makefile:\n" in out
    assert "  -mine:\n" in out
    assert "profiles.yml" not in out
    assert (lake / "Makefile").read_text(encoding="utf-8") == "all:\n\nmine:\n"
    assert not (lake / "dagster/dbt/macros/exact.sql").exists()
    assert init("--upgrade", "lake", "--replace", "dagster/dbt/macros/exact.sql", "--yes") == 0
    assert (lake / "dagster/dbt/macros/exact.sql").exists()
    capsys.readouterr()

    assert init("--upgrade", "lake", "--yes") == 0
    assert "Makefile" not in capsys.readouterr().out
    assert init("--upgrade", "lake", "--replace", "Makefile", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["Makefile"]
    assert (lake / "Makefile").read_text(encoding="utf-8") == managed_files("prod", "github")["Makefile"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "has no .lotus.json: name the folder of a lake that `lotus init` made"),
        ("{", ".lotus.json is not valid"),
        ("\udcff", ".lotus.json is not valid"),
        (
            f'{{"version": "{"9" * 5000}", "stack": "prod", "ci": "github", "files": {{}}}}',
            ".lotus.json is not valid at version",
        ),
        (
            '{"version": "9.0.0", "stack": "prod", "ci": "github", "files": {}}',
            "Lotus 9.0.0 wrote the files, and 0.1.0",
        ),
        ('{"version": "0.1.0", "stack": "a b", "ci": "github", "files": {}}', ".lotus.json is not valid at stack"),
        (
            f'{{"version": "0.1.0", "stack": "a", "ci": "none", "files": {{"../x": "{"0" * 64}"}}}}',
            "outside of the lake",
        ),
    ],
)
def test_an_upgrade_without_a_valid_record_is_refused(
    record: str | None, message: str, init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if record is not None:
        (tmp_path / RECORD).write_text(record, encoding="utf-8", errors="surrogateescape")
    assert init("--upgrade", "--yes") == 1
    assert message in capsys.readouterr().err


def test_options_that_do_not_go_together_are_refused(init: Init) -> None:
    assert init() == 2
    assert init("lake", "--replace", "Makefile") == 2
    assert init("lake", "--upgrade", "--bucket", "acme") == 2


def test_only_a_file_of_lotus_can_be_replaced(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    init("lake")
    assert init("--upgrade", "lake", "--replace", "README.md") == 1
    assert "README.md is no file of Lotus: choose of .dockerignore" in capsys.readouterr().err


def test_installed_as_a_package_the_files_are_inside_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_checkout = managed_files("prod", "github")
    start = REPOSITORY / "lotus_infra" / "start"
    shutil.copytree(start / "templates", tmp_path / "templates")
    shutil.copy(start / "repository_files.txt", tmp_path)
    for name in (start / "repository_files.txt").read_text(encoding="utf-8").split():
        target = tmp_path / "repository" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy)(REPOSITORY / name, target)
    monkeypatch.setattr(lake_files, "_HERE", tmp_path)

    assert managed_files("prod", "github") == from_checkout
