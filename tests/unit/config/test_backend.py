"""Where the engine's state is: what the environment, profiles and configuration files make of a backend's URL."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lotus_infra.config.backend import STACK_SERVICES, STATE_SERVICES, Backend, aws_diversions, proxies

S3 = "s3://lake-state?region=us-west-1"
OWN = f"{S3}&endpoint=s3.example.com"
GS = "gs://lake-state"
AZURE = "azblob://lake-state?storage_account=lake"
ELSEWHERE = "http://127.0.0.1:1"


def settings(url: str, environment: Mapping[str, str], home: Path) -> list[str]:
    """The settings that decide instead of a URL."""
    return [each.setting for each in Backend(url, "Pulumi.yaml").diversions({"HOME": str(home)} | dict(environment))]


def aws_files(home: Path, config: str = "", credentials: str = "") -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(config, encoding="utf-8")
    (home / ".aws" / "credentials").write_text(credentials, encoding="utf-8")


VARIABLES = [
    (S3, "AWS_ENDPOINT_URL"),
    (S3, "AWS_ENDPOINT_URL_S3"),
    (S3, "AWS_S3_ENDPOINT"),
    (S3, "AWS_S3_ENDPOINT_URL"),
    (GS, "STORAGE_EMULATOR_HOST"),
    (GS, "GOOGLE_CLOUD_UNIVERSE_DOMAIN"),
    (AZURE, "AZURE_STORAGE_DOMAIN"),
    (AZURE, "AZURE_STORAGE_PROTOCOL"),
    (AZURE, "AZURE_STORAGE_IS_CDN"),
    (AZURE, "AZURE_STORAGE_IS_LOCAL_EMULATOR"),
    (AZURE, "AZURE_STORAGE_CONNECTION_STRING"),
    (AZURE, "AZURE_STORAGEBLOB_CONNECTIONSTRING"),
    ("https://pulumi.example.com", "PULUMI_API"),
    ("https://pulumi.example.com", "PULUMI_DEFAULT_ORGANIZATION"),
    (f"{S3}&disableSSL=true", "HTTP_PROXY"),
    (f"{OWN}&disableSSL=true", "HTTP_PROXY"),
    (f"{S3}&endpoint=http://s3.example.com", "http_proxy"),
]


@pytest.mark.parametrize(("url", "variable"), VARIABLES)
def test_a_variable_that_redirects_the_backend_is_found(url: str, variable: str, tmp_path: Path) -> None:
    assert settings(url, {}, tmp_path) == []
    assert settings(url, {variable: ELSEWHERE}, tmp_path) == [f"${variable}"]
    assert settings(url, {variable: ""}, tmp_path) == []


HARMLESS = [
    (S3, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_PROFILE": "lake", "AWS_REGION": "eu-west-1"}),
    (S3, {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    (S3, {"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_EC2_METADATA_SERVICE_ENDPOINT": ELSEWHERE}),
    (S3, {"AWS_ENDPOINT_URL_DYNAMODB": ELSEWHERE, "AWS_SQS_ENDPOINT": ELSEWHERE}),
    (S3, {"AWS_ENDPOINT_URL_S3": ELSEWHERE, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
    (S3, {"HTTPS_PROXY": ELSEWHERE, "HTTP_PROXY": ELSEWHERE}),
    (OWN, {"AWS_ENDPOINT_URL_S3": ELSEWHERE, "HTTPS_PROXY": ELSEWHERE}),
    (GS, {"GOOGLE_APPLICATION_CREDENTIALS": "key.json", "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "googleapis.com"}),
    (AZURE, {"AZURE_STORAGE_ACCOUNT": "another", "AZURE_STORAGE_KEY": "a", "AZURE_STORAGE_IS_CDN": "false"}),
    (AZURE, {"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=a=="}),
    (AZURE, {"AZURE_STORAGE_DOMAIN": "blob.core.windows.net", "AZURE_STORAGE_PROTOCOL": "https"}),
    (f"{AZURE}&domain=blob.example.com", {"AZURE_STORAGE_DOMAIN": "blob.another.com"}),
    ("https://pulumi.example.com", {"PULUMI_API": "https://pulumi.example.com/"}),
    ("file:///state", {"AWS_ENDPOINT_URL": ELSEWHERE}),
]


@pytest.mark.parametrize(("url", "environment"), HARMLESS)
def test_a_setting_that_cannot_redirect_the_backend_is_allowed(
    url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    assert settings(url, environment, tmp_path) == []


def test_a_backend_that_leaves_its_place_to_the_environment_is_found(tmp_path: Path) -> None:
    assert settings("s3://lake-state", {}, tmp_path) == ["the environment's AWS region"]
    assert settings("azblob://lake-state", {"AZURE_STORAGE_ACCOUNT": "lake"}, tmp_path) == [
        "the environment's storage account"
    ]


@pytest.mark.parametrize(
    ("config", "credentials", "environment"),
    [
        (f"[default]\nendpoint_url = {ELSEWHERE}\n", "", {}),
        (f"[profile default]\nendpoint_url = {ELSEWHERE}\n", "", {}),
        ("", f"[default]\nendpoint_url = {ELSEWHERE}\n", {}),
        (f"[profile lake]\nendpoint_url = {ELSEWHERE}\n", "", {"AWS_PROFILE": "lake"}),
        (f"[profile\tlake]\nendpoint_url = {ELSEWHERE}\n", "", {"AWS_PROFILE": "lake"}),
        (f"[default]\nservices = own\n[services\town]\ns3 =\n  endpoint_url = {ELSEWHERE}\n", "", {}),
        (f"[profile lake]\nendpoint_url = {ELSEWHERE}\n", "", {"AWS_DEFAULT_PROFILE": "lake", "AWS_PROFILE": "x"}),
        ("", f"[lake]\nendpoint_url = {ELSEWHERE}\n", {"AWS_PROFILE": "lake"}),
        (f"[default]\nservices = own\n[services own]\ns3 =\n  endpoint_url = {ELSEWHERE}\n", "", {}),
        (f'[profile "a lake"]\nendpoint_url = {ELSEWHERE}\n', "", {"AWS_PROFILE": "a lake"}),
        (f"[default]\ns3 =\n  endpoint_url = {ELSEWHERE}\n", "", {}),
        (f"[default]\nendpoint_url = {ELSEWHERE}\nignore_configured_endpoint_urls = true\n", "", {}),
        (f"[default\nendpoint_url = {ELSEWHERE}\n", "", {}),
    ],
)
def test_an_address_in_a_file_of_aws_is_found(
    config: str, credentials: str, environment: dict[str, str], tmp_path: Path
) -> None:
    aws_files(tmp_path, config, credentials)

    assert len(settings(S3, environment, tmp_path)) == 1
    assert settings(OWN, environment, tmp_path) == []
    assert settings(S3, environment | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, tmp_path) == []


def test_files_of_aws_may_be_elsewhere(tmp_path: Path) -> None:
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        file = tmp_path / variable
        file.write_text(f"[default]\nendpoint_url = {ELSEWHERE}\n", encoding="utf-8")

        assert settings(S3, {variable: str(file)}, tmp_path) == [f"endpoint_url of the profile default in {file}"]


def test_profiles_that_are_not_selected_do_not_count(tmp_path: Path) -> None:
    other = f"[profile minio]\nendpoint_url = {ELSEWHERE}\nservices = own\n"
    aws_files(tmp_path, f"{other}[default]\nregion = us-west-1\n[services own]\ns3 =\n  endpoint_url = {ELSEWHERE}\n")

    assert settings(S3, {}, tmp_path) == []
    assert len(settings(S3, {"AWS_PROFILE": "minio"}, tmp_path)) == 2


def test_the_profile_of_the_url_comes_first_unless_a_role_is_assumed(tmp_path: Path) -> None:
    aws_files(tmp_path, f"[profile minio]\nendpoint_url = {ELSEWHERE}\n[profile lake]\nregion = us-west-1\n")
    minio = {"AWS_PROFILE": "minio"}

    assert settings(f"{S3}&profile=lake", minio, tmp_path) == []
    assert len(settings(f"{S3}&profile=minio", {"AWS_PROFILE": "lake"}, tmp_path)) == 1
    assert len(settings(f"{S3}&profile=lake&role=arn:aws:iam::1:role/lake", minio, tmp_path)) == 1


def test_a_landing_zone_on_aws_calls_more_services_than_the_backend(tmp_path: Path) -> None:
    aws_files(tmp_path, f"[default]\nservices = own\n[services own]\niam =\n  endpoint_url = {ELSEWHERE}\n")
    environment = {"HOME": str(tmp_path), "TF_AWS_STS_ENDPOINT": ELSEWHERE, "AWS_ENDPOINT_URL_S3_CONTROL": ELSEWHERE}

    assert len(list(aws_diversions(environment, STACK_SERVICES))) == 3
    assert list(aws_diversions(environment, STATE_SERVICES)) == []


@pytest.mark.parametrize(
    ("url", "environment", "count"),
    [
        ("http://airbyte.internal/api", {"HTTP_PROXY": ELSEWHERE}, 1),
        ("http://airbyte.internal/api", {"all_proxy": ELSEWHERE}, 1),
        ("http://airbyte.internal/api", {"HTTP_PROXY": ELSEWHERE, "NO_PROXY": ".internal"}, 0),
        ("http://airbyte.internal/api", {"HTTP_PROXY": ELSEWHERE, "NO_PROXY": ".internal", "no_proxy": "x"}, 1),
        ("http://airbyte.internal/api", {"HTTPS_PROXY": ELSEWHERE}, 0),
        ("https://airbyte.internal/api", {"HTTP_PROXY": ELSEWHERE, "HTTPS_PROXY": ELSEWHERE}, 0),
        ("", {"HTTP_PROXY": ELSEWHERE}, 0),
    ],
)
def test_a_proxy_can_answer_for_a_server_without_tls_only(url: str, environment: dict[str, str], count: int) -> None:
    assert len(list(proxies(url, environment))) == count


@pytest.mark.parametrize("scheme", ["s3", "gs", "azblob"])
def test_credentials_in_the_url_are_no_part_of_the_buckets_name(scheme: str) -> None:
    assert Backend(f"{scheme}://user:marker@lake-state?region=us-west-1", "Pulumi.yaml").bucket == "lake-state"
