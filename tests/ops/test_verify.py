"""`lotus verify` against a cluster on loopback: what it compares, what differs, and what can't be known."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from lotus_infra import naming
from lotus_infra.definitions import fingerprint
from lotus_infra.errors import LotusError
from lotus_infra.ops.cli import main
from lotus_infra.ops.verify import Verified, verify
from lotus_infra.ops.verify_build import QUERY
from lotus_infra.ops.verify_pods import Finding
from tests.support.clone import commit, git, write_clone
from tests.support.cluster import FakeCluster, pod, serving, write_kubeconfig

NAME = "ghcr.io/example/lake"
DIGEST, OTHER_DIGEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64
VENDOR = "docker.io/dagster/dagster-celery-k8s:1.13.27"
STACK: dict[str, Any] = {"deploy": True, "chart": {"version": "1.13.27"}, "image": f"{NAME}@{DIGEST}"}


@dataclass
class Lab:
    """A clone of the lake whose stack `prod` is deployed to a cluster just as it is.

    Attributes:
        folder: The clone.
        cluster: What the cluster has.
        kubeconfig: What leads there.
    """

    folder: Path
    cluster: FakeCluster
    kubeconfig: Path

    def declare(self, **changed: Any) -> None:
        """Write the stack's file, and commit it."""
        file = self.folder / "Pulumi.prod.yaml"
        file.write_text(yaml.safe_dump({"config": {"lotus:dagster": STACK | changed}}), encoding="utf-8")
        commit(self.folder, "The stack")

    def deploy(self, **changed: Any) -> None:
        """Let the code location's one pod be another than the stack's."""
        told = {naming.DEFINITIONS_ANNOTATION: fingerprint(self.folder)}
        given = {"deployment": naming.CODE_LOCATION, "image_id": f"{NAME}@{DIGEST}", "annotations": told} | changed
        image = given.pop("image", f"{NAME}@{DIGEST}")
        self.cluster.pods = [each for each in self.cluster.pods if each["metadata"]["name"] != "code-1"]
        self.cluster.pods.append(pod("code-1", image, **given))

    def load(self, built_of: str, definitions: str) -> None:
        """Let the code location tell its build."""
        told = {"commit": built_of, "definitions": definitions}
        values = [{"key": key, "value": json.dumps(value)} for key, value in told.items()]
        resources = [{"name": "build", "configuredValues": values}, {"name": "dbt", "configuredValues": []}]
        self.answer({"repositories": [{"allTopLevelResourceDetails": resources}]})

    def answer(self, loaded: Any) -> None:
        """Let Dagster's pages tell something of the code location."""
        entry = {"name": naming.CODE_LOCATION, "locationOrLoadError": loaded}
        answer = {"data": {"workspaceOrError": {"locationEntries": [entry]}}}
        self.cluster.answers = {"web-1:80": answer}

    def verify(self) -> Verified:
        return verify(self.folder / "streams", "prod", str(self.kubeconfig))

    def findings(self, state: str) -> dict[str, Finding]:
        """What was found to be so, by what it is."""
        return {finding.what: finding for finding in self.verify().findings if finding.state == state}


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copied for each test: git takes longer than a copy."""
    folder = write_clone(tmp_path_factory.mktemp("clone"))
    (folder / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n", encoding="utf-8")
    return folder


@pytest.fixture
def lab(clone: Path, tmp_path: Path) -> Iterator[Lab]:
    folder = shutil.copytree(clone, tmp_path / "lake")
    cluster = FakeCluster()
    with serving(cluster) as address:
        made = Lab(folder, cluster, write_kubeconfig(tmp_path / "kubeconfig", address))
        made.declare()
        cluster.pods.append(pod("web-1", VENDOR, component="dagster-webserver", image_id=f"x@{OTHER_DIGEST}", port=80))
        cluster.pods.append(pod("daemon-1", VENDOR, component="dagster-daemon", deployment="daemon"))
        cluster.pods.append(pod("run-1", f"{NAME}:3f9c2a1", component="run_worker"))
        made.deploy()
        made.load(git(folder, "rev-parse", "HEAD"), fingerprint(folder))
        yield made


def test_a_cluster_that_runs_what_is_declared_is_the_same_in_everything(lab: Lab) -> None:
    verified = lab.verify()

    assert verified.ok
    assert not verified.repository.dirty
    assert [(finding.what, finding.where) for finding in verified.findings if finding.state == "same"] == [
        ("image", "web-1"),
        ("image", "daemon-1"),
        ("image", "code-1"),
        ("definitions deployed", "code-1"),
        ("definitions loaded", "lotus-lake"),
        ("commit loaded", "lotus-lake"),
    ]
    assert len(verified.findings) == 6


@pytest.mark.parametrize(
    ("image", "image_id"),
    [
        (f"{NAME}@{OTHER_DIGEST}", f"{NAME}@{OTHER_DIGEST}"),
        (f"{NAME}@{DIGEST}", f"docker-pullable://{NAME}@{OTHER_DIGEST}"),
        (f"ghcr.io/other/lake@{DIGEST}", f"ghcr.io/other/lake@{DIGEST}"),
        ("localhost:5000/lake", ""),
        (f"{NAME}:latest", f"{NAME}@{OTHER_DIGEST}"),
    ],
)
def test_an_image_that_is_not_the_declared_one_differs(image: str, image_id: str, lab: Lab) -> None:
    lab.deploy(image=image, image_id=image_id)

    found = lab.findings("differs")["image"]
    assert (found.where, found.declared) == ("code-1", f"{NAME}@{DIGEST}")
    assert found.remedy == "`pulumi up` brings it about"


def test_an_image_by_tag_alone_is_not_known_until_its_digest_is_declared(lab: Lab) -> None:
    lab.declare(image=f"{NAME}:3f9c2a1")
    lab.deploy(image=f"{NAME}:3f9c2a1")

    found = lab.findings("unknown")["image"]
    assert found.running == f"{NAME}:3f9c2a1@{DIGEST}"
    assert found.remedy == "a tag can be moved: declare the image by the digest that runs"
    assert lab.verify().ok


def test_pods_of_one_tag_with_two_digests_differ(lab: Lab) -> None:
    lab.declare(image=f"{NAME}:3f9c2a1")
    lab.deploy(image=f"{NAME}:3f9c2a1")
    other = pod("code-2", f"{NAME}:3f9c2a1", deployment=naming.CODE_LOCATION, image_id=f"{NAME}@{OTHER_DIGEST}")
    lab.cluster.pods.append(other)

    assert lab.findings("differs")["one image"].running == f"{DIGEST}, {OTHER_DIGEST}"


def test_a_node_that_does_not_tell_the_digest_leaves_it_unknown(lab: Lab) -> None:
    lab.deploy(image=f"{NAME}:3f9c2a1", image_id="sha256:" + "c" * 64)
    assert "ask again" in lab.findings("unknown")["image"].remedy


def test_a_vendors_image_is_of_the_charts_version_or_of_what_the_stack_says_besides(lab: Lab) -> None:
    lab.declare(chart={"version": "1.13.26"})
    assert lab.findings("differs")["image"].declared == ":1.13.26"

    image = {"repository": VENDOR.rpartition(":")[0], "tag": "1.13.27"}
    extra = {"dagsterWebserver": {"image": image}, "dagsterDaemon": {"image": image}}
    lab.declare(chart={"version": "1.13.26"}, extraValues=extra)
    assert lab.verify().ok


def test_a_pod_that_is_not_ready_is_told_with_its_reason(lab: Lab) -> None:
    lab.deploy(image_id="", waiting={"reason": "ImagePullBackOff", "message": "Back-off pulling image"})

    found = lab.findings("differs")["ready"]
    assert found.where == "code-1"
    assert "ImagePullBackOff: Back-off pulling image" in found.running
    assert "kubectl describe pod code-1 --namespace lotus-lake" in found.remedy


def test_several_replica_sets_are_a_roll_out_and_a_pod_that_is_ending_is_none(lab: Lab) -> None:
    older = pod(
        "code-0", f"{NAME}@{DIGEST}", deployment=naming.CODE_LOCATION, revision="5f6a7b", image_id=f"x@{DIGEST}"
    )
    lab.cluster.pods.append(older)
    assert lab.findings("differs")["roll-out"].running == "5f6a7b (1 pod), 7d4b9c (1 pod)"

    older["metadata"]["deletionTimestamp"] = "2026-01-05T10:00:00Z"
    assert lab.verify().ok


def test_a_part_without_a_pod_differs(lab: Lab) -> None:
    lab.cluster.pods = [each for each in lab.cluster.pods if each["metadata"]["name"] != "web-1"]

    assert lab.findings("differs")["pods"].where == "webserver"
    assert "no webserver is ready" in lab.findings("unknown")["definitions loaded"].running


def test_definitions_that_were_deployed_or_loaded_of_another_state_differ(lab: Lab) -> None:
    with (lab.folder / "streams/shopify/orders.json").open("a", encoding="utf-8") as file:
        file.write("\n")

    verified = lab.verify()
    assert verified.repository.dirty
    differing = {finding.what: finding.remedy for finding in verified.findings if finding.state == "differs"}
    assert set(differing) == {"definitions deployed", "definitions loaded"}
    assert differing["definitions loaded"].startswith("commit what is changed here, or stash it; then name the image")


def test_pods_that_tell_no_definitions_leave_them_unknown(lab: Lab) -> None:
    lab.deploy(annotations={})
    assert lab.findings("unknown")["definitions deployed"].running == "not told"


def test_an_earlier_commit_with_the_same_definitions_is_no_difference(lab: Lab) -> None:
    built_of = git(lab.folder, "rev-parse", "HEAD")
    for message in ("Name the image", "Write about it"):
        commit(lab.folder, message)
    lab.deploy(annotations={naming.COMMIT_ANNOTATION: built_of})

    same = lab.findings("same")
    assert same["commit loaded"].running == same["commit deployed"].running == f"{built_of}, 2 commits before"


@pytest.mark.parametrize("built_of", ["3f9c2a1e5b7d8046912c3f9c2a1e5b7d8046912c", "no image", "--help"])
def test_a_commit_that_is_not_in_the_history_differs(built_of: str, lab: Lab) -> None:
    lab.load(built_of, fingerprint(lab.folder))
    assert lab.findings("differs")["commit loaded"].running == f"{built_of}, not in this history"


@pytest.mark.parametrize(
    ("loaded", "told"),
    [
        ({"message": "ImportError: no\n module"}, "not loaded: ImportError: no module"),
        (None, "it is still loading"),
        ({"repositories": [{"allTopLevelResourceDetails": []}]}, "has no resource build"),
        ({"repositories": "none"}, "makes no sense"),
    ],
)
def test_what_dagsters_pages_do_not_tell_is_unknown_with_the_reason(loaded: Any, told: str, lab: Lab) -> None:
    lab.answer(loaded)

    assert told in lab.findings("unknown")["definitions loaded"].running
    assert lab.verify().ok


def test_pages_that_know_no_such_code_location_or_are_not_dagsters_are_told(lab: Lab) -> None:
    lab.cluster.answers = {"web-1:80": {"data": {"workspaceOrError": {"locationEntries": []}}}}
    assert "knows no code location lotus-lake" in lab.findings("unknown")["definitions loaded"].running
    lab.cluster.answers = {"web-1:80": "<html>"}
    assert "does not answer with JSON" in lab.findings("unknown")["definitions loaded"].running


def test_without_the_right_to_ask_pods_the_rest_is_compared_all_the_same(lab: Lab) -> None:
    lab.cluster.denied = {"pods/proxy"}

    found = lab.findings("unknown")["definitions loaded"]
    assert found.running == "not known: you may not get pods/proxy in the namespace lotus-lake"
    assert found.remedy == "`kubectl auth can-i get pods/proxy --namespace lotus-lake` must say yes"


def test_dagster_understands_what_its_pages_are_asked(lab: Lab) -> None:
    lab.verify()

    assert lab.cluster.queries == [QUERY]
    assert validate(create_schema().graphql_schema, parse(QUERY)) == []


def refused(lab: Lab, **options: Any) -> str:
    with pytest.raises(LotusError) as caught:
        verify(lab.folder / "streams", **({"stack": "prod", "kubeconfig": str(lab.kubeconfig)} | options))
    assert caught.value.hint
    return str(caught.value)


def test_a_namespace_that_does_not_exist_is_told(lab: Lab) -> None:
    lab.declare(namespace={"name": "elsewhere"})
    assert "has no namespace elsewhere: `pulumi up` makes it" in refused(lab)


def test_a_namespace_without_a_release_has_no_pods(lab: Lab) -> None:
    lab.cluster.pods = []
    assert [finding.where for finding in lab.verify().findings if finding.what == "pods"] == [
        "webserver",
        "daemon",
        "code location",
    ]


def test_no_right_and_no_login_are_told(lab: Lab) -> None:
    lab.cluster.denied = {"pods"}
    assert refused(lab).startswith("you may not list pods in the namespace lotus-lake: `kubectl auth can-i list pods")
    lab.cluster.known = False
    assert "does not know who asks" in refused(lab)


def test_a_cluster_out_of_reach_is_told(lab: Lab) -> None:
    write_kubeconfig(lab.kubeconfig, "http://127.0.0.1:9")
    assert refused(lab).startswith("the cluster at http://127.0.0.1:9 does not answer: ")


def test_a_cluster_whose_tls_fails_is_told(lab: Lab) -> None:
    address = yaml.safe_load(lab.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    write_kubeconfig(lab.kubeconfig, address.replace("http:", "https:"))
    assert "does not answer: " in refused(lab)


def test_a_kubeconfig_or_a_context_that_does_not_exist_is_told(lab: Lab, tmp_path: Path) -> None:
    assert "no cluster can be found: " in refused(lab, kubeconfig=str(tmp_path / "none"))
    assert "no cluster can be found: " in refused(lab, context="nowhere")
    for nonsense in ("- nonsense", "{", "", "clusters: 1"):
        lab.kubeconfig.write_text(nonsense, encoding="utf-8")
        assert "no cluster can be found: " in refused(lab)


def test_the_stack_says_which_cluster_unless_an_option_does(lab: Lab) -> None:
    lab.declare(cluster={"kubeconfig": str(lab.kubeconfig), "context": "nowhere"})
    assert "nowhere" in refused(lab, kubeconfig=None)
    assert verify(lab.folder / "streams", "prod", context="here").ok


def test_a_stack_without_dagster_is_told(lab: Lab) -> None:
    lab.declare(deploy=False)
    assert refused(lab).startswith("the stack prod has no Dagster")
    (lab.folder / "Pulumi.prod.yaml").write_text("config: {}\n", encoding="utf-8")
    assert refused(lab).startswith("the stack prod has no Dagster")


def test_which_stack_is_meant_must_be_clear(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify(lab.folder / "streams", kubeconfig=str(lab.kubeconfig)).stack == "prod"
    (lab.folder / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    assert refused(lab, stack=None) == "which stack is meant is not clear: --stack dev, --stack prod"
    monkeypatch.setenv("PULUMI_STACK", "organization/lotus/prod")
    assert verify(lab.folder / "streams", kubeconfig=str(lab.kubeconfig)).stack == "prod"


def test_an_object_that_is_kept_as_text_reads_the_same_and_nonsense_is_told(lab: Lab) -> None:
    file = lab.folder / "Pulumi.prod.yaml"
    file.write_text(yaml.safe_dump({"config": {"lotus:dagster": json.dumps(STACK)}}), encoding="utf-8")
    assert lab.verify().ok
    file.write_text(yaml.safe_dump({"config": {"lotus:dagster": "nonsense"}}), encoding="utf-8")
    assert "lotus:dagster of the stack prod is no JSON" in refused(lab)


def test_a_folder_that_is_no_clone_or_no_project_is_told(lab: Lab, tmp_path: Path) -> None:
    (lab.folder / ".git").rename(tmp_path / "gone")
    assert "is no clone with a commit" in refused(lab)
    with pytest.raises(LotusError, match=r"no Pulumi\.yaml at or above"):
        verify(tmp_path)


def lotus(monkeypatch: pytest.MonkeyPatch, lab: Lab, *options: str) -> int:
    monkeypatch.chdir(lab.folder)
    monkeypatch.setattr(sys, "argv", ["lotus", "verify", "--kubeconfig", str(lab.kubeconfig), *options])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_command_prints_a_table_and_what_to_do_and_ends_with_1(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert lotus(monkeypatch, lab) == 0
    lab.deploy(image=f"{NAME}@{OTHER_DIGEST}", image_id=f"{NAME}@{OTHER_DIGEST}")
    (lab.folder / "new.txt").touch()
    capsys.readouterr()

    assert lotus(monkeypatch, lab) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if "differs" in line and "code-1" in line and "sha256:bbbbbbbbbbbb " in line]
    assert printed[-2] == "image of code-1: `pulumi up` brings it about"
    head = git(lab.folder, "rev-parse", "HEAD")[:12]
    assert printed[-1] == (
        f"prod, namespace lotus-lake, held against {head} and changes that are not committed: "
        "6 comparisons, 1 differs, 5 same"
    )


def test_json_is_one_document_with_everything_in_full(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, lab, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert document["definitions"] == fingerprint(lab.folder)
    assert {finding["declared"] for finding in document["findings"]} >= {f"{NAME}@{DIGEST}"}


def test_what_can_not_be_asked_is_one_line(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.cluster.denied = {"pods"}
    assert lotus(monkeypatch, lab) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
