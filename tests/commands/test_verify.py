"""`lotus verify` against a cluster on loopback: what it compares, what differs, and what can't be known."""

from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from lotus_infra import naming
from lotus_infra.commands.verify import QUERY
from lotus_infra.dagster_fingerprint import definitions_fingerprint
from tests.commands.prod import DIGEST, NAME, OTHER_DIGEST, VENDOR, Prod
from tests.support.clone import commit, git
from tests.support.cluster import an_object, pod
from tests.support.dlt_lake import write_source
from tests.support.lakes import source, stream, write
from tests.support.postgres_lake import SOMEWHERE, destination, pin


def test_a_cluster_that_runs_what_is_declared_is_the_same_in_everything(prod: Prod) -> None:
    verified = prod.verify()

    assert verified.ok
    assert not verified.repository.dirty
    assert [(finding.what, finding.where) for finding in verified.findings if finding.state == "same"] == [
        ("image", "web-1"),
        ("image", "daemon-1"),
        ("image", "code-1"),
        ("definitions deployed", "code-1"),
        ("definitions loaded", "lotus-lake"),
        ("commit loaded", "lotus-lake"),
        ("database", "dagster-db"),
        ("archiving", "dagster-db"),
        ("last backup", "dagster-db"),
        ("database", "ducklake-db"),
        ("archiving", "ducklake-db"),
        ("last backup", "ducklake-db"),
    ]
    assert len(verified.findings) == 12


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
def test_an_image_that_is_not_the_declared_one_differs(image: str, image_id: str, prod: Prod) -> None:
    prod.deploy(image=image, image_id=image_id)

    found = prod.findings("differs")["image"]
    assert (found.where, found.declared) == ("code-1", f"{NAME}@{DIGEST}")
    assert found.remedy == "`pulumi up` deploys it"


def test_an_image_by_tag_alone_is_not_known_until_its_digest_is_declared(prod: Prod) -> None:
    prod.declare(image=f"{NAME}:3f9c2a1")
    prod.deploy(image=f"{NAME}:3f9c2a1")

    found = prod.findings("unknown")["image"]
    assert found.running == f"{NAME}:3f9c2a1@{DIGEST}"
    assert found.remedy == "a tag can be moved: declare the image by the digest that runs"
    assert prod.verify().ok


def test_pods_of_one_tag_with_two_digests_differ(prod: Prod) -> None:
    prod.declare(image=f"{NAME}:3f9c2a1")
    prod.deploy(image=f"{NAME}:3f9c2a1")
    other = pod("code-2", f"{NAME}:3f9c2a1", deployment=naming.CODE_LOCATION, image_id=f"{NAME}@{OTHER_DIGEST}")
    prod.cluster.pods.append(other)

    assert prod.findings("differs")["one image"].running == f"{DIGEST}, {OTHER_DIGEST}"


def test_a_node_that_does_not_tell_the_digest_leaves_it_unknown(prod: Prod) -> None:
    prod.deploy(image=f"{NAME}:3f9c2a1", image_id="sha256:" + "c" * 64)
    assert "once the pod has started" in prod.findings("unknown")["image"].remedy


def test_a_vendors_image_is_of_the_charts_version_or_of_what_the_stack_says_besides(prod: Prod) -> None:
    prod.declare(chart={"version": "1.13.26"})
    assert prod.findings("differs")["image"].declared == ":1.13.26"

    image = {"repository": VENDOR.rpartition(":")[0], "tag": "1.13.27"}
    extra = {"dagsterWebserver": {"image": image}, "dagsterDaemon": {"image": image}}
    prod.declare(chart={"version": "1.13.26"}, extraValues=extra)
    assert prod.verify().ok


def test_a_pod_that_is_not_ready_is_told_with_its_reason(prod: Prod) -> None:
    prod.deploy(image_id="", waiting={"reason": "ImagePullBackOff", "message": "Back-off pulling image"})

    found = prod.findings("differs")["ready"]
    assert found.where == "code-1"
    assert "ImagePullBackOff: Back-off pulling image" in found.running
    assert "kubectl describe pod code-1 --namespace lotus-lake" in found.remedy


def test_several_replica_sets_are_a_roll_out_and_a_pod_that_is_ending_is_none(prod: Prod) -> None:
    older = pod(
        "code-0", f"{NAME}@{DIGEST}", deployment=naming.CODE_LOCATION, revision="5f6a7b", image_id=f"x@{DIGEST}"
    )
    prod.cluster.pods.append(older)
    assert prod.findings("differs")["roll-out"].running == "5f6a7b (1 pod), 7d4b9c (1 pod)"

    older["metadata"]["deletionTimestamp"] = "2026-01-05T10:00:00Z"
    assert prod.verify().ok


def test_a_part_without_a_pod_differs(prod: Prod) -> None:
    prod.cluster.pods = [each for each in prod.cluster.pods if each["metadata"]["name"] != "web-1"]

    assert prod.findings("differs")["pods"].where == "webserver"
    assert "no webserver is ready" in prod.findings("unknown")["definitions loaded"].running


