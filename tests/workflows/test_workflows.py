"""The workflows: what they may do, what they trust, and in which order they come."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain.release import CHECKSUMS

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
NAMES = {"check", "comment", "deploy", "doctor", "drift", "nightly", "preview", "release"}
SETUP = "./.github/actions/setup"
ACTION = FOLDER.parent / "actions" / "setup" / "action.yml"
KUBECONFIG = "./.github/actions/kubeconfig"
CLUSTER = '.ci/released-cluster "$RUNNER_TEMP/cluster" >> "$GITHUB_PATH"'
WITH_STACK = ("deploy/up", "doctor/preview", "doctor/production", "drift/drift", "preview/preview")
"""The jobs with the secrets of a stack."""
ON = True  # YAML 1.1 reads `on` as true
Document = dict[Any, Any]


def read(name: str) -> Document:
    document: Document = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return document


def jobs() -> list[tuple[str, Document]]:
    return [(f"{name}/{key}", job) for name in sorted(NAMES) for key, job in read(name)["jobs"].items()]


def steps(job: Document) -> list[Document]:
    return list(job["steps"])


def test_these_are_the_workflows() -> None:
    assert {file.stem for file in FILES} == NAMES


@pytest.mark.parametrize("file", [*FILES, ACTION], ids=lambda file: file.stem)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(file: Path) -> None:
    used = [
        each for each in re.findall(r"uses: (.*)", file.read_text(encoding="utf-8")) if each not in {SETUP, KUBECONFIG}
    ]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_no_checkout_leaves_a_token_behind() -> None:
    found = [step for _, job in jobs() for step in steps(job) if "actions/checkout" in step.get("uses", "")]
    published = {name for name, _ in jobs() if name in {"release/attest", "release/index", "release/publish"}}
    assert len(found) == len(jobs()) - len(published)
    assert all(step["with"]["persist-credentials"] is False for step in found)


def test_a_job_may_only_do_what_is_said_here() -> None:
    assert all(read(name)["permissions"] == {} for name in NAMES)
    reads = {"contents": "read"}
    assert {name: job["permissions"] for name, job in jobs()} == {
        "check/code": reads,
        "check/cluster": reads,
        "check/lake": reads,
        "check/image": reads,
        "comment/post": reads | {"actions": "read", "issues": "read", "pull-requests": "write"},
        "deploy/image": reads | {"packages": "write"},
        "deploy/up": reads | {"actions": "read", "id-token": "write", "issues": "read", "pull-requests": "read"},
        "doctor/preview": reads | {"id-token": "write"},
        "doctor/production": reads | {"id-token": "write"},
        "drift/drift": reads | {"id-token": "write", "issues": "write"},
        "nightly/everything": reads,
        "preview/preview": reads | {"id-token": "write"},
        "release/everything": reads,
        "release/build": reads,
        "release/attest": {"attestations": "write", "id-token": "write"},
        "release/index": {"id-token": "write"},
        "release/publish": {"contents": "write"},
    }


def test_every_job_ends_and_has_a_shell_that_notices_failures() -> None:
    assert all(job["timeout-minutes"] <= 180 for _, job in jobs())
    assert all(read(name)["defaults"] == {"run": {"shell": "bash"}} for name in NAMES)


def test_nothing_of_an_event_becomes_part_of_a_script() -> None:
    scripts = [step["run"] for _, job in jobs() for step in steps(job) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_a_job_that_calls_make_has_go_and_caches_and_a_release_builds_everything_itself() -> None:
    for name, job in jobs():
        used = [step.get("with", {}) for step in steps(job) if step.get("uses") == SETUP]
        makes = any(re.search(r"\bmake\b|\.ci/run", step.get("run", "")) for step in steps(job))
        expected = [{"cache": "false"}] if name.startswith("release/") else [{}]
        assert used == (expected if makes else []), name


def test_the_caches_are_keyed_by_what_decides_their_content() -> None:
    go, packages, programs = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    assert go["with"] == {"go-version-file": "toolchain/go.mod", "cache": False}
    assert "hashFiles('uv.lock')" in packages["with"]["key"]
    assert programs["with"]["path"] == "toolchain/bin"
    assert "hashFiles('toolchain/**/go.sum', 'toolchain/**/*.go')" in programs["with"]["key"]
    assert "restore-keys" not in programs["with"]
    assert all(step["if"] == "inputs.cache == 'true'" for step in (packages, programs))


def test_the_kubeconfig_is_a_file_of_the_home_folder_because_a_variable_would_be_part_of_the_plan() -> None:
    given = {"text": "${{ secrets.KUBECONFIG }}"}
    written = {name for name, job in jobs() for step in steps(job) if step.get("uses") == KUBECONFIG}
    assert written == {name for name, job in jobs() for step in steps(job) if step.get("with") == given}
    assert written == {name for name, job in jobs() if "secrets.KUBECONFIG" in str(job)} == set(WITH_STACK)
    action = (FOLDER.parents[1] / KUBECONFIG / "action.yml").read_text(encoding="utf-8")
    assert "> ~/.kube/config" in action
    assert all("export KUBECONFIG" not in text for text in [action, *(file.read_text("utf-8") for file in FILES)])


def test_code_of_a_fork_meets_no_secret_and_nothing_that_writes() -> None:
    assert read("check")[ON] == {"pull_request": None, "push": {"branches": ["main"]}}
    for name, job in jobs():
        if name.startswith("check/"):
            assert "environment" not in job
            assert "secrets." not in str(job)
            assert "github.token" not in str(job)
    own = "github.event.pull_request.head.repo.id == github.repository_id && github.event.pull_request.state == 'open'"
    assert read("preview")["jobs"]["preview"]["if"] == f"github.event_name == 'workflow_dispatch' || ({own})"
    assert not any("pull_request_target" in file.read_text(encoding="utf-8") for file in FILES)


def test_who_reads_the_code_of_a_pull_request_holds_secrets_of_the_preview_alone() -> None:
    environments = {name: job.get("environment") for name, job in jobs() if "secrets." in str(job)}
    assert environments == {
        "deploy/up": "production",
        "doctor/preview": "preview",
        "doctor/production": "production",
        "drift/drift": "preview",
        "preview/preview": "preview",
    }
    assert all(job["if"] == "github.ref == 'refs/heads/main'" for job in read("doctor")["jobs"].values())


def test_who_comments_runs_mains_code_alone_and_has_no_secret() -> None:
    assert read("comment")[ON] == {"workflow_run": {"workflows": ["preview"], "types": ["completed"]}}
    [job] = read("comment")["jobs"].values()
    checkout, post = steps(job)
    assert "ref" not in checkout["with"]
    assert "repository" not in checkout["with"]
    assert post["run"] == "python3 toolchain/github.py comment"
    assert "secrets." not in str(job)


def test_deploys_and_looks_for_drift_run_one_at_a_time_to_their_end() -> None:
    for name in ("deploy", "drift"):
        assert read(name)["concurrency"] == {"group": name, "cancel-in-progress": False}
    assert read("deploy")[ON] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}


def test_a_deploy_is_of_main_knows_the_whole_history_and_applies_what_was_reviewed_before_it_verifies() -> None:
    built, applied = read("deploy")["jobs"]["image"], read("deploy")["jobs"]["up"]
    assert built["if"] == "github.ref == 'refs/heads/main'"
    assert applied["needs"] == "image"
    assert steps(applied)[0]["with"]["fetch-depth"] == 0
    text = "\n".join(step.get("run", "") for step in steps(applied))
    order = ["github.py review", 'make deploy STACK="$STACK" REVIEWED=', "make verify"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_a_deploy_takes_the_label_of_now_from_one_output_of_the_step_that_asks_github_for_it() -> None:
    applied = steps(read("deploy")["jobs"]["up"])
    asked = next(step for step in applied if "github.py review" in step.get("run", ""))
    deployed = next(step for step in applied if "make deploy" in step.get("run", ""))
    assert asked["id"] == "review"
    assert asked["env"] == {"GH_TOKEN": "${{ github.token }}"}
    assert deployed["env"]["LABEL"] == "${{ steps.review.outputs.label }}"
    assert 'REVIEWED=".review/$STACK" LABEL="$LABEL"' in deployed["run"]
    assert "github.event" not in str(applied)


def test_every_workflow_means_the_same_stack() -> None:
    for name in ("comment", "deploy", "doctor", "drift", "preview"):
        assert read(name)["env"]["STACK"] == "${{ vars.LOTUS_STACK || 'prod' }}"


def test_a_comparison_that_fails_without_a_report_leaves_the_issue_alone() -> None:
    compared, told = steps(read("drift")["jobs"]["drift"])[-2:]
    script = compared["run"].splitlines()
    assert script[-2:] == [
        "rm -f drift.md",
        'if make drift STACK="$STACK" OUTPUT=drift.md; then : > drift.md; else test -s drift.md; fi',
    ]
    assert "if" not in told


def test_what_was_reviewed_is_kept_only_once_the_gate_has_let_it_through() -> None:
    names = [
        step.get("id") or step.get("with", {}).get("name", "") for step in steps(read("preview")["jobs"]["preview"])
    ]
    assert names[-2] == "gate"
    assert names[-1].startswith("review-")


def test_every_test_runs_each_night_and_before_a_release() -> None:
    assert read("nightly")[ON].keys() == {"schedule", "workflow_dispatch"}
    assert read("release")[ON] == {"push": {"tags": ["v*"]}}
    for name in ("nightly", "release"):
        commands = [step["run"] for step in steps(read(name)["jobs"]["everything"]) if "run" in step]
        assert commands == ["make clients", CLUSTER, "make test-all"]


def test_a_pull_request_runs_the_tests_on_a_cluster_of_released_programs() -> None:
    commands = [step["run"] for step in steps(read("check")["jobs"]["cluster"]) if "run" in step]
    assert commands == [CLUSTER, "make test-cluster"]


def test_a_release_publishes_the_one_build_after_every_test_and_its_attestation() -> None:
    release = read("release")["jobs"]
    after = {name: job["needs"] for name, job in release.items() if "needs" in job}
    assert after == {"attest": ["everything", "build"], "index": "attest", "publish": "index"}
    assert {name for name, job in release.items() if "environment" in job} == {"index"}
    assert "secrets." not in str(release)
    kept = steps(release["build"])[-1]["with"]
    for name in after:
        taken, *_ = steps(release[name])
        assert taken["uses"].startswith("actions/download-artifact@")
        assert taken["with"] == {"name": kept["name"], "path": kept["path"]}


def test_the_files_that_a_release_names_are_those_that_its_build_makes() -> None:
    release = read("release")["jobs"]
    assert 'make release OUT=dist TAG="$GITHUB_REF_NAME"' in [step.get("run") for step in steps(release["build"])]
    assert steps(release["attest"])[-1]["with"] == {"subject-checksums": f"dist/{CHECKSUMS}"}
    assert steps(release["index"])[-1]["with"]["packages-dir"] == "dist/python"
    script = steps(release["publish"])[-1]["run"]
    assert set(re.findall(r"dist/\S+", script)) == {
        "dist/RELEASE.md",
        "dist/*.tar.gz",
        f"dist/{CHECKSUMS}",
        "dist/python/*",
    }
