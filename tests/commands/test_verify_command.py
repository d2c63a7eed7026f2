"""`lotus verify` where it can't be asked or is not clear what is meant, and what the command prints."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from lotus_infra.commands.cli import main
from lotus_infra.commands.verify import verify, verify_cluster
from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import LotusError
from tests.commands.prod import DIGEST, NAME, OTHER_DIGEST, STACK, Prod
from tests.support.clone import git
from tests.support.cluster import write_kubeconfig


def refused(prod: Prod, **options: Any) -> str:
    with pytest.raises(LotusError) as caught:
        verify_cluster(prod.folder / "streams", **({"stack": "prod", "kubeconfig": str(prod.kubeconfig)} | options))
    assert caught.value.hint
    return str(caught.value)


def test_a_namespace_that_does_not_exist_is_told(prod: Prod) -> None:
    prod.declare(namespace={"name": "elsewhere"})
    assert "has no namespace elsewhere: `pulumi up` creates it" in refused(prod)


def test_a_namespace_without_a_release_has_no_pods(prod: Prod) -> None:
    prod.cluster.pods = []
    assert [finding.where for finding in prod.verify().findings if finding.what == "pods"] == [
        "webserver",
        "daemon",
        "code location",
    ]


def test_no_right_and_no_login_are_told(prod: Prod) -> None:
    prod.cluster.denied = {"pods"}
    assert refused(prod).startswith("you may not list pods in the namespace lotus-lake: `kubectl auth can-i list pods")
    prod.cluster.known = False
    assert "rejects the credentials" in refused(prod)


def test_a_cluster_out_of_reach_is_told(prod: Prod) -> None:
    write_kubeconfig(prod.kubeconfig, "http://127.0.0.1:9")
    assert refused(prod).startswith("the cluster at http://127.0.0.1:9 does not answer: ")


def test_a_cluster_whose_tls_fails_is_told(prod: Prod) -> None:
    address = yaml.safe_load(prod.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    write_kubeconfig(prod.kubeconfig, address.replace("http:", "https:"))
    assert "does not answer: " in refused(prod)


def test_a_kubeconfig_or_a_context_that_does_not_exist_is_told(prod: Prod, tmp_path: Path) -> None:
    assert "no cluster can be found: " in refused(prod, kubeconfig=str(tmp_path / "none"))
    assert "no cluster can be found: " in refused(prod, context="nowhere")
    for nonsense in ("- nonsense", "{", "", "clusters: 1"):
        prod.kubeconfig.write_text(nonsense, encoding="utf-8")
        assert "no cluster can be found: " in refused(prod)


def test_the_stack_says_which_cluster_unless_an_option_does(prod: Prod) -> None:
    prod.declare(cluster={"kubeconfig": str(prod.kubeconfig), "context": "nowhere"})
    assert "nowhere" in refused(prod, kubeconfig=None)
    assert verify_cluster(prod.folder / "streams", "prod", context="here").ok


def test_a_stack_without_dagster_is_told(prod: Prod) -> None:
    prod.declare(deploy=False)
    assert refused(prod).startswith("the stack prod has no Dagster")
    (prod.folder / "Pulumi.prod.yaml").write_text("config: {}\n", encoding="utf-8")
    assert refused(prod).startswith("the stack prod has no Dagster")


def test_a_deploy_of_a_stack_without_dagster_has_nothing_to_verify(prod: Prod, monkeypatch: pytest.MonkeyPatch) -> None:
    prod.declare(deploy=False)
    monkeypatch.chdir(prod.folder)
    lines = {
        (): "",
        ("--if-deployed",): "the stack prod has no Dagster: nothing to verify\n",
        ("--if-deployed", "--json"): '{\n  "ok": true,\n  "findings": []\n}\n',
    }
    for options, shown in lines.items():
        ended = CliRunner().invoke(verify, ["--stack", "prod", *options])
        assert (ended.output, ended.exit_code) == (shown, 0 if options else 1)


def test_which_stack_is_meant_must_be_clear(prod: Prod, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify_cluster(prod.folder / "streams", kubeconfig=str(prod.kubeconfig)).stack == "prod"
    (prod.folder / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    assert refused(prod, stack=None) == "no stack selected: pass --stack NAME, one of dev, prod"
    monkeypatch.setenv("PULUMI_STACK", "organization/lotus/prod")
    assert verify_cluster(prod.folder / "streams", kubeconfig=str(prod.kubeconfig)).stack == "prod"


def test_an_object_that_is_kept_as_text_reads_the_same_and_nonsense_is_told(prod: Prod) -> None:
    file = prod.folder / "Pulumi.prod.yaml"
    file.write_text(yaml.safe_dump({"config": {"lotus:dagster": json.dumps(STACK)}}), encoding="utf-8")
    assert prod.verify().ok
    file.write_text(yaml.safe_dump({"config": {"lotus:dagster": "nonsense"}}), encoding="utf-8")
    assert "Pulumi.prod.yaml:2: lotus:dagster: is not an object" in refused(prod)


def test_a_folder_that_is_no_clone_or_no_project_is_told(prod: Prod, tmp_path: Path) -> None:
    (prod.folder / ".git").rename(tmp_path / "gone")
    assert "is no clone with a commit" in refused(prod)
    with pytest.raises(LotusError, match=r"no Pulumi\.yaml at or above"):
        verify_cluster(tmp_path)


def lotus(monkeypatch: pytest.MonkeyPatch, prod: Prod, *options: str) -> int:
    monkeypatch.chdir(prod.folder)
    monkeypatch.setattr(sys, "argv", ["lotus", "verify", "--kubeconfig", str(prod.kubeconfig), *options])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_pods_and_images_are_whole_at_80_columns(
    prod: Prod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prod.deploy(image=f"{NAME}@{OTHER_DIGEST}", image_id=f"{NAME}@{OTHER_DIGEST}")
    monkeypatch.setenv("COLUMNS", "80")

    assert lotus(monkeypatch, prod) == 1

    printed = capsys.readouterr().out
    assert "image  code-1\n  result    differs\n  declared  " in printed
    assert f"  running   {NAME}@sha256:bbbbbbbbbbbb\n" in printed
    assert "…" not in printed


def test_the_command_prints_a_table_and_what_to_do_and_ends_with_1(
    prod: Prod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert lotus(monkeypatch, prod) == 0
    prod.deploy(image=f"{NAME}@{OTHER_DIGEST}", image_id=f"{NAME}@{OTHER_DIGEST}")
    (prod.folder / "new.txt").touch()
    capsys.readouterr()

    assert lotus(monkeypatch, prod) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if "differs" in line and "code-1" in line and line.endswith("sha256:bbbbbbbbbbbb")]
    assert printed[-2] == "image of code-1: `pulumi up` deploys it"
    head = git(prod.folder, "rev-parse", "HEAD")[:12]
    assert printed[-1] == (
        f"prod, namespace lotus-lake, compared with {head} and uncommitted changes: 12 comparisons, 1 differs, 11 same"
    )


def test_a_reason_with_brackets_is_shown_as_the_cluster_words_it(
    prod: Prod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    prod.deploy(waiting={"reason": "CreateContainerError", "message": "mount [/var/lib/x] :smile: [red]failed"})

    assert lotus(monkeypatch, prod) == 1
    assert "mount [/var/lib/x] :smile: [red]failed" in capsys.readouterr().out


def test_json_is_one_document_with_everything_in_full(
    prod: Prod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, prod, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert document["definitions"] == definitions_fingerprint(prod.folder)
    assert {finding["declared"] for finding in document["findings"]} >= {f"{NAME}@{DIGEST}"}


def test_what_can_not_be_asked_is_one_line(
    prod: Prod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prod.cluster.denied = {"pods"}
    assert lotus(monkeypatch, prod) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
