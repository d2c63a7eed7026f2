"""Mistakes in a stack's configuration of Dagster: each is refused before anything is declared."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from lotus_infra import program
from tests.graph import recorder
from tests.graph.recorder import Recorder, drained
from tests.support.golden import assert_matches
from tests.support.production import REPOSITORY, SECRETS, as_config, changed, production

BLESSED = Path(__file__).parents[1] / "golden" / "blessed" / "dagster_mistakes.txt"
EXTERNAL = {"kind": "external", "host": "pg.example.com", "database": "d", "user": "u"}
OF_DAGSTER: list[tuple[str, Any]] = [
    ("webservr", {}),
    ("webserver.replica", 2),
    ("webserver.replicas", 0),
    ("deploy", "yes"),
    ("image", None),
    ("image", "ghcr.io/example/lotus-dagster"),
    ("image", "ghcr.io/example/lotus-dagster:latest"),
    ("image", "ghcr.io/example/lotus-dagster:main"),
    ("chart", None),
    ("chart.version", "latest"),
    ("chart.repository", "http://charts.example.com"),
    ("ingress.host", None),
    ("ingress.host", "https://dagster.example.com/"),
    ("ingress.hots", "dagster.example.com"),
    ("ingress.tlsSecret", None),
    ("ingress.tls", False),
    ("namespace.name", "Lotus_Lake"),
    ("timeoutSeconds", 0),
    ("daemon.nodeSelector", "fast"),
    ("daemon.nodeSelector", {"ssd": True}),
    ("daemon.tolerations", [{"key": "a", "effect": "NoScheduling"}]),
    ("daemon.tolerations", [{"kye": "a"}]),
    ("runs.resources.limits.memory", "4 GB"),
    ("runs.resources.limit", {}),
    ("runs.env", {"MY-NAME": "x"}),
    ("runs.atOnce", "ten"),
    ("runs.retries", -1),
    ("codeLocation.livenessProbe", {"periodSecond": 3}),
    ("retention.skipped", 0),
    ("retention.failed", 3),
    ("computeLogs", "gcs"),
    ("imagePullSecrets", ["Not A Name"]),
    ("registry.server", "https://ghcr.io/example"),
    ("registry.server", "quay.io"),
    ("registry.username", None),
    ("registry.password", "x"),
    ("registry", None),
    ("database.backup.schedule", "0 0 * * *"),
    ("database.backup.schedule", "0 0 25 * * *"),
    ("database.backup.schedule", "0 0 3 ? * *"),
    ("database.backup.keepDays", 0),
    ("database.backup.method", "barman"),
    ("database.generation", 0),
    ("database.recovery", {"generation": 1}),
    ("database", {"generation": 2, "recovery": {"generation": 2}}),
    ("database", {"generation": 2, "recovery": {"generation": 1}, "backup": None}),
    ("database", {"generation": 2, "recovery": {"generation": 1}, "backup": {"method": "barmanObjectStore"}}),
    ("database", {"generation": 2, "recovery": {"generation": 1, "targetTime": "2026-02-01 03:00"}}),
    ("database", {"generation": 2, "recovery": {"generation": 1, "targetTime": "2999-02-01T03:00:00Z"}}),
    ("catalog", {"generation": 2, "recovery": {"generation": 1, "time": "2026-02-01T03:00:00Z"}}),
    ("catalog", {**EXTERNAL, "generation": 2}),
    ("database.storage.size", "5GB"),
    ("database.image", "ghcr.io/cloudnative-pg/postgresql:latest"),
    ("database.instances", 0),
    ("database.kind", "mysql"),
    ("database", {"kind": "external", "database": "d", "user": "u"}),
    ("database", {**EXTERNAL, "port": 70000}),
    ("database", {**EXTERNAL, "host": "postgres://pg.example.com"}),
    ("database", {**EXTERNAL, "user": "u password=x"}),
    ("catalog", {**EXTERNAL, "instances": 2}),
    ("extraValues", {"ingress": {"webserver": {"host": "x"}}}),
    ("extraValues", {"dagsterWebserver": {"replicaCount": 2}}),
    ("extraValues", {"dagsterWebserver": {"logLevel": 3}}),
    ("extraValues", {"dagster-user-deployments": {"deployments": []}}),
]
OF_THE_STACK: list[tuple[str, Any]] = [
    ("dagster", "on"),
    ("landingZone", None),
    ("landingZone.backup", None),
    ("landingZone.keys", ["1", "1"]),
    ("landingZone.keys", []),
    ("dagster_db_password", None),
    ("dagster_db_password", "replace-me"),
    ("ducklake_db_password", "hunter2"),
    ("registry_password", None),
]
MISTAKES = [*((f"dagster.{path}", value) for path, value in OF_DAGSTER), *OF_THE_STACK]


def refused(path: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The message of the error, after checking that nothing was declared."""
    declared: list[Recorder] = []

    def recording() -> Recorder:
        declared.append(Recorder())
        return declared[-1]

    monkeypatch.setattr(recorder, "Recorder", recording)
    with pytest.raises(pulumi.RunError) as error:
        drained(program.run, as_config(changed(production(), path, value)), SECRETS)
    assert [item for item in declared[-1].declared if item.type != "pulumi:pulumi:Stack"] == []
    return str(error.value)


@pytest.mark.parametrize(("path", "value"), MISTAKES)
def test_a_mistake_is_refused_with_key_reason_and_remedy_and_nothing_is_declared(
    path: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)

    message = refused(path, value, monkeypatch)

    for line in message.splitlines():
        key, *rest = line.split(": ", 2)
        assert key.startswith("lotus:")
        assert len(rest) == 2, line
    assert f"lotus:{path.partition('.')[0]}" in message


def test_every_mistake_is_reported_in_the_blessed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    messages = [f"# {path} = {value}\n{refused(path, value, monkeypatch)}\n" for path, value in MISTAKES]

    assert_matches(BLESSED, "\n".join(messages))


def test_all_mistakes_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    document = production()["dagster"] | {"image": "a:latest", "runs": {"atOnce": 0}, "demon": {}}

    message = refused("dagster", document, monkeypatch)

    assert [line.split(": ")[0] for line in message.splitlines()] == [
        "lotus:dagster.image",
        "lotus:dagster.runs.atOnce",
        "lotus:dagster.demon",
    ]
