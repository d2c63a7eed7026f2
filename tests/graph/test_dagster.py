"""Dagster in the production stack: the declared resources, their parents, dependencies, protection and secrets."""

import base64
import contextlib
import json
from collections.abc import Callable
from typing import Any, cast

import pulumi
import pytest

from lotus_infra import naming, program
from lotus_infra.errors import LotusError
from lotus_infra.helm.values import credentials_fingerprint
from tests.graph.recorder import Graph, drained
from tests.graph.test_landing_zone import SECRET_MARK
from tests.support.production import REPOSITORY, SECRETS, as_config, changed, production

Declare = Callable[..., Graph]
DATABASES = ("dagster-db", "ducklake-db")
EXTERNAL = {"kind": "external", "host": "pg.example.com", "port": 6543, "database": "d", "user": "u"}


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """The production stack, with values at paths of `lotus:dagster` changed; those of the whole stack by their name."""
    monkeypatch.chdir(REPOSITORY)

    def run(changes: dict[str, Any] | None = None, **stack: Any) -> Graph:
        values = production()
        for path, value in (changes or {}).items():
            values["dagster"] = changed(values["dagster"], path, value)
        secrets = [f"lotus:{name}" for name in stack if name not in {"acknowledge", "dagster", "landingZone"}]
        return drained(program.run, as_config(values | stack), [*SECRETS, *secrets])

    return run


def of_dagster(graph: Graph) -> list[tuple[str, str]]:
    kinds = ("kubernetes:", "lotus:dagster:", "pulumi:providers:kubernetes")
    return sorted((item.type.split(":")[-1], item.name) for item in graph.resources if item.type.startswith(kinds))


def dependencies(graph: Graph, kind: str, name: str) -> set[tuple[str, str]]:
    """The type and name of each resource that a resource depends on."""
    urns = graph.request(kind, name).dependencies
    return {(urn.split("::")[-2].split("$")[-1].split(":")[-1], urn.split("::")[-1]) for urn in urns}


def values(graph: Graph) -> Any:
    return graph.named("helm.sh/v3:Release", "dagster").inputs["values"]


def test_production_has_a_namespace_two_databases_with_backups_three_kinds_of_secrets_and_a_release(
    declare: Declare,
) -> None:
    assert of_dagster(declare()) == sorted(
        [
            ("Dagster", "dagster"),
            ("kubernetes", "dagster"),
            ("Namespace", "lotus-lake"),
            *(("Database", name) for name in DATABASES),
            *(("Cluster", name) for name in DATABASES),
            *(("ScheduledBackup", name) for name in DATABASES),
            *(("ObjectStore", name) for name in DATABASES),
            *(("Secret", f"{name}-credentials") for name in DATABASES),
            *(("Secret", f"{name}-backup") for name in DATABASES),
            ("Secret", "dagster-lake"),
            ("Secret", "dagster-registry"),
            ("Release", "dagster"),
            ("Release", "dagster"),
        ]
    )


def test_runs_know_when_the_landing_bucket_deletes_raw_files(declare: Declare) -> None:
    zone = production()["landingZone"] | {"expireRawDays": 400}
    launcher = values(declare(landingZone=zone))["runLauncher"]["config"]["k8sRunLauncher"]
    assert "LOTUS_EXPIRE_RAW_DAYS=400" in launcher["envVars"]


