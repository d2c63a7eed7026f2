"""Values that the chart accepts, and those that it does not."""

from typing import Any

import pytest

from lotus_infra.helm.chart_schema import check_values

LAUNCHER = {"type": "K8sRunLauncher", "config": {"k8sRunLauncher": {"envVars": ["A=b"]}}}


def messages(**values: Any) -> list[str]:
    return [str(problem) for problem in check_values({key.replace("_", "-"): value for key, value in values.items()})]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"runLauncher": LAUNCHER},
        {"dagsterWebserver": {"annotations": {"anything/at-all": "x"}, "nodeSelector": {"any": "label"}}},
        {
            "dagsterWebserver": {
                "resources": {"limits": {"nvidia.com/gpu": 1}},
                "startupProbe": {"httpGet": {"port": 1}},
            }
        },
        {"ingress": {"ingressClassName": "traefik"}},
        {"additionalInstanceConfig": {"anything": {"at": "all"}}},
        {"dagster-user-deployments": {"serviceAccount": {"annotations": {"a": "b"}}}},
        {"pipelineRun": {"env": {}}},
    ],
)
def test_valid_values_have_no_problems_even_if_partial(values: dict[str, Any]) -> None:
    assert check_values(values) == []


def test_a_misspelt_key_is_reported_with_its_path_and_the_nearest_key() -> None:
    assert messages(ingress={"webserver": {"host": "x"}}) == [
        'ingress.webserver: unknown key of the chart: did you mean "dagsterWebserver"?'
    ]
    deployment = {"name": "a", "image": {"repository": "r", "pullPolicy": "Always", "tga": "t"}, "port": 1}
    assert messages(dagster_user_deployments={"deployments": [deployment]}) == [
        'dagster-user-deployments.deployments[0].image.tga: unknown key of the chart: did you mean "tag"?'
    ]


def test_a_key_like_no_other_is_reported_with_the_known_keys() -> None:
    assert messages(telemetry={"zzz": 1}) == ["telemetry.zzz: unknown key of the chart: known keys are enabled"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dagsterWebserver": {"replicaCount": "2"}}, "dagsterWebserver.replicaCount: wrong type"),
        ({"dagsterWebserver": {"nodeSelector": {"a": 1}}}, "dagsterWebserver.nodeSelector.a: wrong type"),
        (
            {"runLauncher": {**LAUNCHER, "type": "Nope"}},
            "runLauncher.type: invalid value: write one of",
        ),
        ({"dagster-user-deployments": {"deployments": [{"name": "a"}]}}, "deployments[0].port: is missing"),
        ({"runLauncher": {"type": "K8sRunLauncher", "config": {}}}, "runLauncher.config.k8sRunLauncher: is missing"),
        ({"concurrency": {"pools": {"defaultLimit": "x"}}}, "write a value of type integer or null"),
    ],
)
def test_an_invalid_value_is_reported_with_a_valid_one(values: dict[str, Any], words: str) -> None:
    assert any(words in str(problem) for problem in check_values(values))


def test_no_value_is_quoted_as_it_may_be_a_misplaced_secret() -> None:
    assert "hunter" not in " ".join(messages(dagsterWebserver={"replicaCount": "hunter"}, ingress={"host": "hunter"}))
