"""The workflow that builds the image: what it may do, and what it trusts."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOW = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "image.yml"


@pytest.fixture
def workflow() -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return read


def test_every_action_is_pinned_by_its_commit(workflow: dict[Any, Any]) -> None:
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_only_a_push_to_main_may_write_packages(workflow: dict[Any, Any]) -> None:
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert workflow[True] == {"pull_request": None, "push": {"branches": ["main"]}}  # YAML 1.1 reads `on` as true
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert not any("secrets." in str(step) or "github.token" in str(step) for step in jobs["build"]["steps"])
    writing = [job for job in jobs.values() if "packages" in job["permissions"]]
    assert [job["if"] for job in writing] == ["github.event_name == 'push'"]


def test_nothing_of_an_event_becomes_part_of_a_script(workflow: dict[Any, Any]) -> None:
    scripts = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)
