"""The recipes of CI's accounts on a real API server: what each may do is enough, and no more."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import utils

from tests.cluster.server import CONTEXT
from tests.cluster.world import World
from tests.engine.harness import REPOSITORY

RECIPES = REPOSITORY / "docs" / "recipes" / "kubernetes"


@pytest.mark.nightly
def test_the_account_of_preview_reviews_and_verifies_the_stack_and_changes_nothing(world: World) -> None:
    file = at_home(world)
    world.pulumi.up().ok()
    world.commit()
    login(world, "preview", file)

    reviewed = world.lotus("preview")
    assert reviewed.returncode == 0, reviewed.stdout + reviewed.stderr
    preview = world.pulumi.project / ".review" / "test" / "preview.json"
    assert "nothing changes" in world.lotus(f"comment --preview {preview}").stdout
    assert world.lotus("drift").returncode == 0
    assert "you may not" not in world.lotus("verify --json").stdout

    world.change("webserver.replicas", 2)
    world.commit()
    changing = world.lotus("preview")
    assert changing.returncode == 0, changing.stdout + changing.stderr
    assert '"update"' in preview.read_text(encoding="utf-8")
    assert "forbidden" in world.pulumi.up().failed().output


@pytest.mark.nightly
def test_the_account_of_production_deploys_and_verifies_the_stack(world: World) -> None:
    file = at_home(world)
    world.pulumi.up().ok()
    world.change("webserver.replicas", 2)
    world.commit()
    login(world, "production", file)

    assert world.lotus("preview").returncode == 0
    deployed = world.lotus("deploy --yes --reviewed .review/test")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert "you may not" not in world.lotus("verify --json").stdout
    assert world.lake.changes("--refresh") == []


def at_home(world: World) -> Path:
    """Let the home folder have the kubeconfig, as on a runner; returns its file.

    The SDK makes the path in `$KUBECONFIG` an input of the provider, which then differs from machine to machine.
    """
    home = world.pulumi.project.parent / "home"
    file = home / ".kube" / "config"
    file.parent.mkdir(parents=True)
    file.write_text(world.machine.server.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
    world.pulumi.environment["HOME"] = str(home)
    world.pulumi.environment.pop("KUBECONFIG", None)
    world.change("cluster", {"context": CONTEXT})
    return file


def login(world: World, name: str, file: Path) -> None:
    """Create an account by its recipe, and let a kubeconfig have its token."""
    text = (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
    # The stacks of these tests share one cluster.
    own = text.replace("lotus-lake", world.namespace).replace("lotus-ci", f"{world.namespace}-ci")
    documents = list(yaml.safe_load_all(own.replace(f"lotus-{name}", f"{name}-{world.namespace}")))
    utils.create_from_yaml(world.machine.server.client(), yaml_objects=documents)

    def written() -> dict[str, str]:
        secret = world.core.read_namespaced_secret(f"{name}-token", f"{world.namespace}-ci")
        return secret.data or {}

    world.wait(lambda: "token" in written())
    token = base64.b64decode(written()["token"]).decode()
    kubeconfig: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    kubeconfig["users"] = [{"name": each["name"], "user": {"token": token}} for each in kubeconfig["users"]]
    file.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