def test_every_resource_is_a_child_of_dagster_and_uses_its_provider(declare: Declare) -> None:
    graph = declare()

    parents = {
        ("Namespace", "lotus-lake"): "lotus:dagster:Dagster::dagster",
        ("Secret", "dagster-lake"): "lotus:dagster:Dagster::dagster",
        ("Secret", "dagster-registry"): "lotus:dagster:Dagster::dagster",
        ("dagster:Release", "dagster"): "lotus:dagster:Dagster::dagster",
        ("helm.sh/v3:Release", "dagster"): "lotus:dagster:Release::dagster",
        **{("Cluster", name): f"lotus:dagster:Database::{name}" for name in DATABASES},
        **{("ScheduledBackup", name): f"lotus:dagster:Database::{name}" for name in DATABASES},
        **{("ObjectStore", name): f"lotus:dagster:Database::{name}" for name in DATABASES},
        **{("Secret", f"{name}-credentials"): f"lotus:dagster:Database::{name}" for name in DATABASES},
        **{("Secret", f"{name}-backup"): f"lotus:dagster:Database::{name}" for name in DATABASES},
    }
    for (kind, name), parent in parents.items():
        request = graph.request(kind, name)
        assert request.parent.endswith(parent)
        assert not request.type.startswith("kubernetes:") or "providers:kubernetes::dagster" in request.provider


def test_every_object_has_the_field_manager_of_its_stack_unless_the_state_has_another(declare: Declare) -> None:
    graph = declare()

    objects = {key: each for key, each in graph.requests.items() if key[0].startswith("kubernetes:")}
    for (kind, name), request in objects.items():
        if kind.endswith(":Release"):
            continue
        annotations = graph.named(kind.rpartition(":")[2], name).inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/patchFieldManager"] == "lotus/lotus/test", (kind, name)
        assert annotations["pulumi.com/patchForce"] == "true"
        own = [f'metadata.annotations["pulumi.com/patch{which}"]' for which in ("FieldManager", "Force")]
        assert [*request.ignoreChanges] == (own if len(annotations) > 2 else ["metadata.annotations"])
    cluster = graph.named("Cluster", "dagster-db").inputs["metadata"]["annotations"]
    assert "condition=Ready" in cluster["pulumi.com/waitFor"]


@pytest.mark.parametrize(
    ("managers", "problem"),
    [
        (None, ""),
        ({"lotus/lotus/test", "kubectl"}, ""),
        (
            {"lotus/lotus/other", "manager"},
            "Secret dagster-lake in the namespace lotus-lake belongs to the stack lotus/l",
        ),
        ({"pulumi-kubernetes-1a2b3c4d"}, "exists already, and pulumi-kubernetes-1a2b3c4d made it, not this stack"),
        (set(), ""),  # As the page about killed runs clears them.
    ],
)
def test_an_object_that_another_stack_or_a_person_made_is_refused_before_it_is_overwritten(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, managers: set[str] | None, problem: str
) -> None:
    graph = declare()
    [name] = graph.request("Secret", "dagster-lake").hooks.before_create
    asked: list[tuple[str, str, str]] = []

    def field_managers(kind: object, name: str, namespace: str, **_: object) -> frozenset[str] | None:
        asked.append((str(kind), name, namespace))
        return None if managers is None else frozenset(managers)

    monkeypatch.setattr("lotus_infra.clients.kubernetes.field_managers", field_managers)
    metadata = {"name": "dagster-lake", "namespace": "lotus-lake"}
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    args = pulumi.ResourceHookArgs("urn", "", "dagster-lake", "kubernetes:core/v1:Secret", new_inputs=inputs)

    with pytest.raises(LotusError, match=problem) if problem else contextlib.nullcontext():
        graph.hooks.others[name].callback(args)
    assert asked == [("secrets", "dagster-lake", "lotus-lake")]


def test_every_object_is_looked_for_before_it_is_created(declare: Declare) -> None:
    objects = {key: each for key, each in declare().requests.items() if key[0].startswith("kubernetes:")}

    looked = {key for key, each in objects.items() if list(each.hooks.before_create) == ["dagster-objects-own"]}
    assert {key for key in objects if not key[0].endswith(":Release")} == looked


