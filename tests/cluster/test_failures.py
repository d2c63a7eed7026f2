"""What a user reads when the release or an object can't be written, from the real API server and the real plugin."""

import base64
import gzip
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.world import CHART, World

MISSING = "ghcr.io/example/lotus-dagster:fedcba9"
SHORT = 8
ERROR = "    error: "
OF_THE_ENGINE = {"update failed", "Resource monitor has terminated, shutting down"}
"""The second is there only if the program still waits for a resource when the engine ends."""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: extra}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: extra, image: busybox, command: [echo, one]}]}
"""


def lines_of(world: World) -> list[str]:
    """The lines that Lotus adds to the plugin's own errors, when an update fails."""
    output = world.pulumi.up().failed().output.split("Diagnostics:")[-1]
    [own] = [part for part in output.split("\n\n") if "pulumi:pulumi:Stack (" in part]
    lines = [line.removeprefix(ERROR) for line in own.splitlines() if line.startswith(ERROR)]
    return [line for line in lines if line not in OF_THE_ENGINE]


def namespace_of_others(world: World) -> None:
    world.change("namespace.create", False)


def quota(world: World, name: str, **hard: str) -> None:
    world.core.create_namespaced_resource_quota(world.namespace, {"metadata": {"name": name}, "spec": {"hard": hard}})


def own_chart(world: World, folder: Path) -> Path:
    """A copy of the chart, which the stack then uses."""
    chart = folder / "own"
    shutil.copytree(CHART, chart)
    world.change("chart.path", str(chart))
    return chart


def interrupt_helm(world: World) -> None:
    """Leave the release as a run does that is killed during an upgrade."""
    [record] = world.core.list_namespaced_secret(world.namespace, label_selector="owner=helm").items
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(record.data["release"]))))
    release["info"]["status"] = "pending-upgrade"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    patch = {"metadata": {"labels": {"status": "pending-upgrade"}}, "data": {"release": packed}}
    world.core.patch_namespaced_secret(record.metadata.name, world.namespace, patch)


def test_a_first_release_that_fails_says_what_to_do_and_no_word_about_pods(world: World) -> None:
    namespace_of_others(world)
    [missing] = lines_of(world)
    assert f"create the namespace {world.namespace}, or set namespace.create: true" in missing

    world.core.create_namespace({"metadata": {"name": world.namespace}})
    quota(world, "few", services="0")
    remedy = f"raise the quota few of the namespace {world.namespace}, or lower the resources in lotus:dagster"
    assert lines_of(world) == [f"Release dagster: {remedy}"]
    world.core.delete_namespaced_resource_quota("few", world.namespace)
    world.pulumi.up().ok()


@pytest.mark.nightly
def test_an_object_of_others_in_the_releases_place_is_named(world: World) -> None:
    namespace_of_others(world)
    world.core.create_namespace({"metadata": {"name": world.namespace}})
    world.core.create_namespaced_service_account(world.namespace, {"metadata": {"name": "dagster"}})

    [line] = lines_of(world)

    assert line.endswith(f"kubectl delete serviceaccount dagster --namespace {world.namespace}")


def test_a_release_that_waits_in_vain_is_explained_by_what_it_waits_for(world: World) -> None:
    world.pulumi.up().ok()
    limit = world.dagster["timeoutSeconds"]

    world.machine.kubelet.missing.add(MISSING)
    world.change("timeoutSeconds", SHORT)
    world.change("image", MISSING)
    [image] = lines_of(world)
    assert image.startswith("pod dagster-")
    assert image.endswith(f'ImagePullBackOff: Back-off pulling image "{MISSING}"')
    world.machine.kubelet.missing.remove(MISSING)
    world.change("timeoutSeconds", limit)
    world.pulumi.up().ok()

    quota(world, "small", pods="0")
    world.change("timeoutSeconds", SHORT)
    world.change("webserver.replicas", 2)
    [pods] = lines_of(world)
    assert pods.startswith("pods of dagster-")
    assert "exceeded quota: small" in pods


@pytest.mark.nightly
def test_a_release_that_cannot_be_upgraded_says_what_to_do(world: World, tmp_path: Path) -> None:
    chart = own_chart(world, tmp_path)
    (chart / "templates" / "extra.yaml").write_text(JOB)
    world.pulumi.up().ok()

    (chart / "templates" / "extra.yaml").write_text(JOB.replace("one", "two"))
    world.change("webserver.replicas", 2)
    [fixed] = lines_of(world)
    assert fixed.endswith(f"kubectl delete job extra --namespace {world.namespace}")


@pytest.mark.nightly
def test_a_release_that_a_killed_run_left_names_the_repair(world: World) -> None:
    world.pulumi.up().ok()
    interrupt_helm(world)
    world.change("webserver.replicas", 2)
    [killed] = lines_of(world)
    assert "`lotus doctor`" in killed

    for record in world.core.list_namespaced_secret(world.namespace, label_selector="owner=helm").items:
        world.core.delete_namespaced_secret(record.metadata.name, world.namespace)
    [gone] = lines_of(world)
    assert gone.endswith("run `pulumi refresh`, and then `pulumi up`")


@pytest.mark.nightly
def test_an_interrupted_release_is_not_explained(world: World) -> None:
    world.pulumi.up().ok()
    world.machine.kubelet.missing.add(MISSING)
    world.change("image", MISSING)

    process = world.pulumi.start("up", "--yes", "--skip-preview")
    world.wait(lambda: MISSING in world.pods().values())
    process.send_signal(2)
    output = "".join(process.communicate())

    assert "context canceled" in output
    assert "pod dagster-" not in output


@contextmanager
def schemas() -> Iterator[tuple[str, list[str]]]:
    """A server of JSON Schemas on loopback: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"definitions": {"Anything": {}}}')

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/definitions.json", asked
        server.shutdown()


@pytest.mark.nightly
def test_a_schema_on_another_server_is_read_by_up_and_not_needed(world: World, tmp_path: Path) -> None:
    schema = own_chart(world, tmp_path) / "charts" / "dagster-user-deployments" / "values.schema.json"
    with schemas() as (url, asked):
        schema.write_text(json.dumps({"properties": {"deployments": {"$ref": f"{url}#/definitions/Anything"}}}))
        world.pulumi.preview().ok()
        assert asked == []
        world.pulumi.up().ok()
        assert asked != []

    world.change("webserver.replicas", 2)
    [unreachable] = lines_of(world)
    assert f"the chart's schema refers to {url}, which this machine can't read" in unreachable

    schema.unlink()
    world.pulumi.up().ok()
