"""The recipes of CI's accounts on a real API server: what each may do is enough, and no more."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.server import CONTEXT
from tests.cluster.world import World
from tests.docs.pages import page
from tests.engine.harness import REPOSITORY

PAGE = "docs/how-to/set-up-ci.md"


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
    assert examined(world, "preview") == []

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
    assert examined(world, "deploy") == []
    assert world.lake.changes("--refresh") == []


def examined(world: World, purpose: str) -> list[str]:
    """What the doctor says of the cluster that is not well."""
    found = json.loads(world.lotus(f"doctor --json --for {purpose}").stdout)["findings"]
    return [each["what"] for each in found if each["area"] == "cluster" and each["state"] != "ok"]


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
    """Create both accounts by the page's commands, and use the kubeconfig of one of them."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on PATH")
    apply, write = (
        block.text for block in page(PAGE).blocks if "kubernetes/preview.yaml" in block.text or "umask" in block.text
    )
    recipes = world.pulumi.project.parent / ".review" / "recipes"
    shutil.copytree(REPOSITORY / "docs" / "recipes", recipes)
    for recipe in (recipes / "kubernetes").iterdir():
        recipe.write_text(of_world(world, recipe.read_text(encoding="utf-8")), encoding="utf-8")
    shell(world, apply)
    tokens = f"{world.namespace}-ci"
    world.wait(lambda: all((each.data or {}).get("token") for each in world.core.list_namespaced_secret(tokens).items))
    shell(world, of_world(world, write).replace("context=example", f"context={CONTEXT}"))
    shutil.copy(recipes / f"{name}.kubeconfig", file)


def of_world(world: World, text: str) -> str:
    """With names of the world's own: the stacks of these tests share one cluster."""
    own = text.replace("lotus-lake", world.namespace).replace("lotus-ci", f"{world.namespace}-ci")
    return re.sub(r"\blotus-(preview|production)\b", rf"\1-{world.namespace}", own)


def shell(world: World, text: str) -> None:
    """Run a page's block as the cluster's administrator."""
    environment = world.pulumi.environment | {"KUBECONFIG": str(world.machine.server.kubeconfig)}
    command = ["bash", "-euo", "pipefail", "-c", text]
    ran = subprocess.run(
        command, cwd=world.pulumi.project.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
