"""Failures of cloud SDKs, reported as a cause and a remedy instead of their own texts."""

from pathlib import Path

import pytest

from lotus_infra.clients.causes import explain, explain_all
from lotus_infra.clients.storage import StorageError, open_store
from tests.support.refusing import KEYS, PAGE, RAW, REFUSALS, answering, backend, closed_port, s3_error

STATE = 'read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject, '
OF_THE_ENGINE = {
    "no credentials": (
        STATE + "get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found",
        "the state can't be reached: the environment has no AWS credentials",
    ),
    "an expired session": (
        STATE + "get identity: get credentials: refresh cached SSO token failed, unable to refresh SSO token",
        "the state can't be reached: the AWS session has expired",
    ),
    "a closed port": (
        STATE + 'request send failed, Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
        "the state can't be reached: the server does not answer",
    ),
    "another server": (
        'corrupt store: unmarshal ".pulumi/meta.yaml": yaml: unmarshal errors: line 1: cannot unmarshal !!str',
        "the state can't be reached: its answer is not one of S3",
    ),
    "no profile": (
        'unable to open bucket "s3://state?profile=nobody": failed to get shared config profile, nobody',
        "the state can't be reached: the AWS profile does not exist on this machine",
    ),
    "the key": (
        "secrets (code=PermissionDenied): operation error KMS: Decrypt, api error AccessDeniedException",
        "the key of the stack's secrets can't be used: the server refuses these credentials",
    ),
    "another passphrase": (
        "getting secrets manager: incorrect passphrase",
        "the passphrase of the stack's secrets is wrong",
    ),
    "no passphrase": (
        "unable to find either `PULUMI_CONFIG_PASSPHRASE` or `PULUMI_CONFIG_PASSPHRASE_FILE`",
        "the passphrase of the stack's secrets is not set",
    ),
    "the AWS provider": ("No valid credential sources found.", "the AWS provider finds no credentials"),
    "a code in a resource's error": ("creating S3 Bucket: ExpiredToken: told", "the AWS credentials have expired"),
    "no cluster": (
        "configured Kubernetes cluster is unreachable: unable to load Kubernetes client configuration",
        "the cluster can't be reached with this kubeconfig",
    ),
}


@pytest.mark.parametrize(("text", "what"), OF_THE_ENGINE.values(), ids=OF_THE_ENGINE)
def test_a_known_failure_of_the_engine_has_a_cause_and_a_remedy(text: str, what: str) -> None:
    found = explain(text)
    assert found is not None
    assert found.what == what
    assert found.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the program failed",
        "Airbyte could not list sources: [Errno 111] connection refused",
        "Airbyte could not read source 1: 403 Forbidden",
        "a source that AccessDeniedly is named so",
    ],
)
def test_nothing_is_guessed_about_other_texts(text: str) -> None:
    assert explain(text) is None
    assert explain_all([text, text]) == []


def test_a_cause_of_several_errors_is_told_once() -> None:
    assert len(explain_all(["bucket a: ExpiredToken", "bucket b: ExpiredToken", "other"])) == 1


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, profiles or retries of this machine."""
    for variable in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(variable, raising=False)
    # The process's own session keeps the credentials of the tests before.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def refused(address: str) -> StorageError:
    """The error of a real client."""
    with pytest.raises(StorageError) as caught:
        open_store(backend(address)).page()
    assert [raw for raw in RAW if raw in str(caught.value)] == []
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("program", ["plugins/resource-airbyte-v1.0.0/pulumi-resource-airbyte", "bin/pulumi"])
def test_a_program_in_the_engines_own_folder_that_fails_is_not_the_state(program: str) -> None:
    assert explain(f"error: could not run /home/me/.pulumi/{program}: the connection timed out") is None


@pytest.mark.usefixtures("_alone")
def test_missing_credentials_are_told_with_their_variables() -> None:
    error = refused(closed_port())
    assert error.reason == "the environment has no AWS credentials"
    assert "AWS_ACCESS_KEY_ID" in error.hint
    assert "AWS_PROFILE" in error.hint


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize(("code", "status"), REFUSALS.items())
def test_each_refusal_of_a_server_is_told_in_words(code: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    with answering(status, s3_error(code)) as address:
        assert code not in str(refused(address))


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_is_neither_an_empty_bucket_nor_shown(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    with answering(status, PAGE, "text/html") as address:
        assert "html" not in str(refused(address))


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_is_not_there_or_speaks_no_tls_is_told(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    with answering(200, "") as address:
        error = refused(address.replace("http", "https") if scheme == "https" else closed_port())
    assert error.reason == ("TLS with the server fails" if scheme == "https" else "the server does not answer")


@pytest.mark.usefixtures("_alone")
def test_a_profile_that_does_not_exist_is_told() -> None:
    with pytest.raises(StorageError) as caught:
        open_store(f"{backend(closed_port())}&profile=nobody").page()
    assert caught.value.reason == "the AWS profile does not exist on this machine"
