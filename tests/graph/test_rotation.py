"""Rotation of credentials: after every `up`, all consumers of a credential have the same version of it."""

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_infra import program
from lotus_infra.helm.values import credentials_fingerprint
from tests.graph.recorder import Graph, drained
from tests.support.production import REPOSITORY, SECRETS, as_config, production

S3 = ("s3_access_key_id", "s3_secret_access_key")
OWN = {start: (f"s3_{start}_access_key_id", f"s3_{start}_secret_access_key") for start in ("reader", "backup")}
PASSWORDS = ("dagster_db_password", "ducklake_db_password")


@dataclass(frozen=True)
class Stack:
    """The versions of a stack's credentials; a user that shares the writer's key has none."""

    aws: bool
    keys: tuple[str, ...] = ("1",)
    versions: tuple[tuple[str, int], ...] = (("writer", 0), *((name, 0) for name in PASSWORDS))

    def rotated(self, name: str) -> "Stack":
        versions = dict(self.versions)
        return replace(self, versions=tuple(sorted((versions | {name: versions.get(name, 0) + 1}).items())))

    def shared(self, name: str) -> "Stack":
        return replace(self, versions=tuple((key, value) for key, value in self.versions if key != name))


def values(stack: Stack) -> dict[str, Any]:
    version = dict(stack.versions)
    made = production() | {name: f"{name}-in-version-{version[name]}" for name in PASSWORDS}
    if stack.aws:
        made["landingZone"] = made["landingZone"] | {"keys": list(stack.keys)}
        return made
    zone = {key: made["landingZone"][key] for key in ("region", "landing", "state", "backup")}
    made["landingZone"] = {**zone, "server": "s3", "endpoint": "http://s3.example.com"}
    for who, names in {"writer": S3, **OWN}.items():
        if who in version:
            made |= {name: f"{who}-{name}-{version[who]}" for name in names}
    return made


def up(stack: Stack) -> Graph:
    secret = [*SECRETS, *(f"lotus:{name}" for name in (*S3, *OWN["reader"], *OWN["backup"]))]
    return drained(program.run, as_config(values(stack)), secret)


def plain(value: Any) -> Any:
    """A secret's value, however deep the engine wraps it."""
    if isinstance(value, Mapping):
        return plain(value["value"]) if "value" in value else {key: plain(inner) for key, inner in value.items()}
    return value


def held(graph: Graph) -> dict[str, list[tuple[str, ...]]]:
    """The credentials of each consumer, by user."""
    configuration = plain(graph.named("Destination", "s3").inputs["configuration"])
    lake = plain(graph.named("Secret", "dagster-lake").inputs["stringData"])
    own = plain(graph.named("Secret", "dagster-db-credentials").inputs["stringData"])
    catalog = plain(graph.named("Secret", "ducklake-db-credentials").inputs["stringData"])
    backups = [
        plain(graph.named("Secret", f"{name}-backup").inputs["stringData"]) for name in ("dagster-db", "ducklake-db")
    ]
    return {
        "writer": [(configuration["access_key_id"], configuration["secret_access_key"])],
        "reader": [(lake["AWS_ACCESS_KEY_ID"], lake["AWS_SECRET_ACCESS_KEY"])],
        "backup": [(each["ACCESS_KEY_ID"], each["SECRET_ACCESS_KEY"]) for each in backups],
        "dagster_db_password": [(own["password"],), (own["postgresql-password"],)],
        "ducklake_db_password": [(catalog["password"],), (catalog["postgresql-password"],), (lake["PGPASSWORD"],)],
    }


def shown(graph: Graph) -> set[str]:
    """The fingerprints in the pods' annotations."""
    text = json.dumps(graph.named("helm.sh/v3:Release", "dagster").inputs["values"])
    return {part.split('"')[0] for part in text.split('lotus.internal/credentials": "')[1:]}


def expected(stack: Stack) -> dict[str, tuple[str, ...]]:
    version, config = dict(stack.versions), values(stack)
    made: dict[str, tuple[str, ...]] = {name: (config[name],) for name in PASSWORDS}
    for who in ("writer", "reader", "backup"):
        if stack.aws:
            name = who if stack.keys[-1] == "1" else f"{who}-{stack.keys[-1]}"
            made[who] = (f"{name}-id", f"secret-of-{name}")
        else:
            owner = who if who in version else "writer"
            made[who] = tuple(f"{owner}-{name}-{version[owner]}" for name in {"writer": S3, **OWN}[owner])
    return made


names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=4)
keys = st.lists(names, min_size=1, max_size=2, unique=True).map(lambda found: {"keys": tuple(found)})
rotations = st.sampled_from([*PASSWORDS, "writer", "reader", "backup"]).map(lambda name: {"rotate": name})
sharing = st.sampled_from(["reader", "backup"]).map(lambda name: {"share": name})
steps = st.lists(st.one_of(keys, rotations, sharing), min_size=1, max_size=4)


def taken(stack: Stack, step: dict[str, Any]) -> Stack:
    if "keys" in step:
        return replace(stack, keys=step["keys"])
    return stack.rotated(step["rotate"]) if "rotate" in step else stack.shared(step["share"])


@settings(
    max_examples=settings().max_examples // 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(aws=st.booleans(), steps=steps)
def test_after_any_up_no_two_consumers_hold_different_versions_of_a_credential(
    aws: bool,  # noqa: FBT001
    steps: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    stack, before = Stack(aws), set[str]()
    pods_held: dict[str, str] = {}
    for step in steps:
        stack = taken(stack, step)
        graph = up(stack)

        wanted, found = expected(stack), held(graph)
        assert {name: set(versions) for name, versions in found.items()} == {
            name: {version} for name, version in wanted.items()
        }
        reader_id, reader_key = wanted["reader"]
        now = {
            "AWS_ACCESS_KEY_ID": reader_id,
            "AWS_SECRET_ACCESS_KEY": reader_key,
            "PGPASSWORD": wanted["ducklake_db_password"][0],
            "database": wanted["dagster_db_password"][0],
        }
        assert shown(graph) == {credentials_fingerprint(now, "lotus/test")}
        # Pods roll exactly when one of their credentials changes.
        assert before in (set(), shown(graph)) or now != pods_held
        assert before != shown(graph) or now == pods_held
        before, pods_held = shown(graph), now


def test_a_new_key_is_created_beside_the_old_one_and_all_consumers_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)

    graph = up(Stack(aws=True, keys=("1", "2026b")))

    made = sorted(item.name for item in graph.resources if item.type.endswith(":AccessKey"))
    assert made == ["backup", "backup-2026b", "reader", "reader-2026b", "writer", "writer-2026b"]
    assert held(graph)["writer"] == [("writer-2026b-id", "secret-of-writer-2026b")]
    # The engine deletes undeclared resources last, so after the release has rolled its pods.
    assert ("reader-2026b") in {
        urn.split("::")[-1] for urn in graph.request("helm.sh/v3:Release", "dagster").dependencies
    }