def test_databases_depend_on_the_namespace_and_the_release_on_all_of_them(declare: Declare) -> None:
    graph = declare()

    for name in DATABASES:
        credentials, backup = ("Secret", f"{name}-credentials"), ("Secret", f"{name}-backup")
        assert ("Namespace", "lotus-lake") in dependencies(graph, *credentials)
        assert {("Namespace", "lotus-lake"), credentials, backup} <= dependencies(graph, "Cluster", name)
        assert ("Cluster", name) in dependencies(graph, "ScheduledBackup", name)
        assert ("AccessKey", "backup") in dependencies(graph, *backup)
        assert {credentials, ("Cluster", name)} <= dependencies(graph, "helm.sh/v3:Release", "dagster")
    assert ("Secret", "dagster-lake") in dependencies(graph, "helm.sh/v3:Release", "dagster")
    assert ("AccessKey", "reader") in dependencies(graph, "Secret", "dagster-lake")


def test_the_ingress_is_part_of_the_release_so_it_follows_the_databases(declare: Declare) -> None:
    graph = declare()

    assert [item for item in graph.resources if item.type.endswith(":Ingress")] == []
    assert values(graph)["ingress"]["dagsterWebserver"]["host"] == "dagster.example.com"
    assert values(graph)["ingress"]["dagsterWebserver"]["tls"] == {"enabled": True, "secretName": "dagster-tls"}


@pytest.mark.parametrize(("protect", "protected"), [(None, True), (False, False)])
def test_everything_of_dagster_is_protected_by_default(
    declare: Declare,
    protect: bool | None,  # noqa: FBT001
    protected: bool,  # noqa: FBT001
) -> None:
    graph = declare({"protect": protect})

    kept = [("Namespace", "lotus-lake"), ("Secret", "dagster-lake"), ("helm.sh/v3:Release", "dagster")]
    for name in DATABASES:
        secrets = [("Secret", f"{name}-credentials"), ("Secret", f"{name}-backup")]
        kept += [("Cluster", name), ("ScheduledBackup", name), ("ObjectStore", name), *secrets]
    assert all(graph.request(*each).protect is protected for each in kept)


UNPROTECTED = frozenset({"AccessKey", "Destination", "dagster-registry"})
"""Types, and the name of a secret, without anything that a deletion loses; protected resources depend on them."""


def is_real(type_: str) -> bool:
    """Whether a resource of this type exists outside of the state."""
    return not type_.startswith(("lotus:", "pulumi:"))


def test_production_protects_all_but_what_an_up_makes_again(declare: Declare) -> None:
    graph = declare()

    unprotected = {key for key, request in graph.requests.items() if is_real(key[0]) and not request.protect}
    kinds = {type_.rsplit(":", 1)[-1] for type_, name in unprotected if name not in UNPROTECTED}
    assert kinds | {name for _, name in unprotected if name in UNPROTECTED} == UNPROTECTED


def test_the_backups_key_is_used_by_protected_secrets_that_a_destroy_reaches_first(declare: Declare) -> None:
    graph = declare()

    for name in DATABASES:
        assert ("AccessKey", "backup") in dependencies(graph, "Secret", f"{name}-backup")
        assert graph.request("Secret", f"{name}-backup").protect is True


def test_an_external_databases_secret_is_not_protected(declare: Declare) -> None:
    graph = declare({"database": EXTERNAL})

    assert graph.request("Secret", "dagster-db-credentials").protect is False
    assert graph.request("Secret", "ducklake-db-credentials").protect is True


def test_an_existing_namespace_is_used_unchanged(declare: Declare) -> None:
    graph = declare({"namespace": {"name": "given", "create": False}})

    assert "Namespace" not in {kind for kind, _ in of_dagster(graph)}
    assert graph.named("Secret", "dagster-lake").inputs["metadata"]["namespace"] == "given"
    assert graph.named("helm.sh/v3:Release", "dagster").inputs["namespace"] == "given"
    assert values(graph)["postgresql"]["postgresqlHost"] == "dagster-db-rw.given.svc.cluster.local"


def test_the_release_waits_for_its_pods_and_is_not_rolled_back(declare: Declare) -> None:
    inputs = declare().named("helm.sh/v3:Release", "dagster").inputs

    assert (inputs["chart"], inputs["version"]) == ("dagster", "1.13.27")
    assert inputs["repositoryOpts"] == {"repo": "https://dagster-io.github.io/helm"}
    assert (inputs["skipAwait"], inputs["atomic"], inputs["cleanupOnFail"]) == (False, False, False)
    assert inputs["timeout"] == 600