def test_definitions_that_were_deployed_or_loaded_of_another_state_differ(prod: Prod) -> None:
    with (prod.folder / "streams/shopify/orders.json").open("a", encoding="utf-8") as file:
        file.write("\n")

    verified = prod.verify()
    assert verified.repository.dirty
    differing = {finding.what: finding.remedy for finding in verified.findings if finding.state == "differs"}
    assert set(differing) == {"definitions deployed", "definitions loaded"}
    assert differing["definitions loaded"].startswith("commit or stash the changes here; then set lotus:dagster.image")


def test_pods_that_tell_no_definitions_leave_them_unknown(prod: Prod) -> None:
    prod.deploy(annotations={})
    assert prod.findings("unknown")["definitions deployed"].running == "not reported"


def test_an_earlier_commit_with_the_same_definitions_is_no_difference(prod: Prod) -> None:
    built_of = git(prod.folder, "rev-parse", "HEAD")
    for message in ("Name the image", "Write about it"):
        commit(prod.folder, message)
    prod.deploy(annotations={naming.COMMIT_ANNOTATION: built_of})

    same = prod.findings("same")
    assert same["commit loaded"].running == same["commit deployed"].running == f"{built_of}, 2 commits earlier"


@pytest.mark.parametrize("built_of", ["3f9c2a1e5b7d8046912c3f9c2a1e5b7d8046912c", "no image", "--help"])
def test_a_commit_that_is_not_in_the_history_differs(built_of: str, prod: Prod) -> None:
    prod.load(built_of, definitions_fingerprint(prod.folder))
    assert prod.findings("differs")["commit loaded"].running == f"{built_of}, not in this history"


@pytest.mark.parametrize(
    ("loaded", "told"),
    [
        ({"message": "ImportError: no\n module"}, "not loaded: ImportError: no module"),
        (None, "it is still loading"),
        ({"repositories": [{"allTopLevelResourceDetails": []}]}, "has no resource build"),
        ({"repositories": "none"}, "has an unknown format"),
    ],
)
def test_what_dagsters_pages_do_not_tell_is_unknown_with_the_reason(loaded: Any, told: str, prod: Prod) -> None:
    prod.answer(loaded)

    assert told in prod.findings("unknown")["definitions loaded"].running
    assert prod.verify().ok


def test_pages_that_know_no_such_code_location_or_are_not_dagsters_are_told(prod: Prod) -> None:
    prod.cluster.answers = {"web-1:80": {"data": {"workspaceOrError": {"locationEntries": []}}}}
    assert "has no code location lotus-lake" in prod.findings("unknown")["definitions loaded"].running
    prod.cluster.answers = {"web-1:80": "<html>"}
    assert "does not answer with JSON" in prod.findings("unknown")["definitions loaded"].running


def test_without_the_right_to_ask_pods_the_rest_is_compared_all_the_same(prod: Prod) -> None:
    prod.cluster.denied = {"pods/proxy"}

    found = prod.findings("unknown")["definitions loaded"]
    assert found.running == "unknown: you may not get pods/proxy in the namespace lotus-lake"
    assert found.remedy == "`kubectl auth can-i get pods --subresource proxy --namespace lotus-lake` must answer yes"


def test_dagster_understands_what_its_pages_are_asked(prod: Prod) -> None:
    prod.verify()

    assert prod.cluster.queries == [QUERY]
    assert validate(create_schema().graphql_schema, parse(QUERY)) == []


def test_the_secret_of_a_source_that_dlt_reads_must_be_there(prod: Prod) -> None:
    write_source(prod.folder)
    commit(prod.folder, "A source that dlt reads")

    missing = prod.findings("differs")["secret of erp"]
    assert (missing.where, missing.running, missing.remedy) == (
        "source-erp-dlt",
        "missing",
        "`pulumi up` deploys it",
    )

    prod.cluster.objects.append(an_object("v1", "Secret", "source-erp-dlt"))
    assert prod.findings("same")["secret of erp"].where == "source-erp-dlt"

    prod.cluster.denied.add("secrets")
    assert "you may not get secrets" in prod.findings("unknown")["secret of erp"].running


def test_the_secret_of_warehouses_must_be_there_if_a_connection_writes_one(prod: Prod) -> None:
    streams, pinned, written = prod.folder / "streams", "_connectors/destination-postgres.json", destination(SOMEWHERE)
    crm = {"_source.json": source(name="CRM", destination="crm_db"), "contacts.json": stream(stream="users")}
    files = {f"crm/{name}": content for name, content in crm.items()}
    write(streams, files | {pinned: pin(), "_destinations/crm_db.json": written})
    commit(prod.folder, "A source that lands in a database")

    assert prod.findings("differs")["secret of warehouses"].where == "dagster-warehouses"
    prod.cluster.objects.append(an_object("v1", "Secret", "dagster-warehouses"))
    assert "secret of warehouses" in prod.findings("same")
