"""What a refused `destroy` deletes of each kind of stack. tests/engine/test_destroy.py runs it on the engine.

The engine's rule: it deletes dependents first, goes on after a refusal, and keeps what a refused resource depends on.
"""

from typing import Any

import pytest

from lotus_infra import program
from tests.graph.recorder import Graph, drained
from tests.support.production import REPOSITORY, SECRETS, as_config, changed, production

EXTERNAL = {"kind": "external", "host": "pg.example.com", "port": 6543, "database": "d", "user": "u"}
ON_A_SERVER = {
    "server": "s3",
    "endpoint": "https://s3.example.com",
    "region": "us-west-1",
    "landing": "lake-landing",
    "backup": "lake-backup",
    "features": ["ownership_controls", "versioning", "encryption", "lifecycle"],
}
KEYS = {"s3_access_key_id": "the-id-of-the-key", "s3_secret_access_key": "the-secret-of-the-key"}


def dagster(**changes: Any) -> dict[str, Any]:
    settings = production()["dagster"]
    for path, value in changes.items():
        settings = changed(settings, path.replace("__", "."), value)
    return dict(settings)


def zone(**changes: Any) -> dict[str, Any]:
    return dict(production()["landingZone"] | changes)


KINDS: dict[str, dict[str, Any]] = {
    "production": {},
    "sources are left to the default": {"protectSources": None},
    "no Dagster": {"protectSources": None, "dagster": None},
    "Dagster is not deployed": {"protectSources": None, "dagster": dagster(deploy=False)},
    "external databases": {"protectSources": None, "dagster": dagster(database=EXTERNAL, catalog=EXTERNAL)},
    "databases without backups": {"dagster": dagster(database__backup=None, catalog__backup=None)},
    "a namespace that exists": {"dagster": dagster(namespace={"name": "given", "create": False})},
    "two keys": {"landingZone": zone(keys=["1", "2"])},
    "no bucket of the state": {"landingZone": zone(state=None)},
    "a server that is not AWS": {"protectSources": None, "landingZone": ON_A_SERVER, **KEYS},
    "such a server without Dagster": {"protectSources": None, "landingZone": ON_A_SERVER, "dagster": None, **KEYS},
    "only Dagster is unprotected": {"protectSources": None, "dagster": dagster(protect=False)},
}
DELETED: dict[str, set[str]] = {"only Dagster is unprotected": {"kubernetes"}}
"""The packages of what the engine deletes before it refuses: of a part that the stack does not protect."""


def declared(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> Graph:
    monkeypatch.chdir(REPOSITORY)
    return drained(program.run, as_config(production() | changes), [*SECRETS, *(f"lotus:{name}" for name in KEYS)])


def key(urn: str) -> tuple[str, str]:
    """The type and name in a URN."""
    return urn.split("::")[-2].rsplit("$", maxsplit=1)[-1], urn.rsplit("::", maxsplit=1)[-1]


def deleted_before_a_refusal(graph: Graph) -> set[tuple[str, str]]:
    """The types and names of the real objects that are neither protected nor needed by a protected one."""
    kept: set[tuple[str, str]] = set()
    waiting = [each for each, request in graph.requests.items() if request.protect]
    while waiting:
        each = waiting.pop()
        if each in kept:
            continue
        kept.add(each)
        request = graph.requests[each]
        properties = [urn for one in request.propertyDependencies.values() for urn in one.urns]
        provider = [request.provider.rpartition("::")[0]] if request.provider else []
        needs = [*request.dependencies, *properties, *([request.parent] if request.parent else []), *provider]
        waiting += [key(urn) for urn in needs]
    return {each for each in graph.requests.keys() - kept if not each[0].startswith(("lotus:", "pulumi:"))}


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_destroy_deletes_nothing_of_a_part_that_is_protected(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    graph = declared(monkeypatch, KINDS[kind])

    lost = deleted_before_a_refusal(graph)

    assert {type_.split(":")[0] for type_, _ in lost} == DELETED.get(kind, set()), sorted(lost)


def test_a_throwaway_stack_protects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    unprotected = {"protectSources": None, "dagster": dagster(protect=False), "landingZone": zone(protect=False)}

    graph = declared(monkeypatch, unprotected)

    assert [each for each, request in graph.requests.items() if request.protect] == []


def test_sources_that_a_stack_explicitly_leaves_unprotected_can_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = declared(monkeypatch, {"protectSources": "false"})

    assert not graph.request("Source", "faker").protect
    assert not graph.request("Connection", "faker").protect