def failed(error: str) -> Any:
    kind = "kubernetes:helm.sh/v3:Release"
    return pulumi.ErrorHookArgs(f"urn:pulumi:test::lotus::{kind}::dagster", "", "dagster", kind, errors=[error])


def logged_by(graph: Graph, kind: str, error: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the hook of an object logs about an error."""
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", logged.append)
    [name] = graph.request(kind, "dagster" if "Release" in kind else "dagster-lake").hooks.on_error
    assert graph.hooks.on_error[name](failed(error)) is False
    return logged


def test_a_release_that_waits_in_vain_logs_why_its_pods_do_not_run(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, Any]] = []

    def why(*where: Any, **how: Any) -> list[str]:
        calls.append((where, how))
        return ["pod a: it is not ready"]

    monkeypatch.setattr("lotus_infra.clients.pod_problems.explain_failed_pods", why)
    graph = declare()

    assert logged_by(graph, "helm.sh/v3:Release", "context deadline exceeded", monkeypatch) == [
        "pod a: it is not ready"
    ]
    assert calls == [(("lotus-lake",), {"kubeconfig": None, "context": "example"})]


def test_an_object_that_cannot_be_written_logs_what_to_do(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    error = 'conflict with "scaler": .data.password'

    [line] = logged_by(declare(), "core/v1:Secret", error, monkeypatch)

    assert "scaler has changed what the stack sets" in line


def test_secrets_that_others_make_are_looked_for_before_the_release(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_infra.clients.kubernetes.missing_secrets", lambda _, names, **__: [*names])
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    graph = declare({"imagePullSecrets": ["mirror"], "runs.envSecrets": ["api"]})

    hooks = graph.request("helm.sh/v3:Release", "dagster").hooks
    for name in {*hooks.before_create, *hooks.before_update}:
        graph.hooks.others[name](cast("pulumi.ResourceHookArgs", None))

    assert [line.split()[2] for line in warned] == ["mirror", "api"]


def test_a_chart_may_come_from_a_folder(declare: Declare) -> None:
    inputs = declare({"chart.path": "charts/dagster"}).named("helm.sh/v3:Release", "dagster").inputs

    assert inputs["chart"] == "charts/dagster"
    assert not {"repositoryOpts", "version"} & inputs.keys()


def test_a_database_is_a_cluster_with_backups_below_its_own_prefix(declare: Declare) -> None:
    graph = declare({"database.nodeSelector": {"disk": "bulk"}, "database.image": "example/postgresql:16.2"})

    spec = graph.named("Cluster", "dagster-db").inputs["spec"]
    assert (spec["instances"], spec["storage"], spec["imageName"]) == (1, {"size": "5Gi"}, "example/postgresql:16.2")
    assert spec["affinity"] == {"nodeSelector": {"disk": "bulk"}}
    initdb = {"database": "dagster", "owner": "dagster", "secret": {"name": "dagster-db-credentials"}}
    assert spec["bootstrap"] == {"initdb": initdb}
    backups = graph.named("ObjectStore", "dagster-db").inputs["spec"]
    store = backups["configuration"]
    assert store["destinationPath"] == "s3://example-lake-backup/lotus-lake/dagster-db"
    assert store["s3Credentials"]["accessKeyId"] == {"name": "dagster-db-backup", "key": "ACCESS_KEY_ID"}
    assert backups["retentionPolicy"] == "7d"
    scheduled = graph.named("ScheduledBackup", "ducklake-db").inputs["spec"]
    assert (scheduled["schedule"], scheduled["cluster"]) == ("0 30 3 * * *", {"name": "ducklake-db"})


def test_the_backup_user_has_access_to_the_backup_bucket_alone_and_exists_only_with_backups(
    declare: Declare,
) -> None:
    graph = declare()
    [objects, listing] = json.loads(graph.named("UserPolicy", "backup").inputs["policy"])["Statement"]
    assert (objects["Resource"], listing["Resource"]) == (
        "arn:aws:s3:::example-lake-backup/*",
        "arn:aws:s3:::example-lake-backup",
    )
    assert graph.named("Secret", "ducklake-db-backup").inputs["stringData"]["ACCESS_KEY_ID"] == "backup-id"

    none = declare({"database": {"backup": None}, "catalog": EXTERNAL})
    assert "backup" not in {item.name for item in none.resources if item.type.endswith(":User")}
    assert "ScheduledBackup" not in {kind for kind, _ in of_dagster(none)}


def test_an_external_database_has_a_secret_and_no_cluster(declare: Declare) -> None:
    graph = declare({"database": EXTERNAL, "catalog": EXTERNAL})

    kinds = {kind for kind, _ in of_dagster(graph)}
    assert not {"Cluster", "ScheduledBackup"} & kinds
    assert values(graph)["postgresql"]["postgresqlHost"] == "pg.example.com"
    assert values(graph)["postgresql"]["service"] == {"port": 6543}
    assert graph.named("Secret", "dagster-db-credentials").inputs["stringData"]["username"] == "u"
    assert "postgres:dbname=d host=pg.example.com port=6543 user=u" in json.dumps(values(graph))


def test_dagster_follows_a_later_generation_of_its_databases(declare: Declare) -> None:
    graph = declare({"database.generation": 2, "catalog.generation": 7})

    made = values(graph)
    assert made["postgresql"]["postgresqlHost"] == "dagster-db-2-rw.lotus-lake.svc.cluster.local"
    assert made["global"]["postgresqlSecretName"] == "dagster-db-2-credentials"
    assert "host=ducklake-db-7-rw.lotus-lake.svc.cluster.local" in json.dumps(made)
    assert graph.named("Secret", "dagster-db-credentials").inputs["metadata"]["name"] == "dagster-db-2-credentials"


def test_a_database_is_unprotected_by_the_stacks_acknowledgements(declare: Declare) -> None:
    graph = declare(acknowledge=["Cluster ducklake-db"])

    assert [graph.request("Cluster", name).protect for name in DATABASES] == [True, False]


def test_the_keys_of_the_lakes_secret_are_the_variables_that_pods_read(declare: Declare) -> None:
    data = declare().named("Secret", "dagster-lake").inputs["stringData"]

    assert data == {
        "AWS_ACCESS_KEY_ID": "reader-id",
        "AWS_SECRET_ACCESS_KEY": "secret-of-reader",
        "PGPASSWORD": "the-password-of-ducklake-db",
    }


def test_the_registrys_login_is_a_pull_secret_that_every_pod_names(declare: Declare) -> None:
    graph = declare()
    secret = graph.named("Secret", "dagster-registry").inputs

    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    [login] = json.loads(secret["stringData"][".dockerconfigjson"])["auths"].items()
    password = "the-password-of-the-registry"
    token = base64.b64encode(f"example:{password}".encode()).decode()
    assert login == ("ghcr.io", {"username": "example", "password": password, "auth": token})
    # The chart hands its own list to the run launcher, so the pods of runs have it too.
    assert values(graph)["imagePullSecrets"] == [{"name": "dagster-registry"}]
    assert values(graph)["dagster-user-deployments"]["imagePullSecrets"] == [{"name": "dagster-registry"}]
    assert ("Namespace", "lotus-lake") in dependencies(graph, "Secret", "dagster-registry")
    assert ("Secret", "dagster-registry") in dependencies(graph, "helm.sh/v3:Release", "dagster")


def test_pull_secrets_that_others_make_are_named_and_not_declared(declare: Declare) -> None:
    graph = declare({"registry": None, "imagePullSecrets": ["ghcr"]}, registry_password=None)
    both = declare({"imagePullSecrets": ["mirror"]})

    assert "dagster-registry" not in {name for _, name in of_dagster(graph)}
    assert values(graph)["imagePullSecrets"] == [{"name": "ghcr"}]
    assert values(both)["imagePullSecrets"] == [{"name": "dagster-registry"}, {"name": "mirror"}]


def test_dockers_own_registry_has_its_old_address(declare: Declare) -> None:
    image, registry = "example/lotus-dagster:0000000", {"server": "docker.io", "username": "me"}
    secret = declare({"image": image, "registry": registry}).named("Secret", "dagster-registry").inputs

    assert [*json.loads(secret["stringData"][".dockerconfigjson"])["auths"]] == ["https://index.docker.io/v1/"]


def test_the_password_has_the_keys_that_chart_run_launcher_and_operator_read(declare: Declare) -> None:
    graph = declare()
    secret = graph.named("Secret", "dagster-db-credentials").inputs

    assert values(graph)["global"]["postgresqlSecretName"] == secret["metadata"]["name"] == "dagster-db-credentials"
    assert secret["type"] == "kubernetes.io/basic-auth"
    assert secret["stringData"] == {
        "username": "dagster",
        "password": "the-password-of-dagster-db",
        "postgresql-password": "the-password-of-dagster-db",
    }
    assert secret["metadata"]["labels"] == {"cnpg.io/reload": "true"}


def test_pods_have_the_fingerprint_of_their_credentials(declare: Declare) -> None:
    held = {
        "AWS_ACCESS_KEY_ID": "reader-id",
        "AWS_SECRET_ACCESS_KEY": "secret-of-reader",
        "PGPASSWORD": "the-password-of-ducklake-db",
        "database": "the-password-of-dagster-db",
    }

    made = values(declare())

    shown = made["dagsterWebserver"]["annotations"][naming.CREDENTIALS_ANNOTATION]
    assert shown == credentials_fingerprint(held, "lotus/test")
    assert "${fingerprint}" not in json.dumps(made)


def test_only_secret_values_are_secret_and_no_other_value_contains_one(declare: Declare) -> None:
    graph = declare()
    known = ("secret-of-", "the-password-of-")

    for (kind, name), request in graph.requests.items():
        if not kind.startswith(("kubernetes:", "lotus:dagster:")):
            continue
        if kind.endswith(":Secret"):
            marked = {key for key, value in dict(request.object["stringData"]).items() if SECRET_MARK in str(value)}
            whole = SECRET_MARK in str(request.object["stringData"])
            assert whole or marked >= set(dict(request.object["stringData"])) - {"username"}, name
            continue
        assert SECRET_MARK not in str(request.object), (kind, name)
        assert not any(word in str(request.object) for word in known), (kind, name)
    assert not any(word in str(graph.exports["dagster"]) for word in known)


def test_the_provider_has_the_stacks_kubeconfig_and_context(declare: Declare) -> None:
    inputs = declare({"cluster": {"kubeconfig": "kube.yaml", "context": "lake"}}).named("kubernetes", "dagster").inputs

    assert (inputs["kubeconfig"], inputs["context"], inputs["enableSecretMutable"]) == ("kube.yaml", "lake", "true")


LATER = {"deploy": False, "image": "not:yet", "database": {"instances": 2}}


@pytest.mark.parametrize("dagster", [None, {"deploy": False}, LATER])
def test_a_stack_without_dagster_logs_a_note_and_declares_none_of_it(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, dagster: Any
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", logged.append)

    graph = declare(dagster=dagster)

    assert of_dagster(graph) == []
    assert "backup" not in {item.name for item in graph.resources if item.type.endswith(":User")}
    assert [line for line in logged if "No Dagster is deployed" in line] != []


def test_the_sandboxs_stack_has_no_dagster() -> None:
    assert "  lotus:dagster:\n    deploy: false\n" in (REPOSITORY / "Pulumi.sandbox.yaml").read_text(encoding="utf-8")
